//! A plugin that failed: the call gave no answer. Says nothing about money.
//!
//! Not here: a provider's refusal or a plugin's `failure`, which are answers.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::WasmBacktrace;
use wasmtime::component::ResourceTableError;

use crate::contract::Level;

/// A call that gave no answer, and all the operator needs to find out why.
#[derive(Clone, Debug, thiserror::Error)]
#[error("plugin `{plugin}`, `{export}`: {what}")]
pub struct Fault {
    /// The plugin's name.
    pub plugin: Arc<str>,
    /// The function of the adapter that was called.
    pub export: &'static str,
    /// What happened, in words.
    pub what: Box<str>,
    /// What happened, to act on.
    pub kind: Kind,
    /// The last log lines of the call at level `error`, oldest first: a plugin's panic is there.
    pub log: Box<[LogLine]>,
    /// The functions of the guest that were running, innermost first.
    pub trace: Box<[String]>,
    /// Time spent in the call.
    pub elapsed: Duration,
}

/// What ended a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It took longer than `call_ms_max`.
    Deadline,
    /// It wanted more than `memory_bytes_max`.
    Memory,
    /// It wanted more than `table_elements_max`.
    Table,
    /// It called itself too deeply.
    Stack,
    /// The guest's own panic: its text is in the log lines.
    Panic,
    /// Another trap of WebAssembly, by its name.
    Trap(Box<str>),
    /// It gave the host more than `host_copied_bytes_max`.
    HostBytes,
    /// Its answer is larger than `output_bytes_max`, or its state than `state_bytes_max`.
    Output,
    /// It held more than `handles_max` handles.
    Handles,
    /// It broke a rule of the contract, as a value that is none of its type.
    Contract,
    /// Nothing was called: the plugin failed too often before, and is quarantined.
    Quarantined,
    /// No instance could be made.
    Instantiate,
    /// The host itself failed.
    Host,
}

/// One line a plugin logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// How grave the plugin holds it to be.
    pub level: Level,
    /// The text, without control characters, at most 1 KiB.
    pub message: String,
}

/// The host's own reasons to end a call, told apart from what a guest may see.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Trip {
    #[error("the call took longer than {0} ms")]
    Deadline(u64),
    #[error("{wanted} bytes of memory wanted, {max} allowed")]
    Memory { wanted: usize, max: usize },
    #[error("{wanted} table elements wanted, {max} allowed")]
    Table { wanted: usize, max: usize },
    #[error("{wanted} bytes given to the host, {max} allowed in one call")]
    HostBytes { wanted: usize, max: usize },
    #[error("{0}")]
    Output(String),
    #[error("{0}")]
    Contract(String),
}

impl Kind {
    /// Whether it was the plugin's own doing.
    pub(crate) fn of_the_guest(&self) -> bool {
        !matches!(self, Kind::Quarantined | Kind::Instantiate | Kind::Host)
    }
}

impl Trip {
    fn kind(&self) -> Kind {
        match self {
            Trip::Deadline(_) => Kind::Deadline,
            Trip::Memory { .. } => Kind::Memory,
            Trip::Table { .. } => Kind::Table,
            Trip::HostBytes { .. } => Kind::HostBytes,
            Trip::Output(_) => Kind::Output,
            Trip::Contract(_) => Kind::Contract,
        }
    }
}

/// What an error of the runtime means.
pub(crate) fn classify(error: &wasmtime::Error, log: &[LogLine]) -> (Kind, String) {
    if let Some(trip) = error.downcast_ref::<Trip>() {
        return (trip.kind(), trip.to_string());
    }
    if let Some(trap) = error.downcast_ref::<wasmtime::Trap>() {
        return of_trap(*trap, log);
    }
    let text = error.root_cause().to_string();
    // wasmtime keeps the types of these two errors to itself: `tests/hostile.rs` holds the words.
    if text.contains("fuel allocated for hostcalls") {
        // In an import there are guest frames below; a result is read after the guest returned.
        return match error.downcast_ref::<WasmBacktrace>() {
            Some(_) => (Kind::HostBytes, "one host call carried too much".to_owned()),
            None => (Kind::Output, "the answer is too large".to_owned()),
        };
    }
    let full = matches!(error.downcast_ref(), Some(ResourceTableError::Full));
    if full || text.contains("store handle limit exceeded") {
        return (Kind::Handles, "more handles held than allowed".to_owned());
    }
    (Kind::Contract, text)
}

fn of_trap(trap: wasmtime::Trap, log: &[LogLine]) -> (Kind, String) {
    use wasmtime::Trap;
    let panicked = || log.last().filter(|line| line.message.starts_with("panicked"));
    match trap {
        Trap::StackOverflow => (Kind::Stack, "the call stack is exhausted".to_owned()),
        Trap::UnreachableCodeReached => match panicked() {
            Some(line) => (Kind::Panic, line.message.clone()),
            None => (Kind::Trap("unreachable".into()), trap.to_string()),
        },
        other => (Kind::Trap(format!("{other:?}").into()), other.to_string()),
    }
}

/// The name of a frame is at most this long.
const NAME_BYTES_MAX: usize = 128;

/// `text` cut, its control characters escaped: a plugin cannot forge a second line.
pub(crate) fn one_line(text: &str, bytes_max: usize) -> String {
    let mut line = String::with_capacity(text.len().min(bytes_max));
    for character in text.chars() {
        let before = line.len();
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
        if line.len() > bytes_max {
            line.truncate(before);
            break;
        }
    }
    line
}

/// The guest's frames, innermost first; at most sixteen.
pub(crate) fn trace(error: &wasmtime::Error) -> Box<[String]> {
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else { return Box::default() };
    let name = |frame: &wasmtime::FrameInfo| match frame.func_name() {
        // The guest chose it, and it ends up in a log.
        Some(name) => one_line(name, NAME_BYTES_MAX),
        None => format!("function {}", frame.func_index()),
    };
    backtrace.frames().iter().take(16).map(name).collect()
}

impl fmt::Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.level, self.message)
    }
}
