//! `tollgate plugin`: make and look at plugins.

use std::io::Write;
use std::path::PathBuf;

use clap::Subcommand;
use sandbox::contract::{Description, Place};
use sandbox::{Generation, Limits, Sandbox};

use super::Outcome;
use crate::{compose, plugin_build};

/// Make and look at plugins.
#[derive(Subcommand)]
pub enum PluginCommand {
    /// Build a plugin's crate into a component and print its digest. Adds the WebAssembly target to
    /// the Rust toolchain when it is missing.
    Build {
        /// The folder of the plugin's Cargo.toml.
        folder: PathBuf,
        /// The folder to put the component into.
        #[arg(long, default_value = "built")]
        out: PathBuf,
    },
    /// Load a component as the host would and print what it is and what it asks for.
    Inspect {
        /// The component.
        component: PathBuf,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

impl PluginCommand {
    /// Does it.
    pub fn run(self) -> Outcome {
        let mut out = std::io::stdout().lock();
        match self {
            PluginCommand::Build { folder, out: to } => {
                let built = plugin_build::build(&folder, &to, &mut std::io::stderr())?;
                let (path, bytes) = (built.path.display(), built.bytes);
                tracing::info!(plugin = %path, bytes, "built");
                writeln!(out, "{path} sha256:{}", built.digest)?;
            }
            PluginCommand::Inspect { component, json } => {
                let bytes = std::fs::read(&component)
                    .map_err(|error| format!("cannot read {}: {error}", component.display()))?;
                let sandbox = Sandbox::new(Limits::default(), None, compose::places)?;
                let plugin = sandbox.load("inspected", &bytes, None)?;
                match json {
                    true => writeln!(out, "{:#}", as_json(&plugin))?,
                    false => write!(out, "{}", as_text(&plugin, bytes.len()))?,
                }
            }
        }
        Ok(())
    }
}

fn names<T: std::fmt::Debug>(list: &[T]) -> Vec<String> {
    list.iter().map(word).collect()
}

/// A value of one of the contract's enums by its word: `OperationKind::Payout` is `payout`.
fn word<T: std::fmt::Debug>(value: &T) -> String {
    let path = format!("{value:?}");
    path.rsplit("::").next().unwrap_or_default().to_lowercase()
}

fn place(place: &Place) -> String {
    match place {
        Place::Header(name) => format!("header:{name}"),
        Place::Body => "body".to_owned(),
    }
}

/// What it can do when an answer is lost: A repeats, asks and closes; B asks; C can only wait.
fn grade(asks: &Description) -> char {
    let recovery = &asks.recovery;
    match (recovery.idempotent_seconds.is_some(), recovery.query, recovery.close) {
        (true, true, true) => 'A',
        (_, true, _) => 'B',
        _ => 'C',
    }
}

fn as_text(plugin: &Generation, bytes: usize) -> String {
    let asks = plugin.description();
    let mut lines = vec![
        format!("{} {}, {bytes} bytes", asks.name, asks.version),
        format!("digest      {}", plugin.digest()),
        format!("operations  {}", names(&asks.operations).join(", ")),
        format!("methods     {}", asks.methods.join(", ")),
        format!("currencies  {}", all_or(&asks.currencies)),
        format!("hosts       {}", asks.hosts.join(", ")),
        format!("recovery    grade {}", grade(asks)),
    ];
    let needed = |required: bool| if required { "required" } else { "optional" };
    for one in &asks.settings {
        lines.push(format!("setting     {} ({}): {}", one.name, needed(one.required), one.help));
    }
    for one in &asks.secrets {
        let places: Vec<_> = one.places.iter().map(place).collect();
        let (name, places) = (&one.name, places.join(", "));
        lines.push(format!(
            "secret      {name} in {places} ({}): {}",
            needed(one.required),
            one.help
        ));
    }
    for one in &asks.keys {
        let kind = word(&one.kind);
        lines.push(format!(
            "key         {} {kind} ({}): {}",
            one.name,
            needed(one.required),
            one.help
        ));
    }
    for one in &asks.legacy {
        lines.push(format!("legacy      {one}"));
    }
    lines.join("\n") + "\n"
}

fn all_or(currencies: &[String]) -> String {
    if currencies.is_empty() { "every".to_owned() } else { currencies.join(", ") }
}

fn as_json(plugin: &Generation) -> serde_json::Value {
    let asks = plugin.description();
    let settings = asks.settings.iter().map(
        |one| serde_json::json!({ "name": one.name, "required": one.required, "help": one.help }),
    );
    let secrets = asks.secrets.iter().map(|one| {
        let places: Vec<_> = one.places.iter().map(place).collect();
        serde_json::json!({
            "name": one.name, "required": one.required, "help": one.help, "places": places,
        })
    });
    let keys = asks.keys.iter().map(|one| {
        let kind = word(&one.kind);
        serde_json::json!({
            "slot": one.name, "kind": kind, "required": one.required, "help": one.help,
        })
    });
    serde_json::json!({
        "name": asks.name,
        "version": asks.version,
        "digest": plugin.digest().to_string(),
        "operations": names(&asks.operations),
        "methods": asks.methods,
        "currencies": asks.currencies,
        "hosts": asks.hosts,
        "settings": settings.collect::<Vec<_>>(),
        "secrets": secrets.collect::<Vec<_>>(),
        "keys": keys.collect::<Vec<_>>(),
        "legacy": asks.legacy,
        "recovery": {
            "grade": grade(asks).to_string(),
            "idempotent_seconds": asks.recovery.idempotent_seconds,
            "query": asks.recovery.query,
            "close": asks.recovery.close,
        },
    })
}
