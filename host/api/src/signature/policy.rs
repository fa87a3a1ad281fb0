//! What a request's signature must cover, and how old it may be: our profile of RFC 9421, section
//! 1.4.

use std::time::Duration;

use super::claim::{Claim, Parameters};
use super::{Error, malformed};

const NONCE_CHARS: std::ops::RangeInclusive<usize> = 16..=128;

/// How far a signature's time may be from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How old `created` may be.
    pub age_max: Duration,
    /// How far ahead `created` may be, since clocks differ.
    pub ahead_max: Duration,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy { age_max: Duration::from_secs(300), ahead_max: Duration::from_secs(60) }
    }
}

/// Why a signature's time is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stale {
    /// `created` is longer ago than is allowed.
    #[error("`created` is {0} s ago")]
    Old(i64),
    /// `created` is further ahead than is allowed.
    #[error("`created` is {0} s ahead of the host's clock")]
    Ahead(i64),
    /// `expires` is over, or not after `created`.
    #[error("`expires` is over")]
    Expired,
}

/// What there is of a request that has to be covered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown {
    pub(crate) query: bool,
    pub(crate) body: bool,
    pub(crate) idempotency_key: bool,
}

impl Policy {
    /// The names that should be covered and are not.
    pub(crate) fn uncovered(claim: &Claim, shown: Shown) -> Vec<&'static str> {
        let mut wanted = vec!["@method"];
        if !claim.covers("@target-uri") {
            wanted.extend(["@authority", "@path"]);
            wanted.extend(shown.query.then_some("@query"));
        }
        if shown.body {
            wanted.extend(["content-digest", "content-type"]);
        }
        wanted.extend(shown.idempotency_key.then_some("idempotency-key"));
        wanted.retain(|name| !claim.covers(name));
        wanted
    }

    /// `created`, `nonce` and `keyid` of a request, which all have to be there.
    pub(crate) fn parts(parameters: &Parameters) -> Result<(i64, &str, &str), Error> {
        let Parameters { created, nonce, keyid, .. } = parameters;
        let (Some(created), Some(nonce), Some(keyid)) = (created, nonce, keyid) else {
            return Err(malformed("a signature has the parameters `created`, `nonce` and `keyid`"));
        };
        let plain = nonce.bytes().all(|byte| byte.is_ascii_graphic());
        if !plain || !NONCE_CHARS.contains(&nonce.len()) {
            let (least, most) = (NONCE_CHARS.start(), NONCE_CHARS.end());
            return Err(malformed(format!(
                "`nonce` has {least} to {most} printable characters and no space"
            )));
        }
        Ok((*created, nonce, keyid))
    }

    /// Holds the times to the window around now, in seconds of Unix time.
    pub fn check_time(&self, parameters: &Parameters, now: i64) -> Result<(), Stale> {
        let seconds = |span: Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
        let created = parameters.created.unwrap_or_default();
        let age = now.saturating_sub(created);
        if age > seconds(self.age_max) {
            return Err(Stale::Old(age));
        }
        if age.saturating_neg() > seconds(self.ahead_max) {
            return Err(Stale::Ahead(age.saturating_neg()));
        }
        match parameters.expires {
            Some(expires) if expires <= now || expires <= created => Err(Stale::Expired),
            _ => Ok(()),
        }
    }
}
