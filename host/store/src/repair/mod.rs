//! Makes a new store of what a damaged one still holds, and says to the commit what it does not.
//! The damaged one is left as it is. Not here: finding the commits (`salvage`), writing the store
//! (`restoring`).
//!
//! What can be lost is of two kinds. Of a commit that is damaged in the journal, but that a whole
//! checkpoint or state has seen, only the history is lost: what it left in the records is put back
//! in its place, and the digest of all records shows that none differs. Of a commit that nothing
//! else has seen, the records are lost too, as far as no later commit wrote them again. In both
//! cases every other commit keeps its sequence, its records their versions.
//!
//! When a commit is lost the chain of hashes cannot be as it was: the new store has an id of its
//! own and a chain from its first commit on. When none is, both are as they were.

mod plan;
mod salvage;
mod witness;

use std::path::Path;

use serde::Serialize;

use plan::{Dry, Plan};
use salvage::{Salvage, identify};
use witness::Witnesses;

use crate::checksum::StoreId;
use crate::journal::no_store;
use crate::layout::Layout;
use crate::lock::Lock;
use crate::restoring::{Restoring, check_empty};
use crate::{Error, Kind, Options};

/// What was, or would be, repaired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Repair {
    /// The id of the damaged store, in hexadecimal.
    pub store: String,
    /// The id of the new one, if it was written; the same one when nothing is lost.
    pub repaired: Option<String>,
    /// The sequence that the new store goes on after.
    pub commits: u64,
    /// The commits that are whole in the damaged journal.
    pub found: u64,
    /// What cannot be saved, in order; empty when nothing is lost.
    pub losses: Vec<Loss>,
    /// Commits that were found and whose preconditions can no longer be shown to have held.
    pub unproven: Vec<u64>,
}

/// Commits, one after the other, that cannot be saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Loss {
    /// The first of them.
    pub first: u64,
    /// The last of them.
    pub last: u64,
    /// Whether there may have been more behind the last: nothing says where the journal ended.
    pub or_more: bool,
    /// The file that the records they left were put back from: only their history is lost then.
    pub records_from: Option<String>,
    /// Records they touched, each `space key`, as far as it is known: from the records put back,
    /// or else from what can be read of the damaged commits and from what later ones relied on.
    pub touched: Vec<String>,
}

impl Repair {
    /// Whether any record may be lost, and not the history of some alone.
    #[must_use]
    pub fn loses_records(&self) -> bool {
        self.losses.iter().any(|loss| loss.records_from.is_none())
    }
}

/// Repairs the store in `dir` into the empty directory of the options. When something is lost and
/// `accept_loss` is not set, only says so and writes nothing.
///
/// # Errors
/// `Locked` when the damaged store is open; `Foreign` when there is none, or the directory for the
/// new one is not empty; `Newer`; `Damaged` when what is there is of two histories; `Io`, `Full`.
pub fn repair(dir: &Path, options: &Options, accept_loss: bool) -> Result<Repair, Error> {
    let layout = Layout::new(dir);
    check_apart(dir, &options.dir)?;
    check_empty(&options.dir)?;
    let id = identify(&layout)?.ok_or_else(|| no_store(dir))?;
    let _lock = Lock::shared(&layout)?;
    let witnesses = Witnesses::of(&layout, &id)?;
    let mut salvage = Salvage::of(&layout, id)?;
    for (by, place) in &witnesses.seen {
        if !salvage.agrees(*place) {
            return Err(another_history(by, place.sequence));
        }
    }
    let plan = Plan::of(&layout, &id, &mut salvage, &witnesses)?;
    let mut dry = Dry::new(&id);
    let relied = plan.lay(&mut salvage, &mut dry)?;
    let mut repair = Repair {
        store: id.to_string(),
        repaired: None,
        commits: plan.last,
        found: salvage.count(),
        losses: plan.losses(&salvage, &relied),
        unproven: relied.keys().copied().collect(),
    };
    if let (true, Some(commit)) = (repair.losses.is_empty(), repair.unproven.first()) {
        return Err(unfit(*commit));
    }
    if repair.losses.is_empty() || accept_loss {
        let new_id = if repair.losses.is_empty() { id } else { StoreId::random()? };
        let mut restoring = Restoring::begin(options, new_id)?;
        plan.lay(&mut salvage, &mut restoring)?;
        restoring.finish()?;
        repair.repaired = Some(new_id.to_string());
    }
    Ok(repair)
}

/// Refuses to write into the damaged directory.
fn check_apart(from: &Path, into: &Path) -> Result<(), Error> {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if !absolute(into).starts_with(absolute(from)) {
        return Ok(());
    }
    let what = format!(
        "{} is inside {}, which is to stay as it is; give another directory",
        into.display(),
        from.display()
    );
    Err(Error::new(Kind::Foreign, what))
}

/// No commit is missing, and yet one does not follow: no damage does that.
fn unfit(commit: u64) -> Error {
    let what = format!(
        "commit {commit} does not fit the commits before it, though none is missing; restore an \
         export, and report this"
    );
    Error::new(Kind::Damaged, what)
}

fn another_history(by: &Path, sequence: u64) -> Error {
    let what = format!(
        "commit {sequence} of the journal is not the one that {} has seen; repair a copy of the \
         directory without the one that is not right, or restore an export",
        by.display()
    );
    Error::new(Kind::Damaged, what)
}
