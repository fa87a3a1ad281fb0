//! `[sandbox]`: the limits of a plugin's call, by the names and units of [`sandbox::Limits`].

use std::path::PathBuf;

use sandbox::{Limits, Thresholds};
use serde::Deserialize;

/// Every limit; what is not written is the standard.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sandbox {
    /// The folder for compiled code; `compiled` in the store's folder when not said.
    pub cache: Option<PathBuf>,
    call_ms_max: Option<u64>,
    memory_bytes_max: Option<usize>,
    table_elements_max: Option<usize>,
    host_copied_bytes_max: Option<usize>,
    output_bytes_max: Option<usize>,
    state_bytes_max: Option<usize>,
    log_bytes_max: Option<usize>,
    remembered_bytes_max: Option<usize>,
    handles_max: Option<usize>,
    component_bytes_max: Option<usize>,
    compile_ms_max: Option<u64>,
    core_instances_max: Option<u32>,
    concurrent_calls_max: Option<u32>,
    concurrent_calls_per_plugin_max: Option<u32>,
    computing_calls_per_plugin_max: Option<u32>,
    #[serde(default)]
    quarantine: Quarantine,
}

/// `[sandbox.quarantine]`: when a plugin that keeps failing is no longer called, by the names and
/// units of [`sandbox::Thresholds`].
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Quarantine {
    faults: Option<u32>,
    share_percent: Option<u32>,
    window_ms: Option<u64>,
    rest_ms: Option<u64>,
    rest_ms_max: Option<u64>,
    trials_max: Option<u32>,
}

impl Quarantine {
    fn thresholds(&self) -> Thresholds {
        let standard = Thresholds::default();
        Thresholds {
            faults: self.faults.unwrap_or(standard.faults),
            share_percent: self.share_percent.unwrap_or(standard.share_percent),
            window_ms: self.window_ms.unwrap_or(standard.window_ms),
            rest_ms: self.rest_ms.unwrap_or(standard.rest_ms),
            rest_ms_max: self.rest_ms_max.unwrap_or(standard.rest_ms_max),
            trials_max: self.trials_max.unwrap_or(standard.trials_max),
        }
    }
}

impl Sandbox {
    /// The limits: what is written, and the standard where nothing is.
    pub fn limits(&self) -> Limits {
        let standard = Limits::default();
        let or = |written: Option<usize>, standard| written.unwrap_or(standard);
        Limits {
            call_ms_max: self.call_ms_max.unwrap_or(standard.call_ms_max),
            memory_bytes_max: or(self.memory_bytes_max, standard.memory_bytes_max),
            table_elements_max: or(self.table_elements_max, standard.table_elements_max),
            host_copied_bytes_max: or(self.host_copied_bytes_max, standard.host_copied_bytes_max),
            output_bytes_max: or(self.output_bytes_max, standard.output_bytes_max),
            state_bytes_max: or(self.state_bytes_max, standard.state_bytes_max),
            log_bytes_max: or(self.log_bytes_max, standard.log_bytes_max),
            remembered_bytes_max: or(self.remembered_bytes_max, standard.remembered_bytes_max),
            handles_max: or(self.handles_max, standard.handles_max),
            component_bytes_max: or(self.component_bytes_max, standard.component_bytes_max),
            compile_ms_max: self.compile_ms_max.unwrap_or(standard.compile_ms_max),
            core_instances_max: self.core_instances_max.unwrap_or(standard.core_instances_max),
            concurrent_calls_max: self
                .concurrent_calls_max
                .unwrap_or(standard.concurrent_calls_max),
            concurrent_calls_per_plugin_max: self
                .concurrent_calls_per_plugin_max
                .unwrap_or(standard.concurrent_calls_per_plugin_max),
            computing_calls_per_plugin_max: self
                .computing_calls_per_plugin_max
                .unwrap_or(standard.computing_calls_per_plugin_max),
            quarantine: self.quarantine.thresholds(),
        }
    }
}
