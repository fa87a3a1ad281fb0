//! An account: credentials at one provider, and the plugin that speaks its protocol.
//!
//! What a plugin may do is what its description asks for and what the operator gives: an account in
//! which the two do not agree is refused before it takes a payment, and every reason is named.

use std::collections::BTreeMap;
use std::sync::Arc;

use egress::{Fill, Gate};
use ledger::{Kind, Money};
use sandbox::Sensitive;
use sandbox::contract as wit;
use vault::{Keyring, Secret};

use crate::cards::OpenCard;
use crate::{Error, Instrument, Plugin, translate};

/// Whether an account moves money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// It does, or the operator has not said that it does not.
    #[default]
    Live,
    /// It moves none: the test provider, a simulator, or a provider's own test environment.
    Test,
}

/// What the operator gives for one account.
pub struct AccountParts {
    /// Its name, in the configuration and in URLs.
    pub name: String,
    /// Whether it moves money, as the operator says.
    pub mode: Mode,
    /// The plugin, loaded.
    pub plugin: Arc<dyn Plugin>,
    /// Key slots and legacy grants.
    pub keyring: Keyring,
    /// Settings by name.
    pub settings: BTreeMap<String, String>,
    /// Secrets by name.
    pub secrets: BTreeMap<String, Secret>,
    /// What may leave, and where to.
    pub gate: Gate,
    /// Where the provider delivers webhooks: absolute, ends in `/webhooks/<name>`.
    pub notify_url: String,
    /// How far the time of a signed delivery may be from now, in seconds.
    pub delivery_age_seconds_max: u64,
}

/// An account that may take payments.
pub(crate) struct Account {
    pub name: String,
    pub mode: Mode,
    pub plugin: Arc<dyn Plugin>,
    pub keyring: Arc<Keyring>,
    pub settings: Arc<BTreeMap<String, String>>,
    pub secrets: Arc<Secrets>,
    pub gate: Gate,
    pub notify_url: String,
    pub delivery_age_seconds_max: u64,
}

impl Account {
    /// Checks the parts against the plugin's description; the error names everything that is
    /// missing or unknown.
    pub fn new(parts: AccountParts) -> Result<Account, Vec<String>> {
        let wrong = disagreements(&parts);
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let provider = &parts.plugin.description().name;
        tracing::info!(account = parts.name, provider, mode = ?parts.mode, "account ready");
        Ok(Account {
            name: parts.name,
            mode: parts.mode,
            plugin: parts.plugin,
            keyring: Arc::new(parts.keyring),
            settings: Arc::new(parts.settings),
            secrets: Arc::new(Secrets(parts.secrets)),
            gate: parts.gate,
            notify_url: parts.notify_url,
            delivery_age_seconds_max: parts.delivery_age_seconds_max,
        })
    }

    /// Whether the plugin can do this at all, by its own description.
    pub fn offers(
        &self,
        kind: Kind,
        amount: Money,
        instrument: Option<&Instrument>,
    ) -> Result<(), Error> {
        let description = self.plugin.description();
        if !description.operations.contains(&translate::operation_kind(kind)) {
            let name = &description.name;
            return Err(Error::Unsupported(format!("`{name}` offers no {}", kind.name())));
        }
        let currency = amount.currency();
        let currencies = &description.currencies;
        if !currencies.is_empty() && !currencies.iter().any(|known| known == currency.code()) {
            let taken = currencies.join(", ");
            return Err(Error::Unsupported(format!("{currency} is not taken here, but {taken}")));
        }
        let Some(instrument) = instrument else { return Ok(()) };
        if !description.methods.iter().any(|method| method == instrument.method()) {
            let (method, taken) = (instrument.method(), description.methods.join(", "));
            return Err(Error::Unsupported(format!("`{method}` is not taken here, but {taken}")));
        }
        if matches!(instrument, Instrument::Card(_)) && !self.gate.lets_cards_travel() {
            let what = "cards may not travel: add [account.NAME.card] with the places they may";
            return Err(Error::Misconfigured(what.to_owned()));
        }
        Ok(())
    }
}

/// Everything in which the plugin's description and what the operator gives do not agree.
fn disagreements(parts: &AccountParts) -> Vec<String> {
    let asks = parts.plugin.description();
    let mut wrong = Vec::new();
    let settings = asks.settings.iter().map(|slot| (&slot.name, slot.required, &slot.help));
    missing(&mut wrong, "setting", settings, |name| parts.settings.contains_key(name));
    let secrets = asks.secrets.iter().map(|slot| (&slot.name, slot.required, &slot.help));
    missing(&mut wrong, "secret", secrets, |name| parts.secrets.contains_key(name));
    let keys = asks.keys.iter().map(|slot| (&slot.name, slot.required, &slot.help));
    missing(&mut wrong, "key", keys, |slot| !parts.keyring.versions(slot).is_empty());
    for name in parts.settings.keys() {
        if !asks.settings.iter().any(|slot| slot.name == *name) {
            wrong.push(format!("the plugin knows no setting `{name}`"));
        }
    }
    for name in parts.secrets.keys() {
        if !asks.secrets.iter().any(|slot| slot.name == *name) {
            wrong.push(format!("the plugin asks for no secret `{name}`: do not give it one"));
        }
    }
    for slot in &asks.secrets {
        wrong.extend(of_other_places(slot, &parts.gate.grants));
    }
    for slot in &asks.keys {
        wrong.extend(of_wrong_kind(slot, &parts.keyring));
    }
    for name in &asks.legacy {
        if !parts.keyring.legacy().grants(name) {
            wrong.push(format!(
                "the plugin needs the legacy primitive `{name}`: grant it by \
                 legacy = [\"{name}\"]"
            ));
        }
    }
    wrong
}

fn missing<'a>(
    wrong: &mut Vec<String>,
    what: &str,
    asked: impl Iterator<Item = (&'a String, bool, &'a String)>,
    given: impl Fn(&str) -> bool,
) {
    for (name, required, help) in asked {
        if required && !given(name) {
            wrong.push(format!("the {what} `{name}` is missing: {help}"));
        }
    }
}

/// What a secret may travel in has to be asked by the plugin and granted by the operator.
fn of_other_places(slot: &wit::SecretSlot, grants: &[egress::Grant]) -> Vec<String> {
    let name = &slot.name;
    let asked: Vec<_> = slot.places.iter().map(translate::place).collect();
    let of_secret = |grant: &&egress::Grant| match &grant.value {
        egress::Granted::Secret(secret) => secret == name,
        egress::Granted::Card | egress::Granted::CardField(_) | egress::Granted::Derived => false,
    };
    let granted: Vec<_> =
        grants.iter().filter(of_secret).flat_map(|grant| grant.places.clone()).collect();
    if granted.is_empty() {
        return Vec::new();
    }
    let missing = asked.iter().filter(|place| !granted.contains(place)).map(|place| {
        let place = written(place);
        format!("secret `{name}`: the plugin asks for the place \"{place}\", which is not granted")
    });
    let unasked = granted.iter().filter(|place| !asked.contains(place)).map(|place| {
        let place = written(place);
        format!(
            "secret `{name}`: the place \"{place}\" is granted, and the plugin does not ask for it"
        )
    });
    missing.chain(unasked).collect()
}

fn written(place: &egress::Place) -> String {
    match place {
        egress::Place::Header(name) => format!("header:{name}"),
        egress::Place::Body => "body".to_owned(),
    }
}

fn of_wrong_kind(slot: &wit::KeySlot, keyring: &Keyring) -> Vec<String> {
    let asked = match slot.kind {
        wit::KeyKind::Symmetric => vault::KeyKind::Symmetric,
        wit::KeyKind::Private => vault::KeyKind::Private,
        wit::KeyKind::Public => vault::KeyKind::Public,
    };
    let wrong = keyring.versions(&slot.name).iter().filter(|key| key.kind() != asked);
    wrong
        .map(|key| {
            let (name, kind) = (&slot.name, key.kind());
            format!("the key `{name}` is {kind:?}, and the plugin asks for {asked:?}")
        })
        .collect()
}

/// The secrets of an account, for the sandbox to compute over and for egress to fill in.
pub(crate) struct Secrets(BTreeMap<String, Secret>);

/// What the sandbox may compute over in one operation.
pub(crate) struct Values {
    pub secrets: Arc<Secrets>,
    pub card: Option<Arc<OpenCard>>,
}

impl Sensitive for Values {
    fn secret(&self, name: &str) -> Option<Secret> {
        self.secrets.0.get(name).cloned()
    }

    fn card(&self, field: wit::CardField) -> Option<Secret> {
        self.card.as_ref()?.field(translate::card_field(field)).cloned()
    }

    fn encode(&self, value: &Secret, encoding: wit::Encoding) -> Result<Secret, String> {
        translate::encoding(encoding).apply(value).map_err(|wrong| wrong.to_string())
    }
}

/// What egress fills into one request: the account's secrets, the card, what the step derived.
pub(crate) struct Filling {
    pub secrets: Arc<Secrets>,
    pub card: Option<Arc<OpenCard>>,
    pub derived: Vec<Secret>,
}

impl Fill for Filling {
    fn secret(&self, name: &str) -> Option<&Secret> {
        self.secrets.0.get(name)
    }

    fn card(&self, field: egress::CardField) -> Option<&Secret> {
        self.card.as_ref()?.field(field)
    }

    fn derived(&self, number: u32) -> Option<&Secret> {
        self.derived.get(number as usize)
    }
}

impl Instrument {
    /// Its name in a plugin's description.
    pub(crate) fn method(&self) -> &'static str {
        match self {
            Instrument::Token(_) => "token",
            Instrument::Wallet(_) => "wallet",
            Instrument::Bank(_) => "bank",
            Instrument::Qr => "qr",
            Instrument::Card(_) => "card",
        }
    }
}
