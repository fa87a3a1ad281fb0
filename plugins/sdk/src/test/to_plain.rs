//! From the contract's values to a transcript's plain ones, words and all. Read by the host's suite
//! too, where the contract's types are those of the sandbox.

use transcript as plain;

use super::key::{mac_algorithm, signature_algorithm};
use crate::{
    CardField, Decline, DeclineCode, Encoding, Event, Exchange, Failure, Framing, Header, Method,
    Money, Movement, MovementKind, MovementState, NextAction, OperationKind, Outcome, Page, Part,
    Portion, Proof, References, Request, RetryAdvice, Scheme, Sensitive, Source, Step,
};

pub(super) fn answer(from: Result<Step, Failure>) -> plain::Answer {
    match from {
        Ok(Step::Send(each)) => plain::Answer::Send(exchange(each)),
        Ok(Step::Done(each)) => plain::Answer::Done(outcome(each)),
        Err(each) => plain::Answer::Failed(failure(each)),
    }
}

pub(super) fn failure(from: Failure) -> plain::Failure {
    let (word, text) = match from {
        Failure::Unsupported(text) => ("unsupported", text),
        Failure::Misconfigured(text) => ("misconfigured", text),
        Failure::Invalid(text) => ("invalid", text),
        Failure::Malformed(text) => ("malformed", text),
    };
    plain::Failure { word: word.to_owned(), text }
}

fn exchange(from: Exchange) -> plain::Exchange {
    let Exchange { request, moves_money, state } = from;
    plain::Exchange { request: self::request(request), moves_money, state }
}

fn request(from: Request) -> plain::Request {
    match from {
        Request::Http(call) => plain::Request::Http {
            method: method(call.method).to_owned(),
            url: call.url,
            headers: call.headers.into_iter().map(header).collect(),
            body: parts(call.body),
        },
        Request::Frame(frame) => plain::Request::Frame {
            endpoint: frame.endpoint,
            framing: match frame.framing {
                Framing::LengthPrefix(bytes) => format!("length-prefix {bytes}"),
                Framing::StxEtxLrc(initial) => format!("stx-etx-lrc {initial}"),
            },
            body: parts(frame.body),
        },
    }
}

fn header(from: Header) -> (String, Vec<plain::Part>) {
    (from.name, parts(from.value))
}

fn method(from: Method) -> &'static str {
    match from {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
    }
}

fn parts(from: Vec<Part>) -> Vec<plain::Part> {
    from.into_iter().map(part).collect()
}

fn part(from: Part) -> plain::Part {
    match from {
        Part::Text(text) => plain::Part::Text(text),
        Part::Bytes(bytes) => plain::Part::Bytes(bytes),
        Part::Sensitive(Sensitive { source, encoding }) => plain::Part::Sensitive {
            source: match source {
                Source::Secret(name) => format!("secret:{name}"),
                Source::Card(field) => format!("card:{}", card_field(field)),
                Source::Derived(number) => format!("derived:{number}"),
            },
            encoding: self::encoding(encoding).to_owned(),
        },
    }
}

pub(super) fn card_field(from: CardField) -> &'static str {
    match from {
        CardField::Number => "number",
        CardField::ExpiryMonth => "expiry-month",
        CardField::ExpiryYear => "expiry-year",
        CardField::ExpiryYymm => "expiry-yymm",
        CardField::SecurityCode => "security-code",
        CardField::Holder => "holder",
    }
}

fn encoding(from: Encoding) -> &'static str {
    match from {
        Encoding::Raw => "raw",
        Encoding::Form => "form",
        Encoding::Json => "json",
        Encoding::Xml => "xml",
        Encoding::Base64 => "base64",
        Encoding::Base64url => "base64url",
        Encoding::Hex => "hex",
        Encoding::Bcd => "bcd",
    }
}

fn outcome(from: Outcome) -> plain::Outcome {
    match from {
        Outcome::Succeeded(settled) => plain::Outcome::Succeeded {
            references: references(settled.references),
            amount: money(settled.amount),
        },
        Outcome::NeedsAction(action) => plain::Outcome::NeedsAction {
            references: references(action.references),
            next: next(action.next),
        },
        Outcome::Pending(each) => plain::Outcome::Pending(references(each)),
        Outcome::Declined(each) => plain::Outcome::Declined(decline(each)),
        Outcome::Expired(each) => plain::Outcome::Expired(references(each)),
        Outcome::Unknown(why) => plain::Outcome::Unknown(why),
        Outcome::Absent => plain::Outcome::Absent,
    }
}

fn decline(from: Decline) -> plain::Decline {
    plain::Decline {
        code: decline_code(from.code).to_owned(),
        retry: match from.retry {
            RetryAdvice::Never => "never",
            RetryAdvice::Later => "later",
            RetryAdvice::AfterChange => "after-change",
            RetryAdvice::OtherProvider => "other-provider",
        }
        .to_owned(),
        provider_code: from.provider_code,
        provider_message: from.provider_message,
        references: from.references.map(references),
    }
}

fn decline_code(from: DeclineCode) -> &'static str {
    match from {
        DeclineCode::Generic => "generic",
        DeclineCode::InsufficientFunds => "insufficient-funds",
        DeclineCode::Expired => "expired",
        DeclineCode::IncorrectDetails => "incorrect-details",
        DeclineCode::LimitExceeded => "limit-exceeded",
        DeclineCode::SuspectedFraud => "suspected-fraud",
        DeclineCode::AuthenticationRequired => "authentication-required",
        DeclineCode::NotPermitted => "not-permitted",
        DeclineCode::Duplicate => "duplicate",
        DeclineCode::InvalidRequest => "invalid-request",
        DeclineCode::ProviderUnavailable => "provider-unavailable",
    }
}

fn next(from: NextAction) -> plain::NextAction {
    match from {
        NextAction::Redirect(url) => plain::NextAction::Redirect(url),
        NextAction::Form(form) => plain::NextAction::Form { url: form.url, fields: form.fields },
        NextAction::Qr(text) => plain::NextAction::Qr(text),
        NextAction::App(text) => plain::NextAction::App(text),
        NextAction::Show(text) => plain::NextAction::Show(text),
    }
}

fn references(from: References) -> plain::References {
    plain::References { provider: from.provider, secondary: from.secondary }
}

fn money(from: Money) -> plain::Money {
    plain::Money { minor: from.minor, currency: from.currency }
}

pub(super) fn proof(from: Proof) -> plain::Proof {
    plain::Proof {
        slot: from.slot,
        key_id: from.key_id,
        scheme: match from.scheme {
            Scheme::Mac(by) => format!("mac {}", mac_algorithm(by).name()),
            Scheme::Signature(by) => format!("signature {}", signature_algorithm(by).name()),
        },
        message: from.message,
        evidence: from.evidence,
        signed_at: from.signed_at,
    }
}

pub(super) fn event(from: Event) -> plain::Event {
    plain::Event {
        id: from.id,
        kind: match from.kind {
            OperationKind::Authorize => plain::Kind::Authorize,
            OperationKind::Capture => plain::Kind::Capture,
            OperationKind::Cancel => plain::Kind::Cancel,
            OperationKind::Refund => plain::Kind::Refund,
            OperationKind::Payout => plain::Kind::Payout,
            OperationKind::Sync => plain::Kind::Sync,
        },
        entry: from.entry,
        merchant_reference: from.merchant_reference,
        references: from.references.map(references),
        outcome: outcome(from.outcome),
    }
}

pub(super) fn page(from: Page) -> plain::Page {
    plain::Page {
        movements: from.movements.into_iter().map(movement).collect(),
        is_file: from.is_file,
        next: from.next.map(exchange),
    }
}

pub(super) fn portion(from: Portion) -> plain::Portion {
    let movements = from.movements.into_iter().map(movement).collect();
    plain::Portion { movements, state: from.state }
}

fn movement(from: Movement) -> plain::Movement {
    plain::Movement {
        id: from.id,
        kind: match from.kind {
            MovementKind::Payment => "payment",
            MovementKind::Refund => "refund",
            MovementKind::Payout => "payout",
            MovementKind::Reversal => "reversal",
            MovementKind::Other => "other",
        }
        .to_owned(),
        state: match from.state {
            MovementState::Booked => "booked",
            MovementState::Pending => "pending",
            MovementState::Failed => "failed",
        }
        .to_owned(),
        entry: from.entry,
        references: from.references.map(references),
        amount: money(from.amount),
        fee: from.fee.map(money),
        booked_at: from.booked_at,
    }
}
