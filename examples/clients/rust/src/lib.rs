//! A client of Tollgate: signs what it asks, verifies what it is answered, encrypts what is secret.
//!
//! Signatures are RFC 9421 by the crate `httpsig`; what goes over the wire is in `tollgate`, the
//! encryption in `jose`. `payer` and `inbox` are what the scenarios need around it.

pub mod inbox;
pub mod jose;
pub mod payer;
pub mod signature;
pub mod tollgate;

pub use tollgate::{Problem, Tollgate};

/// Whatever stops an example.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// A name that nobody has used: of an order, and of the request that begins it.
pub fn fresh(what: &str) -> String {
    use aes_gcm::aead::{OsRng, rand_core::RngCore};
    let mut bytes = [0; 16];
    OsRng.fill_bytes(&mut bytes);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{what}-{hex}")
}

/// Asks again until there is an answer.
pub fn until<T>(mut what: impl FnMut() -> Result<Option<T>, Error>) -> Result<T, Error> {
    let began = std::time::Instant::now();
    while began.elapsed().as_secs() < 60 {
        if let Some(found) = what()? {
            return Ok(found);
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    Err("it did not happen in time".into())
}
