//! Every way to do harm that we could think of, as data: what the guest does, and how it ends.
//!
//! Each is contained in its own call, named in the log, and costs nobody else anything. What a
//! request holds that must not leave (an injected header, a secret in a wrong place) is refused in
//! `egress`; steps without end are ended by `engine`.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use super::campaign::tell;
use super::guest::{Guest, component};
use super::lines;
use super::world::{around, authorize, limits, sandbox};
use crate::contract::{Part, Request, Step};
use crate::{ErrorKind, Fault, Generation, InUse, Kind, Limits, Sandbox, Thresholds};

/// A guest that means harm.
struct Rogue {
    name: &'static str,
    guest: Guest<'static>,
    /// What a call of `start` ends in; `None` if in an answer, which the guest has checked.
    ends: Option<Kind>,
}

/// One whose `start` does it.
fn rogue(name: &'static str, body: &'static str, ends: Kind) -> Rogue {
    Rogue { name, guest: Guest { body, ..Guest::default() }, ends: Some(ends) }
}

fn trap(name: &str) -> Kind {
    Kind::Trap(name.into())
}

impl Rogue {
    fn more(self, more: &'static str) -> Rogue {
        Rogue { guest: Guest { more, ..self.guest }, ..self }
    }

    fn imports(self, imports: &'static str) -> Rogue {
        Rogue { guest: Guest { imports, ..self.guest }, ..self }
    }

    fn realloc(self, realloc: &'static str) -> Rogue {
        Rogue { guest: Guest { realloc, ..self.guest }, ..self }
    }

    /// It is refused in words that it can read, and traps if it is not.
    fn gets_an_answer(self) -> Rogue {
        Rogue { ends: None, ..self }
    }
}

const DIGEST: &str = r#"(import "tollgate:adapter/crypto@0.1.0" "digest"
  (func $digest (param i32 i32 i32 i32)))"#;
const DERIVE: &str = r#"(import "tollgate:adapter/crypto@0.1.0" "derive"
  (func $derive (param i32 i32 i32 i32)))"#;
const MAC: &str = r#"(import "tollgate:adapter/crypto@0.1.0" "[method]key.mac"
  (func $mac (param i32 i32 i32 i32 i32)))"#;
const DROP: &str = r#"(import "tollgate:adapter/crypto@0.1.0" "[resource-drop]key"
  (func $drop (param i32)))"#;
const REMEMBER: &str = r#"(import "tollgate:adapter/payments@0.1.0" "remember"
  (func $remember (param i32 i32 i32 i32 i32 i32)))"#;
const SETTING: &str = r#"(import "tollgate:adapter/payments@0.1.0" "setting"
  (func $setting (param i32 i32 i32)))"#;

/// Those that use up all their time.
fn endless() -> Vec<Rogue> {
    let late = || Kind::Deadline;
    vec![
        rogue("endless loop", "(loop $again (br $again))", late()),
        rogue(
            "endless host calls",
            "(loop $again (call $random (i32.const 1024) (i32.const 8192))
               (global.set $next (i32.const 131072)) (br $again))",
            late(),
        ),
        rogue(
            "endless empty log lines",
            "(loop $again (call $log (i32.const 0) (i32.const 0) (i32.const 0)) (br $again))",
            late(),
        ),
        rogue(
            "endless copying",
            "(loop $again (memory.fill (i32.const 131072) (i32.const 7) (i32.const 4000000))
               (br $again))",
            late(),
        ),
        rogue("endless allocation of its arguments", "", late())
            .realloc("(loop $again (br $again)) (unreachable)"),
        rogue("endless clean-up", "", late()).more(
            r#"(func (export "cabi_post_tollgate:adapter/adapter@0.1.0#start") (param i32)
               (loop $again (br $again)))"#,
        ),
    ]
}

/// Those that want more than there is.
fn greedy() -> Vec<Rogue> {
    vec![
        rogue(
            "memory bomb",
            "(loop $again (drop (memory.grow (i32.const 16))) (br $again))",
            Kind::Memory,
        ),
        rogue("all memory at once", "(drop (memory.grow (i32.const 65472)))", Kind::Memory),
        rogue(
            "table bomb",
            "(loop $again (drop (table.grow $bomb (ref.null func) (i32.const 1000))) (br $again))",
            Kind::Table,
        )
        .more("(table $bomb 0 funcref)"),
        rogue("deep recursion", "(drop (call $start (i32.const 0)))", Kind::Stack),
        rogue("deep recursion by way of a table", "(call $one)", Kind::Stack).more(
            "(table $calls 2 funcref) (elem (i32.const 0) $one $two)
             (func $one (call_indirect $calls (i32.const 1)))
             (func $two (call_indirect $calls (i32.const 0)))",
        ),
        rogue(
            "log flood",
            "(loop $again (call $log (i32.const 3) (i32.const 190000) (i32.const 60000))
               (br $again))",
            Kind::HostBytes,
        ),
        rogue(
            "giant string",
            "(call $log (i32.const 0) (i32.const 190000) (i32.const 3000000))",
            Kind::HostBytes,
        ),
        rogue(
            "handle flood",
            "(loop $again (call $open (i32.const 2368) (i32.const 7) (i32.const 8192))
               (br $again))",
            Kind::Handles,
        ),
        rogue(
            "flood of results kept by the host",
            "(loop $again (call $derive (i32.const 2) (i32.const 0) (i32.const 0)
               (i32.const 8192)) (br $again))",
            Kind::Contract,
        )
        .imports(DERIVE),
        rogue(
            "flood of values to remember",
            "(loop $again
               (i32.store (i32.const 8192) (i32.add (i32.load (i32.const 8192)) (i32.const 1)))
               (call $remember (i32.const 8192) (i32.const 4) (i32.const 131072)
                 (i32.const 16384) (i32.const 0) (i32.const 0)) (br $again))",
            Kind::Contract,
        )
        .imports(REMEMBER),
        rogue(
            "many parts that are one megabyte each, all the same one",
            "(local $n i32) (loop $fill
               (i32.store (i32.add (i32.const 1200004) (i32.mul (local.get $n) (i32.const 20)))
                 (i32.const 190000))
               (i32.store (i32.add (i32.const 1200008) (i32.mul (local.get $n) (i32.const 20)))
                 (i32.const 1000000))
               (local.set $n (i32.add (local.get $n) (i32.const 1)))
               (br_if $fill (i32.lt_u (local.get $n) (i32.const 100000))))
             (call $derive (i32.const 2) (i32.const 1200000) (i32.const 100000)
               (i32.const 8192))",
            Kind::HostBytes,
        )
        .imports(DERIVE),
    ]
}

/// Those whose answer is too large. `start` answers by a result at 4096: an error's text at 4108;
/// of an exchange, the URL at 4120, headers at 4128, the state at 4148.
fn giant() -> Vec<Rogue> {
    vec![
        rogue(
            "giant answer",
            "(i32.store (i32.const 4108) (i32.const 190000))
             (i32.store (i32.const 4112) (i32.const 3145728))",
            Kind::Output,
        ),
        rogue(
            "state of 60 MB",
            "(drop (memory.grow (i32.const 960)))
             (i32.store8 (i32.const 4096) (i32.const 0))
             (i32.store (i32.const 4148) (i32.const 131072))
             (i32.store (i32.const 4152) (i32.const 62914560))",
            Kind::Output,
        ),
        rogue(
            "state of 100 MB, more than its memory",
            "(i32.store8 (i32.const 4096) (i32.const 0))
             (i32.store (i32.const 4148) (i32.const 0))
             (i32.store (i32.const 4152) (i32.const 104857600))",
            Kind::Contract,
        ),
        rogue(
            "many headers that are one megabyte each, all the same one",
            "(local $n i32) (i32.store8 (i32.const 4096) (i32.const 0))
             (loop $fill
               (i32.store (i32.add (i32.const 1200000) (i32.mul (local.get $n) (i32.const 16)))
                 (i32.const 190000))
               (i32.store (i32.add (i32.const 1200004) (i32.mul (local.get $n) (i32.const 16)))
                 (i32.const 1000000))
               (local.set $n (i32.add (local.get $n) (i32.const 1)))
               (br_if $fill (i32.lt_u (local.get $n) (i32.const 100000))))
             (i32.store (i32.const 4128) (i32.const 1200000))
             (i32.store (i32.const 4132) (i32.const 100000))",
            Kind::Output,
        ),
    ]
}

/// One for each trap that code without threads, SIMD memory or references of its own can make.
fn trapping() -> Vec<Rogue> {
    let table = "(table $calls 2 funcref) (elem (i32.const 0) $start)";
    vec![
        rogue("unreachable", "(unreachable)", trap("unreachable")),
        rogue(
            "division by zero",
            "(drop (i64.rem_s (i64.const 1) (i64.const 0)))",
            trap("IntegerDivisionByZero"),
        ),
        rogue(
            "division that overflows",
            "(drop (i32.div_s (i32.const -2147483648) (i32.const -1)))",
            trap("IntegerOverflow"),
        ),
        rogue(
            "conversion that overflows",
            "(drop (i32.trunc_f64_u (f64.const 1e300)))",
            trap("IntegerOverflow"),
        ),
        rogue(
            "conversion of no number",
            "(drop (i32.trunc_f32_s (f32.const nan)))",
            trap("BadConversionToInteger"),
        ),
        rogue("load far outside", "(drop (i64.load (i32.const -8)))", trap("MemoryOutOfBounds")),
        rogue(
            "store across the end",
            "(i32.store (i32.const 4194302) (i32.const 7))",
            trap("MemoryOutOfBounds"),
        ),
        rogue(
            "copy beyond the end",
            "(memory.copy (i32.const 0) (i32.const 4194303) (i32.const 2))",
            trap("MemoryOutOfBounds"),
        ),
        rogue(
            "table beyond the end",
            "(drop (table.get $calls (i32.const 2)))",
            trap("TableOutOfBounds"),
        )
        .more(table),
        rogue(
            "call of nothing",
            "(call_indirect $calls (i32.const 1))",
            trap("IndirectCallToNull"),
        )
        .more(table),
        rogue("call by a wrong type", "(call_indirect $calls (i32.const 0))", trap("BadSignature"))
            .more(table),
    ]
}

/// Those whose arguments are none of the type they are given as, or lie where nothing is.
fn lying() -> Vec<Rogue> {
    let broken = || Kind::Contract;
    let log = |name, body| rogue(name, body, Kind::Contract);
    vec![
        log("level of no log", "(call $log (i32.const 4) (i32.const 0) (i32.const 0))"),
        log("level below all", "(call $log (i32.const -1) (i32.const 0) (i32.const 0))"),
        log("text outside memory", "(call $log (i32.const 0) (i32.const -8) (i32.const 4))"),
        log("text across the end", "(call $log (i32.const 0) (i32.const 4194303) (i32.const 2))"),
        log("text past all addresses", "(call $log (i32.const 0) (i32.const -1) (i32.const -1))"),
        log("text that is no UTF-8", "(call $log (i32.const 0) (i32.const 8192) (i32.const 2))")
            .more(r#"(data (i32.const 8192) "\c3\28")"#),
        log("text with half a pair", "(call $log (i32.const 0) (i32.const 8192) (i32.const 3))")
            .more(r#"(data (i32.const 8192) "\ed\a0\80")"#),
        rogue(
            "digest of no algorithm",
            "(call $digest (i32.const 6) (i32.const 0) (i32.const 0) (i32.const 8192))",
            broken(),
        )
        .imports(DIGEST),
        rogue(
            "answer wanted outside memory",
            "(call $digest (i32.const 2) (i32.const 0) (i32.const 0) (i32.const -64))",
            broken(),
        )
        .imports(DIGEST),
        rogue(
            "answer wanted at an odd address",
            "(call $digest (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 8193))",
            broken(),
        )
        .imports(DIGEST),
        rogue(
            "part of no kind",
            "(i32.store (i32.const 8192) (i32.const 3))
             (call $derive (i32.const 2) (i32.const 8192) (i32.const 1) (i32.const 9000))",
            broken(),
        )
        .imports(DERIVE),
        rogue(
            "part of no encoding",
            "(i32.store (i32.const 8192) (i32.const 2)) (i32.store (i32.const 8196) (i32.const 2))
             (i32.store (i32.const 8208) (i32.const 8))
             (call $derive (i32.const 2) (i32.const 8192) (i32.const 1) (i32.const 9000))",
            broken(),
        )
        .imports(DERIVE),
        rogue(
            "parts at an odd address",
            "(call $derive (i32.const 2) (i32.const 8193) (i32.const 1) (i32.const 9000))",
            broken(),
        )
        .imports(DERIVE),
        rogue(
            "more parts than there are addresses",
            "(call $derive (i32.const 2) (i32.const 8192) (i32.const 0x10000000)
               (i32.const 9000))",
            broken(),
        )
        .imports(DERIVE),
        rogue(
            "option of no case",
            "(call $remember (i32.const 2368) (i32.const 7) (i32.const 0) (i32.const 0)
               (i32.const 2) (i32.const 0))",
            broken(),
        )
        .imports(REMEMBER),
    ]
}

/// The same of their answers, and of the memory they hand out for arguments.
fn deceiving() -> Vec<Rogue> {
    let broken = || Kind::Contract;
    vec![
        rogue("answer of no case", "(i32.store8 (i32.const 4096) (i32.const 2))", broken()),
        rogue("failure of no case", "(i32.store8 (i32.const 4104) (i32.const 4))", broken()),
        rogue(
            "answer that is no UTF-8",
            "(i32.store8 (i32.const 131072) (i32.const 255))
             (i32.store (i32.const 4108) (i32.const 131072))
             (i32.store (i32.const 4112) (i32.const 1))",
            broken(),
        ),
        rogue(
            "answer across the end",
            "(i32.store (i32.const 4108) (i32.const 4194300))
             (i32.store (i32.const 4112) (i32.const 8))",
            broken(),
        ),
        rogue("answer at an odd address", "(return (i32.const 4097))", broken()),
        rogue("answer outside memory", "(return (i32.const -16))", broken()),
        rogue("allocation outside memory", "", broken()).realloc("(i32.const -16)"),
        rogue("allocation at an odd address", "", broken()).realloc("(i32.const 131073)"),
        rogue("allocation that traps", "", trap("unreachable")).realloc("(unreachable)"),
        rogue("allocation without end", "", Kind::Memory)
            .realloc("(loop $again (drop (memory.grow (i32.const 16))) (br $again)) (unreachable)"),
    ]
}

/// Those that want what is not theirs.
fn thieving() -> Vec<Rogue> {
    // The answer is at 8192: the guest traps unless it is a refusal.
    let refused =
        |name, body, imports| rogue(name, body, Kind::Contract).imports(imports).gets_an_answer();
    vec![
        refused(
            "key slot it did not ask for",
            "(call $open (i32.const 9000) (i32.const 8) (i32.const 8192))
             (if (i32.eqz (i32.load8_u (i32.const 8192))) (then (unreachable)))",
            "",
        )
        .more(r#"(data (i32.const 9000) "merchant")"#),
        refused(
            "secret it did not ask for",
            "(i32.store (i32.const 9100) (i32.const 2))
             (i32.store (i32.const 9108) (i32.const 9000))
             (i32.store (i32.const 9112) (i32.const 7))
             (call $derive (i32.const 2) (i32.const 9100) (i32.const 1) (i32.const 8192))
             (if (i32.eqz (i32.load8_u (i32.const 8192))) (then (unreachable)))",
            DERIVE,
        )
        .more(r#"(data (i32.const 9000) "api-key")"#),
        refused(
            "setting it did not ask for",
            "(call $setting (i32.const 9000) (i32.const 7) (i32.const 8192))
             (if (i32.load8_u (i32.const 8192)) (then (unreachable)))",
            SETTING,
        )
        .more(r#"(data (i32.const 9000) "unasked")"#),
        refused(
            "more randomness than there is in one call",
            "(call $random (i32.const -1) (i32.const 8192))
             (if (i32.eqz (i32.load8_u (i32.const 8192))) (then (unreachable)))",
            "",
        ),
        rogue(
            "handle it was never given",
            "(call $mac (i32.const 7) (i32.const 2) (i32.const 0) (i32.const 0)
               (i32.const 8192))",
            Kind::Contract,
        )
        .imports(MAC),
        rogue("drop of a handle it was never given", "(call $drop (i32.const 3))", Kind::Contract)
            .imports(DROP),
        rogue(
            "drop of a handle, twice",
            "(call $open (i32.const 2368) (i32.const 7) (i32.const 8192))
             (call $drop (i32.load (i32.const 8196))) (call $drop (i32.load (i32.const 8196)))",
            Kind::Contract,
        )
        .imports(DROP),
        rogue("call of the host while the host calls it", "", trap("CannotLeaveComponent"))
            .realloc("(call $log (i32.const 0) (i32.const 0) (i32.const 0)) (i32.const 131072)"),
        rogue("call of the host in clean-up", "", trap("CannotLeaveComponent")).more(
            r#"(func (export "cabi_post_tollgate:adapter/adapter@0.1.0#start") (param i32)
               (call $log (i32.const 0) (i32.const 0) (i32.const 0)))"#,
        ),
    ]
}

/// All that end by themselves.
fn short() -> Vec<Rogue> {
    let all = [greedy(), giant(), trapping(), lying(), deceiving(), thieving()];
    all.into_iter().flatten().collect()
}

/// Many faults are the purpose here.
fn patient(call_ms_max: u64) -> Limits {
    let quarantine = Thresholds { faults: u32::MAX, ..Thresholds::default() };
    Limits { call_ms_max, quarantine, concurrent_calls_max: 8, ..limits() }
}

fn load(sandbox: &Sandbox, rogue: &Rogue) -> Generation {
    let loaded = sandbox.load(rogue.name, &rogue.guest.component(), None);
    loaded.unwrap_or_else(|error| panic!("{}: {error:?}", rogue.name))
}

fn good(sandbox: &Sandbox) -> Generation {
    sandbox.load("good", &Guest::default().component(), None).expect("a plugin")
}

async fn call(generation: &Generation) -> Result<(), Fault> {
    generation.start(around(), authorize()).await.map(drop)
}

/// The fault is the one expected, and the operator can read of it.
fn check(rogue: &Rogue, ended: Result<(), Fault>) {
    let name = rogue.name;
    let fault = ended.as_ref().err();
    assert_eq!(fault.map(|fault| &fault.kind), rogue.ends.as_ref(), "{name}: {ended:?}");
    let Some(fault) = fault else { return };
    assert_eq!((&*fault.plugin, fault.export), (name, "start"));
    assert!(!fault.what.is_empty() && !fault.what.chars().any(char::is_control), "{fault:?}");
    let told = lines::of(name);
    let told = told.iter().filter(|line| line.contains("fault: ")).collect::<Vec<_>>();
    assert_eq!(told.len(), 1, "{name}: {told:?}");
    assert!(told[0].contains("account=\"acme-live\"") && told[0].contains("export=\"start\""));
    assert!(told[0].contains(&format!("kind={:?}", fault.kind)), "{told:?}");
}

#[tokio::test]
async fn each_rogue_ends_as_it_should_and_costs_one_call() {
    lines::keep();
    let sandbox = sandbox(patient(60_000), None);
    let good = good(&sandbox);
    let (mut otherwise, mut kinds) = (Vec::new(), BTreeMap::<String, u64>::new());
    for rogue in short() {
        let generation = load(&sandbox, &rogue);
        let ended = call(&generation).await;
        let kind = rogue.ends.as_ref().map_or("answered".to_owned(), |kind| format!("{kind:?}"));
        *kinds.entry(kind.split('(').next().unwrap_or_default().to_lowercase()).or_default() += 1;
        if ended.as_ref().err().map(|fault| &fault.kind) == rogue.ends.as_ref() {
            check(&rogue, ended);
        } else {
            otherwise.push((rogue.name, rogue.ends.clone(), ended));
        }
        assert_eq!(sandbox.in_use(), InUse::default(), "{}", rogue.name);
        call(&good).await.expect("the neighbour answers");
        if rogue.guest.realloc == Guest::default().realloc {
            generation.acknowledge(true).await.expect("its other functions answer still");
        }
    }
    assert!(otherwise.is_empty(), "these ended otherwise: {otherwise:#?}");
    tell("rogues", &kinds, "");
}

#[tokio::test]
async fn while_rogues_use_up_their_time_a_neighbour_is_answered() {
    lines::keep();
    // None of them ends before this, so whoever is answered before them has not waited for them.
    let sandbox = sandbox(patient(8_000), None);
    let good = good(&sandbox);
    let loaded = endless().into_iter().map(|rogue| (load(&sandbox, &rogue), rogue));
    let loaded: Vec<_> = loaded.collect();
    let running: Vec<_> = loaded
        .into_iter()
        .map(|(generation, rogue)| (rogue, tokio::spawn(async move { call(&generation).await })))
        .collect();
    while sandbox.in_use().components < running.len() as u64 {
        tokio::task::yield_now().await;
    }
    for _ in 0..10 {
        call(&good).await.expect("the neighbour answers");
    }
    for (rogue, task) in &running {
        assert!(!task.is_finished(), "{} was to last longer", rogue.name);
    }
    let kinds = BTreeMap::from([("deadline".to_owned(), running.len() as u64)]);
    for (rogue, task) in running {
        check(&rogue, task.await.expect("it ran"));
    }
    tell("rogues-endless", &kinds, "");
    assert_eq!(sandbox.in_use(), InUse::default());
}

#[tokio::test]
async fn one_plugin_cannot_take_all_places() {
    let limits = Limits {
        concurrent_calls_max: 3,
        concurrent_calls_per_plugin_max: 2,
        computing_calls_per_plugin_max: 2,
        ..patient(3_000)
    };
    let sandbox = sandbox(limits, None);
    let good = good(&sandbox);
    let component = endless()[0].guest.component();
    let rogue = sandbox.load("crowd", &component, None).expect("a plugin");
    let calls: Vec<_> = (0..4)
        .map(|_| {
            let rogue = rogue.clone();
            tokio::spawn(async move { call(&rogue).await })
        })
        .collect();
    while sandbox.in_use().components < 2 {
        tokio::task::yield_now().await;
    }
    call(&good).await.expect("the neighbour answers");
    assert!(calls.iter().all(|call| !call.is_finished()), "the neighbour waited");
    for call in calls {
        assert_eq!(call.await.expect("it ran").expect_err("a fault").kind, Kind::Deadline);
    }
    assert_eq!(sandbox.in_use(), InUse::default());
}

#[tokio::test]
async fn calls_of_one_plugin_take_turns_and_no_more_compute_than_it_has_places_for() {
    const EACH: Duration = Duration::from_secs(2);
    let limits = Limits { computing_calls_per_plugin_max: 1, ..patient(2_000) };
    let sandbox = sandbox(limits, None);
    // Under a name of its own: another test reads the lines of "endless loop".
    let component = endless()[0].guest.component();
    let rogue = sandbox.load("one of many", &component, None).expect("a plugin");
    let began = Instant::now();
    let calls: Vec<_> = (0..3)
        .map(|_| {
            let rogue = rogue.clone();
            tokio::spawn(async move { call(&rogue).await })
        })
        .collect();
    while sandbox.in_use().components < 3 {
        tokio::task::yield_now().await;
    }
    rogue.acknowledge(true).await.expect("it has its turn");
    assert!(calls.iter().all(|call| !call.is_finished()), "it waited for the end of another");
    let mut worked = Duration::ZERO;
    for call in calls {
        let fault = call.await.expect("it ran").expect_err("a fault");
        assert_eq!(fault.kind, Kind::Deadline);
        worked += fault.elapsed;
    }
    // Each had all its time, and no two of them the same.
    assert!(worked >= 3 * EACH && worked <= began.elapsed(), "{worked:?} {:?}", began.elapsed());
}

/// The resident set of this process, in KiB.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a line");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a figure")
}

const ALONE: &str = "TOLLGATE_TEST_ALONE";

/// Runs in a process of its own, where no other test uses memory.
#[tokio::test]
async fn a_thousand_faults_leave_no_memory_behind() {
    if std::env::var_os(ALONE).is_none() {
        let name = "tests::rogues::a_thousand_faults_leave_no_memory_behind";
        let itself = std::env::current_exe().expect("a path");
        let ran = Command::new(itself).args(["--exact", name]).env(ALONE, "1").output();
        let ran = ran.expect("it runs");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
        assert!(String::from_utf8_lossy(&ran.stdout).contains("1 passed"), "it was found");
        return;
    }
    let sandbox = sandbox(patient(60_000), None);
    let rogues: Vec<_> = short().iter().map(|rogue| load(&sandbox, rogue)).collect();
    let mut before = 0;
    for (n, generation) in rogues.iter().cycle().take(1_000 + 4 * rogues.len()).enumerate() {
        if n == 4 * rogues.len() {
            before = resident_kib();
        }
        call(generation).await.ok();
        assert_eq!(sandbox.in_use(), InUse::default());
    }
    let grown = resident_kib().saturating_sub(before);
    // One call in a hundred that kept its 4 MiB of memory would be seen.
    assert!(grown < 32 << 10, "{grown} KiB more after a thousand faults");
}

#[tokio::test]
async fn what_would_inject_a_header_stays_one_value_for_egress_to_refuse() {
    // Ok(Send(Http(Get, url, [header], no body))): the header at 9000, its one part at 9100.
    let guest = Guest {
        body: "(i32.store8 (i32.const 4096) (i32.const 0))
          (i32.store (i32.const 4120) (i32.const 8192)) (i32.store (i32.const 4124) (i32.const 14))
          (i32.store (i32.const 4128) (i32.const 9000)) (i32.store (i32.const 4132) (i32.const 1))
          (i32.store (i32.const 9000) (i32.const 8300)) (i32.store (i32.const 9004) (i32.const 1))
          (i32.store (i32.const 9008) (i32.const 9100)) (i32.store (i32.const 9012) (i32.const 1))
          (i32.store (i32.const 9104) (i32.const 8301)) (i32.store (i32.const 9108) (i32.const 9))",
        more: r#"(data (i32.const 8192) "https://a.test") (data (i32.const 8300) "xa\r\ny: bcd")"#,
        ..Guest::default()
    };
    let sandbox = sandbox(limits(), None);
    let generation = sandbox.load("injector", &guest.component(), None).expect("a plugin");
    let step = generation.start(around(), authorize()).await.expect("an answer").answer;
    let Step::Send(exchange) = step.expect("a step") else { panic!("not sent") };
    let Request::Http(request) = exchange.request else { panic!("another request") };
    assert_eq!(request.headers.len(), 1);
    assert_eq!(request.headers[0].value, [Part::Text("a\r\ny: bcd".to_owned())]);
}

#[tokio::test]
async fn the_name_of_a_function_forges_no_line() {
    let long = "x".repeat(10_000);
    let more = format!("(func $\"evil\\0aforged{long}\" (unreachable))");
    let body = format!("(call $\"evil\\0aforged{long}\")");
    let guest = Guest { body: &body, more: &more, ..Guest::default() };
    let sandbox = sandbox(limits(), None);
    let generation = sandbox.load("forger", &guest.component(), None).expect("a plugin");
    let fault = call(&generation).await.expect_err("a fault");
    assert!(fault.trace[0].starts_with("evil\\nforged"), "{fault:?}");
    assert!(fault.trace.iter().all(|name| name.len() <= 128));
}

#[test]
fn code_that_runs_before_any_call_is_held_to_the_same_limits() {
    // What it imports is not there yet.
    let ask = "(call $log (i32.const 0) (i32.const 0) (i32.const 0))";
    let grow = "(loop $again (drop (memory.grow (i32.const 16))) (br $again))";
    let deep = "(call $begin)";
    let cases = [
        ("(loop $again (br $again))", Kind::Deadline),
        (ask, trap("IndirectCallToNull")),
        (grow, Kind::Memory),
        (deep, Kind::Stack),
        ("(unreachable)", trap("unreachable")),
    ];
    for (code, kind) in cases {
        // Only the endless one has need of a short time.
        let sandbox = sandbox(patient(if kind == Kind::Deadline { 50 } else { 60_000 }), None);
        let more = format!("(func $begin {code}) (start $begin)");
        let guest = Guest { more: &more, ..Guest::default() };
        let error = sandbox.load("early", &guest.component(), None).expect_err("refused");
        assert_eq!(error.kind, ErrorKind::Description, "{error:?}");
        let fault = error.source.as_ref().and_then(|source| source.downcast_ref::<Fault>());
        assert_eq!(fault.map(|fault| &fault.kind), Some(&kind), "{error:?}");
        assert_eq!(sandbox.in_use(), InUse::default());
    }
}

#[test]
fn a_plugin_of_a_hundred_megabytes_is_refused_unread() {
    let mut giant = component(&Guest::default().text());
    giant.resize(100 << 20, 0);
    let error = sandbox(limits(), None).load("giant", &giant, None).expect_err("refused");
    assert_eq!(error.kind, ErrorKind::Size);
    assert!(error.what.contains("104857600 bytes, 67108864 allowed"), "{error}");
}
