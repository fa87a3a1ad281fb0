//! What the plugins make of a provider's answer, with any state of their own.
//!
//! Holds: an answer ends in a step or a refusal in a few words; nothing is settled by an answer that
//! nobody signed where the provider signs, or under a name that is not in it; a query moves no money,
//! and only a query finds nothing. The first bytes say which plugin, operation and state of the
//! entry.

use sdk::test::TestHost;
use sdk::{
    Adapter, Entry, EntryState, Exchange, HttpResponse, Instrument, Money, Operation,
    OperationKind, Order, Outcome, Payment, References, Reply, Step,
};
use stripe::Stripe;
use transcript::{Material, Set};
use wechatpay::WechatPay;

use super::webhook::of_wechat;
use crate::fixed::{API_V3_KEY, NOW_S, PRIVATE_PEM, PUBLIC_PEM};
use crate::given::Given;

/// States that the plugins leave with their requests, among others that they do not.
const STATES: [&[u8]; 6] = [b"", b"card", b"refund", b"refunds", b"given again", b"intent"];

/// See the module.
pub fn adapters(bytes: &[u8]) {
    let mut given = Given::new(bytes);
    let which = given.byte();
    let operation = operation(&mut given);
    let state = match given.byte() {
        0 => given.counted(),
        known => STATES[usize::from(known) % STATES.len()],
    };
    let status = 100 + given.short() % 500;
    let headers = given.headers();
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let mut headers: Vec<_> =
        headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let body = given.rest().to_vec();
    let signed = which & 2 == 2;
    if signed {
        headers.extend(of_wechat(&body, NOW_S));
    }
    let reply = HttpResponse { status, headers, body };
    match which & 1 {
        0 => step::<Stripe>(&operation, state, &reply, true),
        _ => step::<WechatPay>(&operation, state, &reply, signed),
    }
}

fn step<A: Adapter>(operation: &Operation, state: &[u8], reply: &HttpResponse, believed: bool) {
    let sync = matches!(operation, Operation::Sync(_));
    match A::resume(&host(), operation, state, &Reply::Http(reply.clone())) {
        Err(failure) => {
            let most = 1024 + 4 * reply.body.len();
            assert!(format!("{failure:?}").len() <= most, "{failure:?}");
        }
        Ok(Step::Send(Exchange { moves_money, state, .. })) => {
            assert!(!(sync && moves_money), "a query moves money");
            assert!(state.len() <= 64 << 10, "{} bytes of state", state.len());
        }
        Ok(Step::Done(outcome)) => settled(operation, &outcome, reply, believed),
    }
}

fn settled(operation: &Operation, outcome: &Outcome, reply: &HttpResponse, believed: bool) {
    let order = order(operation);
    match outcome {
        Outcome::Absent => assert!(matches!(operation, Operation::Sync(_)), "{outcome:?}"),
        Outcome::Succeeded(settled) => {
            assert!(believed, "settled by what nobody signed");
            let name = &settled.references.provider;
            let text = String::from_utf8_lossy(&reply.body);
            let known = order.payment.entries.iter().filter_map(|entry| entry.references.as_ref());
            let known = known.map(|known| &known.provider).any(|known| known == name);
            let ours = order.payment.entries.iter().any(|entry| name.contains(&entry.id));
            let escaped = text.contains('\\');
            let told = text.contains(name.as_str()) || escaped;
            assert!(told || known || ours, "`{name}` is not in the answer");
        }
        _ => {}
    }
}

fn host() -> TestHost {
    let host = TestHost::new();
    let key = |slot: &str, id: Option<&str>, material| Set::Key {
        slot: slot.to_owned(),
        id: id.map(str::to_owned),
        material,
    };
    let setting = |name: &str, value: &str| Set::Setting(name.to_owned(), value.to_owned());
    for set in [
        key("platform", Some("PLATFORM"), Material::Pem(PUBLIC_PEM.to_owned())),
        key("merchant", Some("MERCHANT"), Material::Pem(PRIVATE_PEM.to_owned())),
        key("api-v3-key", None, Material::Symmetric(API_V3_KEY.to_vec())),
        setting("mchid", "1900000001"),
        setting("appid", "wx0123456789abcdef"),
    ] {
        host.set(&set).unwrap();
    }
    host
}

fn operation(given: &mut Given<'_>) -> Operation {
    use OperationKind::{Authorize, Cancel, Capture, Payout, Refund};
    let kind = given.one_of(&[Authorize, Capture, Cancel, Refund, Payout]);
    let sync = given.byte() & 1 == 1;
    let order = asked(given, kind);
    match kind {
        _ if sync => Operation::Sync(order),
        Authorize => Operation::Authorize(order),
        Capture => Operation::Capture(order),
        Cancel => Operation::Cancel(order),
        Refund => Operation::Refund(order),
        _ => Operation::Payout(order),
    }
}

/// An operation of this kind, of a payment whose first entry is known to the provider.
fn asked(given: &mut Given<'_>, kind: OperationKind) -> Order {
    let currency = given.one_of(&["CNY", "EUR", "JPY", "KWD"]);
    let amount = Money { minor: u64::from(given.short()), currency: currency.to_owned() };
    let known = |provider: &str| References { provider: provider.to_owned(), secondary: None };
    let entry = |id: &str, kind, state, references| Entry {
        id: id.to_owned(),
        kind,
        amount: amount.clone(),
        capture: true,
        state,
        references,
        created_at: NOW_S,
    };
    let state = given.one_of(&[EntryState::Sending, EntryState::Unknown, EntryState::Pending]);
    let first = matches!(kind, OperationKind::Authorize | OperationKind::Payout);
    let entry_of_it = entry(if first { "E1" } else { "E2" }, kind, state, None);
    let mut entries = Vec::new();
    if !first {
        let (kind, state) = (OperationKind::Authorize, EntryState::Succeeded);
        entries.push(entry("E1", kind, state, Some(known("pi_1"))));
    }
    entries.push(entry_of_it.clone());
    Order {
        payment: Payment {
            id: "P1".to_owned(),
            merchant_reference: "order-1".to_owned(),
            amount: amount.clone(),
            entries,
        },
        entry: entry_of_it,
        instrument: Instrument::Qr,
        description: "Two books".to_owned(),
        return_url: None,
        notify_url: "https://pay.example/webhooks/a".to_owned(),
        customer_ip: None,
        beneficiary: None,
        extra: Vec::new(),
    }
}

fn order(operation: &Operation) -> &Order {
    match operation {
        Operation::Authorize(order)
        | Operation::Capture(order)
        | Operation::Cancel(order)
        | Operation::Refund(order)
        | Operation::Payout(order)
        | Operation::Sync(order) => order,
    }
}
