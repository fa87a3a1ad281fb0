//! What stands still in all runs: the time, the keys, the randomness, and secrets that must not be
//! seen anywhere.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use engine::{Clock, Entropy};
use ledger::TimestampMs;
use sha2::{Digest, Sha256};
use vault::{AtRest, Key, Master, Secret};

/// Seconds of Unix time.
pub const NOW_S: u64 = 1_700_000_000;
/// The API key of an account.
pub const API_KEY: &str = "sk_live_canary_6f1d0a9b4c7e";
/// The number of the card that is paid with.
pub const CARD_NUMBER: &str = "4242424242424242";
/// A secret that nothing grants.
pub const UNGRANTED: &str = "ungranted_canary_51e0c8d2b7";
/// Of Stripe's webhooks.
pub const WEBHOOK_SECRET: &str = "whsec_canary_0d9c8b7a6f5e4d3c";
/// WeChat Pay's APIv3 key.
pub const API_V3_KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

/// A key pair that was made for tests.
pub const PRIVATE_PEM: &str =
    include_str!("../../../plugins/wechatpay/transcripts/platform.test-key.pem");
/// The public half of the first.
pub const PUBLIC_PEM: &str = include_str!("../../../plugins/wechatpay/transcripts/platform.pem");

/// A clock that stands.
#[derive(Clone, Copy, Debug)]
pub struct Standing;

impl Clock for Standing {
    fn now_ms(&self) -> TimestampMs {
        NOW_S * 1000
    }
}

/// Bytes that are the same in every run, and different each time they are asked for.
#[derive(Debug, Default)]
pub struct Counted(AtomicU64);

impl Entropy for Counted {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let number = self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes();
            chunk.copy_from_slice(&Sha256::digest(number)[..chunk.len()]);
        }
    }
}

/// A key both sides know, of 32 bytes.
pub fn symmetric(name: &str, byte: u8) -> Key {
    Key::symmetric(name, Some(name), &Secret::new(name, vec![byte; 32])).unwrap()
}

/// A key out of PEM.
pub fn asymmetric(name: &str, pem: &str) -> Key {
    Key::from_pem(name, Some(name), &Secret::new(name, pem.as_bytes().to_vec())).unwrap()
}

/// A vault with one master key.
pub fn at_rest() -> AtRest {
    let bytes: Vec<u8> = (0..32).collect();
    let written = Secret::new("master", hex::encode(bytes).into_bytes());
    AtRest::new(vec![Master::read("m", &written).unwrap()]).unwrap()
}

/// Whether `needle` stands in `hay`.
pub fn holds(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len()).any(|window| window == needle)
}

/// A file that is written over for every input: one a process, in memory where that can be.
pub fn scratch<T>(bytes: &[u8], read: impl FnOnce(&std::path::Path) -> T) -> T {
    static FILE: Mutex<Option<tempfile::NamedTempFile>> = Mutex::new(None);
    let mut file = FILE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let file = file.get_or_insert_with(|| {
        let in_memory = tempfile::NamedTempFile::new_in("/dev/shm");
        in_memory.or_else(|_| tempfile::NamedTempFile::new()).unwrap()
    });
    std::fs::write(file.path(), bytes).unwrap();
    read(file.path())
}
