//! Guests that mean harm: each ends in a fault that names what it did, and nothing else suffers.

use std::sync::{Arc, Mutex};

use wasmtime::component::{Component, Linker};

use super::guest::{module, starting};
use super::lines::Line;
use super::world::{around, authorize, decimals, limits, loaded};
use crate::call::{Call, Plugin};
use crate::contract::{Failure, Level};
use crate::description::Asked;
use crate::fault::{Trip, classify};
use crate::lane::Lane;
use crate::{Fault, Generation, Kind, Limits, runtime};

const LOOP: &str = "(loop $again (br $again))";

async fn start(generation: &Generation) -> Result<Failure, Fault> {
    let called = generation.start(around(), authorize()).await?;
    Ok(called.answer.expect_err("these guests never make a step"))
}

/// What `body` ends in, under `limits`.
async fn ends(body: &str, more: &str, limits: Limits) -> Fault {
    start(&loaded(limits, &starting(body, more))).await.expect_err("a fault")
}

#[tokio::test]
async fn a_guest_that_does_nothing_wrong_gets_through() {
    let generation = loaded(limits(), &starting("", ""));
    assert_eq!(start(&generation).await.expect("no fault"), Failure::Unsupported(String::new()));
    assert_eq!(generation.description().name, "guest");
    assert_eq!(generation.description().keys.len(), 1);
    let reply = generation.acknowledge(true).await.expect("no fault").answer;
    assert_eq!((reply.status, reply.body.len()), (0, 0));
}

#[tokio::test]
async fn an_endless_loop_ends_at_the_deadline() {
    let limits = Limits { call_ms_max: 50, ..limits() };
    let fault = ends(LOOP, "", limits).await;
    assert_eq!(fault.kind, Kind::Deadline, "{fault:?}");
    assert_eq!(fault.export, "start");
    assert!(fault.elapsed.as_millis() >= 50);
    assert!(fault.to_string().contains("50 ms"), "{fault}");
}

#[tokio::test]
async fn an_endless_loop_of_host_calls_ends_at_the_deadline() {
    let limits = Limits { call_ms_max: 50, ..limits() };
    let body = "(loop $again (call $random (i32.const 1024) (i32.const 8192)) (br $again))";
    // Without this the answers would fill the guest's memory first.
    let body = body.replace("(br $again)", "(global.set $next (i32.const 131072)) (br $again)");
    assert_eq!(ends(&body, "", limits).await.kind, Kind::Deadline);
}

#[test]
fn a_host_call_after_the_deadline_ends_the_call() {
    let mut call = blank(Limits { call_ms_max: 0, ..limits() });
    assert!(matches!(call.enter(0), Err(Trip::Deadline(0))));
}

#[tokio::test]
async fn a_loop_in_the_code_that_runs_at_instantiation_ends_at_the_deadline() {
    let limits = Limits { call_ms_max: 50, ..limits() };
    let component = starting("", &format!("(func $begin {LOOP}) (start $begin)"));
    let sandbox = super::world::sandbox(limits, None);
    let error = sandbox.load("guest", &component, None).expect_err("it never begins");
    let fault = error.source.as_ref().and_then(|source| source.downcast_ref::<Fault>());
    assert_eq!(fault.map(|fault| &fault.kind), Some(&Kind::Deadline), "{error:?}");
}

#[tokio::test]
async fn a_guest_that_runs_out_of_time_does_not_hold_up_another() {
    let slow = Limits { call_ms_max: 200, ..limits() };
    let sandbox = super::world::sandbox(slow, None);
    let endless = sandbox.load("endless", &starting(LOOP, ""), None).expect("a plugin");
    let good = sandbox.load("good", &starting("", ""), None).expect("a plugin");
    let running = tokio::spawn(async move { start(&endless).await });
    for _ in 0..50 {
        start(&good).await.expect("no fault");
    }
    assert_eq!(running.await.expect("it ran").expect_err("a fault").kind, Kind::Deadline);
}

#[tokio::test]
async fn a_guest_that_grows_its_memory_without_end_is_stopped() {
    let body = "(loop $again (drop (memory.grow (i32.const 16))) (br $again))";
    let fault = ends(body, "", limits()).await;
    assert_eq!(fault.kind, Kind::Memory, "{fault:?}");
    assert!(fault.what.contains("67108864 allowed"), "{fault}");
}

#[tokio::test]
async fn a_guest_that_grows_a_table_without_end_is_stopped() {
    let body = "(loop $again
      (drop (table.grow $bomb (ref.null func) (i32.const 1000))) (br $again))";
    let fault = ends(body, "(table $bomb 0 funcref)", limits()).await;
    assert_eq!(fault.kind, Kind::Table, "{fault:?}");
}

/// The limit is one for all memories, and so is the table's: of pieces of more than a half it
/// takes one, of pieces of more than a third two.
#[test]
fn memories_and_tables_are_summed_over_the_whole_component() {
    let (memory, table) = (Kind::Memory, Kind::Table);
    for (pieces, field, kind) in [
        (2, "(memory 600)", &memory),
        (3, "(memory 400)", &memory),
        (2, "(table 40000 funcref)", &table),
        (3, "(table 30000 funcref)", &table),
    ] {
        let instances = "(core instance (instantiate $m))".repeat(pieces);
        let text = format!("(component (core module $m {field}) {instances})");
        let engine = runtime::engine(&limits()).expect("an engine");
        let bytes = wat::parse_str(text).expect("the text is right");
        let component = Component::from_binary(&engine, &bytes).expect("it compiles");
        let mut store = runtime::store(&engine, blank(limits()));
        let linker = Linker::<Call>::new(&engine);
        let error = linker.instantiate(&mut store, &component).expect_err("too much");
        assert_eq!(&classify(&error, &[]).0, kind, "{error:?}");
    }
}

#[tokio::test]
async fn a_guest_that_calls_itself_without_end_is_stopped() {
    let fault = ends("(call $start (i32.const 0)) (drop)", "", limits()).await;
    assert_eq!(fault.kind, Kind::Stack, "{fault:?}");
}

#[tokio::test]
async fn a_trap_is_named() {
    let fault = ends("(unreachable)", "", limits()).await;
    assert_eq!(fault.kind, Kind::Trap("unreachable".into()));
    assert_eq!(fault.trace.first().map(String::as_str), Some("start"), "{fault:?}");
    let fault = ends("(drop (i32.div_u (i32.const 1) (i32.const 0)))", "", limits()).await;
    assert_eq!(fault.kind, Kind::Trap("IntegerDivisionByZero".into()));
    let fault = ends("(drop (i32.load (i32.const -8)))", "", limits()).await;
    assert_eq!(fault.kind, Kind::Trap("MemoryOutOfBounds".into()));
}

#[tokio::test]
async fn the_text_of_a_panic_goes_along_with_the_fault() {
    let data = r#"(data (i32.const 8192) "panicked at src/lib.rs:7:1: no amount\nforged line")"#;
    let body = "(call $log (i32.const 3) (i32.const 8192) (i32.const 49)) (unreachable)";
    let fault = ends(body, data, limits()).await;
    assert_eq!(fault.kind, Kind::Panic, "{fault:?}");
    let line = fault.log.last().expect("a line");
    assert_eq!(line.level, Level::Error);
    assert_eq!(line.message, "panicked at src/lib.rs:7:1: no amount\\nforged line");
    assert!(fault.what.contains("no amount"), "{fault}");
}

#[tokio::test]
async fn a_guest_cannot_flood_the_log_and_its_panic_is_still_told() {
    let body = "(local $n i32) (loop $again
      (call $log (i32.const 3) (i32.const 1048576) (i32.const 3000))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $n) (i32.const 1000))))
      (call $log (i32.const 3) (i32.const 8192) (i32.const 13)) (unreachable)";
    let fault = ends(body, r#"(data (i32.const 8192) "panicked here")"#, limits()).await;
    assert_eq!((fault.log.len(), &fault.kind), (8, &Kind::Panic), "{fault:?}");
    assert!(fault.log.iter().all(|line| line.message.len() <= 1024));
    assert_eq!(&*fault.what, "panicked here");
}

#[test]
fn the_lines_of_one_call_are_cut_and_the_operator_is_told_so_once() {
    let written = Lines::default();
    // While there is one subscriber alone, what another thread is first to log is off for all.
    let _other = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
    tracing::subscriber::with_default(written.clone(), || {
        let mut call = blank(Limits { log_bytes_max: 2_000, ..limits() });
        for _ in 0..10 {
            call.log(Level::Info, &"x".repeat(5_000));
        }
    });
    let lines = written.0.lock().expect("no panic").clone();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[0].contains(&"x".repeat(1024)) && !lines[0].contains(&"x".repeat(1025)));
    assert!(lines[0].contains("plugin=\"guest\"") && lines[0].contains("account="), "{lines:?}");
    assert!(lines[2].contains("log cut"), "{lines:?}");
}

/// A log that is only a list of its lines.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl tracing::Subscriber for Lines {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "plugin"
    }

    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        self.0.lock().expect("no panic").push(line.0);
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test]
async fn a_giant_answer_is_refused() {
    // Err(Unsupported(three mebibytes))
    let body = "(i32.store (i32.const 4108) (i32.const 0))
      (i32.store (i32.const 4112) (i32.const 3145728))";
    let fault = ends(body, "", limits()).await;
    assert_eq!(fault.kind, Kind::Output, "{fault:?}");
    assert_eq!(&*fault.what, "the answer is too large");
}

#[tokio::test]
async fn a_state_too_large_to_journal_is_refused() {
    // Ok(Send(Exchange { request: Http(Get, url, no headers, no body), state: 70,000 bytes }))
    let url = r#"(data (i32.const 8192) "https://a.test")"#;
    let body = "(i32.store8 (i32.const 4096) (i32.const 0)) (i32.const 70000) (drop)";
    let fill = format!("{body} {}", exchange(70_000));
    let fault = ends(&fill, url, limits()).await;
    assert_eq!(fault.kind, Kind::Output, "{fault:?}");
    assert!(fault.what.contains("70000 bytes, 65536 allowed"), "{fault}");
    let generation = loaded(limits(), &starting(&format!("{body} {}", exchange(65_536)), url));
    let step = generation.start(around(), authorize()).await.expect("no fault").answer;
    assert!(step.is_ok());
}

/// Stores that make the answer an exchange with a state of this many bytes.
fn exchange(state_bytes: u32) -> String {
    // result: 4096; step: 4104; exchange: 4112; request: tag 4112, http-request 4116: method,
    // url 4120, headers 4128, body 4136; moves-money 4144; state 4148.
    format!(
        "(i32.store (i32.const 4120) (i32.const 8192)) (i32.store (i32.const 4124) (i32.const 14))
         (i32.store (i32.const 4148) (i32.const 0))
         (i32.store (i32.const 4152) (i32.const {state_bytes}))"
    )
}

#[tokio::test]
async fn what_is_given_to_the_host_is_summed_over_a_call() {
    let body = "(loop $again
      (call $log (i32.const 0) (i32.const 1048576) (i32.const 1000000)) (br $again))";
    let fault = ends(body, "", limits()).await;
    assert_eq!(fault.kind, Kind::HostBytes, "{fault:?}");
    let one = "(call $log (i32.const 0) (i32.const 1048576) (i32.const 3000000))";
    assert_eq!(ends(one, "", limits()).await.kind, Kind::HostBytes);
}

#[tokio::test]
async fn a_guest_cannot_hold_handles_without_end() {
    let body = "(loop $again
      (call $open (i32.const 2368) (i32.const 7) (i32.const 8192)) (br $again))";
    let fault = ends(body, "", limits()).await;
    assert_eq!(fault.kind, Kind::Handles, "{fault:?}");
}

#[tokio::test]
async fn a_value_that_is_none_of_its_type_is_a_breach_of_contract() {
    // A result has two cases, not 200; and a string outside of memory is no string.
    let fault = ends("(i32.store8 (i32.const 4096) (i32.const 200))", "", limits()).await;
    assert_eq!(fault.kind, Kind::Contract, "{fault:?}");
    let fault = ends(
        "(i32.store (i32.const 4108) (i32.const -16))
      (i32.store (i32.const 4112) (i32.const 64))",
        "",
        limits(),
    )
    .await;
    assert_eq!(fault.kind, Kind::Contract, "{fault:?}");
}

#[tokio::test]
async fn nothing_stays_in_memory_between_two_calls() {
    // Counts in a global, in initialised memory and in fresh memory; answers with the sum.
    let body = "(global.set $count (i32.add (global.get $count) (i32.const 1)))
      (i32.store (i32.const 8192) (i32.add (i32.load (i32.const 8192)) (i32.const 1)))
      (i32.store (i32.const 900000) (i32.add (i32.load (i32.const 900000)) (i32.const 1)))
      (i32.store (i32.const 4112) (i32.add (global.get $count)
        (i32.add (i32.load (i32.const 8192)) (i32.load (i32.const 900000)))))";
    let more = r#"(global $count (mut i32) (i32.const 0)) (data (i32.const 8192) "\01")"#;
    let generation = loaded(limits(), &starting(body, more));
    for _ in 0..20 {
        let Failure::Unsupported(text) = start(&generation).await.expect("no fault") else {
            panic!("another failure")
        };
        assert_eq!(text.len(), 4);
    }
}

#[tokio::test]
async fn more_calls_than_places_wait_and_are_all_answered() {
    let generation = loaded(limits(), &starting("", ""));
    let calls: Vec<_> = (0..64)
        .map(|_| {
            let generation = generation.clone();
            tokio::spawn(async move { start(&generation).await })
        })
        .collect();
    for call in calls {
        call.await.expect("it ran").expect("no fault");
    }
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_gives_its_place_back() {
    let generation = loaded(Limits { call_ms_max: 50, ..limits() }, &starting(LOOP, ""));
    for _ in 0..4 {
        drop(tokio::spawn(start_and_forget(generation.clone())));
    }
    assert_eq!(start(&generation).await.expect_err("a fault").kind, Kind::Deadline);
}

async fn start_and_forget(generation: Generation) {
    tokio::select! {
        biased;
        _ = start(&generation) => {}
        () = std::future::ready(()) => {}
    }
}

#[test]
fn the_hostile_guests_differ_from_the_good_one_only_where_they_say() {
    assert!(module(LOOP, "").contains(LOOP));
    assert_eq!(module(LOOP, "").replace(LOOP, ""), module("", ""));
}

fn blank(limits: Limits) -> Call {
    let name = "guest".to_owned();
    Call::blank(Arc::new(Plugin {
        name,
        asked: Asked::default(),
        limits,
        decimals,
        witness: Default::default(),
        lane: Arc::new(Lane::new(1)),
    }))
}
