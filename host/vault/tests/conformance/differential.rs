//! Two implementations of one algorithm: what aws-lc makes, `rsa` takes, and the other way round.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use rand_chacha::ChaCha20Rng;
use rsa::rand_core::SeedableRng;
use rsa::sha2::{Digest, Sha256, Sha384, Sha512};
use rsa::traits::{PrivateKeyParts, PublicKeyParts};
use rsa::{BigUint, Oaep, Pkcs1v15Encrypt, Pkcs1v15Sign, Pss};
use sha1_of_rsa::Sha1;
use vault::{Cipher, Error, KeyTransport, Legacy, SignatureAlgorithm};

use crate::support::{RSA, everything_granted, symmetric};

const MESSAGE: &[u8] = b"alipay_trade_pay&biz_content={\"total_amount\":\"88.88\"}";

#[test]
fn rsa_verifies_what_the_vault_signs_by_pkcs1() {
    let public = RSA.own.to_public_key();
    let signed = |by| RSA.private.sign(by, MESSAGE).unwrap();
    let sha256 = signed(SignatureAlgorithm::RsaPkcs1Sha256);
    let sha384 = signed(SignatureAlgorithm::RsaPkcs1Sha384);
    let sha512 = signed(SignatureAlgorithm::RsaPkcs1Sha512);
    let by = Pkcs1v15Sign::new::<Sha256>();
    public.verify(by, &Sha256::digest(MESSAGE), &sha256).unwrap();
    let by = Pkcs1v15Sign::new::<Sha384>();
    public.verify(by, &Sha384::digest(MESSAGE), &sha384).unwrap();
    let by = Pkcs1v15Sign::new::<Sha512>();
    public.verify(by, &Sha512::digest(MESSAGE), &sha512).unwrap();
}

#[test]
fn rsa_verifies_what_the_vault_signs_by_pss() {
    let public = RSA.own.to_public_key();
    let signed = |by| RSA.private.sign(by, MESSAGE).unwrap();
    let sha256 = signed(SignatureAlgorithm::RsaPssSha256);
    let sha384 = signed(SignatureAlgorithm::RsaPssSha384);
    let sha512 = signed(SignatureAlgorithm::RsaPssSha512);
    public.verify(Pss::new::<Sha256>(), &Sha256::digest(MESSAGE), &sha256).unwrap();
    public.verify(Pss::new::<Sha384>(), &Sha384::digest(MESSAGE), &sha384).unwrap();
    public.verify(Pss::new::<Sha512>(), &Sha512::digest(MESSAGE), &sha512).unwrap();
}

/// Also the one algorithm that the vault verifies and does not sign: PKCS#1 v1.5 with SHA-1.
#[test]
fn the_vault_verifies_what_rsa_signs() {
    let by_sha1 = RSA.own.sign(pkcs1_sha1(), &Sha1::digest(MESSAGE));
    let by_sha256 = RSA.own.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(MESSAGE)).unwrap();
    let mut random = ChaCha20Rng::from_seed([7; 32]);
    let by_pss =
        RSA.own.sign_with_rng(&mut random, Pss::new::<Sha256>(), &Sha256::digest(MESSAGE)).unwrap();
    let legacy = everything_granted();
    for (by, signature) in [
        (SignatureAlgorithm::RsaPkcs1Sha1, by_sha1.unwrap()),
        (SignatureAlgorithm::RsaPkcs1Sha256, by_sha256),
        (SignatureAlgorithm::RsaPssSha256, by_pss),
    ] {
        assert_eq!(RSA.public.verify(by, MESSAGE, &signature, &legacy), Ok(()), "{by}");
        let other = RSA.public.verify(by, b"another", &signature, &legacy);
        assert_eq!(other, Err(Error::Rejected), "{by}");
    }
}

#[test]
fn rsa_and_the_vault_both_unwrap_what_the_vault_wraps() {
    let none = Legacy::none();
    let card = b"6212345678901265";
    let sha1 = RSA.public.wrap(KeyTransport::RsaOaepSha1, card, [1; 32], &none).unwrap();
    let sha256 = RSA.public.wrap(KeyTransport::RsaOaepSha256, card, [1; 32], &none).unwrap();
    assert_eq!(RSA.own.decrypt(Oaep::new::<Sha1>(), &sha1).unwrap(), card);
    assert_eq!(RSA.own.decrypt(Oaep::new::<Sha256>(), &sha256).unwrap(), card);
    assert_eq!(RSA.private.unwrap(KeyTransport::RsaOaepSha1, &sha1), Ok(card.to_vec()));
    assert_eq!(RSA.private.unwrap(KeyTransport::RsaOaepSha256, &sha256), Ok(card.to_vec()));
    let crossed = RSA.private.unwrap(KeyTransport::RsaOaepSha1, &sha256);
    assert_eq!(crossed, Err(Error::Rejected));
}

#[test]
fn the_vault_unwraps_what_rsa_wraps() {
    let mut random = ChaCha20Rng::from_seed([9; 32]);
    let public = RSA.own.to_public_key();
    let sha1 = public.encrypt(&mut random, Oaep::new::<Sha1>(), MESSAGE).unwrap();
    let sha256 = public.encrypt(&mut random, Oaep::new::<Sha256>(), MESSAGE).unwrap();
    assert_eq!(RSA.private.unwrap(KeyTransport::RsaOaepSha1, &sha1), Ok(MESSAGE.to_vec()));
    assert_eq!(RSA.private.unwrap(KeyTransport::RsaOaepSha256, &sha256), Ok(MESSAGE.to_vec()));
}

#[test]
fn rsa_unwraps_what_the_vault_wraps_by_pkcs1() {
    let legacy = everything_granted();
    let wrapped = RSA.public.wrap(KeyTransport::RsaPkcs1, b"123456", [3; 32], &legacy).unwrap();
    assert_eq!(RSA.own.decrypt(Pkcs1v15Encrypt, &wrapped).unwrap(), b"123456");
}

/// The random bytes of PKCS#1 v1.5 lie open to the private key: the block is `0 2 random 0 text`.
#[test]
fn two_texts_wrapped_under_one_seed_share_no_randomness() {
    let legacy = everything_granted();
    let random = |text: &[u8]| {
        let wrapped = RSA.public.wrap(KeyTransport::RsaPkcs1, text, [3; 32], &legacy).unwrap();
        let block = BigUint::from_bytes_be(&wrapped).modpow(RSA.own.d(), RSA.own.n());
        let block = block.to_bytes_be();
        assert!(block.ends_with(text));
        block[1..block.len() - text.len()].to_vec()
    };
    let (one, other) = (random(b"4111"), random(b"4112"));
    assert_eq!((one.len(), other.len()), (256 - 2 - 4, 256 - 2 - 4));
    assert_ne!(one[..8], other[..8]);
    assert_eq!(one, random(b"4111"));
}

/// aws-lc against `aes-gcm`, over lengths around the ends of blocks.
#[test]
fn two_implementations_of_aes_gcm_agree() {
    let (nonce, associated, none) = ([5; 12], b"refund", Legacy::none());
    for (size, algorithm) in [(16, &AES_128_GCM), (32, &AES_256_GCM)] {
        let bytes: Vec<u8> = (0..size).collect();
        let (key, theirs) = (symmetric(&bytes), UnboundKey::new(algorithm, &bytes).unwrap());
        let theirs = LessSafeKey::new(theirs);
        for length in [0, 1, 15, 16, 17, 31, 32, 33, 255, 256, 1000] {
            let plaintext = vec![length as u8; length];
            let mut expected = plaintext.clone();
            let unique = Nonce::assume_unique_for_key(nonce);
            theirs.seal_in_place_append_tag(unique, Aad::from(associated), &mut expected).unwrap();
            let made = key.seal(Cipher::AesGcm, &nonce, associated, &plaintext, &none).unwrap();
            assert_eq!(made, expected, "{size} {length}");
        }
    }
}

/// `rsa` is built without its own SHA-1: the prefix is that of RFC 8017 section 9.2, note 1.
fn pkcs1_sha1() -> Pkcs1v15Sign {
    let prefix = hex::decode("3021300906052b0e03021a05000414").unwrap();
    Pkcs1v15Sign { hash_len: Some(20), prefix: prefix.into() }
}
