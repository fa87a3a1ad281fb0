//! Who asks: bearer API keys (RFC 6750).
//!
//! The comparison itself is the engine's, which keeps only digests of keys.

use engine::Sender;
use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::catalogue::{API_KEY_MISSING, API_KEY_WRONG, PROOF_TWICE};
use crate::contract::Payments;
use crate::platform::Platform;
use crate::problem::{Code, Problem};
use crate::proof::Asked;
use crate::{head, proof};

/// What is answered where no key was sent (RFC 6750, section 3).
pub(crate) const CHALLENGE: &str = "Bearer realm=\"tollgate\"";
/// What is answered where the key is not good.
pub(crate) const INVALID_TOKEN: &str = "Bearer realm=\"tollgate\", error=\"invalid_token\"";
const KEY_BYTES_MAX: usize = 256;

/// Who sent the request, proven by its headers alone, and the label of its signature.
pub(crate) async fn prove(
    payments: &dyn Payments,
    platform: &Platform,
    asked: &Asked<'_>,
) -> Result<(Sender, Option<String>), Problem> {
    let headers = &asked.parts.headers;
    match (headers.contains_key(AUTHORIZATION), proof::is_signed(headers)) {
        (true, true) => Err(Problem::new(&PROOF_TWICE, PROOF_TWICE.cause)),
        (_, false) => Ok((by_api_key(payments, headers).await?, None)),
        (false, true) => {
            let proven = proof::prove(payments, platform, asked).await?;
            Ok((proven.sender, Some(proven.label)))
        }
    }
}

async fn by_api_key(payments: &dyn Payments, headers: &HeaderMap) -> Result<Sender, Problem> {
    let Some(value) = head::authorization(headers) else {
        return Err(refused(&API_KEY_MISSING, CHALLENGE));
    };
    let wrong = || refused(&API_KEY_WRONG, INVALID_TOKEN);
    let key = bearer(value).ok_or_else(wrong)?;
    payments.sender_by_api_key(key).await?.ok_or_else(wrong)
}

pub(crate) fn refused(code: &'static Code, challenge: &str) -> Problem {
    Problem::new(code, code.remedy).header("www-authenticate", challenge)
}

/// The key of a header value, where it has the form of one.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, key) = value.split_once(' ')?;
    let key = key.trim_start_matches(' ');
    let formed = key.starts_with("tgk_") && key.len() <= KEY_BYTES_MAX;
    let plain =
        key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    (scheme.eq_ignore_ascii_case("bearer") && formed && plain).then_some(key)
}
