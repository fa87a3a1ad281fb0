//! Legacy primitives are refused by name until the account grants them, and each alone.

use vault::{
    Cipher, DigestAlgorithm, Error, KeyTransport, Legacy, MacAlgorithm, SignatureAlgorithm, digest,
};

use crate::support::{RSA, everything_granted, symmetric};

/// Every use of every primitive under this grant, by name: the answer to input that means nothing.
fn uses(legacy: &Legacy) -> Vec<(&'static str, Result<(), Error>)> {
    let key = symmetric(b"16 bytes of key.");
    let mut uses = Vec::new();
    for by in DigestAlgorithm::ALL {
        uses.push((by.name(), digest(*by, b"", legacy).map(drop)));
    }
    for by in MacAlgorithm::ALL {
        uses.push((by.name(), key.mac(*by, b"", legacy).map(drop)));
        uses.push((by.name(), key.verify_mac(*by, b"", b"", legacy)));
    }
    for by in SignatureAlgorithm::ALL {
        uses.push((by.name(), RSA.public.verify(*by, b"", b"", legacy)));
    }
    for cipher in Cipher::ALL {
        uses.push((cipher.name(), key.seal(*cipher, b"", b"", b"", legacy).map(drop)));
        uses.push((cipher.name(), key.open_sealed(*cipher, b"", b"", b"", legacy).map(drop)));
    }
    for by in KeyTransport::ALL {
        uses.push((by.name(), RSA.public.wrap(*by, b"", [0; 32], legacy).map(drop)));
    }
    uses
}

/// Exactly the legacy primitives that are not granted are refused, in each of their uses.
fn holds(legacy: &Legacy, granted: &[&str]) {
    for (name, answer) in uses(legacy) {
        let refused = answer == Err(Error::LegacyRefused(name.to_owned()));
        let expected = Legacy::NAMES.contains(&name) && !granted.contains(&name);
        assert_eq!(refused, expected, "{name}, granted {granted:?}: {answer:?}");
    }
}

#[test]
fn without_a_grant_every_use_of_a_legacy_primitive_is_refused_and_no_other() {
    holds(&Legacy::none(), &[]);
    for name in Legacy::NAMES {
        assert!(uses(&Legacy::none()).iter().any(|(used, _)| *used == name), "{name}");
    }
}

#[test]
fn a_grant_admits_the_primitive_it_names_alone() {
    for name in Legacy::NAMES {
        holds(&Legacy::granting([name]).unwrap(), &[name]);
    }
    holds(&everything_granted(), &Legacy::NAMES);
}

#[test]
fn only_a_legacy_primitive_can_be_granted() {
    for name in ["", "MD5", "sha256", "rsa-oaep-sha1", "des", "md5 "] {
        assert!(matches!(Legacy::granting([name]), Err(Error::BadInput(_))), "{name}");
    }
}

#[test]
fn no_grant_makes_the_vault_sign_by_sha1_or_unwrap_pkcs1() {
    let signed = RSA.private.sign(SignatureAlgorithm::RsaPkcs1Sha1, b"text");
    assert_eq!(signed, Err(Error::LegacyRefused("rsa-pkcs1-sha1".to_owned())));
    let unwrapped = RSA.private.unwrap(KeyTransport::RsaPkcs1, &[0; 256]);
    assert_eq!(unwrapped, Err(Error::LegacyRefused("rsa-pkcs1".to_owned())));
}

#[test]
fn every_name_is_read_back_as_its_algorithm() {
    for by in DigestAlgorithm::ALL {
        assert_eq!(by.name().parse(), Ok(*by));
    }
    for by in MacAlgorithm::ALL {
        assert_eq!(by.name().parse(), Ok(*by));
    }
    for by in SignatureAlgorithm::ALL {
        assert_eq!(by.name().parse(), Ok(*by));
    }
    for by in Cipher::ALL {
        assert_eq!(by.name().parse(), Ok(*by));
    }
    for by in KeyTransport::ALL {
        assert_eq!(by.name().parse(), Ok(*by));
    }
    assert!("SHA256".parse::<DigestAlgorithm>().is_err());
    assert!("none".parse::<SignatureAlgorithm>().is_err());
}
