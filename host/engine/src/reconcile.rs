//! Reconciliation: the ledger compared with what the provider says it has booked.
//!
//! The report is read a page at a time, each movement is looked up in the ledger, and then the
//! ledger is read for what was not found. What differs is handed on as it is found: neither side is
//! ever held as a whole, but for sixteen bytes a movement, which tell what was seen before. Nothing
//! is changed unless it is asked: then an `unknown` entry that a booked movement proves is settled
//! by it, and a movement that no entry explains becomes an anomaly.

mod compare;
mod lookup;
mod report;
mod settle;
mod sums;

use std::collections::HashSet;
use std::io::Read;

use ledger::{Entry, Id, Payment, State, TimestampMs};
use sandbox::contract as wit;
use sha2::{Digest, Sha256};
use store::Range;

pub use compare::{Differs, FeeRule};
pub use report::{Movement, MovementKind, MovementState};
pub use sums::{Sum, Sums};

use crate::books::Books;
use crate::record::{self, Operation};
use crate::{Engine, Error, translate};
use compare::Compared;
use report::Report;

/// Rows of one look into the ledger.
const ROWS: usize = 500;
/// An entry that ends in a span was begun so long before it at most; one that took longer is found
/// by its movement alone.
const BEGUN_BEFORE_MS: u64 = 35 * 24 * 60 * 60 * 1000;

/// A report in a file, read from its beginning.
pub type ReportFile = Box<dyn Read + Send + Sync>;

/// What is to be compared.
pub struct Reconciliation {
    /// The account.
    pub account: String,
    /// From this moment on.
    pub since_ms: TimestampMs,
    /// Before this one.
    pub until_ms: TimestampMs,
    /// The provider's report in files; it is fetched where there are none.
    pub files: Vec<ReportFile>,
    /// Whether to settle what the report proves, and to record what nobody knows as anomalies.
    pub resolve: bool,
    /// So far around the span the provider is asked too: what was booked late is then found late
    /// rather than missing.
    pub margin_ms: u64,
    /// Booked within so long of the entry, a movement is not late or early.
    pub tolerance_ms: u64,
    /// What the provider was agreed to keep.
    pub fees: Vec<FeeRule>,
}

/// Something in which the two sides differ.
#[derive(Clone, Debug)]
pub struct Difference {
    /// In what.
    pub differs: Differs,
    /// The entry and its payment, where one is known.
    pub entry: Option<(Payment, Id)>,
    /// The movement, where there is one.
    pub movement: Option<Movement>,
    /// In words.
    pub why: String,
    /// Whether it was settled by the report, and so differs no more.
    pub settled: bool,
}

/// What a comparison came to.
#[derive(Clone, Debug, Default)]
pub struct Reconciled {
    /// Movements of the report, those around the span included.
    pub movements: u64,
    /// How often the two sides differ, and still do.
    pub differences: u64,
    /// Entries that the report settled.
    pub settled: u64,
    /// What was moved in the span, by both sides.
    pub sums: Sums,
}

/// Where differences go as they are found. What it says stops the comparison.
pub type Found<'a> = dyn FnMut(&Difference) -> std::io::Result<()> + Send + 'a;

impl Books {
    /// Compares the ledger with what the provider says it has booked.
    ///
    /// # Errors
    /// The account has no such report, it cannot be had or read, or what is found cannot be handed
    /// on. What was found until then was handed on.
    pub async fn reconcile(
        &self,
        mut asked: Reconciliation,
        found: &mut Found<'_>,
    ) -> Result<Reconciled, Error> {
        let engine = self.engine();
        let account = engine.account(&asked.account)?;
        asked.check(engine.0.clock.now_ms())?;
        let files = std::mem::take(&mut asked.files);
        report::offered(&account, !files.is_empty())?;
        let (around, span) =
            (asked.around(engine.0.clock.now_ms()), [asked.since_ms, asked.until_ms]);
        let operations = account.plugin.description().reports.operations.clone();
        let mut run = Run::new(engine, &asked, operations, found);
        if files.is_empty() {
            run.report(Report::of(engine, &account, span)).await?;
            for span in around {
                run.report_if_any(Report::of(engine, &account, span)).await?;
            }
        }
        for file in files {
            run.report(Report::file(engine, &account, file)).await?;
        }
        run.rest_of_the_ledger().await?;
        Ok(run.done)
    }
}

impl Reconciliation {
    fn check(&self, now: TimestampMs) -> Result<(), Error> {
        if self.since_ms >= self.until_ms {
            return Err(Error::Span("the span ends before it begins"));
        }
        match self.until_ms <= now {
            true => Ok(()),
            false => Err(Error::Span("the span is not over yet")),
        }
    }

    /// The spans before and after, as far as they are over.
    fn around(&self, now: TimestampMs) -> impl Iterator<Item = [TimestampMs; 2]> {
        let before = [self.since_ms.saturating_sub(self.margin_ms), self.since_ms];
        let after = [self.until_ms, self.until_ms.saturating_add(self.margin_ms).min(now)];
        [before, after].into_iter().filter(|[since, until]| since < until)
    }
}

/// Sixteen bytes that stand for an identifier.
type Mark = [u8; 16];

fn mark(kind: &str, id: &str) -> Mark {
    let digest = Sha256::digest(format!("{kind}\n{id}"));
    let mut mark = Mark::default();
    mark.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    mark
}

/// One comparison under way.
struct Run<'a, 'f> {
    engine: &'a Engine,
    asked: &'a Reconciliation,
    found: &'a mut Found<'f>,
    /// The operations that the report holds.
    operations: Vec<wit::OperationKind>,
    /// Movements that were reported, entries that a movement was found for, and those of them that
    /// were booked.
    seen: HashSet<Mark>,
    /// How many reports were begun.
    reports: u32,
    done: Reconciled,
}

impl<'a, 'f> Run<'a, 'f> {
    fn new(
        engine: &'a Engine,
        asked: &'a Reconciliation,
        operations: Vec<wit::OperationKind>,
        found: &'a mut Found<'f>,
    ) -> Self {
        let (seen, done) = (HashSet::new(), Reconciled::default());
        Run { engine, asked, found, operations, seen, reports: 0, done }
    }

    async fn report(&mut self, mut report: Report) -> Result<(), Error> {
        self.reports += 1;
        while let Some(movements) = report.next().await? {
            self.movements(movements).await?;
        }
        Ok(())
    }

    /// The report around the span: not every provider has it yet, and nothing depends on it but
    /// words. What it told until it broke off counts.
    async fn report_if_any(&mut self, mut report: Report) -> Result<(), Error> {
        self.reports += 1;
        loop {
            match report.next().await {
                Ok(Some(movements)) => self.movements(movements).await?,
                Ok(None) => return Ok(()),
                Err(why) => {
                    let account = &self.asked.account;
                    tracing::warn!(account, %why, "no report around the span");
                    return Ok(());
                }
            }
        }
    }

    async fn movements(&mut self, movements: Vec<Movement>) -> Result<(), Error> {
        for movement in movements {
            self.movement(movement).await?;
        }
        Ok(())
    }

    fn within(&self, at_ms: TimestampMs) -> bool {
        (self.asked.since_ms..self.asked.until_ms).contains(&at_ms)
    }

    async fn movement(&mut self, movement: Movement) -> Result<(), Error> {
        let within = self.within(movement.booked_at_ms);
        let in_this = format!("movement of {}", self.reports);
        if !self.seen.insert(mark(&in_this, &movement.id)) {
            let why = "reported twice under one identifier".to_owned();
            return match within {
                true => self.tell(Differs::Duplicate, None, movement, why),
                false => Ok(()),
            };
        }
        // Two reports may overlap, as where a provider reports by days of its own.
        if !self.seen.insert(mark("movement", &movement.id)) {
            return Ok(());
        }
        self.done.movements += 1;
        if movement.kind == MovementKind::Other {
            if within {
                self.done.sums.provider(&movement);
            }
            return Ok(());
        }
        let known = self.engine.entry_of_movement(&self.asked.account, &movement, &self.seen);
        match known.await? {
            Some((payment, entry)) => self.known(payment, entry, movement).await,
            None => self.unknown(within, movement).await,
        }
    }

    async fn unknown(&mut self, within: bool, movement: Movement) -> Result<(), Error> {
        if !within || movement.state == MovementState::Failed {
            return Ok(());
        }
        self.done.sums.provider(&movement);
        if self.asked.resolve {
            self.engine.note_orphan(&self.asked.account, &movement).await?;
        }
        let why = "no entry of the ledger explains it".to_owned();
        self.tell(Differs::UnknownHere, None, movement, why)
    }

    async fn known(
        &mut self,
        payment: Payment,
        entry: Entry,
        movement: Movement,
    ) -> Result<(), Error> {
        self.seen.insert(mark("entry", entry.id.as_str()));
        let counts =
            movement.state == MovementState::Booked && movement.kind != MovementKind::Reversal;
        let again = counts && !self.seen.insert(mark("booked", entry.id.as_str()));
        let (asked, here) = (self.asked, self.within(entry.changed_at_ms));
        let there = self.within(movement.booked_at_ms);
        let timely = compare::timely(&entry, &movement, asked.tolerance_ms);
        // A pair belongs where it was booked, unless that is far from when we did it.
        let ours = if timely { there } else { here };
        if !ours && !there {
            return Ok(());
        }
        if there {
            self.done.sums.provider(&movement);
        }
        if again {
            let why = format!("a second movement for the entry {}", entry.id);
            return self.tell(Differs::Duplicate, Some((payment, entry.id)), movement, why);
        }
        let proven = compare::proves(&entry, &movement);
        let settled = proven && asked.resolve && self.settle(&entry, &movement).await?;
        if ours && counts && (entry.state == State::Succeeded || settled) {
            self.done.sums.ledger(&entry);
        }
        let compared =
            Compared { entry: &entry, movement: &movement, asked, timely: ours == there };
        for (differs, why) in compare::differences(&compared) {
            let settled = settled && differs == Differs::State;
            let entry = Some((payment.clone(), entry.id.clone()));
            let movement = Some(movement.clone());
            self.hand_on(Difference { differs, entry, movement, why, settled })?;
        }
        Ok(())
    }

    /// Settles an entry that the movement proves; false when somebody else is at it.
    async fn settle(&mut self, entry: &Entry, movement: &Movement) -> Result<bool, Error> {
        let settled = self.engine.settle_by_report(&self.asked.account, entry, movement).await?;
        self.done.settled += u64::from(settled);
        Ok(settled)
    }

    /// What the ledger holds and no movement was found for.
    async fn rest_of_the_ledger(&mut self) -> Result<(), Error> {
        let from = Id::entry(self.asked.since_ms.saturating_sub(BEGUN_BEFORE_MS), [0; 10]);
        let to = Id::entry(self.asked.until_ms, [0; 10]);
        let mut range = Range::all(record::OPERATION).from(from.as_str()).to(to.as_str());
        loop {
            let rows = self.engine.0.store.scan(range.clone().limit(ROWS)).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            range = range.after(last.key.clone());
            for row in &rows {
                let operation: Operation = record::decode(record::OPERATION, &row.key, &row.value)?;
                let unseen = !self.seen.contains(&mark("entry", operation.entry.as_str()));
                if operation.account == self.asked.account && unseen {
                    self.unreported(&operation).await?;
                }
            }
        }
    }

    async fn unreported(&mut self, operation: &Operation) -> Result<(), Error> {
        let Some(read) = self.engine.read_payment(&operation.payment).await? else { return Ok(()) };
        let payment = read.value;
        let Some(entry) = payment.entry(&operation.entry).cloned() else { return Ok(()) };
        let reported = self.operations.contains(&translate::operation_kind(entry.kind));
        if !reported || !lookup::moves(&entry) || !self.within(entry.changed_at_ms) {
            return Ok(());
        }
        let (differs, why) = match entry.state {
            State::Succeeded => {
                self.done.sums.ledger(&entry);
                (Differs::MissingAtProvider, "the provider has booked nothing for it")
            }
            State::Unknown => (Differs::State, "it is unknown here, and not in the report"),
            _ => return Ok(()),
        };
        let (entry, why) = (Some((payment, entry.id)), why.to_owned());
        self.hand_on(Difference { differs, entry, movement: None, why, settled: false })
    }

    fn tell(
        &mut self,
        differs: Differs,
        entry: Option<(Payment, Id)>,
        movement: Movement,
        why: String,
    ) -> Result<(), Error> {
        let movement = Some(movement);
        self.hand_on(Difference { differs, entry, movement, why, settled: false })
    }

    fn hand_on(&mut self, difference: Difference) -> Result<(), Error> {
        self.done.differences += u64::from(!difference.settled);
        let handed = (self.found)(&difference);
        handed.map_err(|error| Error::Report(format!("what differs cannot be written: {error}")))
    }
}

#[cfg(test)]
pub(crate) mod tests;
