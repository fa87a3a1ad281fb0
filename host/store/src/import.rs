//! Makes a store of an export. Not here: the form of an export (`export`).

use std::path::Path;

use crate::export::{Reading, examine};
use crate::restoring::{Restoring, check_empty};
use crate::{Error, Kind, Options, Report};

/// Makes, in the empty directory of the options, the store that was exported: the same commits
/// under the same hashes. The whole export is verified before anything is written, and the store
/// afterwards.
///
/// The store has the id of the one exported: of the two only one may go on.
///
/// # Errors
/// `Foreign` when the directory is not empty or the file no export; `Newer` and `Damaged` for the
/// export: nothing was written; `Io` and `Full`: empty the directory and import again.
pub fn import(from: &Path, options: &Options) -> Result<Report, Error> {
    check_empty(&options.dir)?;
    let (id, _, mark) = examine(from)?;
    let mut reading = Reading::open(from)?;
    let mut restoring = Restoring::begin(options, id)?;
    while let Some(frame) = reading.next_frame()? {
        let place = frame.place();
        if restoring.push(frame.group, frame.batch)? != place {
            return Err(changed(from));
        }
    }
    if restoring.mark() != mark {
        return Err(changed(from));
    }
    restoring.finish()
}

fn changed(from: &Path) -> Error {
    let what = format!(
        "{} changed while it was read; empty the directory and import again",
        from.display()
    );
    Error::new(Kind::Damaged, what)
}
