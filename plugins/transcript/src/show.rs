//! What a plugin says, as lines of text. A sensitive part is shown by its name.

use crate::words::quote;
use crate::{
    Decline, Event, Exchange, Failure, Money, Movement, NextAction, Outcome, Part, Proof,
    References, Request,
};

const FORM: &str = "application/x-www-form-urlencoded";

/// The lines of a request, each after `>` when it may move money, else after `?`.
pub fn exchange_text(exchange: &Exchange) -> String {
    let mark = if exchange.moves_money { '>' } else { '?' };
    let marked = |line: String| match line.as_str() {
        "" => mark.to_string(),
        _ => format!("{mark} {line}"),
    };
    let lines = request_lines(&exchange.request);
    lines.into_iter().map(marked).collect::<Vec<_>>().join("\n")
}

fn request_lines(request: &Request) -> Vec<String> {
    match request {
        Request::Http { method, url, headers, body } => {
            let mut lines = vec![format!("{method} {url}")];
            let header = |(name, value): &(String, Vec<Part>)| format!("{name}: {}", text(value));
            lines.extend(headers.iter().map(header));
            let form = lines.iter().any(|line| line == &format!("content-type: {FORM}"));
            lines.extend(body_lines(body, form));
            lines
        }
        Request::Frame { endpoint, framing, body } => {
            let mut lines = vec![format!("FRAME {endpoint} {framing}")];
            lines.extend(body_lines(body, false));
            lines
        }
    }
}

/// A form is shown one field a line, each but the first with its `&`.
fn body_lines(body: &[Part], form: bool) -> Vec<String> {
    if body.is_empty() {
        return Vec::new();
    }
    if !readable(body) {
        return vec![format!("hex {}", hexadecimal(body))];
    }
    let text = text(body);
    let text = if form { text.replace('&', "\n&") } else { text };
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    // What would be read as one more header, or as nothing, stands behind an empty line.
    if lines.first().is_some_and(|first| crate::script::header(first).is_some()) {
        lines.insert(0, String::new());
    }
    lines
}

fn readable(parts: &[Part]) -> bool {
    let plain = |text: &str| !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t');
    parts.iter().all(|part| match part {
        Part::Text(text) => plain(text),
        Part::Bytes(bytes) => std::str::from_utf8(bytes).is_ok_and(plain),
        Part::Sensitive { .. } => true,
    })
}

fn text(parts: &[Part]) -> String {
    let shown = |part: &Part| match part {
        Part::Text(text) => text.clone(),
        Part::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Part::Sensitive { source, encoding } => place(source, encoding),
    };
    parts.iter().map(shown).collect()
}

fn hexadecimal(parts: &[Part]) -> String {
    let shown = |part: &Part| match part {
        Part::Text(text) => hex(text.as_bytes()),
        Part::Bytes(bytes) => hex(bytes),
        Part::Sensitive { source, encoding } => place(source, encoding),
    };
    parts.iter().map(shown).collect()
}

fn place(source: &str, encoding: &str) -> String {
    match encoding {
        "raw" => format!("{{{source}}}"),
        _ => format!("{{{source}|{encoding}}}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An outcome in words: `succeeded pi_1 EUR 1234`.
pub fn outcome_text(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Succeeded { references, amount } => {
            format!("succeeded {} {}", named(references), money(amount))
        }
        Outcome::NeedsAction { references, next } => {
            format!("needs-action {} {}", named(references), next_text(next))
        }
        Outcome::Pending(references) => format!("pending {}", named(references)),
        Outcome::Declined(decline) => decline_text(decline),
        Outcome::Expired(references) => format!("expired {}", named(references)),
        Outcome::Unknown(why) => format!("unknown {}", quote(why)),
        Outcome::Absent => "absent".to_owned(),
    }
}

fn decline_text(decline: &Decline) -> String {
    let Decline { code, retry, provider_code, provider_message, references } = decline;
    let (provider_code, message) = (quote(provider_code), quote(provider_message));
    let text = format!("declined {code} {retry} {provider_code} {message}");
    match references {
        Some(references) => format!("{text} {}", named(references)),
        None => text,
    }
}

fn next_text(next: &NextAction) -> String {
    match next {
        NextAction::Redirect(url) => format!("redirect {}", quote(url)),
        NextAction::Form { url, fields } => {
            let field = |(name, value): &(String, String)| quote(&format!("{name}={value}"));
            let fields = fields.iter().map(field).collect::<Vec<_>>().join(" ");
            format!("form {} {fields}", quote(url)).trim_end().to_owned()
        }
        NextAction::Qr(text) => format!("qr {}", quote(text)),
        NextAction::App(text) => format!("app {}", quote(text)),
        NextAction::Show(text) => format!("show {}", quote(text)),
    }
}

fn money(amount: &Money) -> String {
    format!("{} {}", amount.currency, amount.minor)
}

fn named(references: &References) -> String {
    let provider = quote(&references.provider);
    match &references.secondary {
        Some(secondary) => format!("{provider}+{}", quote(secondary)),
        None => provider,
    }
}

/// A failure in words: `failure unsupported payout`.
pub fn failure_text(failure: &Failure) -> String {
    format!("failure {} {}", failure.word, quote(&failure.text))
}

/// A recipe in words: `mac hmac-sha256 slot=webhook evidence=2 at=1700000000`. Its message is shown
/// by what the host makes of it.
pub fn proof_text(proof: &Proof) -> String {
    let mut text = format!("{} slot={}", proof.scheme, quote(&proof.slot));
    if let Some(id) = &proof.key_id {
        text += &format!(" key={}", quote(id));
    }
    text += &format!(" evidence={}", proof.evidence.len());
    if let Some(seconds) = proof.signed_at {
        text += &format!(" at={seconds}");
    }
    text
}

/// A movement in words: `payment txn_1 booked EUR 1234 fee=EUR:43 entry=P1_1 references=pi_1
/// at=1700000000`.
pub fn movement_text(movement: &Movement) -> String {
    let Movement { id, kind, state, amount, booked_at, .. } = movement;
    let mut text = format!("{kind} {} {state} {}", quote(id), money(amount));
    if let Some(fee) = &movement.fee {
        text += &format!(" fee={}:{}", fee.currency, fee.minor);
    }
    if let Some(entry) = &movement.entry {
        text += &format!(" entry={}", quote(entry));
    }
    if let Some(references) = &movement.references {
        text += &format!(" references={}", named(references));
    }
    format!("{text} at={booked_at}")
}

/// An event in words: `event evt_1 authorize entry=P1_1 succeeded pi_1 EUR 1234`.
pub fn event_text(event: &Event) -> String {
    let mut text = format!("event {} {}", quote(&event.id), event.kind);
    if let Some(entry) = &event.entry {
        text += &format!(" entry={}", quote(entry));
    }
    if let Some(reference) = &event.merchant_reference {
        text += &format!(" merchant={}", quote(reference));
    }
    if let Some(references) = &event.references {
        text += &format!(" references={}", named(references));
    }
    format!("{text} {}", outcome_text(&event.outcome))
}
