//! Who asks, and whether they may: bearer API keys (RFC 6750), and the scopes of an app.
//!
//! The comparison itself is the engine's, which keeps only digests of keys.

use engine::Sender;
use http::HeaderMap;

use crate::catalogue::{API_KEY_MISSING, API_KEY_WRONG, SCOPE_MISSING};
use crate::contract::Payments;
use crate::head;
use crate::problem::{Code, Problem};
use crate::route::Route;

const KEY_BYTES_MAX: usize = 256;

/// Who sent the request, proven by its headers alone.
pub(crate) async fn prove(payments: &dyn Payments, headers: &HeaderMap) -> Result<Sender, Problem> {
    let Some(value) = head::authorization(headers) else {
        return Err(refused(&API_KEY_MISSING, "Bearer realm=\"tollgate\""));
    };
    let wrong = || refused(&API_KEY_WRONG, "Bearer realm=\"tollgate\", error=\"invalid_token\"");
    let key = bearer(value).ok_or_else(wrong)?;
    payments.sender_by_api_key(key).await?.ok_or_else(wrong)
}

/// Whether the app may call this operation.
pub(crate) fn admit(sender: &Sender, route: &Route) -> Result<(), Problem> {
    match route.scope {
        Some(scope) if !sender.app.scopes.contains(&scope) => {
            let detail = format!("this operation needs the scope `{}`", scope.word());
            Err(Problem::new(&SCOPE_MISSING, detail))
        }
        _ => Ok(()),
    }
}

fn refused(code: &'static Code, challenge: &str) -> Problem {
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
