//! What the tests' calls have around them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use vault::{Key, Keyring, Legacy, Secret};

use crate::contract::{
    CardField, Encoding, Entry, EntryState, Instrument, Money, Operation, OperationKind, Order,
    Payment,
};
use crate::{Generation, Limits, Sandbox, Sensitive, Surroundings};

/// A secret and a card, and the two encodings the tests use.
pub(super) struct Wallet;

/// Not a card of anyone: the test number every provider's manual gives.
pub(super) const CARD_NUMBER: &str = "4111111111111111";
pub(super) const API_KEY: &str = "canary-of-the-api-key";

impl Sensitive for Wallet {
    fn secret(&self, name: &str) -> Option<Secret> {
        (name == "api-key").then(|| Secret::new(name, API_KEY.into()))
    }

    fn card(&self, field: CardField) -> Option<Secret> {
        (field == CardField::Number).then(|| Secret::new("card number", CARD_NUMBER.into()))
    }

    fn encode(&self, value: &Secret, encoding: Encoding) -> Result<Secret, String> {
        match encoding {
            Encoding::Raw => Ok(value.clone()),
            Encoding::Hex => Ok(Secret::new(value.name(), hex::encode(value.expose()).into())),
            other => Err(format!("{other:?} is not written here")),
        }
    }
}

pub(super) fn decimals(currency: &str) -> Option<u8> {
    match currency {
        "EUR" => Some(2),
        "JPY" => Some(0),
        _ => None,
    }
}

/// An account with a symmetric key in the slot `signing`.
pub(super) fn around() -> Surroundings {
    let mut keyring = Keyring::new(Legacy::none());
    let bytes = Secret::new("signing", b"sixteen bytes!!!".to_vec());
    keyring.add(Key::symmetric("signing", None, &bytes).expect("a key"));
    surrounded(keyring)
}

pub(super) fn surrounded(keyring: Keyring) -> Surroundings {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Surroundings {
        account: "acme-live".to_owned(),
        keyring: Arc::new(keyring),
        settings: Arc::new(BTreeMap::from([pair("merchant", "M1"), pair("unasked", "secret")])),
        sensitive: Arc::new(Wallet),
        kept: Arc::new(BTreeMap::from([("token".to_owned(), b"T1".to_vec())])),
        now: (1_700_000_000, 5),
        seed: [7; 32],
    }
}

/// Limits that a test on a busy machine never meets by chance.
pub(super) fn limits() -> Limits {
    Limits { call_ms_max: 60_000, concurrent_calls_max: 2, ..Limits::default() }
}

pub(super) fn sandbox(limits: Limits, cache: Option<PathBuf>) -> Sandbox {
    Sandbox::new(limits, cache, decimals).expect("a sandbox")
}

pub(super) fn loaded(limits: Limits, component: &[u8]) -> Generation {
    sandbox(limits, None).load("guest", component, None).expect("a plugin")
}

pub(super) fn authorize() -> Operation {
    let amount = Money { minor: 1999, currency: "EUR".to_owned() };
    let entry = Entry {
        id: "E1".to_owned(),
        kind: OperationKind::Authorize,
        amount: amount.clone(),
        capture: true,
        state: EntryState::Created,
        references: None,
        created_at: 1_700_000_000,
    };
    let payment = Payment {
        id: "P1".to_owned(),
        merchant_reference: "order 1".to_owned(),
        amount,
        entries: Vec::new(),
    };
    Operation::Authorize(Order {
        payment,
        entry,
        instrument: Instrument::None,
        description: "a test".to_owned(),
        return_url: None,
        notify_url: "https://host.test/hook".to_owned(),
        customer_ip: None,
        beneficiary: None,
        extra: Vec::new(),
    })
}
