//! Outcomes that a plugin may tell, in any order, of the entries of one payment.
//!
//! Holds: refunds never exceed captures and captures never what is authorised; no entry leaves a
//! terminal state or changes in it; what is an anomaly, or was known, changes nothing; a settled
//! amount is the one that was asked for; the status and the record of the payment can always be
//! made. The input is a list of commands.

use engine::fuzzing::verdict;
use ledger::{Change, Currency, Entry, Id, Kind, Money, Payment, State, Verdict};
use sandbox::contract as wit;

use crate::given::Given;

/// More entries than any app would make.
const ENTRIES_MAX: usize = 24;

/// See the module.
pub fn outcomes(bytes: &[u8]) {
    let mut given = Given::new(bytes);
    let mut payment = payment(&mut given);
    let mut now = 1;
    while !given.is_empty() {
        now += 1;
        let before = payment.clone();
        if given.byte().is_multiple_of(3) {
            begin(&mut payment, &mut given, now);
        } else {
            tell(&mut payment, &mut given, now);
        }
        holds(&before, &payment);
    }
}

fn payment(given: &mut Given<'_>) -> Payment {
    let minor = 1 + given.long() % ledger::AMOUNT_MINOR_MAX;
    Payment {
        id: Id::payment(0, [0; 10]),
        app: Id::app(0, [1; 10]),
        account: "cards".to_owned(),
        merchant_reference: "order".to_owned(),
        amount: Money::new(minor, currency("EUR")).unwrap(),
        entries: Vec::new(),
        created_at_ms: 0,
    }
}

fn currency(code: &str) -> Currency {
    Currency::from_code(code).unwrap()
}

fn begin(payment: &mut Payment, given: &mut Given<'_>, now: u64) {
    use Kind::{Authorize, Cancel, Capture, Payout, Refund};
    let kind = given.one_of(&[Authorize, Capture, Refund, Cancel, Authorize, Payout]);
    let amount = match given.byte() % 4 {
        0 => payment.amount,
        1 => Money::new(1, currency("JPY")).unwrap(),
        // A part of it, down to nothing: what is no amount is none.
        _ => {
            match Money::new(payment.amount.minor() / u64::from(given.byte() | 1), currency("EUR"))
            {
                Ok(amount) => amount,
                Err(_) => return,
            }
        }
    };
    let mut random = [0; 10];
    random[9] = payment.entries.len() as u8;
    let entry = Entry {
        id: Id::entry(now, random),
        kind,
        amount,
        capture: given.byte() & 1 == 1,
        state: State::Created,
        references: None,
        next: None,
        decline: None,
        why: None,
        resolution: None,
        created_at_ms: now,
        changed_at_ms: now,
    };
    if payment.entries.len() < ENTRIES_MAX {
        let before = payment.clone();
        if payment.begin(entry).is_err() {
            assert_eq!(*payment, before, "a refusal has changed the payment");
        }
    }
}

fn tell(payment: &mut Payment, given: &mut Given<'_>, now: u64) {
    let Some(which) = usize::from(given.byte()).checked_rem(payment.entries.len()) else { return };
    let (id, asked) = (payment.entries[which].id.clone(), payment.entries[which].amount);
    let told = match given.byte() % 8 {
        0 | 1 => Verdict::Sending,
        2 => Verdict::NotSent { why: given.text() },
        _ => match verdict(outcome(given, asked)) {
            Ok(Some(verdict)) => verdict,
            Ok(None) => return,
            Err(why) => return assert!(why.len() <= 512, "{} bytes of error", why.len()),
        },
    };
    let before = payment.clone();
    let change = payment.tell(&id, &told, now).expect("the payment has this entry");
    let entry = payment.entry(&id).unwrap();
    match change {
        Change::Known | Change::Anomaly(_) => assert_eq!(*payment, before, "{told:?}"),
        Change::Moved { from, to } => {
            assert!(from.is_open(), "{told:?} was told of an entry that is {from:?}");
            assert_eq!(entry.state, to);
            if let Verdict::Succeeded(settled) = &told {
                assert_eq!((settled.amount, to), (entry.amount, State::Succeeded));
            }
        }
    }
}

fn holds(before: &Payment, payment: &Payment) {
    let refunded = payment.refunded_minor();
    let (captured, authorized) = (payment.captured_minor(), payment.authorized_minor());
    assert!(refunded <= captured, "{refunded} of {captured} is refunded");
    assert!(captured <= authorized, "{captured} of {authorized} is captured");
    for (old, new) in before.entries.iter().zip(&payment.entries) {
        assert!(old.state.is_open() || old == new, "{old:?} became {new:?}");
        assert_eq!((&old.id, old.kind, old.amount), (&new.id, new.kind, new.amount));
        let provider = |entry: &Entry| entry.references.clone().map(|known| known.provider);
        assert!(provider(old).is_none() || provider(old) == provider(new), "{old:?}, {new:?}");
    }
    let status = payment.status();
    let written = serde_json::to_vec(payment).unwrap();
    let read: Payment = serde_json::from_slice(&written).expect("a payment is kept");
    assert_eq!((&read, read.status()), (payment, status));
}

fn outcome(given: &mut Given<'_>, asked: Money) -> wit::Outcome {
    match given.byte() % 8 {
        0 => wit::Outcome::Unknown(given.text()),
        1 => wit::Outcome::Absent,
        2 => wit::Outcome::Pending(references(given)),
        3 => wit::Outcome::Expired(references(given)),
        4 => wit::Outcome::Declined(wit::Decline {
            code: wit::DeclineCode::Generic,
            retry: wit::RetryAdvice::Later,
            provider_code: given.text(),
            provider_message: given.text(),
            references: (given.byte() & 1 == 1).then(|| references(given)),
        }),
        5 => wit::Outcome::NeedsAction(wit::Action {
            references: references(given),
            next: wit::NextAction::Redirect(given.text()),
        }),
        _ => {
            let amount = match given.byte() % 4 {
                0 => wit::Money { minor: given.long(), currency: given.text() },
                1 => wit::Money { minor: given.long(), currency: "EUR".to_owned() },
                _ => wit::Money { minor: asked.minor(), currency: asked.currency().to_string() },
            };
            wit::Outcome::Succeeded(wit::Settled { references: references(given), amount })
        }
    }
}

fn references(given: &mut Given<'_>) -> wit::References {
    let provider = match given.byte() % 4 {
        0 => given.text(),
        few => format!("ref_{few}"),
    };
    wit::References { provider, secondary: given.maybe_text() }
}
