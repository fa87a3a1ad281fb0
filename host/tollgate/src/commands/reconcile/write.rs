//! Differences and sums as text, JSON or CSV, written as they are found.

use std::io::{Result, Write};

use engine::{Difference, Reconciled, Reconciliation};
use serde_json::{Value, json};

use super::Format;

/// The columns of CSV.
const COLUMNS: &[&str] = &[
    "differs",
    "settled",
    "why",
    "kind",
    "entry",
    "payment",
    "merchant_reference",
    "state",
    "currency",
    "amount_minor",
    "done_at",
    "movement",
    "reference",
    "movement_state",
    "movement_currency",
    "movement_minor",
    "fee_currency",
    "fee_minor",
    "booked_at",
];

/// Where a comparison is written.
pub struct Writer {
    format: Format,
    out: Box<dyn Write + Send>,
    /// Whether a difference was written.
    any: bool,
}

impl Writer {
    /// In this form.
    pub fn new(format: Format, out: Box<dyn Write + Send>) -> Writer {
        Writer { format, out, any: false }
    }

    /// What stands before the first difference.
    pub fn begin(&mut self, asked: &Reconciliation) -> Result<()> {
        let head = api::reconciliation_head(asked);
        match self.format {
            Format::Text => writeln!(
                self.out,
                "{}: from {} to {}",
                asked.account,
                text_of(&head["from"]),
                text_of(&head["to"])
            ),
            Format::Json => {
                let head = head.to_string();
                let open = head.strip_suffix('}').unwrap_or(&head);
                write!(self.out, "{open},\"differences\":[")
            }
            Format::Csv => self.row(COLUMNS.iter().map(|name| (*name).to_owned())),
        }
    }

    /// One of them.
    pub fn difference(&mut self, one: &Difference) -> Result<()> {
        let value = api::difference_view(one);
        let first = !std::mem::replace(&mut self.any, true);
        match self.format {
            Format::Text => self.text(one, &value),
            Format::Json => {
                let separator = if first { "\n" } else { ",\n" };
                write!(self.out, "{separator}{value}")
            }
            Format::Csv => {
                let cells = cells(&value);
                self.row(cells.into_iter())
            }
        }
    }

    fn text(&mut self, one: &Difference, value: &Value) -> Result<()> {
        let about = |name: &str, side: &str| text_of(&value[side][name]);
        let settled = if one.settled { " (settled)" } else { "" };
        writeln!(self.out, "\n{}{settled}: {}", one.differs.name(), one.why)?;
        if value["entry"].is_object() {
            let [id, kind, state] = ["id", "kind", "state"].map(|name| about(name, "entry"));
            let amount = money(&value["entry"]["amount"]);
            let payment = text_of(&value["payment"]);
            writeln!(self.out, "  here      {kind} {id} of {payment}, {state}, {amount}")?;
        }
        if value["movement"].is_object() {
            let [id, kind, state] = ["id", "kind", "state"].map(|name| about(name, "movement"));
            let amount = money(&value["movement"]["amount"]);
            let at = about("booked_at", "movement");
            writeln!(self.out, "  provider  {kind} {id}, {state}, {amount}, {at}")?;
        }
        Ok(())
    }

    /// What stands after the last difference.
    pub fn end(&mut self, done: &Reconciled) -> Result<()> {
        let tail = api::reconciliation_tail(done);
        match self.format {
            Format::Text => self.sums(done)?,
            Format::Json => {
                let tail = tail.to_string();
                let tail = tail.strip_prefix('{').unwrap_or(&tail);
                writeln!(self.out, "\n],{tail}")?;
            }
            Format::Csv => {}
        }
        self.out.flush()
    }

    fn sums(&mut self, done: &Reconciled) -> Result<()> {
        writeln!(self.out)?;
        for (kind, currency, sum) in done.sums.iter() {
            writeln!(
                self.out,
                "{kind} {currency}: {} here, {} minor units; {} at the provider, {} minor units, \
                 of which it kept {}",
                sum.ledger_count,
                sum.ledger_minor,
                sum.provider_count,
                sum.provider_minor,
                sum.fee_minor
            )?;
        }
        match (done.differences, done.settled) {
            (0, 0) => writeln!(self.out, "the two agree"),
            (0, settled) => writeln!(self.out, "the two agree, {settled} settled"),
            (count, 0) => writeln!(self.out, "the two differ in {count}"),
            (count, settled) => writeln!(self.out, "the two differ in {count}, {settled} settled"),
        }
    }

    fn row(&mut self, cells: impl Iterator<Item = String>) -> Result<()> {
        let row: Vec<String> = cells.map(|cell| cell_text(&cell)).collect();
        write!(self.out, "{}\r\n", row.join(","))
    }
}

/// In the order of the columns.
fn cells(value: &Value) -> Vec<String> {
    let (entry, movement) = (&value["entry"], &value["movement"]);
    let kind = if movement.is_object() { &movement["kind"] } else { &entry["kind"] };
    let done_at = json!(entry.get("changed_at"));
    [
        &value["differs"],
        &value["settled"],
        &value["why"],
        kind,
        &entry["id"],
        &value["payment"],
        &value["merchant_reference"],
        &entry["state"],
        &entry["amount"]["currency"],
        &entry["amount"]["minor"],
        &done_at,
        &movement["id"],
        &movement["reference"],
        &movement["state"],
        &movement["amount"]["currency"],
        &movement["amount"]["minor"],
        &movement["fee"]["currency"],
        &movement["fee"]["minor"],
        &movement["booked_at"],
    ]
    .map(text_of)
    .to_vec()
}

/// A quoted cell. What a spreadsheet would take for a formula is made text by an apostrophe, as
/// OWASP advises against CSV injection.
fn cell_text(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let guard = if formula { "'" } else { "" };
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn money(amount: &Value) -> String {
    format!("{} {}", text_of(&amount["minor"]), text_of(&amount["currency"]))
}

#[cfg(test)]
mod tests;
