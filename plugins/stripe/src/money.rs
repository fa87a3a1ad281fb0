//! Amounts: ISO 4217 minor units against Stripe's.
//!
//! Both count the smallest unit, but for these (docs.stripe.com/currencies, "Zero-decimal",
//! "Three-decimal" and "Special cases"). HUF and TWD differ only in payouts, not done here.

use sdk::prelude::*;

/// ISO 4217's units and Stripe's that are the same money, and the step Stripe counts in.
const SPECIAL: &[(&str, u64, u64, u64)] = &[
    // No decimals, yet written with two: 5 kronur are 500.
    ("ISK UGX", 1, 100, 100),
    // Two decimals in ISO 4217, none at Stripe.
    ("MGA", 100, 1, 1),
    // Three decimals, the last of which must be 0.
    ("BHD JOD KWD OMR TND", 1, 1, 10),
];

/// Stripe's number for an amount.
pub fn to_stripe(amount: &Money) -> Result<u64, Failure> {
    let (ours, theirs, step) = units(&amount.currency);
    let number = amount.minor.checked_mul(theirs).filter(|number| number % ours == 0);
    number.map(|number| number / ours).filter(|number| number % step == 0).ok_or_else(|| {
        let (code, step) = (&amount.currency, ours * step / theirs);
        Failure::invalid(format!("amount: Stripe takes {code} in multiples of {step} minor units"))
    })
}

/// The amount that Stripe's number stands for; `None` when it is no whole number of minor units.
pub fn from_stripe(number: u64, currency: &str) -> Option<Money> {
    let currency = currency.to_uppercase();
    let (ours, theirs, _) = units(&currency);
    let minor = number.checked_mul(ours).filter(|minor| minor % theirs == 0)?;
    Some(Money::new(minor / theirs, currency))
}

fn units(currency: &str) -> (u64, u64, u64) {
    let row = SPECIAL.iter().find(|(codes, ..)| codes.split(' ').any(|code| code == currency));
    row.map_or((1, 1, 1), |(_, ours, theirs, step)| (*ours, *theirs, *step))
}
