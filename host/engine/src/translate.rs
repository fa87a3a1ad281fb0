//! The contract's types to the ledger's and egress's, and back. Nothing else knows both.

use ledger::{
    Currency, Decline, DeclineCode, Entry, Kind, Money, NextAction, Payment, References,
    RetryAdvice, Settled, State, Verdict,
};
use sandbox::contract as wit;

use crate::Instrument;
use crate::record::Operation;

/// What a plugin said became of an operation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// Something for the ledger.
    Told(Verdict),
    /// The provider has never heard of the entry.
    Absent,
}

/// An outcome that cannot be put into the ledger's words, as an amount in no currency.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the plugin's outcome makes no sense: {0}")]
pub(crate) struct Nonsense(String);

pub(crate) fn outcome(outcome: wit::Outcome) -> Result<Outcome, Nonsense> {
    Ok(Outcome::Told(match outcome {
        wit::Outcome::Succeeded(settled) => Verdict::Succeeded(Settled {
            references: references(settled.references)?,
            amount: from_wit_money(&settled.amount)?,
        }),
        wit::Outcome::NeedsAction(action) => Verdict::NeedsAction {
            references: references(action.references)?,
            next: next_action(action.next),
        },
        wit::Outcome::Pending(known) => Verdict::Pending { references: references(known)? },
        wit::Outcome::Declined(said) => declined(said)?,
        wit::Outcome::Expired(known) => Verdict::Expired { references: Some(references(known)?) },
        wit::Outcome::Unknown(why) => Verdict::Lost { why: cut(why, 512) },
        wit::Outcome::Absent => return Ok(Outcome::Absent),
    }))
}

fn declined(said: wit::Decline) -> Result<Verdict, Nonsense> {
    let decline = Decline {
        code: decline_code(said.code),
        retry: retry_advice(said.retry),
        provider_code: cut(said.provider_code, 128),
        provider_message: cut(said.provider_message, 512),
    };
    Ok(Verdict::Declined { decline, references: said.references.map(references).transpose()? })
}

/// The provider's identifiers, if they can be kept.
pub(crate) fn references(known: wit::References) -> Result<References, Nonsense> {
    let fits = |text: &str| (1..=255).contains(&text.len()) && !text.chars().any(char::is_control);
    let References { provider, secondary } =
        References { provider: known.provider, secondary: known.secondary };
    if !fits(&provider) || secondary.as_deref().is_some_and(|text| !fits(text)) {
        return Err(Nonsense("a reference has 1 to 255 bytes and no control character".into()));
    }
    Ok(References { provider, secondary })
}

fn next_action(next: wit::NextAction) -> NextAction {
    match next {
        wit::NextAction::Redirect(url) => NextAction::Redirect { url },
        wit::NextAction::Form(form) => NextAction::Form { url: form.url, fields: form.fields },
        wit::NextAction::Qr(text) => NextAction::Qr { text },
        wit::NextAction::App(link) => NextAction::App { link },
        wit::NextAction::Show(text) => NextAction::Show { text },
    }
}

fn from_wit_money(money: &wit::Money) -> Result<Money, Nonsense> {
    let currency = Currency::from_code(&money.currency);
    currency
        .and_then(|currency| Money::new(money.minor, currency))
        .map_err(|wrong| Nonsense(wrong.to_string()))
}

fn cut(text: String, most: usize) -> String {
    if text.chars().count() <= most { text } else { text.chars().take(most).collect() }
}

fn decline_code(code: wit::DeclineCode) -> DeclineCode {
    match code {
        wit::DeclineCode::Generic => DeclineCode::Generic,
        wit::DeclineCode::InsufficientFunds => DeclineCode::InsufficientFunds,
        wit::DeclineCode::Expired => DeclineCode::Expired,
        wit::DeclineCode::IncorrectDetails => DeclineCode::IncorrectDetails,
        wit::DeclineCode::LimitExceeded => DeclineCode::LimitExceeded,
        wit::DeclineCode::SuspectedFraud => DeclineCode::SuspectedFraud,
        wit::DeclineCode::AuthenticationRequired => DeclineCode::AuthenticationRequired,
        wit::DeclineCode::NotPermitted => DeclineCode::NotPermitted,
        wit::DeclineCode::Duplicate => DeclineCode::Duplicate,
        wit::DeclineCode::InvalidRequest => DeclineCode::InvalidRequest,
        wit::DeclineCode::ProviderUnavailable => DeclineCode::ProviderUnavailable,
    }
}

fn retry_advice(advice: wit::RetryAdvice) -> RetryAdvice {
    match advice {
        wit::RetryAdvice::Never => RetryAdvice::Never,
        wit::RetryAdvice::Later => RetryAdvice::Later,
        wit::RetryAdvice::AfterChange => RetryAdvice::AfterChange,
        wit::RetryAdvice::OtherProvider => RetryAdvice::OtherProvider,
    }
}

/// What is asked of a plugin: do the operation, or ask what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Do,
    Sync,
}

/// The operation as the plugin is given it. `payment` holds the entry.
pub(crate) fn operation(
    purpose: Purpose,
    payment: &Payment,
    operation: &Operation,
    notify_url: &str,
) -> Option<wit::Operation> {
    let found = payment.entry(&operation.entry)?;
    let others = payment.entries.iter().filter(|other| other.id != found.id);
    let order = wit::Order {
        payment: wit::Payment {
            id: payment.id.to_string(),
            merchant_reference: payment.merchant_reference.clone(),
            amount: to_wit_money(payment.amount),
            entries: others.map(entry).collect(),
        },
        entry: entry(found),
        instrument: instrument(operation),
        description: operation.description.clone(),
        return_url: operation.return_url.clone(),
        notify_url: notify_url.to_owned(),
        customer_ip: operation.customer_ip.clone(),
        beneficiary: operation.beneficiary.clone(),
        extra: operation.extra.clone().into_iter().collect(),
    };
    Some(match (purpose, found.kind) {
        (Purpose::Sync, _) => wit::Operation::Sync(order),
        (Purpose::Do, Kind::Authorize) => wit::Operation::Authorize(order),
        (Purpose::Do, Kind::Capture) => wit::Operation::Capture(order),
        (Purpose::Do, Kind::Cancel) => wit::Operation::Cancel(order),
        (Purpose::Do, Kind::Refund) => wit::Operation::Refund(order),
        (Purpose::Do, Kind::Payout) => wit::Operation::Payout(order),
    })
}

fn instrument(operation: &Operation) -> wit::Instrument {
    match &operation.instrument {
        Some(Instrument::Card(_)) => {
            operation.card.as_ref().map_or(wit::Instrument::None, |card| {
                wit::Instrument::Card(wit::Card {
                    brand: card.brand.clone(),
                    last4: card.last4.clone(),
                    has_security_code: card.security_code,
                    has_holder: card.holder,
                })
            })
        }
        Some(Instrument::Token(token)) => wit::Instrument::Token(token.clone()),
        Some(Instrument::Wallet(wallet)) => wit::Instrument::Wallet(wallet.clone()),
        Some(Instrument::Bank(bank)) => wit::Instrument::Bank(bank.clone()),
        Some(Instrument::Qr) => wit::Instrument::Qr,
        None => wit::Instrument::None,
    }
}

fn to_wit_money(money: Money) -> wit::Money {
    wit::Money { minor: money.minor(), currency: money.currency().to_string() }
}

fn entry(entry: &Entry) -> wit::Entry {
    wit::Entry {
        id: entry.id.to_string(),
        kind: operation_kind(entry.kind),
        amount: to_wit_money(entry.amount),
        capture: entry.capture,
        state: entry_state(entry.state),
        references: entry.references.as_ref().map(|known| wit::References {
            provider: known.provider.clone(),
            secondary: known.secondary.clone(),
        }),
        created_at: entry.created_at_ms / 1000,
    }
}

/// The kind by the contract's name.
pub(crate) fn operation_kind(kind: Kind) -> wit::OperationKind {
    match kind {
        Kind::Authorize => wit::OperationKind::Authorize,
        Kind::Capture => wit::OperationKind::Capture,
        Kind::Cancel => wit::OperationKind::Cancel,
        Kind::Refund => wit::OperationKind::Refund,
        Kind::Payout => wit::OperationKind::Payout,
    }
}

/// The kind that an event is about; none for `sync`, which moves nothing.
pub(crate) fn kind(kind: wit::OperationKind) -> Option<Kind> {
    Some(match kind {
        wit::OperationKind::Authorize => Kind::Authorize,
        wit::OperationKind::Capture => Kind::Capture,
        wit::OperationKind::Cancel => Kind::Cancel,
        wit::OperationKind::Refund => Kind::Refund,
        wit::OperationKind::Payout => Kind::Payout,
        wit::OperationKind::Sync => return None,
    })
}

fn entry_state(state: State) -> wit::EntryState {
    match state {
        State::Created => wit::EntryState::Created,
        State::Sending => wit::EntryState::Sending,
        State::NeedsAction => wit::EntryState::NeedsAction,
        State::Pending => wit::EntryState::Pending,
        State::Unknown => wit::EntryState::Unknown,
        State::Succeeded => wit::EntryState::Succeeded,
        State::Declined => wit::EntryState::Declined,
        State::NotSent => wit::EntryState::NotSent,
        State::Expired => wit::EntryState::Expired,
    }
}

/// What a plugin wants sent.
pub(crate) fn request(request: wit::Request) -> egress::Request {
    match request {
        wit::Request::Http(http) => egress::Request::Http(egress::HttpRequest {
            method: method(http.method),
            url: http.url,
            headers: http.headers.into_iter().map(header).collect(),
            body: parts(http.body),
        }),
        wit::Request::Frame(frame) => egress::Request::Frame(egress::FrameRequest {
            endpoint: frame.endpoint,
            framing: match frame.framing {
                wit::Framing::LengthPrefix(bytes) => egress::Framing::LengthPrefix(bytes),
                wit::Framing::StxEtxLrc(initial) => egress::Framing::StxEtxLrc(initial),
            },
            body: parts(frame.body),
        }),
    }
}

fn method(method: wit::Method) -> egress::Method {
    match method {
        wit::Method::Get => egress::Method::Get,
        wit::Method::Post => egress::Method::Post,
        wit::Method::Put => egress::Method::Put,
        wit::Method::Patch => egress::Method::Patch,
        wit::Method::Delete => egress::Method::Delete,
    }
}

fn header(header: wit::Header) -> egress::Header {
    egress::Header { name: header.name, value: parts(header.value) }
}

fn parts(parts: Vec<wit::Part>) -> Vec<egress::Part> {
    parts.into_iter().map(part).collect()
}

fn part(part: wit::Part) -> egress::Part {
    match part {
        wit::Part::Text(text) => egress::Part::Text(text),
        wit::Part::Bytes(bytes) => egress::Part::Bytes(bytes),
        wit::Part::Sensitive(named) => egress::Part::Sensitive {
            source: match named.source {
                wit::Source::Secret(name) => egress::Source::Secret(name),
                wit::Source::Card(field) => egress::Source::Card(card_field(field)),
                wit::Source::Derived(number) => egress::Source::Derived(number),
            },
            encoding: encoding(named.encoding),
        },
    }
}

/// The card field by egress's name.
pub(crate) fn card_field(field: wit::CardField) -> egress::CardField {
    match field {
        wit::CardField::Number => egress::CardField::Number,
        wit::CardField::ExpiryMonth => egress::CardField::ExpiryMonth,
        wit::CardField::ExpiryYear => egress::CardField::ExpiryYear,
        wit::CardField::ExpiryYymm => egress::CardField::ExpiryYymm,
        wit::CardField::SecurityCode => egress::CardField::SecurityCode,
        wit::CardField::Holder => egress::CardField::Holder,
    }
}

/// The encoding by egress's name.
pub(crate) fn encoding(encoding: wit::Encoding) -> egress::Encoding {
    match encoding {
        wit::Encoding::Raw => egress::Encoding::Raw,
        wit::Encoding::Form => egress::Encoding::Form,
        wit::Encoding::Json => egress::Encoding::Json,
        wit::Encoding::Xml => egress::Encoding::Xml,
        wit::Encoding::Base64 => egress::Encoding::Base64,
        wit::Encoding::Base64url => egress::Encoding::Base64url,
        wit::Encoding::Hex => egress::Encoding::Hex,
        wit::Encoding::Bcd => egress::Encoding::Bcd,
    }
}

/// A place of a request by egress's name.
pub(crate) fn place(place: &wit::Place) -> egress::Place {
    match place {
        wit::Place::Header(name) => egress::Place::Header(name.to_ascii_lowercase()),
        wit::Place::Body => egress::Place::Body,
    }
}

/// What came back, as the plugin is given it.
pub(crate) fn reply(reply: egress::Reply) -> wit::Reply {
    match reply {
        egress::Reply::Http { status, headers, body } => {
            wit::Reply::Http(wit::HttpResponse { status, headers, body })
        }
        egress::Reply::Frame(body) => wit::Reply::Frame(body),
    }
}

/// The vault's name of a MAC.
pub(crate) fn mac(algorithm: wit::MacAlgorithm) -> vault::MacAlgorithm {
    match algorithm {
        wit::MacAlgorithm::HmacMd5 => vault::MacAlgorithm::HmacMd5,
        wit::MacAlgorithm::HmacSha1 => vault::MacAlgorithm::HmacSha1,
        wit::MacAlgorithm::HmacSha256 => vault::MacAlgorithm::HmacSha256,
        wit::MacAlgorithm::HmacSha384 => vault::MacAlgorithm::HmacSha384,
        wit::MacAlgorithm::HmacSha512 => vault::MacAlgorithm::HmacSha512,
        wit::MacAlgorithm::AesCmac => vault::MacAlgorithm::AesCmac,
    }
}

/// The vault's name of a signature.
pub(crate) fn signature(algorithm: wit::SignatureAlgorithm) -> vault::SignatureAlgorithm {
    use vault::SignatureAlgorithm as To;
    use wit::SignatureAlgorithm as From;
    match algorithm {
        From::RsaPkcs1Sha1 => To::RsaPkcs1Sha1,
        From::RsaPkcs1Sha256 => To::RsaPkcs1Sha256,
        From::RsaPkcs1Sha384 => To::RsaPkcs1Sha384,
        From::RsaPkcs1Sha512 => To::RsaPkcs1Sha512,
        From::RsaPssSha256 => To::RsaPssSha256,
        From::RsaPssSha384 => To::RsaPssSha384,
        From::RsaPssSha512 => To::RsaPssSha512,
        From::EcdsaP256Sha256 => To::EcdsaP256Sha256,
        From::EcdsaP256Sha256Der => To::EcdsaP256Sha256Der,
        From::Ed25519 => To::Ed25519,
    }
}
