//! What else than the journal knows what was committed: checkpoints, the state, the file
//! `durable`. Not here: what is concluded from it.

use std::path::PathBuf;

use crate::checkpoint::Checkpoint;
use crate::checkpoint::Kept;
use crate::checksum::{Mark, Place, StoreId};
use crate::layout::Layout;
use crate::verify::with_copy;
use crate::{Error, durable};

/// All there is beside the journal.
pub(super) struct Witnesses {
    /// Commits that were durable, and what says so.
    pub(super) seen: Vec<(PathBuf, Place)>,
    /// The newest whole state.
    pub(super) snapshot: Option<Snapshot>,
}

/// All records after one commit.
pub(super) struct Snapshot {
    pub(super) path: PathBuf,
    pub(super) mark: Mark,
    checkpoint: Option<Checkpoint>,
}

impl Witnesses {
    pub(super) fn of(layout: &Layout, id: &StoreId) -> Result<Witnesses, Error> {
        let (checkpoints, _) = Checkpoint::list(layout, id)?;
        let mut seen: Vec<_> =
            checkpoints.iter().map(|one| (one.path.clone(), one.mark.place)).collect();
        seen.extend(durable::read(layout, id).map(|place| (layout.durable(), place)));
        let sound = checkpoints.into_iter().find(|one| one.check(id).is_ok());
        let mut snapshot = sound.map(|one| Snapshot {
            path: one.path.clone(),
            mark: one.mark,
            checkpoint: Some(one),
        });
        let (state, marked) = match layout.state().exists() {
            true => with_copy(layout, id, |opened| match opened {
                Ok((_, mark)) => (Some(mark), Some(mark)),
                Err(unusable) => (None, unusable.seen),
            })?,
            false => (None, None),
        };
        seen.extend(marked.map(|mark| (layout.state(), mark.place)));
        let newest = snapshot.as_ref().map_or(0, |one| one.mark.place.sequence);
        if let Some(mark) = state.filter(|mark| mark.place.sequence > newest) {
            snapshot = Some(Snapshot { path: layout.state(), mark, checkpoint: None });
        }
        Ok(Witnesses { seen, snapshot })
    }

    /// The last commit that was durable.
    pub(super) fn last(&self) -> u64 {
        self.seen.iter().map(|(_, place)| place.sequence).max().unwrap_or(0)
    }
}

impl Snapshot {
    /// Shows every record.
    pub(super) fn each(
        &self,
        layout: &Layout,
        id: &StoreId,
        see: &mut dyn FnMut(Kept),
    ) -> Result<(), Error> {
        if let Some(checkpoint) = &self.checkpoint {
            return checkpoint.records(id)?.try_for_each(|record| record.map(&mut *see));
        }
        let mut see = |record| {
            see(record);
            Ok(())
        };
        with_copy(layout, id, |opened| match opened {
            Ok((state, _)) => state.each(&mut see),
            Err(unusable) => Err(Error::new(crate::Kind::Damaged, unusable.why)),
        })?
    }
}
