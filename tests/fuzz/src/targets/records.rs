//! What the engine reads back from its store: a record of every kind, and what is sealed.
//!
//! Holds: a record that is read and written again is read as the same; the status and the sums of
//! any payment can be computed; nothing opens that was not sealed here. The first byte says which
//! kind.

use engine::fuzzing::RECORDS;
use ledger::Payment;
use vault::Vaulted;

use crate::fixed;
use crate::given::Given;

/// See the module.
pub fn records(bytes: &[u8]) {
    let mut given = Given::new(bytes);
    let (space, rewrite) = given.one_of(&RECORDS);
    let Some(written) = rewrite(given.rest()) else { return };
    let again = rewrite(&written);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let shown = again.as_deref().map(text);
    assert_eq!(shown, Some(text(&written)), "a record of {space} changes as it is kept");
    match space {
        "payment" => payment(&written),
        "card-key" => vaulted(&written),
        _ => {}
    }
}

fn payment(bytes: &[u8]) {
    let payment: Payment = serde_json::from_slice(bytes).unwrap();
    let status = payment.status();
    let sums = (payment.authorized_minor(), payment.captured_minor(), payment.refunded_minor());
    assert_eq!(payment.status(), status, "{sums:?}");
}

fn vaulted(bytes: &[u8]) {
    let vaulted: Vaulted = serde_json::from_slice(bytes).unwrap();
    let opened = fixed::at_rest().open("card/one/data", &vaulted);
    let why = opened.map(drop).expect_err("something opened that was never sealed").to_string();
    assert!(why.len() <= 256 + vaulted.key_id().len(), "{why}");
}
