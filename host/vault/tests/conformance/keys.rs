//! Named keys: every form they come in, what is said of a wrong one, and what is never shown.

use aws_lc_rs::encoding::{AsDer, EcPrivateKeyRfc5915Der};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING};
use aws_lc_rs::signature::{EcdsaKeyPair, KeyPair};
use rcgen::{CertificateParams, SerialNumber, date_time_ymd};
use rsa::pkcs1::{EncodeRsaPrivateKey, EncodeRsaPublicKey};
use rsa::pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding};
use rsa::rand_core::SeedableRng;
use vault::{
    Cipher, Encoding, Error, Key, KeyKind, KeyTransport, Keyring, Legacy, MacAlgorithm, Secret,
    SignatureAlgorithm,
};

use crate::support::{RSA, armour, from_pem, secret, symmetric};

fn refusal(pem: &str) -> String {
    match Key::from_pem("signing", None, &Secret::new("pem-of-test", pem.into())) {
        Err(Error::BadInput(what)) => what,
        other => panic!("{other:?}"),
    }
}

fn round_trip(private: &Key, public: &Key, by: SignatureAlgorithm) {
    let (none, signature) = (Legacy::none(), private.sign(by, b"order").unwrap());
    assert_eq!(public.verify(by, b"order", &signature, &none), Ok(()), "{by}");
    let other = public.verify(by, b"0rder", &signature, &none);
    assert_eq!(other, Err(Error::Rejected), "{by}");
    for wrong in [&signature[1..], &signature[..signature.len() - 1], b""] {
        assert_eq!(public.verify(by, b"order", wrong, &none), Err(Error::Rejected), "{by}");
    }
}

#[test]
fn an_rsa_key_is_read_from_pkcs1_as_from_pkcs8() {
    let private = from_pem(&RSA.own.to_pkcs1_pem(LineEnding::LF).unwrap());
    let public = RSA.own.to_public_key().to_pkcs1_pem(LineEnding::CRLF).unwrap();
    let public = from_pem(&public);
    for by in [
        SignatureAlgorithm::RsaPkcs1Sha256,
        SignatureAlgorithm::RsaPkcs1Sha384,
        SignatureAlgorithm::RsaPkcs1Sha512,
        SignatureAlgorithm::RsaPssSha256,
        SignatureAlgorithm::RsaPssSha384,
        SignatureAlgorithm::RsaPssSha512,
    ] {
        round_trip(&private, &RSA.public, by);
        round_trip(&RSA.private, &public, by);
    }
}

#[test]
fn a_p256_key_is_read_from_sec1_and_from_pkcs8_and_signs_in_both_encodings() {
    let made = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let sec1: EcPrivateKeyRfc5915Der<'_> = made.private_key().as_der().unwrap();
    let pkcs8 = made.to_pkcs8v1().unwrap();
    let spki = AsDer::<aws_lc_rs::encoding::PublicKeyX509Der<'_>>::as_der(made.public_key());
    let public = from_pem(&armour("PUBLIC KEY", spki.unwrap().as_ref()));
    let curve = armour("EC PARAMETERS", b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07");
    let sec1 = curve + &armour("EC PRIVATE KEY", sec1.as_ref());
    for pem in [sec1, armour("PRIVATE KEY", pkcs8.as_ref())] {
        let private = from_pem(&pem);
        round_trip(&private, &public, SignatureAlgorithm::EcdsaP256Sha256);
        round_trip(&private, &public, SignatureAlgorithm::EcdsaP256Sha256Der);
        let fixed = private.sign(SignatureAlgorithm::EcdsaP256Sha256, b"order").unwrap();
        assert_eq!(fixed.len(), 64);
        let as_der = SignatureAlgorithm::EcdsaP256Sha256Der;
        let crossed = public.verify(as_der, b"order", &fixed, &Legacy::none());
        assert_eq!(crossed, Err(Error::Rejected));
    }
}

#[test]
fn a_key_is_read_from_one_long_line_between_other_text() {
    let pem = RSA.own.to_pkcs1_pem(LineEnding::LF).unwrap();
    let (begin, end) = ("-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----");
    let body: String = pem.replace(begin, "").replace(end, "").split_whitespace().collect();
    let private = from_pem(&format!("application key\n{begin}{body}{end}\nkept by accounting"));
    round_trip(&private, &RSA.public, SignatureAlgorithm::RsaPkcs1Sha256);
}

fn certificate(serial: &[u8]) -> String {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let mut params = CertificateParams::new(vec!["bank.test".to_owned()]).unwrap();
    params.serial_number = Some(SerialNumber::from_slice(serial));
    params.not_after = date_time_ymd(2031, 2, 3);
    params.self_signed(&key).unwrap().pem()
}

#[test]
fn the_id_of_a_certificate_is_its_serial_and_its_end_is_known() {
    let key = from_pem(&certificate(&[0x0A, 0xBC, 0xDE]));
    assert_eq!((key.kind(), key.id()), (KeyKind::Public, Some("0ABCDE")));
    assert_eq!(key.not_after(), Some(1_927_843_200));
    let first_bit_set = from_pem(&certificate(&[0xF0, 0x0D]));
    assert_eq!(first_bit_set.id(), Some("F00D"));
    let pem = secret(certificate(&[1]).as_bytes());
    let named = Key::from_pem("platform", Some("PUB_KEY_ID_1"), &pem).unwrap();
    assert_eq!(named.id(), Some("PUB_KEY_ID_1"));
}

#[test]
fn of_a_chain_the_leaf_counts() {
    let key = from_pem(&(certificate(&[7]) + &certificate(&[8])));
    assert_eq!(key.id(), Some("07"));
}

#[test]
fn a_text_with_several_keys_is_refused() {
    let private = RSA.own.to_pkcs1_pem(LineEnding::LF).unwrap();
    let both = private.to_string() + &certificate(&[7]);
    assert!(refusal(&both).contains("more than one key"));
    assert!(refusal(&(private.to_string() + &private)).contains("more than one key"));
}

#[test]
fn an_rsa_key_of_less_than_2048_bits_is_refused_in_every_form() {
    let mut random = rand_chacha::ChaCha20Rng::from_seed([1; 32]);
    let small = rsa::RsaPrivateKey::new(&mut random, 1024).unwrap();

    let public = small.to_public_key();
    for pem in [
        small.to_pkcs1_pem(LineEnding::LF).unwrap().to_string(),
        small.to_pkcs8_pem(LineEnding::LF).unwrap().to_string(),
        public.to_pkcs1_pem(LineEnding::LF).unwrap(),
        public.to_public_key_pem(LineEnding::LF).unwrap(),
    ] {
        let what = refusal(&pem);
        assert!(what.contains("an RSA key of"), "{what}");
        assert!(what.contains("2048"), "{what}");
    }
}

#[test]
fn an_rsa_key_is_taken_within_the_limits_of_modulus_and_exponent() {
    let bit = |place: usize| rsa::BigUint::from(1u8) << place;
    let read = |bits: usize, exponent: rsa::BigUint| {
        let key = rsa::RsaPublicKey::new_unchecked(bit(bits - 1) + 1u8, exponent);
        let pem = key.to_pkcs1_pem(LineEnding::LF).unwrap();
        Key::from_pem("test", None, &secret(pem.as_bytes()))
    };
    for (bits, exponent) in [(2048, 3u64), (2049, 65537), (8192, 65537), (2048, (1 << 33) - 1)] {
        assert!(read(bits, exponent.into()).is_ok(), "{bits} {exponent}");
    }
    for (bits, exponent) in
        [(2047, 65537), (8193, 65537), (2048, 0u64), (2048, 1), (2048, 2), (2048, 65536)]
    {
        assert!(read(bits, exponent.into()).is_err(), "{bits} {exponent}");
    }
    assert!(read(2048, bit(33) + 1u8).is_err());
}

#[test]
fn a_refusal_names_the_secret_and_what_is_wrong() {
    let pkcs8 = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_ASN1_SIGNING).unwrap();
    let pkcs8 = pkcs8.to_pkcs8v1().unwrap();
    for (pem, what) in [
        (String::new(), "no PEM block"),
        ("MIIEvQIBADANBg".to_owned(), "no PEM block"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE".to_owned(), "without an end"),
        (armour("PRIVATE KEY", b"nothing"), "malformed PKCS#8"),
        (armour("ENCRYPTED PRIVATE KEY", b"nothing"), "an encrypted key"),
        (armour("DSA PRIVATE KEY", b"nothing"), "unknown label `DSA PRIVATE KEY`"),
        (armour("CERTIFICATE", b"nothing"), "a malformed certificate"),
        (armour("PRIVATE KEY", pkcs8.as_ref()), "other than P-256"),
        (armour("PRIVATE KEY", b"nothing").replace("bm9", "b*9"), "not Base64"),
    ] {
        let said = refusal(&pem);
        assert!(said.contains(what), "{said}");
        assert!(said.starts_with("secret `pem-of-test` for slot `signing`: "), "{said}");
    }
}

#[test]
fn a_damaged_text_is_read_or_refused_and_never_shown() {
    let pkcs8 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let pkcs8 = armour("PRIVATE KEY", pkcs8.to_pkcs8v1().unwrap().as_ref());
    for pem in [pkcs8, certificate(&[1])] {
        let line = pem.lines().nth(1).unwrap();
        for place in 0..pem.trim_end().len() {
            for byte in [b'A', b'/', b'-', b'\n', 0xFF] {
                let mut damaged = pem.clone().into_bytes();
                damaged[place] = byte;
                let refused = Key::from_pem("test", None, &secret(&damaged)).err();
                let said = refused.map(|error| error.to_string()).unwrap_or_default();
                assert!(!said.contains(&line[32..]), "{said}");
            }
            assert!(Key::from_pem("test", None, &secret(&pem.as_bytes()[..place])).is_err());
        }
    }
}

#[test]
fn a_key_of_another_kind_is_named_beside_the_one_needed() {
    let (symmetric, none) = (symmetric(&[1; 16]), Legacy::none());
    let said = |answer: Result<Vec<u8>, Error>| match answer {
        Err(Error::WrongKeyKind(what)) => what,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        said(RSA.private.sign(SignatureAlgorithm::Ed25519, b"")),
        "ed25519 needs a private Ed25519 key; slot `test` holds a private RSA key"
    );
    said(RSA.public.sign(SignatureAlgorithm::RsaPssSha256, b""));
    said(RSA.public.mac(MacAlgorithm::HmacSha256, b"", &none));
    said(RSA.private.seal(Cipher::AesGcm, &[0; 12], b"", b"", &none));
    said(symmetric.wrap(KeyTransport::RsaOaepSha256, b"", [0; 32], &none));
    said(RSA.public.unwrap(KeyTransport::RsaOaepSha256, &[0; 256]));
    for key in [&symmetric, &RSA.private] {
        let answer = key.verify(SignatureAlgorithm::RsaPkcs1Sha256, b"", b"", &none);
        said(answer.map(|()| Vec::new()));
    }
    let other_family = RSA.public.verify(SignatureAlgorithm::EcdsaP256Sha256, b"", b"", &none);
    said(other_family.map(|()| Vec::new()));
}

#[test]
fn wrapping_again_with_the_same_seed_gives_the_same_bytes() {
    let none = Legacy::none();
    let wrap = |text: &[u8], seed| {
        RSA.public.wrap(KeyTransport::RsaOaepSha256, text, [seed; 32], &none).unwrap()
    };
    assert_eq!(wrap(b"card", 1), wrap(b"card", 1));
    assert_ne!(wrap(b"card", 1), wrap(b"card", 2));
    assert_ne!(wrap(b"card", 1), wrap(b"cart", 1));
}

#[test]
fn wrapping_takes_exactly_what_the_key_has_room_for() {
    let legacy = Legacy::granting(["rsa-pkcs1"]).unwrap();
    for (by, room) in [
        (KeyTransport::RsaOaepSha1, 256 - 42),
        (KeyTransport::RsaOaepSha256, 256 - 66),
        (KeyTransport::RsaPkcs1, 256 - 11),
    ] {
        assert!(RSA.public.wrap(by, &vec![1; room], [0; 32], &legacy).is_ok(), "{by}");
        let over = RSA.public.wrap(by, &vec![1; room + 1], [0; 32], &legacy).unwrap_err();
        assert!(matches!(&over, Error::BadInput(what) if what.contains(&room.to_string())), "{by}");
    }
}

#[test]
fn a_symmetric_key_is_read_from_each_encoding() {
    let tag = |written: &str, encoding| {
        let key = Key::from_encoded("hmac", None, &secret(written.as_bytes()), encoding).unwrap();
        key.mac(MacAlgorithm::HmacSha256, b"order", &Legacy::none()).unwrap()
    };
    let expected = tag("key!~?", Encoding::Text);
    assert_eq!(tag("6b6579217E3F\n", Encoding::Hex), expected);
    assert_eq!(tag(" a2V5IX4/ \n", Encoding::Base64), expected);
    assert_eq!(tag("a2V5", Encoding::Base64), tag("key", Encoding::Text));
    assert_eq!(tag("a2U=", Encoding::Base64), tag("a2U", Encoding::Base64));
    assert_ne!(tag("key!~?\n", Encoding::Text), expected);
}

#[test]
fn a_symmetric_key_that_is_not_so_written_is_refused_and_not_shown() {
    for (written, encoding) in [
        ("6b657", Encoding::Hex),
        ("6b 65", Encoding::Hex),
        ("0x6b65", Encoding::Hex),
        ("a2V5IX4_", Encoding::Base64),
        ("a2V5!", Encoding::Base64),
        ("", Encoding::Text),
        ("", Encoding::Hex),
    ] {
        let written = Secret::new("of-operator", written.into());
        let refused = Key::from_encoded("hmac", None, &written, encoding).unwrap_err();
        let Error::BadInput(what) = refused else { panic!("{refused:?}") };
        assert!(what.contains("`of-operator`"), "{what}");
        assert!(!what.contains("6b") && !what.contains("a2V5"), "{what}");
    }
    assert_eq!("base64".parse(), Ok(Encoding::Base64));
    assert!("base58".parse::<Encoding>().is_err());
}

#[test]
fn debug_shows_names_alone() {
    let mut ring = Keyring::new(Legacy::none());
    ring.add(symmetric(b"canary-of-a-secret"));
    ring.add(from_pem(&RSA.own.to_pkcs1_pem(LineEnding::LF).unwrap()));
    let shown = format!("{ring:?} {:?}", secret(b"canary-of-a-secret"));
    assert_eq!(
        shown,
        "Keyring { slots: {\"test\": [Key(test, None, Symmetric), Key(test, None, Private)]}, \
         legacy: Legacy({}) } Secret(of-test)"
    );
}

#[test]
fn a_slot_opens_its_first_key_and_each_by_its_id() {
    let mut ring = Keyring::new(Legacy::none());
    for id in ["new", "old"] {
        ring.add(Key::symmetric("webhook", Some(id), &secret(id.as_bytes())).unwrap());
    }
    assert_eq!(ring.open("webhook").unwrap().id(), Some("new"));
    assert_eq!(ring.open_version("webhook", "old").unwrap().id(), Some("old"));
    assert_eq!(ring.versions("webhook").len(), 2);
    for missing in [ring.open("other"), ring.open_version("webhook", "older")] {
        assert!(matches!(missing, Err(Error::NoSuchKey(_))));
    }
}

#[test]
fn a_keyring_is_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Keyring>();
}
