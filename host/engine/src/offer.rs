//! What each account offers, by its plugin's description: for apps that ask what they can do.

use ledger::Kind;
use serde::Serialize;

use crate::account::{Account, Mode};
use crate::app::App;
use crate::{Engine, translate};

/// An account as an app sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Offer {
    /// Its name.
    pub account: String,
    /// The provider, by the plugin's own name.
    pub provider: String,
    /// Whether it moves money.
    pub mode: Mode,
    /// The version of the plugin.
    pub version: String,
    /// Instruments it takes.
    pub methods: Vec<String>,
    /// ISO 4217 codes; empty means every currency.
    pub currencies: Vec<String>,
    /// The operations it can do.
    pub operations: Vec<&'static str>,
    /// How a lost answer is found out.
    pub grade: Grade,
}

/// How surely an outcome is found out when the provider's answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Grade {
    /// The same bytes move money once, and the provider can be asked.
    A,
    /// The provider can be asked.
    B,
    /// Neither: a webhook, or a person.
    C,
}

const KINDS: [Kind; 5] = [Kind::Authorize, Kind::Capture, Kind::Cancel, Kind::Refund, Kind::Payout];

impl Engine {
    /// What the accounts that are open to this app offer, by name.
    pub fn offers(&self, app: &App) -> Vec<Offer> {
        let open = self.0.accounts.values().filter(|account| app.may_use(&account.name));
        open.map(|account| offer(account)).collect()
    }
}

fn offer(account: &Account) -> Offer {
    let described = account.plugin.description();
    let can = |kind: &Kind| described.operations.contains(&translate::operation_kind(*kind));
    let recovery = &described.recovery;
    Offer {
        account: account.name.clone(),
        provider: described.name.clone(),
        mode: account.mode,
        version: described.version.clone(),
        methods: described.methods.clone(),
        currencies: described.currencies.clone(),
        operations: KINDS.iter().filter(|kind| can(kind)).map(|kind| kind.name()).collect(),
        grade: match (recovery.idempotent_seconds, recovery.query) {
            (Some(_), true) => Grade::A,
            (None, true) => Grade::B,
            (_, false) => Grade::C,
        },
    }
}
