//! Amounts: ISO 4217 minor units against Stripe's.
//!
//! Both count the smallest unit, but for these (docs.stripe.com/currencies, "Special cases" and
//! "Zero-decimal", read 2026-11-23). HUF and TWD differ only in payouts, which are not done here.

use sdk::prelude::*;

/// Currencies whose minor unit Stripe counts otherwise: Stripe's units to one of ISO 4217's, as
/// multiplier and divisor.
const RATIO: &[(&str, u64, u64)] = &[
    // No decimals, yet written with two: 5 kronur are 500.
    ("ISK", 100, 1),
    ("UGX", 100, 1),
    // Two decimals in ISO 4217, none at Stripe.
    ("MGA", 1, 100),
];

/// Three decimals, the last of which must be 0.
const TENS: &[&str] = &["BHD", "JOD", "KWD", "OMR", "TND"];

/// Stripe's number for an amount.
pub fn to_stripe(amount: &Money) -> Result<u64, Failure> {
    let (times, over) = ratio(&amount.currency);
    let step = if TENS.contains(&amount.currency.as_str()) { 10 } else { over };
    match amount.minor.checked_mul(times) {
        Some(minor) if minor % step == 0 => Ok(minor / over),
        _ => Err(Failure::invalid(format!(
            "amount: Stripe takes {} in multiples of {step} minor units",
            amount.currency
        ))),
    }
}

/// The amount that Stripe's number stands for; `None` when it is no whole number of minor units.
pub fn from_stripe(number: u64, currency: &str) -> Option<Money> {
    let currency = currency.to_uppercase();
    let (times, over) = ratio(&currency);
    let minor = number.checked_mul(over)?;
    (minor % times == 0).then(|| Money::new(minor / times, currency))
}

fn ratio(currency: &str) -> (u64, u64) {
    let found = RATIO.iter().find(|(code, ..)| *code == currency);
    found.map_or((1, 1), |(_, times, over)| (*times, *over))
}
