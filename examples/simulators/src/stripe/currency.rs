//! Currencies: <https://docs.stripe.com/currencies>, with the minimum charge of each.

use super::refusal::Refusal;

/// Stripe's presentment currencies, lower case.
const SUPPORTED: &str = "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd \
    bnd bob brl bsd bwp byn bzd cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur \
    fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl hrk htg huf idr ils inr isk jmd jod jpy kes kgs \
    khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr \
    mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr \
    sek sgd shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst \
    xaf xcd xof xpf yer zar zmw";

/// The smallest charge, in minor units, where the manual names one.
const MINIMUM: &[(&str, i64)] = &[
    ("usd", 50),
    ("aed", 200),
    ("aud", 50),
    ("bgn", 100),
    ("brl", 50),
    ("cad", 50),
    ("chf", 50),
    ("czk", 1500),
    ("dkk", 250),
    ("eur", 50),
    ("gbp", 30),
    ("hkd", 400),
    ("huf", 17500),
    ("inr", 50),
    ("jpy", 50),
    ("mxn", 1000),
    ("myr", 200),
    ("nok", 300),
    ("nzd", 50),
    ("pln", 200),
    ("ron", 200),
    ("sek", 300),
    ("sgd", 50),
    ("thb", 1000),
];

/// Checks a currency. Stripe's manual asks for lower case; upper case is refused here.
pub(crate) fn check(currency: &str) -> Result<(), Refusal> {
    if SUPPORTED.split_ascii_whitespace().any(|known| known == currency) {
        return Ok(());
    }
    let listed = SUPPORTED.split_ascii_whitespace().collect::<Vec<_>>().join(", ");
    let why = format!(
        "Invalid currency: {currency}. Stripe currently supports these currencies: {listed}"
    );
    Err(Refusal::invalid(why).param("currency"))
}

/// Checks that an amount is worth charging.
pub(crate) fn check_minimum(amount: i64, currency: &str) -> Result<(), Refusal> {
    let minimum = MINIMUM.iter().find(|(known, _)| *known == currency).map_or(1, |(_, min)| *min);
    if amount >= minimum {
        return Ok(());
    }
    let why = format!("Amount must be at least {minimum} in the minor unit of {currency}");
    Err(Refusal::invalid(why).code("amount_too_small").param("amount"))
}
