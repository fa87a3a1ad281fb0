//! What a plugin says it is: a description in the order one would read it.

use crate::{
    Description, KeyKind, KeySlot, OperationKind, Place, Recovery, Reports, SecretSlot, Setting,
};

impl Description {
    /// A plugin of this name and version, which asks for nothing yet.
    pub fn new(name: &str, version: &str, operations: &[OperationKind]) -> Description {
        Description {
            name: name.to_owned(),
            version: version.to_owned(),
            operations: operations.to_vec(),
            methods: Vec::new(),
            currencies: Vec::new(),
            hosts: Vec::new(),
            settings: Vec::new(),
            keys: Vec::new(),
            secrets: Vec::new(),
            legacy: Vec::new(),
            recovery: Recovery { idempotent_seconds: None, query: false, close: false },
            reports: Reports { fetched: false, read: false, operations: Vec::new() },
        }
    }

    /// The instruments it takes: `card`, `token`, `wallet`, `bank`, `qr`.
    #[must_use]
    pub fn methods(mut self, methods: &[&str]) -> Description {
        self.methods = owned(methods);
        self
    }

    /// The currencies it takes, ISO 4217. Without this: every one.
    #[must_use]
    pub fn currencies(mut self, currencies: &[&str]) -> Description {
        self.currencies = owned(currencies);
        self
    }

    /// The hosts it talks to in production.
    #[must_use]
    pub fn hosts(mut self, hosts: &[&str]) -> Description {
        self.hosts = owned(hosts);
        self
    }

    /// The legacy primitives it needs.
    #[must_use]
    pub fn legacy(mut self, names: &[&str]) -> Description {
        self.legacy = owned(names);
        self
    }

    /// Its settings, each made by [`setting`].
    #[must_use]
    pub fn settings(mut self, settings: impl Into<Vec<Setting>>) -> Description {
        self.settings = settings.into();
        self
    }

    /// Its key slots, each made by [`key`].
    #[must_use]
    pub fn keys(mut self, keys: impl Into<Vec<KeySlot>>) -> Description {
        self.keys = keys.into();
        self
    }

    /// Its secrets, each made by [`secret_slot`].
    #[must_use]
    pub fn secrets(mut self, secrets: impl Into<Vec<SecretSlot>>) -> Description {
        self.secrets = secrets.into();
        self
    }

    /// What the provider offers when an answer is lost.
    #[must_use]
    pub fn recovery(mut self, recovery: Recovery) -> Description {
        self.recovery = recovery;
        self
    }
}

/// An optional setting.
pub fn setting(name: &str, help: &str) -> Setting {
    Setting { name: name.to_owned(), required: false, help: help.to_owned() }
}
/// An optional key slot.
pub fn key(name: &str, kind: KeyKind, help: &str) -> KeySlot {
    KeySlot { name: name.to_owned(), kind, required: false, help: help.to_owned() }
}
/// An optional secret and the only places it may travel in.
pub fn secret_slot(name: &str, places: impl Into<Vec<Place>>, help: &str) -> SecretSlot {
    let (name, help) = (name.to_owned(), help.to_owned());
    SecretSlot { name, places: places.into(), required: false, help }
}

impl Setting {
    /// An account without it is refused.
    #[must_use]
    pub fn required(mut self) -> Setting {
        self.required = true;
        self
    }
}
impl KeySlot {
    /// An account without it is refused.
    #[must_use]
    pub fn required(mut self) -> KeySlot {
        self.required = true;
        self
    }
}
impl SecretSlot {
    /// An account without it is refused.
    #[must_use]
    pub fn required(mut self) -> SecretSlot {
        self.required = true;
        self
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
