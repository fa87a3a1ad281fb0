//! An app, as people read it.

use std::io::Write;

use engine::{App, AppKey, KeyForm};
use jiff::Timestamp;

use crate::commands::Outcome;

/// One line: identifier, state, name.
pub fn line(app: &App) -> String {
    format!("{} {:7} {}", app.id, state(app), app.name)
}

/// Everything, a line each; no secret is among it.
pub fn whole(app: &App) -> Outcome {
    let mut lines = vec![
        format!("app         {}", app.id),
        format!("name        {}", app.name),
        format!("state       {}", state(app)),
        format!("added       {}", moment(app.created_at_ms)),
        format!("scopes      {}", listed(app.scopes.iter().map(|scope| scope.word().to_owned()))),
        format!("networks    {}", listed(app.networks.iter().map(ToString::to_string))),
        format!("protection  {}", app.protection.word()),
        format!("accounts    {}", listed(app.accounts.iter().flatten().cloned())),
    ];
    let rate = app.rate.map(|rate| format!("{} a second, {} at once", rate.per_second, rate.burst));
    lines.push(format!("rate        {}", rate.as_deref().unwrap_or("any")));
    let spending = app.spending.iter();
    let spending =
        spending.map(|limit| format!("{} {}", limit.currency.code(), limit.amount_minor_max));
    lines.push(format!("spending    {}", listed(spending)));
    lines.extend(app.keys.iter().map(key));
    Ok(writeln!(std::io::stdout(), "{}", lines.join("\n"))?)
}

fn key(key: &AppKey) -> String {
    let form = match &key.form {
        KeyForm::Bearer(_) => "API key",
        KeyForm::Verify(_) => "public key, verifies",
        KeyForm::Hmac(_) => "HMAC-SHA256 key",
        KeyForm::Encrypt(_) => "public key, encrypts",
        KeyForm::Aes(_) => "AES-256 key",
    };
    let end = match (key.revoked_at_ms, key.not_after_ms) {
        (Some(at), _) => format!(", revoked {}", moment(at)),
        (None, Some(at)) => format!(", until {}", moment(at)),
        (None, None) => String::new(),
    };
    format!("key         {} {form}, added {}{end}", key.id, moment(key.created_at_ms))
}

fn state(app: &App) -> &'static str {
    if app.revoked_at_ms.is_none() { "active" } else { "revoked" }
}

/// The words, or `any` where there are none.
fn listed(words: impl Iterator<Item = String>) -> String {
    let words: Vec<String> = words.collect();
    if words.is_empty() { "any".to_owned() } else { words.join(", ") }
}

fn moment(at_ms: u64) -> String {
    let at = i64::try_from(at_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    at.map_or_else(|| "-".to_owned(), |at| at.to_string())
}
