//! The host's side of the contract, natively.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use transcript::{Set, Verdict};
use vault::Legacy;

use super::account::{Account, Derived};
use super::key::{NativeKey, digest_algorithm, mac_algorithm, refusal, signature_algorithm};
use crate::{CryptoError, DigestAlgorithm, Failure, Host, Key, Level, Money, Part, Proof, Scheme};

/// The host refuses a delivery signed further from now than this.
const TOLERANCE_SECONDS: u64 = 300;

/// A host for tests. Its clock stands at 1,700,000,000 seconds until it is set.
#[derive(Debug)]
pub struct TestHost {
    pub(super) account: Rc<RefCell<Account>>,
    /// Counts steps, so that each draws its own randomness.
    step: Cell<u64>,
    remembered: RefCell<BTreeMap<String, Remembered>>,
    log: RefCell<Vec<(Level, String)>>,
}

/// A value, and until when.
type Remembered = (Vec<u8>, Option<u64>);

impl Default for TestHost {
    fn default() -> TestHost {
        TestHost::new()
    }
}

impl TestHost {
    /// A host with nothing configured.
    pub fn new() -> TestHost {
        let mut account = Account::default();
        account.now = 1_700_000_000;
        TestHost {
            account: Rc::new(RefCell::new(account)),
            step: Cell::new(0),
            remembered: RefCell::default(),
            log: RefCell::default(),
        }
    }

    /// Configures it as a line of a transcript does.
    ///
    /// # Errors
    /// When a key cannot be read, or a legacy primitive has no such name.
    pub fn set(&self, set: &Set) -> Result<(), String> {
        self.account.borrow_mut().set(set)
    }

    /// As `set`, in a chain.
    ///
    /// # Panics
    /// When it cannot be configured so: a mistake of the test.
    #[must_use]
    #[allow(clippy::panic)]
    pub fn with(self, set: Set) -> TestHost {
        if let Err(what) = self.set(&set) {
            panic!("{what}");
        }
        self
    }

    /// What was logged.
    pub fn logged(&self) -> Vec<(Level, String)> {
        self.log.borrow().clone()
    }

    /// Begins a new step: other randomness, no derived values.
    pub fn next_step(&self) {
        self.step.set(self.step.get() + 1);
        self.account.borrow_mut().derived.clear();
    }

    /// The host's own check of a proof.
    pub fn check(&self, proof: &Proof) -> Verdict {
        let account = self.account.borrow();
        if proof.signed_at.is_some_and(|at| at.abs_diff(account.now) > TOLERANCE_SECONDS) {
            return Verdict::Stale;
        }
        let keys = account.keys.versions(&proof.slot).iter();
        let keys = keys.filter(|key| proof.key_id.is_none() || key.id() == proof.key_id.as_deref());
        let keys: Vec<_> = keys.collect();
        let holds = |key: &vault::Key| {
            proof.evidence.iter().any(|evidence| holds(key, proof, evidence, account.keys.legacy()))
        };
        match keys.as_slice() {
            [] => Verdict::NoKey,
            keys if keys.iter().any(|key| holds(key)) => Verdict::Holds,
            _ => Verdict::Refused,
        }
    }
}

fn holds(key: &vault::Key, proof: &Proof, evidence: &[u8], legacy: &Legacy) -> bool {
    let checked = match proof.scheme {
        Scheme::Mac(by) => key.verify_mac(mac_algorithm(by), &proof.message, evidence, legacy),
        Scheme::Signature(by) => {
            key.verify(signature_algorithm(by), &proof.message, evidence, legacy)
        }
    };
    checked.is_ok()
}

impl Host for TestHost {
    fn key(&self, slot: &str) -> Result<Box<dyn Key>, CryptoError> {
        let id = self.account.borrow().keys.open(slot).map_err(refusal)?.id().map(str::to_owned);
        Ok(Box::new(NativeKey::new(self, slot, id, false)))
    }
    fn key_version(&self, slot: &str, id: &str) -> Result<Box<dyn Key>, CryptoError> {
        self.account.borrow().keys.open_version(slot, id).map_err(refusal)?;
        Ok(Box::new(NativeKey::new(self, slot, Some(id.to_owned()), true)))
    }
    fn setting(&self, name: &str) -> Option<String> {
        self.account.borrow().settings.get(name).cloned()
    }
    fn now(&self) -> (u64, u32) {
        (self.account.borrow().now, 0)
    }
    fn recall(&self, name: &str) -> Option<Vec<u8>> {
        let remembered = self.remembered.borrow();
        let (value, until) = remembered.get(name)?;
        until.is_none_or(|until| self.now().0 < until).then(|| value.clone())
    }
    fn remember(&self, name: &str, value: &[u8], seconds: Option<u32>) {
        let until = seconds.map(|seconds| self.now().0 + u64::from(seconds));
        self.remembered.borrow_mut().insert(name.to_owned(), (value.to_vec(), until));
    }
    fn to_decimal(&self, amount: &Money) -> Result<String, Failure> {
        let places = places(&amount.currency)?;
        let digits = format!("{:0>width$}", amount.minor, width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        Ok(if places == 0 { whole.to_owned() } else { format!("{whole}.{fraction}") })
    }
    fn from_decimal(&self, text: &str, currency: &str) -> Result<Money, Failure> {
        let wrong = || Failure::malformed(format!("`{text}` is no amount of {currency}"));
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let places = places(currency)?;
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || fraction.len() > places || !digits(whole) || !digits(fraction) {
            return Err(wrong());
        }
        let minor = format!("{whole}{fraction:0<places$}").parse().map_err(|_| wrong())?;
        Ok(Money::new(minor, currency))
    }
    fn digest(&self, algorithm: DigestAlgorithm, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let account = self.account.borrow();
        vault::digest(digest_algorithm(algorithm), data, account.keys.legacy()).map_err(refusal)
    }
    fn derive(&self, algorithm: DigestAlgorithm, data: &[Part]) -> Result<u32, CryptoError> {
        let message = self.account.borrow().fill(data)?;
        let value = self.digest(algorithm, &message.bytes)?;
        self.account.borrow_mut().keep(Derived { value, card: message.card })
    }
    fn crc(&self, model: &str, data: &[u8]) -> Result<u64, CryptoError> {
        vault::crc(model, data).map_err(refusal)
    }
    fn lrc(&self, initial: u8, data: &[u8]) -> u8 {
        vault::lrc(initial, data)
    }
    fn random(&self, length: u32) -> Result<Vec<u8>, CryptoError> {
        match length {
            0..=1024 => Ok(transcript::random(self.step.get(), length)),
            _ => Err(CryptoError::BadInput("at most 1024 bytes a call".to_owned())),
        }
    }
    fn log(&self, level: Level, message: &str) {
        self.log.borrow_mut().push((level, message.to_owned()));
    }
}

fn places(currency: &str) -> Result<usize, Failure> {
    let known = iso_currency::Currency::from_code(currency);
    let known = known.ok_or_else(|| Failure::invalid(format!("unknown currency {currency}")))?;
    Ok(known.exponent().map_or(0, usize::from))
}
