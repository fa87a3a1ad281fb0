//! `tollgate currencies`: the currencies a payment can be begun in, for people and programs.

use std::io::Write;

use ledger::Currency;
use serde_json::json;

use super::Outcome;

/// Prints the code of each and how many decimal places its minor unit stands for.
pub fn print() -> Outcome {
    let entry = |currency: Currency| json!({"code": currency, "places": currency.places()});
    let all: Vec<_> = Currency::current().into_iter().map(entry).collect();
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &all)?;
    writeln!(out)?;
    Ok(())
}
