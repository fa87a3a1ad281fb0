//! A native host for an adapter's tests: real cryptography, a clock that stands still, randomness
//! from a seed; and the replay of transcripts on it.
//!
//! Not here: sockets, a ledger, the sandbox. The same transcripts run through that elsewhere.

mod account;
mod host;
mod key;
mod stage;
mod to_contract;
mod to_plain;

pub use host::TestHost;
pub use stage::NativeStage;

use std::path::Path;

use crate::Adapter;

/// Plays every transcript of a folder (relative to the crate) against the adapter and says how
/// many. With `TOLLGATE_TRANSCRIPTS=rewrite` in the environment what the adapter says is written
/// into the files.
///
/// # Errors
/// The difference of each file that failed.
pub fn transcripts<A: Adapter>(folder: impl AsRef<Path>) -> Result<usize, String> {
    transcript::play_folder(folder.as_ref(), NativeStage::<A>::new)
}
