//! From the configuration to a running host: what the parts are made of, and in which order.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use egress::{Egress, Gate};
use engine::{AccountParts, Apps, Engine, Notifying, Parts, SystemClock, SystemEntropy};
use ledger::Currency;
use sandbox::{Digest, Generation, Sandbox};
use store::{JournalStore, SlotOptions, Slots, Store};
use vault::{AtRest, Keyring, Legacy};

use crate::config::{Account, CardEntry, DerivedEntry, Loaded, Wrong};

/// A fault, and the line it is on.
type Fault = (Option<usize>, String);

/// The sandbox that the configuration asks for.
pub fn sandbox(loaded: &Loaded) -> Result<Sandbox, sandbox::Error> {
    let limits = loaded.config.sandbox.limits();
    Sandbox::new(limits, Some(compiled_folder(loaded)), places)
}

/// Where compiled code is kept: beside the store unless it is written, since a folder that holds
/// anything else is not taken for a new store, and a check compiles before there is one.
fn compiled_folder(loaded: &Loaded) -> PathBuf {
    match &loaded.config.sandbox.cache {
        Some(cache) => loaded.path(cache),
        None => beside_store(loaded, "-compiled"),
    }
}

/// Where the keys of cards are: beside the store unless it is written, since what is in the store's
/// folder is backed up with it, and these are to be forgotten.
pub fn card_key_slots(loaded: &Loaded) -> SlotOptions {
    let dir = match &loaded.config.cards.keys {
        Some(keys) => loaded.path(keys),
        None => beside_store(loaded, "-card-keys"),
    };
    SlotOptions::new(dir)
}

fn beside_store(loaded: &Loaded, ending: &str) -> PathBuf {
    let mut beside = loaded.path(&loaded.config.store.path).into_os_string();
    beside.push(ending);
    PathBuf::from(beside)
}

/// The decimal places of a currency, for plugins.
pub fn places(currency: &str) -> Option<u8> {
    Currency::from_code(currency).ok().map(Currency::places)
}

/// How the open platform is served.
pub fn api_options(loaded: &Loaded) -> Result<api::Options, Wrong> {
    let server = &loaded.config.server;
    let admin = loaded.config.admin.as_ref().map(|admin| {
        let opened = admin.get_ref().open(loaded.folder());
        opened.map_err(|what| loaded.wrong(vec![(Some(loaded.line(admin)), what)]))
    });
    let public_url = server.public_url.get_ref();
    let platform = loaded.config.platform.open(public_url, loaded.folder()).map_err(|wrong| {
        let wrong = wrong.into_iter().map(|what| (None, format!("[platform]: {what}")));
        loaded.wrong(wrong.collect())
    })?;
    Ok(api::Options {
        listen: server.listen,
        limits: loaded.config.limits.edge(server.limits()),
        proxies: server.proxies.iter().map(|network| network.0).collect(),
        admin: admin.transpose()?,
        platform,
    })
}

/// The apps, over a store that is open: for the command line.
pub fn apps(loaded: &Loaded, store: Arc<dyn Store>) -> Result<Apps, Wrong> {
    let at_rest = loaded.config.vault.open(loaded.folder()).map_err(|wrong| {
        loaded.wrong(wrong.into_iter().map(|what| (None, format!("[vault]: {what}"))).collect())
    })?;
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
    Ok(Apps { store, clock, entropy, at_rest })
}

/// The engine, over a store that is open, and the keys of its cards.
pub fn engine(
    loaded: &Loaded,
    store: Arc<dyn Store>,
    card_keys: Arc<Slots>,
) -> Result<Engine, Wrong> {
    let (plugins, mut faults) = plugins(loaded);
    let mut accounts = Vec::new();
    for (name, account) in &loaded.config.account {
        let line = Some(loaded.line(account));
        let fault = |what: String| (line, format!("account `{name}`: {what}"));
        let account = account.get_ref();
        match plugins.get(&account.plugin) {
            Some(Some(plugin)) => match parts(loaded, name, account, plugin) {
                Ok(parts) => accounts.push(parts),
                Err(wrong) => faults.extend(wrong.into_iter().map(fault)),
            },
            // Said already, with the plugin.
            Some(None) => {}
            None => faults.push(fault(format!(
                "there is no plugin `{0}`; add [plugin.{0}] or name another",
                account.plugin
            ))),
        }
    }
    let outside = outside(loaded, (store, card_keys), &mut faults);
    match outside.filter(|_| faults.is_empty()) {
        Some(outside) => assembled(loaded, outside, accounts),
        None => Err(loaded.wrong(faults)),
    }
}

/// The engine without its accounts: what an operator needs to see and settle the books, whatever
/// has become of the plugins.
pub fn books(
    loaded: &Loaded,
    store: Arc<JournalStore>,
    card_keys: Arc<Slots>,
) -> Result<Engine, Wrong> {
    let mut faults = Vec::new();
    match outside(loaded, (store, card_keys), &mut faults) {
        Some(outside) => assembled(loaded, outside, Vec::new()),
        None => Err(loaded.wrong(faults)),
    }
}

fn outside(
    loaded: &Loaded,
    (store, card_keys): (Arc<dyn Store>, Arc<Slots>),
    faults: &mut Vec<Fault>,
) -> Option<Outside> {
    let egress = extra_roots(loaded).and_then(|extra_roots_pem| {
        let options = egress::Options { extra_roots_pem, ..egress::Options::default() };
        let made = Egress::new(options.clone()).and_then(|one| Ok((one, Egress::new(options)?)));
        made.map_err(|error| (None, error.to_string()))
    });
    let egress = egress.map_err(|fault| faults.push(fault)).ok();
    let at_rest = loaded.config.vault.open(loaded.folder());
    let fault = |what| (None, format!("[vault]: {what}"));
    let at_rest = at_rest.map_err(|wrong| faults.extend(wrong.into_iter().map(fault))).ok();
    Some(Outside { store, card_keys, egress: egress?, at_rest: at_rest? })
}

/// What the engine reaches.
struct Outside {
    store: Arc<dyn Store>,
    card_keys: Arc<Slots>,
    /// The way to providers, and that to the endpoints of apps.
    egress: (Egress, Egress),
    at_rest: AtRest,
}

fn assembled(
    loaded: &Loaded,
    outside: Outside,
    accounts: Vec<AccountParts>,
) -> Result<Engine, Wrong> {
    let Outside { store, card_keys, egress: (egress, to_endpoints), at_rest } = outside;
    let notifications = &loaded.config.notifications;
    let parts = Parts {
        store,
        egress,
        at_rest,
        card_keys,
        notifying: Notifying {
            egress: to_endpoints,
            outside: notifications.outside(),
            render: api::event_body,
            options: notifications.options(),
        },
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        accounts,
        options: options(loaded),
    };
    Engine::new(parts).map_err(|unfit| {
        let line =
            |account: &str| loaded.config.account.get(account).map(|account| loaded.line(account));
        let faults = unfit.0.into_iter();
        loaded.wrong(
            faults.map(|(name, what)| (line(&name), format!("account `{name}`: {what}"))).collect(),
        )
    })
}

fn options(loaded: &Loaded) -> engine::Options {
    let standard = loaded.config.limits.engine(loaded.config.recovery.options());
    let days = loaded.config.cards.keep_days_max;
    let ms = days.map(|days| days.saturating_mul(24 * 60 * 60 * 1000));
    engine::Options { card_keep_ms: ms.unwrap_or(standard.card_keep_ms), ..standard }
}

fn extra_roots(loaded: &Loaded) -> Result<Vec<Vec<u8>>, Fault> {
    let read = |path: &PathBuf| {
        let path = loaded.path(path);
        std::fs::read(&path).map_err(|error| (None, format!("{}: {error}", path.display())))
    };
    loaded.config.extra_roots.iter().map(read).collect()
}

/// Every plugin, loaded; one that cannot be loaded is a fault.
fn plugins(loaded: &Loaded) -> (BTreeMap<String, Option<Generation>>, Vec<Fault>) {
    let sandbox = match sandbox(loaded) {
        Ok(sandbox) => sandbox,
        Err(error) => return (BTreeMap::new(), vec![(None, error.to_string())]),
    };
    let (mut plugins, mut faults) = (BTreeMap::new(), Vec::new());
    for (name, plugin) in &loaded.config.plugin {
        let line = Some(loaded.line(plugin));
        let generation = generation(loaded, &sandbox, name, plugin.get_ref());
        let generation = generation.map_err(|what| faults.push((line, what))).ok();
        plugins.insert(name.clone(), generation);
    }
    (plugins, faults)
}

fn generation(
    loaded: &Loaded,
    sandbox: &Sandbox,
    name: &str,
    plugin: &crate::config::Plugin,
) -> Result<Generation, String> {
    let path = loaded.path(&plugin.component);
    let component = std::fs::read(&path).map_err(|error| {
        let path = path.display();
        format!("plugin `{name}`: cannot read {path}: {error}; `tollgate plugin build` makes it")
    })?;
    let pinned: Digest =
        plugin.digest.parse().map_err(|error| format!("plugin `{name}`: {error}"))?;
    tracing::info!(plugin = name, "loading; the first time compiles it");
    let generation =
        sandbox.load(name, &component, Some(&pinned)).map_err(|error| error.to_string())?;
    let version = &generation.description().version;
    tracing::info!(plugin = name, version, digest = %pinned, "loaded");
    Ok(generation)
}

fn parts(
    loaded: &Loaded,
    name: &str,
    account: &Account,
    plugin: &Generation,
) -> Result<AccountParts, Vec<String>> {
    let folder = loaded.folder();
    let mut wrong = Vec::new();
    let legacy = Legacy::granting(account.legacy.iter().map(String::as_str));
    let mut keyring = Keyring::new(legacy.unwrap_or_else(|error| {
        wrong.push(error.to_string());
        Legacy::none()
    }));
    for key in &account.key {
        match key.read(folder) {
            Ok(key) => keyring.add(key),
            Err(error) => wrong.push(error),
        }
    }
    let (mut secrets, mut grants) = (BTreeMap::new(), Vec::new());
    for (secret, entry) in &account.secret {
        match entry.read(secret, folder) {
            Ok(value) => drop(secrets.insert(secret.clone(), value)),
            Err(error) => wrong.push(error),
        }
        grants.push(entry.grant(secret));
    }
    grants.extend(account.card.iter().flat_map(CardEntry::grants));
    grants.extend(account.derived.iter().map(DerivedEntry::grant));
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let public_url = loaded.config.server.public_url.get_ref().trim_end_matches('/');
    Ok(AccountParts {
        name: name.to_owned(),
        mode: account.mode,
        plugin: Arc::new(plugin.clone()),
        keyring,
        settings: account.settings.clone(),
        secrets,
        gate: Gate {
            hosts: account.hosts.clone(),
            grants,
            timeouts: account.timeouts,
            ..Gate::default()
        },
        notify_url: format!("{public_url}/webhooks/{name}"),
        delivery_age_seconds_max: account.webhook_age_seconds_max,
    })
}
