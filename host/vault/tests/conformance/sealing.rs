//! Symmetric encryption: what is refused, and that a refusal never says why.

use vault::{Cipher, Error, Legacy};

use crate::support::{everything_granted, symmetric};

#[test]
fn every_way_in_which_cbc_fails_to_open_looks_the_same() {
    let (key, none) = (symmetric(&[1; 16]), Legacy::none());
    let open = |sealed: &[u8]| key.open_sealed(Cipher::AesCbcPkcs7, &[0; 16], &[], sealed, &none);
    let mut sealed = key.seal(Cipher::AesCbcPkcs7, &[0; 16], &[], b"amount=1", &none).unwrap();
    assert_eq!(open(&sealed), Ok(b"amount=1".to_vec()));
    sealed[15] ^= 1;
    for wrong in [&b""[..], &sealed[..15], &[0; 17], &sealed] {
        assert_eq!(open(wrong), Err(Error::Rejected), "{} bytes", wrong.len());
    }
}

#[test]
fn every_changed_bit_of_a_gcm_text_is_rejected() {
    let (key, none) = (symmetric(&[1; 32]), Legacy::none());
    let open = |sealed: &[u8], associated: &[u8]| {
        key.open_sealed(Cipher::AesGcm, &[2; 12], associated, sealed, &none)
    };
    let sealed = key.seal(Cipher::AesGcm, &[2; 12], b"certificate", b"key", &none).unwrap();
    assert_eq!(sealed.len(), 3 + 16);
    assert_eq!(open(&sealed, b"certificate"), Ok(b"key".to_vec()));
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(open(&changed, b"certificate"), Err(Error::Rejected), "bit {bit}");
    }
    assert_eq!(open(&sealed, b"transaction"), Err(Error::Rejected));
    assert_eq!(open(&sealed[..15], b"certificate"), Err(Error::Rejected));
}

#[test]
fn a_cipher_takes_its_own_sizes_alone() {
    let legacy = everything_granted();
    for (cipher, nonce, sizes) in [
        (Cipher::AesGcm, 12, &[16, 24, 32][..]),
        (Cipher::AesCbcPkcs7, 16, &[16, 24, 32]),
        (Cipher::TdesCbcZero, 8, &[16, 24]),
    ] {
        for size in 1..=40 {
            let key: Vec<u8> = (0..size).map(|byte| byte * 6).collect();
            let sealed = symmetric(&key).seal(cipher, &vec![0; nonce], &[], b"text", &legacy);
            assert_eq!(sealed.is_ok(), sizes.contains(&size), "{cipher}: a key of {size} bytes");
        }
        for size in (0..=20).filter(|size| *size != nonce) {
            let key = symmetric(b"16 bytes of key.");
            let sealed = key.seal(cipher, &vec![0; size], &[], b"text", &legacy);
            assert!(matches!(sealed, Err(Error::BadInput(_))), "{cipher}: a nonce of {size}");
        }
    }
}

#[test]
fn cbc_takes_no_associated_data() {
    let (key, legacy) = (symmetric(b"16 bytes of key."), everything_granted());
    for (cipher, iv) in [(Cipher::AesCbcPkcs7, 16), (Cipher::TdesCbcZero, 8)] {
        let sealed = key.seal(cipher, &vec![0; iv], b"header", b"text", &legacy);
        assert!(matches!(sealed, Err(Error::BadInput(_))), "{cipher}");
    }
}

#[test]
fn zero_padding_adds_nothing_to_whole_blocks_and_loses_zeros_at_the_end() {
    let (key, legacy) = (symmetric(b"16 bytes of key."), everything_granted());
    for (text, length, back) in
        [("", 0, ""), ("0069", 8, "0069"), ("00691234", 8, "00691234"), ("ends\0", 8, "ends")]
    {
        let sealed = key.seal(Cipher::TdesCbcZero, &[0; 8], &[], text.as_bytes(), &legacy).unwrap();
        assert_eq!(sealed.len(), length, "{text:?}");
        let opened = key.open_sealed(Cipher::TdesCbcZero, &[0; 8], &[], &sealed, &legacy);
        assert_eq!(opened, Ok(back.as_bytes().to_vec()), "{text:?}");
    }
    let ragged = key.open_sealed(Cipher::TdesCbcZero, &[0; 8], &[], &[0; 7], &legacy);
    assert_eq!(ragged, Err(Error::Rejected));
}

#[test]
fn a_3des_key_that_amounts_to_single_des_is_refused() {
    let legacy = everything_granted();
    let seal =
        |key: &[u8]| symmetric(key).seal(Cipher::TdesCbcZero, &[0; 8], &[], b"0069", &legacy);
    for key in [&b"abcdefghabcdefgh"[..], b"abcdefghabcdefgh12345678", b"12345678abcdefghabcdefgh"]
    {
        assert!(matches!(seal(key), Err(Error::BadInput(_))));
    }
    let by_parity_alone: Vec<u8> =
        b"abcdefgh".iter().copied().chain(b"abcdefgh".iter().map(|byte| byte ^ 1)).collect();
    assert!(matches!(seal(&by_parity_alone), Err(Error::BadInput(_))));
    let outer_parts_equal = seal(b"abcdefgh12345678abcdefgh");
    assert_eq!(outer_parts_equal, seal(b"abcdefgh12345678"));
    assert!(outer_parts_equal.is_ok());
}
