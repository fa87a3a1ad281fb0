//! What a call may draw on: the account's keys and settings, the time, the randomness.
//!
//! Everything here is given by the caller, so that the same call with the same surroundings gives
//! the same answer to the byte.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use vault::{Keyring, Secret};

use crate::contract::{CardField, Encoding};

/// Values that a guest only names. The sandbox asks for one when a plugin signs, authenticates,
/// wraps or digests over it; the guest never receives it.
pub trait Sensitive: Send + Sync {
    /// The account's secret of this name, if the operator gave one.
    fn secret(&self, name: &str) -> Option<Secret>;

    /// A field of the card that the operation is paid with.
    fn card(&self, field: CardField) -> Option<Secret>;

    /// `value` written in `encoding`, exactly as it is written when it leaves. The error says what
    /// the encoding does not take, never the value.
    fn encode(&self, value: &Secret, encoding: Encoding) -> Result<Secret, String>;
}

/// What one call may draw on.
#[derive(Clone)]
pub struct Surroundings {
    /// The account's name, for the operator's log.
    pub account: String,
    /// The account's keys and the legacy primitives granted to it.
    pub keyring: Arc<Keyring>,
    /// The account's settings, as the operator wrote them.
    pub settings: Arc<BTreeMap<String, String>>,
    /// Secrets and card fields, by name.
    pub sensitive: Arc<dyn Sensitive>,
    /// What earlier steps of this account asked to remember and what is not expired.
    pub kept: Arc<BTreeMap<String, Vec<u8>>>,
    /// The time of the step: seconds since the Unix epoch, and nanoseconds.
    pub now: (u64, u32),
    /// All the randomness of this step, drawn once and kept with it. Two different steps never
    /// share a seed: equal ciphertexts would otherwise tell that two plaintexts are equal.
    pub seed: [u8; 32],
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Surroundings({}, now {:?})", self.account, self.now)
    }
}

/// The answer of a call, and what the plugin left behind on the way.
#[derive(Clone, Debug)]
pub struct Called<T> {
    /// What the plugin answered.
    pub answer: T,
    /// What it asked to remember, one entry a name, to be kept in the commit of the outcome.
    pub remembered: Vec<Remembered>,
    /// Results of `crypto.derive` and `key.derive-mac`: `Source::Derived(n)` names the n-th.
    pub derived: Vec<Secret>,
    /// Time spent in the call, without waiting for a free place.
    pub elapsed: Duration,
}

/// A small value to keep with the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// Its name, 1 to 64 bytes.
    pub name: String,
    /// At most 16 KiB.
    pub value: Vec<u8>,
    /// Its lifetime; without one it stays until it is replaced.
    pub seconds: Option<u32>,
}
