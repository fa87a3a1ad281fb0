//! What one plugin call may use, and what all of them may use together.

use std::thread::available_parallelism;

use crate::Thresholds;

/// Limits of the sandbox. Every figure is per call unless it says otherwise.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Time from the start of a call to its answer, spent in the guest or in the host on its
    /// behalf, in milliseconds. Waiting for a free place or for its turn does not count.
    pub call_ms_max: u64,
    /// Sum of all linear memories, in bytes.
    pub memory_bytes_max: usize,
    /// Sum of all tables, in elements.
    pub table_elements_max: usize,
    /// Sum of what all host calls of one call take in, in bytes.
    pub host_copied_bytes_max: usize,
    /// What one answer, or the arguments of one host call, may hold, in bytes of host memory.
    pub output_bytes_max: usize,
    /// What a plugin may keep between two steps, in bytes.
    pub state_bytes_max: usize,
    /// Sum of the log lines of one call, in bytes; what comes after is dropped with a note.
    pub log_bytes_max: usize,
    /// Sum of the values one call may `remember`, in bytes.
    pub remembered_bytes_max: usize,
    /// Live resource handles.
    pub handles_max: usize,
    /// A plugin's component, in bytes.
    pub component_bytes_max: usize,
    /// Time to compile a component, in milliseconds. A compilation cannot be stopped: past this it
    /// is no longer waited for, and its result is thrown away.
    pub compile_ms_max: u64,
    /// Core instances in one component: linked interpreters bring some twenty.
    pub core_instances_max: u32,
    /// Calls that run at the same time, over all plugins; further ones wait their turn.
    pub concurrent_calls_max: u32,
    /// Calls of one loaded plugin that are begun at the same time: less than all, so that one that
    /// uses up its time leaves room for the others.
    pub concurrent_calls_per_plugin_max: u32,
    /// Calls of one loaded plugin that compute at the same time; those that are begun take turns. A
    /// call waits for nothing but its turn, so more than the processors gain nothing; and with less
    /// than all of them a plugin that only computes leaves some to its neighbours.
    pub computing_calls_per_plugin_max: u32,
    /// When a loaded plugin that keeps failing is no longer called.
    pub quarantine: Thresholds,
}

impl Default for Limits {
    /// Figures with room for a JavaScript or Python guest; a Rust guest uses a hundredth of them.
    fn default() -> Limits {
        Limits::on(processors())
    }
}

impl Limits {
    /// The default on a machine with so many processors.
    fn on(processors: u32) -> Limits {
        Limits {
            call_ms_max: 500,
            memory_bytes_max: 64 << 20,
            table_elements_max: 64 << 10,
            host_copied_bytes_max: 8 << 20,
            output_bytes_max: 2 << 20,
            state_bytes_max: 64 << 10,
            log_bytes_max: 16 << 10,
            remembered_bytes_max: 128 << 10,
            handles_max: 256,
            component_bytes_max: 64 << 20,
            compile_ms_max: 300_000,
            core_instances_max: 32,
            concurrent_calls_max: 64,
            concurrent_calls_per_plugin_max: processors.clamp(8, 48),
            computing_calls_per_plugin_max: (processors / 2).max(1),
            quarantine: Thresholds::default(),
        }
    }
}

fn processors() -> u32 {
    available_parallelism().map_or(1, |processors| u32::try_from(processors.get()).unwrap_or(48))
}

#[cfg(test)]
mod tests;
