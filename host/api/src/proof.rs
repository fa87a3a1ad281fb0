//! Who asks, by a signature of the request (RFC 9421): on headers alone, before a byte of the body
//! is read.
//!
//! An unknown app, an unknown key, a key of another kind and a false signature are told alike, and
//! cost alike: what cannot be looked up is checked against a key that nobody holds. The nonce is
//! taken last, so that nobody but the holder of the key can use one up.

use std::sync::{Arc, LazyLock};

use engine::{App, KeyForm, Nonce, Proof, Sender};
use http::HeaderMap;
use http::request::Parts;
use vault::{Key, Published, Secret};

use crate::auth::{CHALLENGE, refused};
use crate::catalogue as known;
use crate::contract::Payments;
use crate::platform::Platform;
use crate::problem::{Code, Problem};
use crate::route::{Call, Route};
use crate::signature::{
    Algorithm, Authority, Claim, Error, Message, Policy, REQUEST_TAG, Request, Shown,
};

/// A request that a signature was proven of.
pub(crate) struct Proven {
    pub(crate) sender: Sender,
    /// The label of its signature.
    pub(crate) label: String,
}

/// What a request is, besides its headers.
pub(crate) struct Asked<'a> {
    pub(crate) route: &'a Route,
    pub(crate) parts: &'a Parts,
    /// The authority as the client wrote it; none when it is not ours.
    pub(crate) authority: Option<&'a Authority>,
    pub(crate) has_body: bool,
}

/// Whether a request claims to be signed.
pub(crate) fn is_signed(headers: &HeaderMap) -> bool {
    headers.contains_key("signature-input") || headers.contains_key("signature")
}

/// Proves the signature, and takes the nonce.
pub(crate) async fn prove(
    payments: &dyn Payments,
    platform: &Platform,
    asked: &Asked<'_>,
) -> Result<Proven, Problem> {
    let Some(authority) = asked.authority else {
        return Err(Problem::new(&known::MISDIRECTED, known::MISDIRECTED.cause));
    };
    let claim = Claim::find(&asked.parts.headers, fits).map_err(unreadable)?;
    let (created, nonce, keyid) = Policy::parts(&claim.parameters).map_err(unreadable)?;
    covers_enough(&claim, asked)?;
    platform
        .policy
        .check_time(&claim.parameters, platform.now_s())
        .map_err(|stale| unproven(&known::SIGNATURE_STALE, stale.to_string()))?;
    let uri = &asked.parts.uri;
    let message = Message::Request(Request {
        method: asked.parts.method.as_str(),
        authority,
        path: uri.path(),
        query: uri.query(),
        headers: &asked.parts.headers,
    });
    let base = claim.base(&message).map_err(unreadable)?;
    let holder = holder(payments, platform, keyid, claim.parameters.alg.as_deref()).await?;
    let held = match &holder {
        Some(holder) => claim.verify(&base, &holder.key, holder.by),
        None => refuse_as_slowly(&claim, &base),
    };
    let (Ok(()), Some(holder)) = (held, holder) else {
        return Err(unproven(&known::SIGNATURE_WRONG, known::SIGNATURE_WRONG.cause));
    };
    let age_s_max = i64::try_from(platform.policy.age_max.as_secs()).unwrap_or(i64::MAX);
    let nonce = Nonce { app: &holder.app.id, created_s: created, value: nonce, age_s_max };
    if !payments.take_nonce(nonce).await? {
        return Err(unproven(&known::SIGNATURE_REPLAYED, known::SIGNATURE_REPLAYED.cause));
    }
    let sender = Sender { app: Arc::new(holder.app), key: holder.name, proof: Proof::Signature };
    Ok(Proven { sender, label: claim.label })
}

fn fits(tag: Option<&str>) -> bool {
    tag.is_none_or(|tag| tag == REQUEST_TAG)
}

fn covers_enough(claim: &Claim, asked: &Asked<'_>) -> Result<(), Problem> {
    let shown = Shown {
        query: asked.parts.uri.query().is_some(),
        body: asked.has_body,
        idempotency_key: matches!(asked.route.call, Call::Ask(_)),
    };
    let missing = Policy::uncovered(claim, shown);
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = missing.iter().map(|name| format!("\"{name}\"")).collect();
    let detail = format!("the signature has to cover {} too", names.join(", "));
    Err(unproven(&known::SIGNATURE_COMPONENTS, detail))
}

/// A key of an app, and what it verifies by.
struct Holder {
    app: App,
    name: String,
    key: Key,
    by: Algorithm,
}

/// Whoever `keyid` names, if the key is good now, signs, and signs by `alg`.
async fn holder(
    payments: &dyn Payments,
    platform: &Platform,
    keyid: &str,
    alg: Option<&str>,
) -> Result<Option<Holder>, Problem> {
    let Some((app, name)) = keyid.split_once('/') else { return Ok(None) };
    let Ok(id) = app.parse() else { return Ok(None) };
    let Some(app) = payments.app(&id).await? else { return Ok(None) };
    let now = platform.clock.now_ms();
    let Some(kept) = app.key(name, now).filter(|_| app.is_good(now)) else { return Ok(None) };
    if !matches!(kept.form, KeyForm::Verify(_) | KeyForm::Hmac(_)) {
        return Ok(None);
    }
    let Some(key) = payments.app_key(&app, kept)? else { return Ok(None) };
    let Some(by) = algorithm(&key, alg) else { return Ok(None) };
    let name = name.to_owned();
    Ok(Some(Holder { app, name, key, by }))
}

/// The algorithm of a key: its kind decides; of RSA's two, `alg` picks one, PSS where it is silent.
fn algorithm(key: &Key, alg: Option<&str>) -> Option<Algorithm> {
    let fit: &[Algorithm] = match key.published() {
        None => &[Algorithm::HmacSha256],
        Some(Published::Ed25519 { .. }) => &[Algorithm::Ed25519],
        Some(Published::P256 { .. }) => &[Algorithm::EcdsaP256Sha256],
        Some(Published::Rsa { .. }) => &[Algorithm::RsaPssSha512, Algorithm::RsaV15Sha256],
    };
    match alg {
        None => fit.first().copied(),
        Some(alg) => fit.iter().copied().find(|by| by.name() == alg),
    }
}

/// Checks against a key that nobody holds, of the kind that is claimed.
fn refuse_as_slowly(claim: &Claim, base: &str) -> Result<(), Error> {
    let alg = claim.parameters.alg.as_deref();
    let by = alg.and_then(Algorithm::named).unwrap_or(Algorithm::Ed25519);
    let key = match by {
        Algorithm::HmacSha256 => &DECOYS.hmac,
        Algorithm::RsaPssSha512 | Algorithm::RsaV15Sha256 => &DECOYS.rsa,
        Algorithm::EcdsaP256Sha256 => &DECOYS.p256,
        Algorithm::Ed25519 => &DECOYS.ed25519,
    };
    key.as_ref().map_or(Err(Error::Wrong), |key| claim.verify(base, key, by))
}

struct Decoys {
    hmac: Option<Key>,
    rsa: Option<Key>,
    p256: Option<Key>,
    ed25519: Option<Key>,
}

static DECOYS: LazyLock<Decoys> = LazyLock::new(|| {
    let drawn = |kind| {
        let pem = vault::private_pem("decoy", kind).ok()?;
        let private = Key::from_pem("decoy", None, &pem).ok()?;
        Key::of_published("decoy", None, &private.published()?).ok()
    };
    let mut bytes = [1; 32];
    engine::Entropy::fill(&engine::SystemEntropy, &mut bytes);
    let secret = Secret::new("decoy", bytes.to_vec());
    Decoys {
        hmac: Key::symmetric("decoy", None, &secret).ok(),
        rsa: drawn(vault::PairKind::Rsa3072),
        p256: drawn(vault::PairKind::P256),
        ed25519: drawn(vault::PairKind::Ed25519),
    }
});

/// Draws the keys that nobody holds now, so that the first stranger waits no longer than others.
pub(crate) fn prepare() {
    LazyLock::force(&DECOYS);
}

fn unreadable(error: Error) -> Problem {
    match error {
        Error::Missing(_) => unproven(&known::SIGNATURE_MISSING, error.to_string()),
        other => Problem::new(&known::SIGNATURE_MALFORMED, shown(&other.to_string())),
    }
}

/// At most so much of a text that holds words of somebody else; nothing of one that holds a secret.
fn shown(text: &str) -> String {
    if engine::holds_secret(text) {
        return known::SIGNATURE_MALFORMED.cause.to_owned();
    }
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

fn unproven(code: &'static Code, detail: impl Into<String>) -> Problem {
    Problem { detail: detail.into(), ..refused(code, CHALLENGE) }
        .header("accept-signature", ACCEPTED)
}

/// What a signature has to be (RFC 9421, section 5.1).
const ACCEPTED: &str = "sig1=(\"@method\" \"@target-uri\" \"content-digest\" \"content-type\" \
\"idempotency-key\");created;nonce;keyid;tag=\"tollgate\"";
