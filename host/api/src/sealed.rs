//! Encrypted bodies on their way in and out (RFC 7516).
//!
//! Whatever keeps a JWE from opening is one problem with one text: another key, another app's key,
//! an unknown one, changed bytes. What is wrong with its form is told, since the form is no secret.

use engine::{App, AppKey, KeyForm};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use vault::{Key, Secret};

use crate::answer::Answer;
use crate::catalogue as known;
use crate::contract::Payments;
use crate::jose::{self, Compact, KeyWrap, MEDIA_TYPE, Recipient};
use crate::platform::{Platform, Usage};
use crate::problem::Problem;

/// To whom an answer is encrypted.
pub(crate) struct Reader {
    kid: String,
    wrap: KeyWrap,
    key: Key,
}

/// Whether the body is declared as a JWE.
pub(crate) fn is_declared(headers: &HeaderMap) -> bool {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.eq_ignore_ascii_case(MEDIA_TYPE)
}

/// The body within, and who reads the answer.
pub(crate) fn open(
    payments: &dyn Payments,
    platform: &Platform,
    app: &App,
    body: &[u8],
) -> Result<(Secret, Reader), Problem> {
    let jwe = Compact::read(body).map_err(problem)?;
    let stand_in = platform.random();
    let (opened, shared) = match jwe.header.wrap {
        KeyWrap::RsaOaep256 => {
            let key = platform.named(Usage::Decrypt, &jwe.header.kid);
            (jose::open(&jwe, key.map(|key| &key.key), stand_in), None)
        }
        KeyWrap::Dir => {
            let shared = shared(payments, platform, app, &jwe.header.kid)?;
            (jose::open(&jwe, shared.as_ref().map(|reader| &reader.key), stand_in), shared)
        }
    };
    let opened = opened.map_err(problem)?;
    match shared {
        Some(reader) => Ok((opened, reader)),
        None => Ok((opened, reader(payments, platform, app)?)),
    }
}

/// The AES key of this name, if it is the app's and good now.
fn shared(
    payments: &dyn Payments,
    platform: &Platform,
    app: &App,
    kid: &str,
) -> Result<Option<Reader>, Problem> {
    let Some((owner, name)) = kid.split_once('/') else { return Ok(None) };
    let kept = app.key(name, platform.clock.now_ms()).filter(|_| owner == app.id.as_str());
    match kept.filter(|kept| matches!(kept.form, KeyForm::Aes(_))) {
        Some(kept) => reading(payments, app, kept),
        None => Ok(None),
    }
}

/// Who reads the app's answers: its newest key that encrypts.
pub(crate) fn reader(
    payments: &dyn Payments,
    platform: &Platform,
    app: &App,
) -> Result<Reader, Problem> {
    let now = platform.clock.now_ms();
    let fit = |kept: &&AppKey| matches!(kept.form, KeyForm::Aes(_) | KeyForm::Encrypt(_));
    let good = app.keys.iter().filter(fit).filter(|kept| kept.is_good(now));
    let newest = good.max_by_key(|kept| kept.created_at_ms);
    let reader = newest.map(|kept| reading(payments, app, kept)).transpose()?.flatten();
    reader.ok_or_else(|| Problem::new(&known::READER_MISSING, known::READER_MISSING.cause))
}

fn reading(payments: &dyn Payments, app: &App, kept: &AppKey) -> Result<Option<Reader>, Problem> {
    let wrap = match kept.form {
        KeyForm::Aes(_) => KeyWrap::Dir,
        _ => KeyWrap::RsaOaep256,
    };
    let kid = format!("{}/{}", app.id, kept.id);
    Ok(payments.app_key(app, kept)?.map(|key| Reader { kid, wrap, key }))
}

/// Encrypts an answer.
pub(crate) fn seal(answer: &mut Answer, platform: &Platform, to: &Reader) -> Result<(), Problem> {
    let recipient = Recipient { kid: &to.kid, wrap: to.wrap, key: &to.key };
    let sealed = jose::seal(&answer.body, recipient, platform.entropy.as_ref());
    let sealed = sealed.map_err(|error| {
        tracing::error!(kid = to.kid, %error, "an answer could not be encrypted");
        Problem::new(&known::INTERNAL, known::INTERNAL.cause)
    })?;
    answer.body = sealed.into();
    answer.set("content-type", HeaderValue::from_static(MEDIA_TYPE));
    Ok(())
}

fn problem(error: jose::Error) -> Problem {
    match error {
        jose::Error::Malformed(what) => Problem::new(&known::JWE_MALFORMED, what),
        jose::Error::NotOpened => Problem::new(&known::JWE_NOT_OPENED, known::JWE_NOT_OPENED.cause),
    }
}
