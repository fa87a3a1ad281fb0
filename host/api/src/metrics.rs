//! The host in numbers, in the text format of Prometheus (0.0.4).
//!
//! Not here: counting (`load`, and the engine for plugins). No label holds what a client wrote.

use std::fmt::Write;

use crate::places::Class;
use crate::route::Visit;

/// The media type of the format.
pub(crate) const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Every metric.
pub(crate) async fn text(visit: &Visit) -> String {
    let mut page = Page(String::new());
    let (load, limits) = (&visit.load, &visit.load.limits);
    let ready = visit.payments.impediments().await.is_empty() && !load.is_stopping();
    page.one("ready", "gauge", "Whether the host takes payments.", u64::from(ready));
    let standings = Class::ALL.map(|class| (class, load.places.standing(class)));
    page.each(
        ["requests_in_hand", "gauge", "Requests that are worked on."],
        standings.iter().map(|(class, now)| (("class", class.word()), count(now.taken))),
    );
    page.each(
        ["requests_in_hand_max", "gauge", "As many are taken at most."],
        Class::ALL.iter().map(|class| (("class", class.word()), count(class.places_max(limits)))),
    );
    page.each(
        ["requests_refused_total", "counter", "Requests for which there was no place."],
        standings.iter().map(|(class, now)| (("class", class.word()), now.refused)),
    );
    let taken = [
        ("connections", "Connections.", load.connections.taken(), limits.connections_max),
        ("body_bytes", "Bytes of bodies held.", load.bodies_bytes(), limits.bodies_bytes_max * 2),
        ("streams", "Streams of events.", visit.streams.open(), limits.streams_max),
    ];
    for (name, about, now, most) in taken {
        page.one(name, "gauge", about, count(now));
        page.one(&format!("{name}_max"), "gauge", "The most of them.", count(most));
    }
    let plugins = visit.payments.plugins();
    let named = |of: fn(&engine::LoadedPlugin) -> u64| {
        plugins.iter().map(move |one| (("plugin", one.name.as_str()), of(one)))
    };
    let quarantined = named(|one| u64::from(one.quarantine.is_some()));
    page.each(["plugin_quarantined", "gauge", "Whether it is not called."], quarantined);
    page.each(["plugin_calls_total", "counter", "Calls."], named(|one| one.calls));
    page.each(["plugin_faults_total", "counter", "Faults of its own."], named(|one| one.faults));
    page.0
}

/// The text, as it grows.
struct Page(String);

impl Page {
    fn one(&mut self, name: &str, kind: &str, about: &str, value: u64) {
        self.head([name, kind, about]);
        // Writing to a text cannot fail.
        let _ = writeln!(self.0, "tollgate_{name} {value}");
    }

    fn each<'a>(
        &mut self,
        [name, kind, about]: [&str; 3],
        values: impl Iterator<Item = ((&'a str, &'a str), u64)>,
    ) {
        self.head([name, kind, about]);
        for ((label, of), value) in values {
            // A name of the configuration: what would end the label is left out.
            let of: String = of.chars().filter(|c| !matches!(c, '"' | '\\' | '\n')).collect();
            let _ = writeln!(self.0, "tollgate_{name}{{{label}=\"{of}\"}} {value}");
        }
    }

    fn head(&mut self, [name, kind, about]: [&str; 3]) {
        let _ = writeln!(self.0, "# HELP tollgate_{name} {about}");
        let _ = writeln!(self.0, "# TYPE tollgate_{name} {kind}");
    }
}

fn count(of: usize) -> u64 {
    u64::try_from(of).unwrap_or(u64::MAX)
}
