//! Plugins as the operator sees them: how each stands, and the end of a quarantine.
//!
//! A quarantine is kept in the store by the plugin's digest, with its reason: a host that is
//! started again begins with it. One that rested rests again and is tried then; one that was tried
//! often enough stays shut. Another digest is another plugin, and begins with none.
//!
//! Not here: when a plugin is quarantined (`sandbox`).

use std::collections::BTreeMap;

use ledger::TimestampMs;
use sandbox::{Generation, Until};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::task::JoinSet;

use crate::audit::{Act, Actor};
use crate::{Engine, Error, record};

/// A plugin that is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedPlugin {
    /// Its name in the configuration.
    pub name: String,
    /// The identity of its component.
    pub digest: String,
    /// The provider, by its own name.
    pub provider: String,
    /// Its version, as it says.
    pub version: String,
    /// The accounts that use it.
    pub accounts: Vec<String>,
    /// Calls that count, since it was loaded.
    pub calls: u64,
    /// Of these, those that ended in a fault of its own.
    pub faults: u64,
    /// None while it is called.
    pub quarantine: Option<Quarantine>,
}

/// Why a plugin is not called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantine {
    /// Why, in words; the plugin's own among them.
    pub reason: String,
    /// What ends it.
    pub until: Until,
}

/// What is kept of a quarantine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    plugin: String,
    reason: String,
    /// Whether only the operator ends it.
    shut: bool,
    since_ms: TimestampMs,
}

impl Engine {
    /// Every plugin, by name.
    pub fn plugins(&self) -> Vec<LoadedPlugin> {
        let mut all: BTreeMap<String, LoadedPlugin> = BTreeMap::new();
        for account in self.0.accounts.values() {
            let Some(loaded) = account.plugin.loaded() else { continue };
            let known = all.entry(loaded.name().to_owned()).or_insert_with(|| plugin(loaded));
            known.accounts.push(account.name.clone());
        }
        all.into_values().collect()
    }

    /// Ends the quarantine of a plugin: it is called again from the next request on.
    ///
    /// # Errors
    /// `NoSuchPlugin`, or what the store says: then it stays as it is.
    pub async fn clear_plugin(&self, name: &str) -> Result<LoadedPlugin, Error> {
        let generation = self.generations().remove(name);
        let generation = generation.ok_or_else(|| Error::NoSuchPlugin(short(name)))?;
        let mut batch = self.batch();
        batch.remove(record::QUARANTINE, generation.digest().to_string());
        batch.finishing = true;
        self.0.store.commit(batch).await?;
        if generation.clear() {
            tracing::warn!(plugin = name, "cleared by the operator: it is called again");
        }
        let shown = self.plugins().into_iter().find(|plugin| plugin.name == name);
        shown.ok_or_else(|| Error::NoSuchPlugin(short(name)))
    }

    /// Quarantines what was when the process before this one ended.
    pub(crate) async fn resume_quarantines(&self) -> Result<(), Error> {
        for generation in self.generations().into_values() {
            let key = generation.digest().to_string();
            let kept: Option<record::Read<Kept>> =
                record::read(&*self.0.store, record::QUARANTINE, key.as_bytes()).await?;
            let Some(Kept { plugin, reason, shut, .. }) = kept.map(|read| read.value) else {
                continue;
            };
            tracing::error!(plugin, reason, shut, "still quarantined, as before the last stop");
            generation.resume_quarantine(&reason, shut);
        }
        Ok(())
    }

    /// Keeps what becomes of quarantines, for ever. Drop the future to stop.
    pub(crate) async fn keep_quarantines(&self) {
        let mut watching = JoinSet::new();
        for generation in self.generations().into_values() {
            let engine = self.clone();
            watching.spawn(async move { engine.watch(generation).await });
        }
        while watching.join_next().await.is_some() {}
        // A host without plugins has nothing to watch, and its other tasks go on.
        std::future::pending().await
    }

    async fn watch(&self, generation: Generation) {
        let mut changes = generation.changes();
        loop {
            if let Err(error) = self.keep_quarantine(&generation).await {
                tracing::error!(%error, "a quarantine is not in the store: a restart ends it");
            }
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    async fn keep_quarantine(&self, generation: &Generation) -> Result<(), Error> {
        let (key, store) = (generation.digest().to_string(), &*self.0.store);
        let known: Option<record::Read<Kept>> =
            record::read(store, record::QUARANTINE, key.as_bytes()).await?;
        let known = known.map(|read| read.value);
        let now = generation.standing().quarantined.map(|now| Kept {
            plugin: generation.name().to_owned(),
            reason: now.reason.to_string(),
            shut: now.until == Until::Cleared,
            since_ms: known.as_ref().map_or_else(|| self.0.clock.now_ms(), |known| known.since_ms),
        });
        if known == now {
            return Ok(());
        }
        let mut batch = self.batch();
        batch.finishing = true;
        match &now {
            Some(now) => batch.put(record::QUARANTINE, key, record::encode(now)),
            None => batch.remove(record::QUARANTINE, key),
        };
        store.commit(batch).await?;
        if let (None, Some(now)) = (known, now) {
            self.note_act("quarantinePlugin", now.plugin, &now.reason).await;
        }
        Ok(())
    }

    /// A line in the audit trail about what the host did by itself. It tells of what has happened:
    /// when it cannot be written, the log has to do.
    pub(crate) async fn note_act(&self, action: &str, object: String, why: &str) {
        let act = Act {
            actor: Actor::Host,
            key: None,
            action: action.to_owned(),
            object,
            request: None,
            digest: Sha256::digest(why).into(),
        };
        if let Err(error) = self.0.audit.append(act).await {
            tracing::error!(%error, action, why, "what the host did is not in the audit trail");
        }
    }

    fn generations(&self) -> BTreeMap<String, Generation> {
        let plugins =
            self.0.accounts.values().filter_map(|account| account.plugin.loaded().cloned());
        plugins.map(|plugin| (plugin.name().to_owned(), plugin)).collect()
    }
}

fn plugin(generation: &Generation) -> LoadedPlugin {
    let (standing, described) = (generation.standing(), generation.description());
    let quarantine = standing.quarantined.map(|quarantined| Quarantine {
        reason: quarantined.reason.to_string(),
        until: quarantined.until,
    });
    LoadedPlugin {
        name: generation.name().to_owned(),
        digest: generation.digest().to_string(),
        provider: described.name.clone(),
        version: described.version.clone(),
        accounts: Vec::new(),
        calls: standing.calls,
        faults: standing.faults,
        quarantine,
    }
}

fn short(name: &str) -> String {
    name.chars().take(64).collect()
}
