//! The bytes of a MAC tag, a digest of a key, a token: whatever may only be compared in constant
//! time.
//!
//! There is no `==` on it, on purpose, so that none can come back:
//!
//! ```compile_fail,E0369
//! use vault::Imprint;
//! let same = Imprint::new(vec![1]) == Imprint::new(vec![1]);
//! ```

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Bytes that are compared in constant time alone. Its `Debug` prints their number.
#[derive(Clone)]
pub struct Imprint(Zeroizing<Vec<u8>>);

impl Imprint {
    /// These bytes.
    pub fn new(bytes: Vec<u8>) -> Imprint {
        Imprint(Zeroizing::new(bytes))
    }

    /// Whether the given bytes are the same, all of them. Takes as long whichever byte differs; a
    /// different length is told at once, and is no secret.
    pub fn is(&self, given: &[u8]) -> bool {
        self.0.ct_eq(given).into()
    }
}

impl fmt::Debug for Imprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Imprint({} bytes)", self.0.len())
    }
}
