//! Taking slots out into one file, putting them back, and looking at them.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::SlotOptions;
use super::image::Image;
use super::slot::{Slot, head};
use crate::disk::RealDisk;
use crate::layout::{Layout, write_whole};
use crate::lock::Lock;
use crate::{Error, Kind};

/// Slots that were taken out or put back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SlotExport {
    /// Which file of slots.
    pub id: String,
    /// How many values.
    pub count: usize,
}

/// How a file of slots is found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SlotReport {
    /// Which file of slots.
    pub id: String,
    /// How many values.
    pub count: usize,
    /// Slots that hold neither a value nor nothing.
    pub torn: usize,
}

/// Writes every value into one new file. A process may have the slots open and change them: each
/// value that is there from the first to the last moment is in the file.
///
/// # Errors
/// `Foreign`, `Io`, `Full`; `Foreign` too where `out` is there already.
pub fn export_slots(dir: &Path, out: &Path) -> Result<SlotExport, Error> {
    check_absent(out)?;
    let path = Layout::new(dir).slots();
    // A value that is moved while the file is read may be passed over once, and then is not moved
    // again: what was there first and is not there second is looked for a third time.
    let (first, second) = (Image::read(&path)?, Image::read(&path)?);
    let (id, mut held) = (second.id, named(second));
    if named(first).keys().any(|name| !held.contains_key(name)) {
        held.extend(named(Image::read(&path)?));
    }
    let mut bytes = head(&id);
    let values = held.into_values();
    let count = (0..).zip(values).map(|(n, slot)| bytes.extend(slot.to_bytes(&id, n))).count();
    write_whole(&RealDisk, out, &bytes)?;
    Ok(SlotExport { id: id.to_string(), count })
}

/// Makes a folder of slots from an export. What was erased after the export is there again: the
/// caller erases it anew.
///
/// # Errors
/// `Foreign` where there are slots already; `Damaged` where the export was cut off or altered.
pub fn import_slots(from: &Path, options: &SlotOptions) -> Result<SlotExport, Error> {
    let image = Image::read(from)?;
    if !image.torn.is_empty() || !image.superseded.is_empty() {
        let (from, torn) = (from.display(), image.torn.len());
        let what = format!("{from}: {torn} slots were cut off or altered; take another export");
        return Err(Error::new(Kind::Damaged, what));
    }
    let (disk, layout) = (&*options.disk, Layout::new(&options.dir));
    disk.make_dir(layout.dir()).map_err(|e| Error::io("make", layout.dir(), e))?;
    let _lock = Lock::exclusive(&layout)?;
    check_absent(&layout.slots())?;
    let bytes = std::fs::read(from).map_err(|e| Error::io("read", from, e))?;
    write_whole(disk, &layout.slots(), &bytes)?;
    Ok(SlotExport { id: image.id.to_string(), count: image.held.len() })
}

/// Reads a file of slots, be it open in a process or an export, and changes nothing.
///
/// # Errors
/// `Foreign`, `Io`.
pub fn verify_slots(file: &Path) -> Result<SlotReport, Error> {
    let path = if file.is_dir() { Layout::new(file).slots() } else { file.to_owned() };
    let image = Image::read(&path)?;
    let (id, count) = (image.id.to_string(), image.held.len());
    Ok(SlotReport { id, count, torn: image.torn.len() })
}

fn named(image: Image) -> BTreeMap<String, Slot> {
    image.held.into_iter().map(|(_, slot)| (slot.name.clone(), slot)).collect()
}

fn check_absent(path: &Path) -> Result<(), Error> {
    match path.exists() {
        false => Ok(()),
        true => {
            let what = format!("{} is there already; move it away first", path.display());
            Err(Error::new(Kind::Foreign, what))
        }
    }
}
