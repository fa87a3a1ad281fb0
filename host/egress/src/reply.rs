//! What a provider answered, whole, as the engine journals it. Not here: what it means.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::readable;

/// One whole answer. Its `Debug` shows sizes and header names, never contents.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// An HTTP response, whatever its status.
    Http {
        /// 200 to 599 in practice; never 1xx.
        status: u16,
        /// Names in lower case, in the order they came; bytes that are not UTF-8 are replaced.
        headers: Vec<(String, String)>,
        /// As it came: nothing is decompressed.
        #[serde(with = "readable")]
        body: Vec<u8>,
    },
    /// The body of one frame, without its framing.
    Frame(#[serde(with = "readable")] Vec<u8>),
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reply::Http { status, headers, body } => {
                let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
                write!(f, "Http({status}, {names:?}, {} bytes)", body.len())
            }
            Reply::Frame(body) => write!(f, "Frame({} bytes)", body.len()),
        }
    }
}
