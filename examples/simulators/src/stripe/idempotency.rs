//! Idempotency keys: <https://docs.stripe.com/api/idempotent_requests>.
//!
//! The first answer of a key is kept, whatever it was, once the endpoint began to execute, and is
//! given again for a day. A request refused before that, or that met another still under way,
//! leaves nothing behind.

use std::collections::HashMap;

use sha2::{Digest, Sha256};
use url::form_urlencoded;

use crate::exchange::{Answer, Asked};

use super::refusal::Refusal;

/// A key may be forgotten after this.
const KEPT_S: i64 = 24 * 60 * 60;
const KEY_LENGTH_MAX: usize = 255;

/// What makes two requests the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    /// The path; only POST has keys.
    pub endpoint: String,
    /// A digest of the parameters, in whatever order they came: a card number is not kept.
    pub params: String,
}

impl Fingerprint {
    pub fn of(asked: &Asked) -> Self {
        let mut pairs: Vec<_> = form_urlencoded::parse(&asked.body).collect();
        pairs.sort();
        let mut digest = Sha256::new();
        for (key, value) in pairs {
            digest.update(format!("{}:{key}={}:{value};", key.len(), value.len()));
        }
        let endpoint = asked.path.clone();
        Self { endpoint, params: hex::encode(digest.finalize()) }
    }
}

struct Kept {
    fingerprint: Fingerprint,
    at_s: i64,
    request: String,
    /// None while the first request is under way.
    answer: Option<Answer>,
}

/// The keys seen.
#[derive(Default)]
pub(crate) struct Keys(HashMap<String, Kept>);

/// How a request with a key goes on.
pub(crate) enum Begun {
    /// It is the first.
    First,
    /// It was answered before: the answer, and the identifier of the first request.
    Again(Answer, String),
}

impl Keys {
    /// Takes a key for a request, or says what stands against it.
    pub fn begin(
        &mut self,
        key: &str,
        fingerprint: Fingerprint,
        request: &str,
        now_s: i64,
    ) -> Result<Begun, Refusal> {
        check_length(key)?;
        if self.0.get(key).is_some_and(|kept| kept.is_over(now_s)) {
            self.0.remove(key);
        }
        let Some(kept) = self.0.get(key) else {
            let request = request.to_owned();
            let kept = Kept { fingerprint, at_s: now_s, request, answer: None };
            self.0.insert(key.to_owned(), kept);
            return Ok(Begun::First);
        };
        kept.check(key, &fingerprint)?;
        match &kept.answer {
            Some(answer) => Ok(Begun::Again(answer.clone(), kept.request.clone())),
            None => Err(Refusal::key_in_use(key)),
        }
    }

    /// Gives a key free again: its request was refused before it began.
    pub fn forget(&mut self, key: &str) {
        self.0.remove(key);
    }

    /// Keeps the answer of the first request.
    pub fn keep(&mut self, key: &str, answer: &Answer) {
        if let Some(kept) = self.0.get_mut(key) {
            kept.answer = Some(Answer { saves: None, ..answer.clone() });
        }
    }
}

impl Kept {
    fn is_over(&self, now_s: i64) -> bool {
        self.answer.is_some() && now_s - self.at_s >= KEPT_S
    }

    fn check(&self, key: &str, asked: &Fingerprint) -> Result<(), Refusal> {
        let first = &self.fingerprint;
        let advice = format!(
            "Try using a key other than '{key}' if you meant to execute a different request."
        );
        if first.endpoint != asked.endpoint {
            return Err(Refusal::key_reused(format!(
                "Keys for idempotent requests can only be used for the same endpoint they were \
                 first used for ('{}' vs '{}'). {advice}",
                asked.endpoint, first.endpoint
            )));
        }
        if first.params != asked.params {
            return Err(Refusal::key_reused(format!(
                "Keys for idempotent requests can only be used with the same parameters they were \
                 first used with. {advice}"
            )));
        }
        Ok(())
    }
}

fn check_length(key: &str) -> Result<(), Refusal> {
    if key.is_empty() || key.len() > KEY_LENGTH_MAX {
        let why = "The Idempotency-Key must have between 1 and 255 characters.";
        return Err(Refusal::invalid(why));
    }
    Ok(())
}
