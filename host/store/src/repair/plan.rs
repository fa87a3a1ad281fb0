//! Which commits the repaired store is made of: those found, and, in the places of those lost,
//! what a snapshot shows of them. Not here: writing them.

use std::collections::{BTreeMap, BTreeSet};

use super::Loss;
use super::salvage::Salvage;
use super::witness::Witnesses;
use crate::checkpoint::head_of;
use crate::checksum::{Hash, Mark, StoreId};
use crate::group::{Head, Name};
use crate::layout::Layout;
use crate::replay::{Known, Replay};
use crate::restoring::Restoring;
use crate::{Batch, Error, Frame, Kind};

/// What the repaired store is made of.
pub(super) struct Plan {
    /// The last commit, found or lost.
    pub(super) last: u64,
    /// What the lost commits left, by their sequence.
    fills: BTreeMap<u64, Batch>,
    /// The state that the commits up to it must give.
    snapshot: Option<(String, Mark)>,
    /// Whether there may have been commits behind the last.
    open_end: bool,
}

/// Where the commits of a plan go.
pub(super) trait Sink {
    fn heads(&self) -> &Known;
    fn mark(&self) -> Mark;
    fn put(&mut self, group: u64, batch: Batch) -> Result<(), Error>;
}

/// Writes nothing.
pub(super) struct Dry(Replay);

/// What commits relied on that is not there, by their sequence.
pub(super) type Relied = BTreeMap<u64, Vec<Name>>;

impl Plan {
    pub(super) fn of(
        layout: &Layout,
        id: &StoreId,
        salvage: &mut Salvage,
        witnesses: &Witnesses,
    ) -> Result<Plan, Error> {
        let known = salvage.last_hinted().max(witnesses.last());
        // Of a commit whose header is gone too nothing is known but that it was there.
        let open_end = salvage.tail_is_damaged && known == salvage.last();
        let last = known + u64::from(open_end);
        let mut plan = Plan { last, fills: BTreeMap::new(), snapshot: None, open_end };
        let Some(snapshot) = &witnesses.snapshot else { return Ok(plan) };
        let until = snapshot.mark.place.sequence;
        let mut due = BTreeMap::new();
        snapshot.each(layout, id, &mut |record| {
            due.insert(record.0.clone(), head_of(&record));
            let ((space, key), version, value) = record;
            if version <= until && !salvage.holds(version) {
                plan.fill(version).put(space, key, value);
            }
        })?;
        let mut dry = Dry::new(id);
        plan.lay_up_to(until, salvage, &mut dry)?;
        plan.remove_what_was_removed(&dry.0.heads, &due, salvage, until);
        // `lay` compares the digest from here on.
        plan.snapshot = Some((snapshot.path.display().to_string(), snapshot.mark));
        Ok(plan)
    }

    fn fill(&mut self, sequence: u64) -> &mut Batch {
        self.fills.entry(sequence).or_insert_with(|| Batch::at(0))
    }

    /// A record that the commits found leave, and the snapshot has not, was removed by the first
    /// lost commit after it was written, or by a later one: it makes no difference at the end.
    fn remove_what_was_removed(
        &mut self,
        found: &Known,
        due: &BTreeMap<Name, Head>,
        salvage: &Salvage,
        until: u64,
    ) {
        for ((space, key), head) in found.0.iter().filter(|(name, _)| !due.contains_key(*name)) {
            let lost = (head.version + 1..=until).find(|sequence| !salvage.holds(*sequence));
            if let Some(lost) = lost {
                self.fill(lost).remove(*space, key.clone());
            }
        }
    }

    /// Puts all commits into the sink; gives what commits relied on and is not there.
    pub(super) fn lay(&self, salvage: &mut Salvage, sink: &mut dyn Sink) -> Result<Relied, Error> {
        self.lay_up_to(self.last, salvage, sink)
    }

    fn lay_up_to(
        &self,
        last: u64,
        salvage: &mut Salvage,
        sink: &mut dyn Sink,
    ) -> Result<Relied, Error> {
        let (mut relied, mut time_ms) = (Relied::new(), 0);
        let whole = (1..=self.last).all(|sequence| salvage.holds(sequence));
        for sequence in 1..=last {
            let (group, mut batch) = match salvage.commit(sequence)? {
                Some((group, batch)) => (if whole { group } else { sequence }, batch),
                None => (sequence, self.in_place_of(sequence, time_ms)),
            };
            time_ms = batch.time_ms;
            let missing = sink.heads().strip(&mut batch);
            if !missing.is_empty() {
                relied.insert(sequence, missing);
            }
            sink.put(group, batch)?;
            self.compare(sequence, sink.mark())?;
        }
        Ok(relied)
    }

    fn in_place_of(&self, sequence: u64, time_ms: u64) -> Batch {
        let fill = self.fills.get(&sequence).cloned();
        Batch { time_ms, ..fill.unwrap_or_else(|| Batch::at(time_ms)) }
    }

    fn compare(&self, sequence: u64, found: Mark) -> Result<(), Error> {
        let at = self.snapshot.as_ref().filter(|(_, due)| due.place.sequence == sequence);
        let Some((by, due)) = at else { return Ok(()) };
        if (found.digest, found.records) == (due.digest, due.records) {
            return Ok(());
        }
        let what = format!(
            "{by} does not follow from what is left of the journal; repair a copy of the directory \
             without it, or restore an export"
        );
        Err(Error::new(Kind::Damaged, what))
    }

    /// What is lost, in order.
    pub(super) fn losses(&self, salvage: &Salvage, relied: &Relied) -> Vec<Loss> {
        let covered = self.snapshot.as_ref().map_or(0, |(_, mark)| mark.place.sequence);
        let mut losses: Vec<Loss> = Vec::new();
        for sequence in (1..=self.last).filter(|sequence| !salvage.holds(*sequence)) {
            let snapshot = self.snapshot.as_ref().filter(|_| sequence <= covered);
            let records_from = snapshot.map(|(path, _)| path.clone());
            match losses.last_mut() {
                Some(loss) if loss.last + 1 == sequence && loss.records_from == records_from => {
                    loss.last = sequence;
                }
                _ => {
                    let (or_more, touched) = (false, Vec::new());
                    let (first, last) = (sequence, sequence);
                    losses.push(Loss { first, last, or_more, records_from, touched });
                }
            }
        }
        for loss in &mut losses {
            loss.touched = self.touched(loss, salvage, relied);
            loss.or_more = self.open_end && loss.last == self.last;
        }
        losses
    }

    fn touched(&self, loss: &Loss, salvage: &Salvage, relied: &Relied) -> Vec<String> {
        let lost = loss.first..=loss.last;
        let mut names: BTreeSet<Name> = BTreeSet::new();
        for (sequence, fill) in self.fills.range(lost.clone()) {
            names.extend(fill.clone().into_effects(*sequence).into_keys());
        }
        if loss.records_from.is_none() {
            let later = relied.range(loss.last + 1..).flat_map(|(_, names)| names);
            names.extend(later.cloned());
        }
        names.extend(salvage.hints.range(lost).flat_map(|(_, names)| names).cloned());
        let text = |(space, key): &Name| format!("{space} {}", key.escape_ascii());
        names.iter().map(text).collect()
    }
}

impl Dry {
    pub(super) fn new(id: &StoreId) -> Dry {
        Dry(Replay::new(id))
    }
}

impl Sink for Dry {
    fn heads(&self) -> &Known {
        &self.0.heads
    }

    fn mark(&self) -> Mark {
        self.0.mark
    }

    fn put(&mut self, group: u64, batch: Batch) -> Result<(), Error> {
        // The hash means nothing here: no chain is written.
        let hash = Hash([0; 32]);
        let sequence = self.0.mark.place.sequence + 1;
        self.0.apply(Frame { sequence, group, previous: hash, hash, batch })
    }
}

impl Sink for Restoring<'_> {
    fn heads(&self) -> &Known {
        Restoring::heads(self)
    }

    fn mark(&self) -> Mark {
        Restoring::mark(self)
    }

    fn put(&mut self, group: u64, batch: Batch) -> Result<(), Error> {
        self.push(group, batch).map(|_| ())
    }
}
