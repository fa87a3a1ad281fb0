//! Compilation within a time: the one part of loading whose length the component's author chooses.
//!
//! The compiler cannot be stopped midway, and a function can be written that it takes long over. So
//! it runs on a thread of its own, which is left alone once its time is over; few are, before no
//! more is compiled until they end. What an abandoned one may still use is bounded by the size of a
//! component and by WebAssembly's own limit on a function, 7,654,321 bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use wasmtime::Engine;
use wasmtime::component::Component;

/// So many compilations may run past their time; then nothing more is compiled.
const ABANDONED_MAX: usize = 2;
/// Deeply nested types and code are read by recursion.
const STACK_BYTES: usize = 8 << 20;

/// Compiles components, and knows how many it no longer waits for.
#[derive(Debug, Default)]
pub(crate) struct Compiler {
    abandoned: Arc<AtomicUsize>,
}

/// Why there is no compiled code.
#[derive(Debug)]
pub(crate) enum Failed {
    /// It is no component, or one that cannot run here.
    Refused(wasmtime::Error),
    /// It took longer than it may.
    Late,
    /// Too many others took too long, and still run.
    Busy,
    /// The compiler itself failed.
    Broken(String),
}

impl Compiler {
    /// The compiled code of `component`, if it is there within `ms_max`.
    pub(crate) fn compile(
        &self,
        engine: &Engine,
        component: &[u8],
        ms_max: u64,
    ) -> Result<Component, Failed> {
        if self.abandoned.load(Ordering::Acquire) >= ABANDONED_MAX {
            return Err(Failed::Busy);
        }
        let (send, receive) = sync_channel(1);
        let course = Course { either: Arc::default(), abandoned: self.abandoned.clone() };
        let (engine, bytes, watched) = (engine.clone(), component.to_vec(), course.clone());
        let run = move || {
            let _ends = Ends(watched);
            let compiled = Component::from_binary(&engine, &bytes);
            // Nobody may be waiting any more.
            send.send(compiled).ok();
        };
        let thread = std::thread::Builder::new().name("compiler".to_owned());
        let spawned = thread.stack_size(STACK_BYTES).spawn(run);
        spawned.map_err(|error| Failed::Broken(error.to_string()))?;
        match receive.recv_timeout(Duration::from_millis(ms_max)) {
            Ok(compiled) => compiled.map_err(Failed::Refused),
            Err(RecvTimeoutError::Timeout) => {
                course.abandon();
                Err(Failed::Late)
            }
            Err(RecvTimeoutError::Disconnected) => Err(Failed::Broken("it panicked".to_owned())),
        }
    }
}

/// One compilation: whether the waiting or the work ended first.
#[derive(Clone)]
struct Course {
    /// Set by whichever comes first, the end of the time or of the work.
    either: Arc<AtomicBool>,
    abandoned: Arc<AtomicUsize>,
}

impl Course {
    /// The time is over: counts it as abandoned, unless it has just ended.
    fn abandon(&self) {
        self.abandoned.fetch_add(1, Ordering::AcqRel);
        self.second_to_come();
    }

    /// Whoever comes second takes the count back.
    fn second_to_come(&self) {
        if self.either.swap(true, Ordering::AcqRel) {
            self.abandoned.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// Tells that a compilation ended, even by a panic.
struct Ends(Course);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.second_to_come();
    }
}
