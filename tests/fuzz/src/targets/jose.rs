//! Encrypted bodies: compact JWE.
//!
//! Holds: what is sealed opens, to the byte; after any change of a single character it does not;
//! nothing opens that was not sealed for one of our keys; a refusal is short. The first byte says
//! whether the rest is a JWE or what is sealed.

use std::sync::LazyLock;

use api::jose::{Compact, KeyWrap, Recipient, open, seal};
use vault::Key;

use crate::fixed::{self, Counted};
use crate::given::Given;

static SHARED: LazyLock<Key> = LazyLock::new(|| fixed::symmetric("shared", 0x5a));
static PAIR: LazyLock<Key> = LazyLock::new(|| fixed::asymmetric("pair", fixed::PRIVATE_PEM));
static PUBLIC: LazyLock<Key> = LazyLock::new(|| fixed::asymmetric("pair", fixed::PUBLIC_PEM));

/// See the module.
pub fn jose(bytes: &[u8]) {
    let mut given = Given::new(bytes);
    match given.byte() % 3 {
        0 => foreign(given.rest()),
        1 => sealed(given, KeyWrap::Dir),
        _ => sealed(given, KeyWrap::RsaOaep256),
    }
}

fn foreign(bytes: &[u8]) {
    match Compact::read(bytes) {
        Err(error) => assert!(error.to_string().len() <= 400, "{error}"),
        Ok(jwe) => {
            assert!((1..=256).contains(&jwe.header.kid.len()));
            for key in [Some(&*SHARED), Some(&*PAIR), None] {
                let opened = open(&jwe, key, [7; 32]).map(|_| ());
                // The stand-in is known here, and to nobody else: it opens only where it is none.
                let known = key.is_none() && jwe.header.wrap == KeyWrap::Dir;
                assert!(known || opened.is_err(), "a JWE opened that nobody sealed");
            }
        }
    }
}

fn sealed(mut given: Given<'_>, wrap: KeyWrap) {
    let (at, to) = (given.short(), given.byte());
    let plain = given.rest();
    let (locks, opens) = match wrap {
        KeyWrap::Dir => (&*SHARED, &*SHARED),
        KeyWrap::RsaOaep256 => (&*PUBLIC, &*PAIR),
    };
    let recipient = Recipient { kid: "kid", wrap, key: locks };
    let jwe = seal(plain, recipient, &Counted::default()).unwrap();
    let read = Compact::read(jwe.as_bytes()).expect("what we seal is a JWE");
    let opened = open(&read, Some(opens), [7; 32]).expect("what we seal opens");
    assert_eq!(opened.expose(), plain);
    assert!(open(&read, None, [7; 32]).is_err(), "it opens without a key");

    let mut changed = jwe.into_bytes();
    let at = usize::from(at) % changed.len();
    if changed[at] == to {
        return;
    }
    changed[at] = to;
    if let Ok(read) = Compact::read(&changed) {
        let opened = open(&read, Some(opens), [7; 32]);
        assert!(opened.is_err(), "a changed JWE opened: {}", String::from_utf8_lossy(&changed));
    }
}
