//! Why a plugin could not be loaded. What goes wrong in a call of a loaded one is a `Fault`.

/// A plugin, or the sandbox itself, that could not be made ready.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Error {
    /// What went wrong and what to do about it.
    pub what: String,
    /// Which kind of thing it is.
    pub kind: ErrorKind,
    /// What lies below.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What stood in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The engine cannot be set up with these limits on this machine.
    Engine,
    /// The directory of compiled code cannot be used.
    Cache,
    /// The bytes are not the ones that were pinned.
    Digest,
    /// The bytes are no component.
    Format,
    /// The component imports something a plugin does not get.
    Import,
    /// The component does not export the adapter interface as the contract has it.
    Export,
    /// The component is larger than the limits allow.
    Size,
    /// It took too long to compile.
    Compilation,
    /// `describe` failed, or what it says makes no sense.
    Description,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, what: impl Into<String>) -> Error {
        Error { what: what.into(), kind, source: None }
    }

    pub(crate) fn because(
        kind: ErrorKind,
        what: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Error {
        Error { what: what.into(), kind, source: Some(source.into()) }
    }
}
