//! Doors for the fuzz targets in `tests/fuzz`: the records as they are kept, and what a plugin says
//! as the ledger and egress are told it. No part of what the engine offers; nothing else uses it.

use ledger::{Anomaly, Payment, Verdict};
use sandbox::contract as wit;
use serde::Serialize;
use serde::de::DeserializeOwned;
use vault::{Keyring, Vaulted};

use crate::audit::Line;
use crate::notify::{Circuit, Posted, Registered};
use crate::record::{self, Exchange, Found, Idempotent, Operation};
use crate::translate::{self, Outcome};
use crate::{App, Event, cards, deliver};

/// Reads a record and writes it again; none when it is not one.
pub type Rewrite = fn(&[u8]) -> Option<Vec<u8>>;

/// Every record that is JSON, by its space, and how it is read and written.
pub const RECORDS: [(&str, Rewrite); 16] = [
    ("payment", rewritten::<Payment>),
    ("operation", rewritten::<Operation>),
    ("exchange", rewritten::<Exchange>),
    ("idempotency", rewritten::<Idempotent>),
    ("reference", rewritten::<Found>),
    ("event", rewritten::<Event>),
    ("delivery", rewritten::<deliver::Acted>),
    ("anomaly", rewritten::<Anomaly>),
    ("endpoint", rewritten::<Registered>),
    ("circuit", rewritten::<Circuit>),
    ("outbox", rewritten::<Posted>),
    ("app", rewritten::<App>),
    ("card", rewritten::<cards::Kept>),
    ("card-key", rewritten::<Vaulted>),
    ("audit", rewritten::<Line>),
    ("kept", rewritten::<record::Kept>),
];

fn rewritten<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Option<Vec<u8>> {
    record::decode::<T>(record::PAYMENT, b"fuzzed", bytes).ok().map(|value| record::encode(&value))
}

/// Whether a delivery with this recipe would be proven, by these keys, at this time.
///
/// # Errors
/// Why not, as the operator's log says it.
pub fn proven(
    keyring: &Keyring,
    age_seconds_max: u64,
    proof: &wit::Proof,
    now_seconds: u64,
) -> Result<(), String> {
    deliver::holds(keyring, age_seconds_max, proof, now_seconds).map_err(|why| why.to_string())
}

/// What egress is given of a plugin's request.
pub fn request(request: wit::Request) -> egress::Request {
    translate::request(request)
}

/// What the ledger is told of a plugin's outcome; nothing where the provider never heard of it.
///
/// # Errors
/// Why it makes no sense.
pub fn verdict(outcome: wit::Outcome) -> Result<Option<Verdict>, String> {
    match translate::outcome(outcome) {
        Ok(Outcome::Told(verdict)) => Ok(Some(verdict)),
        Ok(Outcome::Absent) => Ok(None),
        Err(nonsense) => Err(nonsense.to_string()),
    }
}
