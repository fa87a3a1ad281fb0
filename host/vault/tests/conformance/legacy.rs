//! Legacy primitives are refused by name until the account grants them, and each alone.

use vault::{
    Cipher, DigestAlgorithm, Error, KeyTransport, Legacy, MacAlgorithm, SignatureAlgorithm, digest,
};

use crate::support::{RSA, everything_granted, symmetric};

/// The refusals of every use of every primitive under this grant.
fn refused(legacy: &Legacy) -> Vec<String> {
    let key = symmetric(b"16 bytes of key.");
    let mut answers: Vec<Result<(), Error>> = Vec::new();
    for by in DigestAlgorithm::ALL {
        answers.push(digest(*by, b"", legacy).map(drop));
    }
    for by in MacAlgorithm::ALL {
        answers.push(key.mac(*by, b"", legacy).map(drop));
        answers.push(key.verify_mac(*by, b"", b"", legacy));
    }
    for by in SignatureAlgorithm::ALL {
        answers.push(RSA.public.verify(*by, b"", b"", legacy));
    }
    for cipher in Cipher::ALL {
        answers.push(key.seal(*cipher, b"", b"", b"", legacy).map(drop));
        answers.push(key.open_sealed(*cipher, b"", b"", b"", legacy).map(drop));
    }
    for by in KeyTransport::ALL {
        answers.push(RSA.public.wrap(*by, b"", [0; 32], legacy).map(drop));
    }
    let mut names: Vec<String> = answers
        .into_iter()
        .filter_map(|answer| match answer {
            Err(Error::LegacyRefused(name)) => Some(name),
            _ => None,
        })
        .collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn without_a_grant_every_legacy_primitive_is_refused_and_no_other() {
    let mut names = Legacy::NAMES.to_vec();
    names.sort_unstable();
    assert_eq!(refused(&Legacy::none()), names);
}

#[test]
fn a_grant_admits_the_primitive_it_names_alone() {
    for granted in Legacy::NAMES {
        let mut others: Vec<&str> =
            Legacy::NAMES.into_iter().filter(|name| *name != granted).collect();
        others.sort_unstable();
        assert_eq!(refused(&Legacy::granting([granted]).unwrap()), others);
    }
    assert!(refused(&everything_granted()).is_empty());
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
