//! From a transcript's plain values to the contract's. Read by the host's suite too, where the
//! contract's types are those of the sandbox: only what both have in common is used here.

use transcript as plain;

use crate::{
    Card, Delivery, Entry, EntryState, HttpResponse, Instrument, Money, Operation, OperationKind,
    Order, Payment, Piece, References, Reply, Span,
};

pub(super) fn operation(from: &plain::Operation) -> Operation {
    let order = order(&from.order);
    match from.kind {
        plain::Kind::Authorize => Operation::Authorize(order),
        plain::Kind::Capture => Operation::Capture(order),
        plain::Kind::Cancel => Operation::Cancel(order),
        plain::Kind::Refund => Operation::Refund(order),
        plain::Kind::Payout => Operation::Payout(order),
        plain::Kind::Sync => Operation::Sync(order),
    }
}

fn order(from: &plain::Order) -> Order {
    Order {
        payment: payment(&from.payment),
        entry: entry(&from.entry),
        instrument: instrument(&from.instrument),
        description: from.description.clone(),
        return_url: from.return_url.clone(),
        notify_url: from.notify_url.clone(),
        customer_ip: from.customer_ip.clone(),
        beneficiary: from.beneficiary.clone(),
        extra: from.extra.clone(),
    }
}

fn payment(from: &plain::Payment) -> Payment {
    Payment {
        id: from.id.clone(),
        merchant_reference: from.merchant_reference.clone(),
        amount: money(&from.amount),
        entries: from.entries.iter().map(entry).collect(),
    }
}

fn entry(from: &plain::Entry) -> Entry {
    Entry {
        id: from.id.clone(),
        kind: kind(from.kind),
        amount: money(&from.amount),
        capture: from.capture,
        state: state(from.state),
        references: from.references.as_ref().map(references),
        created_at: from.created_at,
    }
}

fn money(from: &plain::Money) -> Money {
    Money { minor: from.minor, currency: from.currency.clone() }
}

fn references(from: &plain::References) -> References {
    References { provider: from.provider.clone(), secondary: from.secondary.clone() }
}

fn kind(from: plain::Kind) -> OperationKind {
    match from {
        plain::Kind::Authorize => OperationKind::Authorize,
        plain::Kind::Capture => OperationKind::Capture,
        plain::Kind::Cancel => OperationKind::Cancel,
        plain::Kind::Refund => OperationKind::Refund,
        plain::Kind::Payout => OperationKind::Payout,
        plain::Kind::Sync => OperationKind::Sync,
    }
}

fn state(from: plain::State) -> EntryState {
    match from {
        plain::State::Created => EntryState::Created,
        plain::State::Sending => EntryState::Sending,
        plain::State::NeedsAction => EntryState::NeedsAction,
        plain::State::Pending => EntryState::Pending,
        plain::State::Unknown => EntryState::Unknown,
        plain::State::Succeeded => EntryState::Succeeded,
        plain::State::Declined => EntryState::Declined,
        plain::State::NotSent => EntryState::NotSent,
        plain::State::Expired => EntryState::Expired,
    }
}

fn instrument(from: &plain::Instrument) -> Instrument {
    match from {
        plain::Instrument::Card { brand, last4, security_code, holder } => Instrument::Card(Card {
            brand: brand.clone(),
            last4: last4.clone(),
            has_security_code: *security_code,
            has_holder: *holder,
        }),
        plain::Instrument::Token(token) => Instrument::Token(token.clone()),
        plain::Instrument::Wallet(account) => Instrument::Wallet(account.clone()),
        plain::Instrument::Bank(account) => Instrument::Bank(account.clone()),
        plain::Instrument::Qr => Instrument::Qr,
        plain::Instrument::None => Instrument::None,
    }
}

pub(super) fn reply(from: &plain::Reply) -> Reply {
    match from {
        plain::Reply::Http(response) => Reply::Http(HttpResponse {
            status: response.status,
            headers: response.headers.clone(),
            body: response.body.clone(),
        }),
        plain::Reply::Frame(body) => Reply::Frame(body.clone()),
    }
}

pub(super) fn delivery(from: &plain::Delivery) -> Delivery {
    Delivery {
        method: from.method.clone(),
        path: from.path.clone(),
        headers: from.headers.clone(),
        body: from.body.clone(),
    }
}

pub(super) fn span(from: plain::Span) -> Span {
    Span { since: from.since, until: from.until }
}

pub(super) fn piece(from: &plain::Piece) -> Piece {
    Piece { state: from.state.clone(), bytes: from.bytes.clone(), last: from.last }
}
