//! Vectors that standards and providers print: RFC 1321 to 8032, SP 800-38A, GCM, Adyen, Redsys.
//!
//! Every key here is printed in the document named beside it, and protects nothing.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use vault::{
    Cipher, DigestAlgorithm, Encoding, Error, Key, Legacy, MacAlgorithm, SignatureAlgorithm, digest,
};

use crate::support::{armour, bytes, everything_granted, from_pem, secret, symmetric};

#[test]
fn digests_of_abc_are_those_of_rfc_1321_and_fips_180() {
    let legacy = everything_granted();
    for (by, expected) in [
        (DigestAlgorithm::Md5, "900150983cd24fb0d6963f7d28e17f72"),
        (DigestAlgorithm::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (DigestAlgorithm::Sha224, "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"),
        (
            DigestAlgorithm::Sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            DigestAlgorithm::Sha384,
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed
             8086072ba1e7cc2358baeca134c825a7",
        ),
        (
            DigestAlgorithm::Sha512,
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a
             2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        ),
    ] {
        assert_eq!(digest(by, b"abc", &legacy), Ok(bytes(expected)), "{by}");
    }
}

/// RFC 2202 sections 2 and 3 and RFC 4231 section 4.3: the second test case of each.
#[test]
fn hmacs_are_those_of_rfc_2202_and_rfc_4231() {
    let (key, message) = (symmetric(b"Jefe"), b"what do ya want for nothing?");
    for (by, expected) in [
        (MacAlgorithm::HmacMd5, "750c783e6ab0b503eaa86e310a5db738"),
        (MacAlgorithm::HmacSha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        (
            MacAlgorithm::HmacSha256,
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            MacAlgorithm::HmacSha384,
            "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e
             8e2240ca5e69e2c78b3239ecfab21649",
        ),
        (
            MacAlgorithm::HmacSha512,
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554
             9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
        ),
    ] {
        assert_eq!(key.mac(by, message, &everything_granted()), Ok(bytes(expected)), "{by}");
    }
}

/// RFC 4231 section 4.7: a key longer than the block of the digest.
#[test]
fn an_hmac_takes_a_key_longer_than_a_block() {
    let key = symmetric(&[0xAA; 131]);
    let message = b"Test Using Larger Than Block-Size Key - Hash Key First";
    let expected = "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54";
    let tag = key.mac(MacAlgorithm::HmacSha256, message, &Legacy::none());
    assert_eq!(tag, Ok(bytes(expected)));
}

/// RFC 4493 section 4, examples 1 to 4.
#[test]
fn aes_cmac_is_that_of_rfc_4493() {
    let key = symmetric(&bytes("2b7e151628aed2a6abf7158809cf4f3c"));
    let message = bytes(
        "6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51
         30c81c46a35ce411e5fbc1191a0a52ef f69f2445df4f9b17ad2b417be66c3710",
    );
    for (length, expected) in [
        (0, "bb1d6929e95937287fa37d129b756746"),
        (16, "070a16b46b4d4144f79bdd9dd04a287c"),
        (40, "dfa66747de9ae63030ca32611497c827"),
        (64, "51f0bebf7e3b9d92fc49741779363cfe"),
    ] {
        let tag = key.mac(MacAlgorithm::AesCmac, &message[..length], &Legacy::none());
        assert_eq!(tag, Ok(bytes(expected)), "{length}");
    }
}

/// McGrew and Viega, The Galois/Counter Mode of Operation, test cases 4 and 16.
#[test]
fn aes_gcm_is_that_of_its_authors() {
    let nonce = bytes("cafebabefacedbaddecaf888");
    let associated = bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    let plaintext = bytes(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72
         1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
    );
    for (key, sealed) in [
        (
            "feffe9928665731c6d6a8f9467308308",
            "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e
             21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091
             5bc94fbc3221a5db94fae95ae7121a47",
        ),
        (
            "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa
             8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662
             76fc6ece0f4e1768cddf8853bb2d551b",
        ),
    ] {
        let (key, none) = (symmetric(&bytes(key)), Legacy::none());
        let made = key.seal(Cipher::AesGcm, &nonce, &associated, &plaintext, &none).unwrap();
        assert_eq!(made, bytes(sealed));
        let opened = key.open_sealed(Cipher::AesGcm, &nonce, &associated, &made, &none);
        assert_eq!(opened.as_ref(), Ok(&plaintext));
    }
}

/// SP 800-38A appendices F.2.1, F.2.3 and F.2.5, first block; the padding block follows it.
#[test]
fn aes_cbc_is_that_of_sp_800_38a() {
    let iv = bytes("000102030405060708090a0b0c0d0e0f");
    let plaintext = bytes("6bc1bee22e409f96e93d7e117393172a");
    for (key, block) in [
        ("2b7e151628aed2a6abf7158809cf4f3c", "7649abac8119b246cee98e9b12e9197d"),
        ("8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b", "4f021db243bc633d7178183a9fa071e8"),
        (
            "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
            "f58c4c04d6e5f1ba779eabfb5f7bfbd6",
        ),
    ] {
        let key = symmetric(&bytes(key));
        let made = key.seal(Cipher::AesCbcPkcs7, &iv, &[], &plaintext, &Legacy::none()).unwrap();
        assert_eq!(made.len(), 32);
        assert_eq!(made[..16], bytes(block));
    }
}

/// RFC 8032 section 7.1, tests 1 to 3: the seed, the message and the signature.
#[test]
fn ed25519_signs_as_in_rfc_8032() {
    for (seed, public, message, signature) in [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155
             5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da
             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac
             18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ] {
        let pkcs8 = bytes(&format!("302e020100300506032b657004220420{seed}"));
        let spki = bytes(&format!("302a300506032b6570032100{public}"));
        let private = from_pem(&armour("PRIVATE KEY", &pkcs8));
        let public = from_pem(&armour("PUBLIC KEY", &spki));
        let (by, message) = (SignatureAlgorithm::Ed25519, bytes(message));
        assert_eq!(private.sign(by, &message), Ok(bytes(signature)));
        assert_eq!(public.verify(by, &message, &bytes(signature), &Legacy::none()), Ok(()));
    }
}

/// RFC 6979 appendix A.2.5, SHA-256 over `sample`.
#[test]
fn ecdsa_p256_verifies_the_signature_of_rfc_6979() {
    let spki = bytes(
        "3059301306072a8648ce3d020106082a8648ce3d030107034200 04
         60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6
         7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299",
    );
    let signature = bytes(
        "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716
         F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
    );
    let (key, none) = (from_pem(&armour("PUBLIC KEY", &spki)), Legacy::none());
    let by = SignatureAlgorithm::EcdsaP256Sha256;
    assert_eq!(key.verify(by, b"sample", &signature, &none), Ok(()));
    assert_eq!(key.verify(by, b"Sample", &signature, &none), Err(Error::Rejected));
}

/// Adyen, "Verify HMAC signatures": the sample notification, whose key is given in hexadecimal.
#[test]
fn adyens_sample_notification_verifies() {
    let written = secret(b"44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056\n");
    let key = Key::from_encoded("webhook", None, &written, Encoding::Hex).unwrap();
    let tag = STANDARD.decode("coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0=").unwrap();
    let (by, none) = (MacAlgorithm::HmacSha256, Legacy::none());
    let message =
        b"7914073381342284::TestMerchant:TestPayment-1407325143704:1130:EUR:AUTHORISATION:true";
    assert_eq!(key.verify_mac(by, message, &tag, &none), Ok(()));
    let dearer =
        b"7914073381342284::TestMerchant:TestPayment-1407325143704:1131:EUR:AUTHORISATION:true";
    assert_eq!(key.verify_mac(by, dearer, &tag, &none), Err(Error::Rejected));
}

/// Redsys, HMAC_SHA256_V1: the key of an order is the order's number under 3DES, and the HMAC of
/// the parameters under it is the signature. A notification signed by Redsys' test environment,
/// from the test suites of the public clients.
#[test]
fn a_redsys_notification_verifies_by_its_derived_key() {
    let legacy = Legacy::granting(["tdes-cbc-zero"]).unwrap();
    let merchant = secret(b"Mk9m98IfEblmPfrpsawt7BmxObt98Jev");
    let merchant = Key::from_encoded("merchant", None, &merchant, Encoding::Base64).unwrap();
    let derived = merchant.seal(Cipher::TdesCbcZero, &[0; 8], &[], b"0069", &legacy).unwrap();
    assert_eq!(STANDARD.encode(&derived), "0mL++6eIic8=");

    let parameters = concat!(
        "eyJEc19EYXRlIjoiMDklMkYxMSUyRjIwMTUiLCJEc19Ib3VyIjoiMTglM0EwMyIsIkRzX1NlY3VyZVBheW1lbnQi",
        "OiIwIiwiRHNfQ2FyZF9Db3VudHJ5IjoiNzI0IiwiRHNfQW1vdW50IjoiMTQ1IiwiRHNfQ3VycmVuY3kiOiI5Nzgi",
        "LCJEc19PcmRlciI6IjAwNjkiLCJEc19NZXJjaGFudENvZGUiOiI5OTkwMDg4ODEiLCJEc19UZXJtaW5hbCI6Ijg3",
        "MSIsIkRzX1Jlc3BvbnNlIjoiMDAwMCIsIkRzX01lcmNoYW50RGF0YSI6IiIsIkRzX1RyYW5zYWN0aW9uVHlwZSI6",
        "IjAiLCJEc19Db25zdW1lckxhbmd1YWdlIjoiMSIsIkRzX0F1dGhvcmlzYXRpb25Db2RlIjoiMDgyMTUwIn0=",
    );
    let signature = URL_SAFE.decode("6DVpRPAPoChZh2cgaWnLqlfFsKeXdRfAO_tz-UrxJcU=").unwrap();
    let by = MacAlgorithm::HmacSha256;
    let order = symmetric(&derived);
    assert_eq!(order.verify_mac(by, parameters.as_bytes(), &signature, &legacy), Ok(()));
}
