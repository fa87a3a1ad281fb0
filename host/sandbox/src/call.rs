//! The state of one call: what it may draw on, what it has used, what it leaves behind.

use std::sync::Arc;
use std::time::{Duration, Instant};

use vault::{Keyring, Legacy, Secret};
use wasmtime::component::ResourceTable;

use crate::contract::Level;
use crate::description::Asked;
use crate::fault::{LogLine, Trip, one_line};
use crate::lane::{Lane, Place};
use crate::loading::Decimals;
use crate::loading::Witness;
use crate::meter::Meter;
use crate::stream::Stream;
use crate::{Limits, Remembered, Surroundings};

/// At most this many lines go along with a fault.
const FAULT_LINES: usize = 8;
/// A log line is cut here.
const LINE_BYTES_MAX: usize = 1024;

/// What is the same in every call of one plugin.
#[derive(Debug)]
pub(crate) struct Plugin {
    pub(crate) name: String,
    /// Empty until `describe` has answered: it runs before anything was asked for.
    pub(crate) asked: Asked,
    pub(crate) limits: Limits,
    pub(crate) decimals: Decimals,
    pub(crate) witness: Witness,
    pub(crate) lane: Arc<Lane>,
}

/// The result of a computation over sensitive parts. It stays here.
#[derive(Debug)]
pub(crate) struct Derived {
    pub(crate) value: Secret,
    /// Whether a card field went into it.
    pub(crate) card: bool,
}

/// The state of one call.
///
/// Made blank, before an instance is: code that runs while a component is instantiated finds no
/// account here, and instances can be made ahead of the calls they will serve.
pub(crate) struct Call {
    pub(crate) plugin: Arc<Plugin>,
    pub(crate) meter: Meter,
    pub(crate) around: Option<Surroundings>,
    pub(crate) stream: Option<Stream>,
    pub(crate) keys: ResourceTable,
    pub(crate) remembered: Vec<Remembered>,
    pub(crate) derived: Vec<Derived>,
    began: Instant,
    /// In the plugin's lane; there always is one but in the moment of a change.
    place: Option<Place>,
    copied_bytes: usize,
    logged_bytes: usize,
    errors: Vec<LogLine>,
}

/// A borrowed view of a call, on which each interface of the contract is implemented in its file.
pub(crate) struct View<'a>(pub(crate) &'a mut Call);

/// Names `View` to the linker.
pub(crate) struct HasView;

impl wasmtime::component::HasData for HasView {
    type Data<'a> = View<'a>;
}

impl crate::contract::bindings::tollgate::adapter::types::Host for View<'_> {}

impl Call {
    pub(crate) fn blank(plugin: Arc<Plugin>) -> Call {
        let mut keys = ResourceTable::new();
        // The store refuses first, and says so in its own words.
        keys.set_max_capacity(plugin.limits.handles_max.saturating_add(1));
        let place = Some(plugin.lane.place());
        Call {
            meter: Meter::new(&plugin.limits),
            plugin,
            around: None,
            stream: None,
            keys,
            remembered: Vec::new(),
            derived: Vec::new(),
            began: Instant::now(),
            place,
            copied_bytes: 0,
            logged_bytes: 0,
            errors: Vec::new(),
        }
    }

    /// Gives the call its account.
    pub(crate) fn surround(
        &mut self,
        around: Surroundings,
        export: &'static str,
    ) -> Result<(), vault::Error> {
        self.stream = Some(Stream::new(around.seed, export)?);
        self.around = Some(around);
        Ok(())
    }

    /// How long it has been at work, without its waiting for a turn.
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Whether there is time left.
    pub(crate) fn in_time(&self) -> Result<(), Trip> {
        let max = self.plugin.limits.call_ms_max;
        match self.elapsed() < Duration::from_millis(max) {
            true => Ok(()),
            false => Err(Trip::Deadline(max)),
        }
    }

    /// Called at every tick of the clock while the guest's code runs: others of its plugin have
    /// their turn too. Waiting for the next one does not count.
    pub(crate) fn tick(&mut self) -> Result<(), Trip> {
        self.in_time()?;
        self.began += Place::take_turns(&mut self.place);
        Ok(())
    }

    /// Stands at the head of every host function: `bytes` came over from the guest.
    pub(crate) fn enter(&mut self, bytes: usize) -> Result<(), Trip> {
        self.in_time()?;
        self.copied_bytes = self.copied_bytes.saturating_add(bytes);
        let max = self.plugin.limits.host_copied_bytes_max;
        if self.copied_bytes > max {
            return Err(Trip::HostBytes { wanted: self.copied_bytes, max });
        }
        Ok(())
    }

    /// The account's keys; none while the plugin describes itself.
    pub(crate) fn keyring(&self) -> Arc<Keyring> {
        let none = || Arc::new(Keyring::new(Legacy::none()));
        self.around.as_ref().map_or_else(none, |around| around.keyring.clone())
    }

    /// Keeps a result with the host; the guest gets its number.
    pub(crate) fn derive(&mut self, value: Vec<u8>, card: bool) -> Result<u32, Trip> {
        let number = u32::try_from(self.derived.len()).unwrap_or(u32::MAX);
        let value = Secret::new(format!("derived {number}"), value);
        if self.derived.len() >= self.plugin.limits.handles_max {
            return Err(Trip::Contract(format!("{number} results derived in one call")));
        }
        self.derived.push(Derived { value, card });
        Ok(number)
    }

    /// The account's name; empty while the plugin describes itself.
    fn account(&self) -> &str {
        self.around.as_ref().map_or("", |around| &around.account)
    }

    /// Writes a line to the operator's log, as long as there is room left for this call.
    pub(crate) fn log(&mut self, level: Level, message: &str) {
        let line = LogLine { level, message: one_line(message, LINE_BYTES_MAX) };
        let max = self.plugin.limits.log_bytes_max;
        if self.logged_bytes < max {
            self.logged_bytes += line.message.len().max(1);
            self.write(&line);
            if self.logged_bytes >= max {
                let message = format!("log cut: more than {max} bytes in one call");
                self.write(&LogLine { level: Level::Warn, message });
            }
        }
        // Kept even then: the last of them tells why a plugin panicked.
        if level == Level::Error {
            if self.errors.len() >= FAULT_LINES {
                self.errors.remove(0);
            }
            self.errors.push(line);
        }
    }

    fn write(&self, line: &LogLine) {
        let (plugin, account, message) = (&self.plugin.name, self.account(), &line.message);
        match line.level {
            Level::Debug => tracing::debug!(target: "plugin", plugin, account, "{message}"),
            Level::Info => tracing::info!(target: "plugin", plugin, account, "{message}"),
            Level::Warn => tracing::warn!(target: "plugin", plugin, account, "{message}"),
            Level::Error => tracing::error!(target: "plugin", plugin, account, "{message}"),
        }
    }

    /// The last lines logged at level `error`.
    pub(crate) fn errors(&self) -> &[LogLine] {
        &self.errors
    }
}
