//! What plugins and the sandbox wrote to the log, over all threads of the test process.

use std::sync::{Mutex, Once, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

static WRITTEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Begins to keep lines, if nobody has yet.
pub(super) fn keep() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing::subscriber::set_global_default(Keep).expect("no other log in this process");
    });
}

/// The lines of one plugin, oldest first, as `field=value` pairs.
pub(super) fn of(plugin: &str) -> Vec<String> {
    let field = format!("plugin={plugin:?} ");
    let written = WRITTEN.lock().unwrap_or_else(PoisonError::into_inner);
    written.iter().filter(|line| line.contains(&field)).cloned().collect()
}

struct Keep;

impl Subscriber for Keep {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "plugin"
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        WRITTEN.lock().unwrap_or_else(PoisonError::into_inner).push(line.0);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// One line: every field and its value.
pub(super) struct Line(pub(super) String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.push_str(&format!("{field}={value:?} "));
    }
}
