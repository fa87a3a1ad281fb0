//! What Stripe has booked: its balance transactions, a hundred a page, with what each is about.
//! <https://docs.stripe.com/api/balance_transactions/list>
//!
//! Not here: report files (Stripe's own reports are made on request, and hold the same rows).

use sdk::prelude::*;
use serde_json::Value;

use crate::wire::{List, Problem};
use crate::{money, signed_in};

/// A balance transaction: `amount` is what it did to the balance, in the currency that it is
/// settled in, which need not be that of the charge.
#[derive(serde::Deserialize)]
struct Booking {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    amount: i64,
    fee: i64,
    currency: String,
    created: u64,
    /// A charge or a refund, whole, since it is expanded; the identifier of anything else.
    source: Option<Value>,
}

/// The types of <https://docs.stripe.com/reports/balance-transaction-types> that are an
/// operation's. Everything else moved money too, and nothing of ours.
const KINDS: &[(MovementKind, &str)] = &[
    (MovementKind::Payment, "charge payment"),
    (MovementKind::Refund, "refund payment_refund"),
    (MovementKind::Reversal, "refund_failure payment_failure_refund payment_reversal"),
];

/// The bookings of a span, after one of them or from the first on.
pub fn bookings(host: &dyn Host, span: &Span, after: Option<&str>) -> Call {
    let Span { since, until } = span;
    let range = format!("created%5Bgte%5D={since}&created%5Blt%5D={until}");
    let mut path = format!("/v1/balance_transactions?{range}&expand%5B%5D=data.source&limit=100");
    if let Some(after) = after {
        path = format!("{path}&starting_after={}", form_encoded(after));
    }
    signed_in(host, get, &path)
}

/// A page of bookings, and the next one where there is more.
pub fn page(host: &dyn Host, span: &Span, reply: &HttpResponse) -> Result<Page, Failure> {
    if reply.status != 200 {
        let why = reply.json::<Problem>().ok().and_then(|problem| problem.error.message);
        let why = why.unwrap_or_default();
        return Err(Failure::malformed(format!("status {}: {why}", reply.status)));
    }
    let list: List<Booking> = reply.json()?;
    let last = list.data.last().filter(|_| list.has_more).map(|booking| booking.id.clone());
    let movements = list.data.into_iter().map(movement).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::of(movements).then(last.map(|last| bookings(host, span, Some(&last)))))
}

fn movement(booking: Booking) -> Result<Movement, Failure> {
    let Booking { id, kind, amount, fee, currency, created, source } = booking;
    let kind = KINDS.iter().find(|(_, types)| types.split(' ').any(|each| each == kind));
    let kind = kind.map_or(MovementKind::Other, |(kind, _)| *kind);
    let money = |number: u64, currency: &str| {
        let unreadable = || Failure::malformed(format!("{id}: {number} {currency} is no amount"));
        money::from_stripe(number, currency).ok_or_else(unreadable)
    };
    let about = source.as_ref().filter(|source| source.is_object());
    let text = |name: &str| about?.get(name)?.as_str();
    let moved = about.and_then(|about| about.get("amount_captured").or(about.get("amount")));
    let amount = match (moved.and_then(Value::as_u64), text("currency")) {
        (Some(moved), Some(currency)) => money(moved, currency)?,
        _ => money(amount.unsigned_abs(), &currency)?,
    };
    let fee = u64::try_from(fee).ok().map(|fee| money(fee, &currency)).transpose()?;
    let entry = about.and_then(|about| about.get("metadata")?.get("entry")?.as_str());
    // A charge goes by the intent it was made for, as everywhere here; a refund by itself.
    let reference = match kind {
        MovementKind::Payment => text("payment_intent").or(text("id")),
        _ => text("id"),
    };
    let booked = Movement::booked(id.clone(), kind, amount, created);
    let booked = booked.fee(fee).entry(entry.map(str::to_owned));
    Ok(reference.into_iter().fold(booked, |booked, reference| booked.references(reference)))
}
