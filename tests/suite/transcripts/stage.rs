//! A stage for transcripts in the sandbox: the account that the transcript furnishes, and one fresh
//! instance a step.

use std::collections::BTreeMap;
use std::sync::Arc;

use sandbox::contract as wit;
use sandbox::{Called, Fault, Generation, Remembered, Sensitive, Surroundings};
use tokio::runtime::Runtime;
use transcript::{
    Answer, Delivery, Event, Failure, Material, Operation, Page, Piece, Portion, Proof, Reply, Set,
    Span, Stage, Verdict,
};
use vault::{Key, Keyring, Legacy, Secret};

use crate::canaries::Canary;

use super::to_contract::{delivery, operation, piece, reply, span};
use super::to_plain::{answer, event, failure, page, portion, proof};
use algorithms::{encoding, mac_algorithm, signature_algorithm};

/// As the engine's standard.
const AGE_SECONDS_MAX: u64 = 300;

/// A plugin in the sandbox, with an account of its own.
pub struct SandboxStage {
    plugin: Generation,
    runtime: Runtime,
    keys: Vec<(String, Option<String>, Material)>,
    legacy: Vec<String>,
    settings: BTreeMap<String, String>,
    values: Values,
    kept: BTreeMap<String, (Vec<u8>, Option<u64>)>,
    now: u64,
    step: u8,
    /// The proof as the plugin gave it, for the host's check.
    given: Option<wit::Proof>,
}

/// What a guest only names.
#[derive(Clone, Default)]
struct Values {
    secrets: BTreeMap<String, Secret>,
    card: BTreeMap<String, Secret>,
}

impl Sensitive for Values {
    fn secret(&self, name: &str) -> Option<Secret> {
        self.secrets.get(name).cloned()
    }

    fn card(&self, field: wit::CardField) -> Option<Secret> {
        self.card.get(super::to_plain::card_field(field)).cloned()
    }

    fn encode(&self, value: &Secret, by: wit::Encoding) -> Result<Secret, String> {
        encoding(by).apply(value).map_err(|error| error.to_string())
    }
}

impl SandboxStage {
    /// With nothing configured.
    pub fn new(plugin: Generation) -> SandboxStage {
        SandboxStage {
            plugin,
            runtime: tokio::runtime::Builder::new_current_thread().build().unwrap(),
            keys: Vec::new(),
            legacy: Vec::new(),
            settings: BTreeMap::new(),
            values: Values::default(),
            kept: BTreeMap::new(),
            now: 1_700_000_000,
            step: 0,
            given: None,
        }
    }

    /// What the account holds and no plugin may: secrets, card fields, symmetric and private keys.
    pub fn hidden(&self) -> Vec<Canary> {
        let mut hidden: Vec<Canary> = Vec::new();
        let values = self.values.secrets.iter().chain(&self.values.card);
        hidden.extend(values.map(|(name, value)| Canary::new(name, value.expose())));
        for (slot, _, material) in &self.keys {
            match material {
                Material::Symmetric(bytes) => hidden.push(Canary::new(slot, bytes.clone())),
                Material::Pem(text) if text.contains("PRIVATE KEY") => {
                    hidden.extend(Canary::of_pem(slot, text));
                }
                Material::Pem(_) => {}
            }
        }
        hidden
    }

    fn keyring(&self) -> Result<Keyring, String> {
        let legacy = Legacy::granting(self.legacy.iter().map(String::as_str));
        let mut ring = Keyring::new(legacy.map_err(|error| error.to_string())?);
        for (slot, id, material) in &self.keys {
            let (id, secret) = (id.as_deref(), |bytes: &[u8]| Secret::new(slot, bytes.to_vec()));
            let key = match material {
                Material::Symmetric(bytes) => Key::symmetric(slot, id, &secret(bytes)),
                Material::Pem(text) => Key::from_pem(slot, id, &secret(text.as_bytes())),
            };
            ring.add(key.map_err(|error| error.to_string())?);
        }
        Ok(ring)
    }

    /// The surroundings of the next step, each with randomness of its own.
    fn around(&mut self) -> Surroundings {
        self.step += 1;
        let lives = |until: &Option<u64>| until.is_none_or(|until| self.now < until);
        let kept = self.kept.iter().filter(|(_, (_, until))| lives(until));
        Surroundings {
            account: "transcript".to_owned(),
            keyring: Arc::new(self.keyring().expect("every key was read when it was set")),
            settings: Arc::new(self.settings.clone()),
            sensitive: Arc::new(self.values.clone()),
            kept: Arc::new(kept.map(|(name, (value, _))| (name.clone(), value.clone())).collect()),
            now: (self.now, 0),
            seed: [self.step; 32],
        }
    }

    /// The answer of a call; what the plugin remembers is kept.
    fn answered<T>(&mut self, called: Result<Called<T>, Fault>) -> T {
        let Called { answer, remembered, .. } = called.unwrap_or_else(|fault| panic!("{fault}"));
        for Remembered { name, value, seconds } in remembered {
            let until = seconds.map(|seconds| self.now + u64::from(seconds));
            self.kept.insert(name, (value, until));
        }
        answer
    }
}

impl Stage for SandboxStage {
    fn set(&mut self, set: &Set) -> Result<(), String> {
        let secret = |name: &str, value: &str| Secret::new(name, value.as_bytes().to_vec());
        match set.clone() {
            Set::Now(seconds) => self.now = seconds,
            Set::Setting(name, value) => drop(self.settings.insert(name, value)),
            Set::Secret(name, value) => {
                let value = secret(&name, &value);
                self.values.secrets.insert(name, value);
            }
            Set::Card(field, value) => {
                let value = secret(&field, &value);
                self.values.card.insert(field, value);
            }
            Set::Legacy(name) => self.legacy.push(name),
            Set::Key { slot, id, material } => self.keys.push((slot, id, material)),
        }
        self.keyring().map(drop)
    }

    fn start(&mut self, asked: &Operation) -> Answer {
        let around = self.around();
        let called = self.runtime.block_on(self.plugin.start(around, operation(asked)));
        answer(self.answered(called))
    }

    fn resume(&mut self, asked: &Operation, state: &[u8], replied: &Reply) -> Answer {
        let (around, asked) = (self.around(), operation(asked));
        let step = self.plugin.resume(around, asked, state.to_vec(), reply(replied));
        let called = self.runtime.block_on(step);
        answer(self.answered(called))
    }

    fn prove(&mut self, arrived: &Delivery) -> Result<Proof, Failure> {
        let around = self.around();
        let called = self.runtime.block_on(self.plugin.prove(around, delivery(arrived)));
        let given = self.answered(called).map_err(failure)?;
        self.given = Some(given.clone());
        Ok(proof(given))
    }

    fn check(&mut self, _: &Proof) -> Verdict {
        let given = self.given.take().expect("it was just proven");
        if given.signed_at.is_some_and(|at| at.abs_diff(self.now) > AGE_SECONDS_MAX) {
            return Verdict::Stale;
        }
        let ring = self.keyring().expect("every key was read when it was set");
        let fits = |key: &&Key| given.key_id.is_none() || key.id() == given.key_id.as_deref();
        let keys: Vec<&Key> = ring.versions(&given.slot).iter().filter(fits).collect();
        let holds = |key: &&&Key| {
            let mut evidence = given.evidence.iter();
            evidence.any(|evidence| holds(key, &given, evidence, ring.legacy()))
        };
        match keys.iter().find(holds) {
            Some(_) => Verdict::Holds,
            None if keys.is_empty() => Verdict::NoKey,
            None => Verdict::Refused,
        }
    }

    fn interpret(&mut self, arrived: &Delivery) -> Result<Vec<Event>, Failure> {
        let around = self.around();
        let called = self.runtime.block_on(self.plugin.interpret(around, delivery(arrived)));
        let events = self.answered(called).map_err(failure)?;
        Ok(events.into_iter().map(event).collect())
    }

    fn begin(&mut self, asked: Span) -> Result<Page, Failure> {
        let around = self.around();
        let called = self.runtime.block_on(self.plugin.begin(around, span(asked)));
        self.answered(called).map(page).map_err(failure)
    }

    fn proceed(&mut self, asked: Span, state: &[u8], replied: &Reply) -> Result<Page, Failure> {
        let around = self.around();
        let step = self.plugin.proceed(around, span(asked), state.to_vec(), reply(replied));
        let called = self.runtime.block_on(step);
        self.answered(called).map(page).map_err(failure)
    }

    fn read(&mut self, given: &Piece) -> Result<Portion, Failure> {
        let around = self.around();
        let called = self.runtime.block_on(self.plugin.read(around, piece(given)));
        self.answered(called).map(portion).map_err(failure)
    }
}

fn holds(key: &Key, proof: &wit::Proof, evidence: &[u8], legacy: &Legacy) -> bool {
    let message = &proof.message;
    let checked = match proof.scheme {
        wit::Scheme::Mac(by) => key.verify_mac(mac_algorithm(by), message, evidence, legacy),
        wit::Scheme::Signature(by) => {
            key.verify(signature_algorithm(by), message, evidence, legacy)
        }
    };
    checked.is_ok()
}

/// The contract's algorithms by the names of those who do them.
pub mod algorithms {
    use sandbox::contract as wit;

    macro_rules! same {
        ($name:ident, $from:ident, $to:path, $($variant:ident)*) => {
            /// The same by the other's name.
            pub fn $name(from: wit::$from) -> $to {
                use $to as To;
                match from { $(wit::$from::$variant => To::$variant,)* }
            }
        };
    }

    same!(mac_algorithm, MacAlgorithm, vault::MacAlgorithm,
        HmacMd5 HmacSha1 HmacSha256 HmacSha384 HmacSha512 AesCmac);
    same!(signature_algorithm, SignatureAlgorithm, vault::SignatureAlgorithm,
        RsaPkcs1Sha1 RsaPkcs1Sha256 RsaPkcs1Sha384 RsaPkcs1Sha512 RsaPssSha256 RsaPssSha384
        RsaPssSha512 EcdsaP256Sha256 EcdsaP256Sha256Der Ed25519);
    same!(encoding, Encoding, egress::Encoding,
        Raw Form Json Xml Base64 Base64url Hex Bcd);
}
