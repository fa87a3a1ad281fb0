//! What one account may reach, and which of its values may travel where: what the operator wrote,
//! as data. Not here: the values themselves (`Fill`), the checks of a request against it.

use std::fmt;

use serde::Deserialize;

use crate::allowed::AllowedHost;
use crate::request::{CardField, Source};
use crate::tls::Identity;

/// The limits of one account. Whatever it does not allow is refused before a connection is opened.
#[derive(Clone, Debug)]
pub struct Gate {
    /// The hosts the account may reach. Empty: none.
    pub hosts: Vec<AllowedHost>,
    /// Which values may travel, and where to. Empty: none.
    pub grants: Vec<Grant>,
    /// How long an exchange may take.
    pub timeouts: Timeouts,
    /// The most an answer may measure in bytes, headers and body together.
    pub response_bytes_max: usize,
    /// The client certificate shown to servers, if any.
    pub identity: Option<Identity>,
}

/// That a value may travel to some places.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Grant {
    /// What may travel.
    pub value: Granted,
    /// The places it may stand in.
    pub places: Vec<Place>,
    /// Towards these of the account's hosts; without it, towards all of them.
    #[serde(default)]
    pub hosts: Option<Vec<AllowedHost>>,
}

/// What a grant is about.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Granted {
    /// The secret of this name.
    Secret(String),
    /// Every field of the card an operation is paid with.
    Card,
    /// One field of it.
    CardField(CardField),
    /// Results of computations over sensitive parts.
    Derived,
}

/// A place in a request that a value may stand in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// The header of this name, in lower case.
    Header(String),
    /// The body of an HTTP request or of a frame.
    Body,
}

/// How long the stages of one exchange may take, in milliseconds. Recording the intent is in none
/// of them: it runs beside the connecting, and the clock of the exchange starts after both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Timeouts {
    /// Resolving, connecting and the TLS handshake together.
    pub connect_ms_max: u64,
    /// From when the request may leave until the head of the answer (a frame's first byte) is in.
    pub first_byte_ms_max: u64,
    /// From when the request may leave until the answer is whole.
    pub total_ms_max: u64,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts { connect_ms_max: 5_000, first_byte_ms_max: 30_000, total_ms_max: 60_000 }
    }
}

impl Default for Gate {
    /// Reaches nothing and grants nothing; answers may measure 1 MiB.
    fn default() -> Gate {
        Gate {
            hosts: Vec::new(),
            grants: Vec::new(),
            timeouts: Timeouts::default(),
            response_bytes_max: 1 << 20,
            identity: None,
        }
    }
}

impl Gate {
    /// Whether any field of a card may travel anywhere.
    pub fn lets_cards_travel(&self) -> bool {
        let of_cards = |grant: &Grant| matches!(grant.value, Granted::Card | Granted::CardField(_));
        self.grants.iter().any(of_cards)
    }
}

impl Granted {
    pub(crate) fn covers(&self, source: &Source) -> bool {
        match (self, source) {
            (Granted::Secret(granted), Source::Secret(asked)) => granted == asked,
            (Granted::CardField(granted), Source::Card(asked)) => granted == asked,
            (Granted::Card, Source::Card(_)) | (Granted::Derived, Source::Derived(_)) => true,
            _ => false,
        }
    }
}

impl Place {
    /// Header names differ in case only on paper.
    pub(crate) fn is(&self, other: &Place) -> bool {
        match (self, other) {
            (Place::Header(one), Place::Header(other)) => one.eq_ignore_ascii_case(other),
            (Place::Body, Place::Body) => true,
            _ => false,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Header(name) => write!(f, "header `{name}`"),
            Place::Body => f.write_str("the body"),
        }
    }
}
