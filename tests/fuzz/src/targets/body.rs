//! Bodies: their digests, strict JSON, and the fields of money and cards.
//!
//! Holds: JSON that is taken is the same to `serde_json`, and what is refused for its form is
//! refused there too; what fits its shape is read by its form; a digest holds for its own body
//! alone; a problem is short and never repeats the number of a card. The first byte says which form
//! is meant.

use api::content_digest;
use api::fuzzing::{Wanted, json, wanted};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::{HeaderMap, HeaderValue};
use ledger::{AMOUNT_MINOR_MAX, Money};
use serde_json::Value;
use sha2::{Digest, Sha256, Sha512};

use crate::given::Given;

const DEPTH_MAX: usize = 8;
/// As a structured field is to be read (RFC 9651, section 4.2.7): padding may be missing, and the
/// bits behind the last byte may be set.
const LAX: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// See the module.
pub fn body(bytes: &[u8]) {
    let mut given = Given::new(bytes);
    let form = given.byte();
    if form % 4 == 3 {
        let field = given.line();
        return digest(field, given.rest());
    }
    let body = given.rest();
    digest(content_digest::of(body).as_bytes(), body);
    match json(body, DEPTH_MAX) {
        Ok(value) => {
            same(body, &value);
            fields(form, value);
        }
        Err(problem) => refused(body, &problem),
    }
}

fn same(body: &[u8], value: &Value) {
    let theirs: Value = serde_json::from_slice(body).expect("what is taken is JSON");
    assert!(alike(value, &theirs), "{value} is not {theirs}");
    assert!(depth(value) <= DEPTH_MAX, "{value} is too deep");
    let written = value.to_string();
    let again = json(written.as_bytes(), DEPTH_MAX).expect("what is written again is taken");
    assert!(alike(&again, value), "{value} is read as {again}");
}

/// Alike, however a whole number is written. Objects have each name once.
fn alike(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one == other || one.as_f64() == other.as_f64()
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| alike(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let same = |(name, value): (&String, &Value)| {
                other.get(name).is_some_and(|other| alike(value, other))
            };
            one.len() == other.len() && one.iter().all(same)
        }
        _ => one == other,
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(all) => 1 + all.iter().map(depth).max().unwrap_or_default(),
        Value::Object(all) => 1 + all.values().map(depth).max().unwrap_or_default(),
        _ => 0,
    }
}

fn refused(body: &[u8], problem: &Value) {
    bounded(problem);
    let rule = problem.pointer("/errors/0/rule").and_then(Value::as_str);
    match rule {
        // What serde_json takes and we do not: a name that stands twice, and deep nesting.
        Some("duplicate" | "depth") => {}
        _ => {
            let theirs = serde_json::from_slice::<Value>(body);
            assert!(theirs.is_err(), "{problem} of {:?}", String::from_utf8_lossy(body));
        }
    }
}

fn bounded(problem: &Value) {
    let text = problem.to_string();
    assert!(text.len() <= 32 * 1024, "{} bytes of a problem", text.len());
}

fn fields(form: u8, value: Value) {
    // Written anew, so that no part of it is spelled in two ways, and as a problem tells it.
    let told_as = |text: &str| text.chars().filter(|c| !c.is_control()).collect::<String>();
    let written = texts(&value).iter().map(|text| told_as(text)).collect::<Vec<_>>().join("\n");
    let number = value.get("number").and_then(Value::as_str).map(str::to_owned);
    let problem = match wanted(form % 4, value) {
        Ok(Wanted::Payment(new)) => return money(new.amount),
        Ok(Wanted::Payout(new)) => return money(new.amount),
        Ok(Wanted::Card(card)) => {
            assert!((1..=12).contains(&card.expiry_month));
            return assert_eq!(format!("{card:?}"), "NewCard");
        }
        Err(problem) => problem,
    };
    bounded(&problem);
    assert_ne!(problem["code"], "internal", "a form and its shape differ: {problem}");
    let Some(number) = number.filter(|number| number.len() >= 8) else { return };
    let once = written.matches(&told_as(&number)).count() == 1;
    let told = problem.to_string();
    assert!(!once || !told.contains(&number), "a problem repeats the number: {told}");
}

/// Every name and every text in it.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(all) => all.iter().flat_map(texts).collect(),
        Value::Object(all) => {
            let within = all.iter().flat_map(|(name, value)| [vec![name.clone()], texts(value)]);
            within.flatten().collect()
        }
        _ => Vec::new(),
    }
}

fn money(amount: Money) {
    assert!((1..=AMOUNT_MINOR_MAX).contains(&amount.minor()), "{amount:?}");
    let decimal = Money::from_decimal(&amount.to_decimal(), amount.currency());
    assert_eq!(decimal, Ok(amount));
}

fn digest(field: &[u8], body: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(field) else { return };
    let mut headers = HeaderMap::new();
    headers.insert(content_digest::NAME, value);
    let held = content_digest::check(&headers, body);
    let digests = [Sha256::digest(body).to_vec(), Sha512::digest(body).to_vec()];
    let named = field
        .split(|byte| *byte == b':')
        .any(|part| LAX.decode(part).is_ok_and(|bytes| digests.contains(&bytes)));
    assert!(held.is_err() || named, "a digest holds that is not the body's");
    if held.is_ok() {
        let other = [body, b" "].concat();
        assert!(content_digest::check(&headers, &other).is_err(), "it holds of another body");
    }
    if let Err(error) = held {
        assert!(error.to_string().len() <= 256 + 4 * field.len(), "{error}");
    }
}
