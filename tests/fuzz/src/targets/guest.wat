;; A plugin that refuses whatever it is asked. Its answer of `start` and of every other export is
;; the error with an empty text; it describes itself as offering authorisations.
(module $guest
  (memory (export "memory") 4)
  (global $next (mut i32) (i32.const 131072))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (global.set $next (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -16)))
    (global.get $next)
    (global.set $next (i32.add (global.get $next) (local.get 3))))
  (func (export "tollgate:adapter/adapter@0.1.0#describe") (result i32) (i32.const 1024))
  (func (export "tollgate:adapter/adapter@0.1.0#start") (param i32) (result i32) (i32.const 4096))
  (func (export "tollgate:adapter/adapter@0.1.0#resume") (param i32) (result i32) (i32.const 4096))
  (func (export "tollgate:adapter/adapter@0.1.0#prove")
    (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "tollgate:adapter/adapter@0.1.0#interpret")
    (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "tollgate:adapter/adapter@0.1.0#acknowledge") (param i32) (result i32)
    (i32.const 4160))
  (data (i32.const 4096) "\01")
  ;; acknowledged with 200
  (data (i32.const 4160) "\c8\00")
  ;; name, version, operations: one, authorize; methods: one, token
  (data (i32.const 1024) "\00\08\00\00\05\00\00\00\10\08\00\00\05\00\00\00\20\08\00\00\01\00\00\00")
  (data (i32.const 2048) "guest")
  (data (i32.const 2064) "1.0.0"))
