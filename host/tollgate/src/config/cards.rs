//! Cards in the configuration: how long they are kept, and where an account's may travel.

use std::path::PathBuf;

use egress::{AllowedHost, CardField, Grant, Granted};
use serde::Deserialize;

use super::secrets::{PlaceText, granted_places};

/// `[cards]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cards {
    /// The most days a card is kept; it goes with its expiry in any case.
    pub keep_days_max: Option<u64>,
    /// The folder of the cards' keys: a place where what is overwritten is gone. Beside the store's
    /// folder when not said.
    pub keys: Option<PathBuf>,
}

/// `[account.NAME.card]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardEntry {
    /// `body`, `header:<name>`.
    places: Vec<PlaceText>,
    /// Of the account's hosts; all of them when not said.
    hosts: Option<Vec<AllowedHost>>,
    /// Which fields: number, expiry-month, expiry-year, expiry-yymm, security-code, holder; all of
    /// them when not said.
    fields: Option<Vec<CardField>>,
}

/// `[account.NAME.derived]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DerivedEntry {
    /// `body`, `header:<name>`.
    places: Vec<PlaceText>,
    /// Of the account's hosts; all of them when not said.
    hosts: Option<Vec<AllowedHost>>,
}

impl CardEntry {
    /// What it grants.
    pub fn grants(&self) -> Vec<Grant> {
        let values = match &self.fields {
            None => vec![Granted::Card],
            Some(fields) => fields.iter().map(|field| Granted::CardField(*field)).collect(),
        };
        let grant = |value| {
            let (places, hosts) = (granted_places(&self.places), self.hosts.clone());
            Grant { value, places, hosts }
        };
        values.into_iter().map(grant).collect()
    }
}

impl DerivedEntry {
    /// What it grants.
    pub fn grant(&self) -> Grant {
        let (places, hosts) = (granted_places(&self.places), self.hosts.clone());
        Grant { value: Granted::Derived, places, hosts }
    }
}
