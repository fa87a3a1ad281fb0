use super::*;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519};

/// `openssl genrsa 1024 | openssl rsa -pubout`: made for this test, and too short on purpose.
const RSA_1024: &str = "-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC/giva9HGok/BFTmh3LgwZNQWV
geAN32dbZjUzeDVvW9p0A+TqySrXnP+8xcSs/bQXHMdwHaBR/vu73pCw0YAB6iGo
940jPalVgZqpjwhMHcxfDrmu2TaJBCHGb5TTaARaieq5w4jH20Q/B3GYWveFBoBt
fHHqUBkDEfKaQm8ttQIDAQAB
-----END PUBLIC KEY-----
";
/// `openssl genrsa 2048 | openssl rsa -pubout`: made for this test.
const RSA_2048: &str = "-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAvoN5RiW13RhvIVGBBPHE
sn0Gdy3ZaMyznIBaAIMoIvgbml667VzmyWFZSqzTRYPXTpLrV/K8sMbVo/OdWYZC
UVTcvv4+V36rE31QWwlsPBny94TCYV7P4r8o/+XAGxRW1OpAfXtKTKE2NRm/60Qw
dnKydz/Z/utolQym2kSQbQoYPTEPQhrU2JsAb3RbpBLpJ/dzDRhE6ZmScSf6ORKd
GonHvBIsmqyv+q5fdyH85Q2Pqb78AMBNRL8Mc2OqmVXlkmhxzojdUGvLdckxum1N
VS6l6PLKDfRy7CSm+gh9l7mOzavMY6PHhHyUnqYt6f0HNYQYrMgdVeGkHVPWK3gd
wQIDAQAB
-----END PUBLIC KEY-----
";

#[test]
fn each_kind_of_public_key_is_read_and_written_in_one_form() {
    let ed25519 = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let p256 = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    for (algorithm, pem) in [
        ("Ed25519", ed25519.public_key_pem()),
        ("P-256", p256.public_key_pem()),
        ("RSA", RSA_2048.to_owned()),
    ] {
        let read = Spki::read(&pem).unwrap();
        assert_eq!(read.algorithm, algorithm);
        assert_eq!(Spki::read(&read.pem).unwrap(), read);
        let one_line = pem.replace('\r', "").replace("-----\n", "-----|");
        let one_line = one_line.replace('\n', "").replace('|', "\n");
        assert_eq!(Spki::read(&one_line.replace("-----END", "\n-----END")).unwrap(), read);
        assert!(read.pem.lines().all(|line| line.len() <= 64), "{}", read.pem);
    }
}

#[test]
fn the_key_of_a_certificate_is_the_key_it_certifies() {
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let params = CertificateParams::new(vec!["app.example".to_owned()]).unwrap();
    let certificate = params.self_signed(&pair).unwrap();
    let of_certificate = Spki::read(&certificate.pem()).unwrap();
    assert_eq!(of_certificate, Spki::read(&pair.public_key_pem()).unwrap());
}

#[test]
fn what_is_no_public_key_or_a_weak_one_is_refused_and_never_shown() {
    let pair = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let (private, public) = (pair.serialize_pem(), pair.public_key_pem());
    for (text, says) in [
        (RSA_1024.to_owned(), "an RSA key of 1024 bits; it takes 2048 to 8192"),
        (private.clone(), "a private key: keep it to yourself, and give the public one"),
        (format!("{public}{private}"), "a private key: keep it to yourself"),
        (format!("{public}{public}"), "more than one key"),
        (String::new(), "no PEM block"),
        (public.replace("PUBLIC KEY", "RSA PUBLIC KEY"), "give `PUBLIC KEY` or `CERTIFICATE`"),
        (public.replace("PUBLIC KEY", "CERTIFICATE"), "a malformed certificate"),
        (public.replace("MCow", "MCox"), "malformed public key"),
        (public.replace("MCow", "M!ow"), "a PEM block that is not Base64"),
    ] {
        let refused = Spki::read(&text).unwrap_err();
        assert!(refused.contains(says), "{refused}");
        let secret = private.lines().nth(1).unwrap();
        assert!(!refused.contains(secret));
    }
}
