//! `tollgate states`: the state table, for people and programs.

use std::io::Write;

use super::Outcome;

/// Prints every transition there is.
pub fn print() -> Outcome {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, ledger::TABLE)?;
    writeln!(out)?;
    Ok(())
}
