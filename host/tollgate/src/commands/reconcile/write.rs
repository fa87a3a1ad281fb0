//! Differences and sums as text, JSON or CSV, written as they are found.

use std::io::{Result, Write};

use engine::{Difference, Reconciled, Reconciliation};
use serde_json::Value;

use super::Format;

/// The columns of CSV, and where each stands in a difference.
const COLUMNS: &[(&str, &str)] = &[
    ("differs", "/differs"),
    ("settled", "/settled"),
    ("why", "/why"),
    ("entry", "/entry/id"),
    ("kind", "/entry/kind"),
    ("state", "/entry/state"),
    ("currency", "/entry/amount/currency"),
    ("amount_minor", "/entry/amount/minor"),
    ("done_at", "/entry/changed_at"),
    ("payment", "/payment"),
    ("merchant_reference", "/merchant_reference"),
    ("movement", "/movement/id"),
    ("movement_kind", "/movement/kind"),
    ("movement_state", "/movement/state"),
    ("movement_currency", "/movement/amount/currency"),
    ("movement_minor", "/movement/amount/minor"),
    ("reference", "/movement/reference"),
    ("fee_currency", "/movement/fee/currency"),
    ("fee_minor", "/movement/fee/minor"),
    ("booked_at", "/movement/booked_at"),
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
                text_at(&head, "/from"),
                text_at(&head, "/to")
            ),
            Format::Json => {
                let head = head.to_string();
                let open = head.strip_suffix('}').unwrap_or(&head);
                write!(self.out, "{open},\"differences\":[")
            }
            Format::Csv => self.row(COLUMNS.iter().map(|(name, _)| (*name).to_owned())),
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
            Format::Csv => self.row(cells(&value).into_iter()),
        }
    }

    fn text(&mut self, one: &Difference, value: &Value) -> Result<()> {
        let about = |place: &str| text_at(value, place);
        let settled = if one.settled { " (settled)" } else { "" };
        writeln!(self.out, "\n{}{settled}: {}", one.differs.name(), one.why)?;
        if one.entry.is_some() {
            let [id, kind, state] = ["/entry/id", "/entry/kind", "/entry/state"].map(about);
            let [minor, currency] = ["/entry/amount/minor", "/entry/amount/currency"].map(about);
            let payment = about("/payment");
            writeln!(
                self.out,
                "  here      {kind} {id} of {payment}, {state}, {minor} {currency}"
            )?;
        }
        if let Some(movement) = &one.movement {
            let at = about("/movement/booked_at");
            writeln!(self.out, "  provider  {}, {at}", movement.words())?;
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
    COLUMNS.iter().map(|(_, place)| text_at(value, place)).collect()
}

/// A quoted cell. What a spreadsheet would take for a formula is made text by an apostrophe, as
/// OWASP advises against CSV injection.
fn cell_text(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let guard = if formula { "'" } else { "" };
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

/// What stands at a place (RFC 6901), as text; nothing where nothing does.
fn text_at(value: &Value, place: &str) -> String {
    match value.pointer(place) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
