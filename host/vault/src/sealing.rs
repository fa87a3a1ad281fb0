//! Symmetric encryption: AES-GCM, AES-CBC with PKCS#7 padding, 3DES-CBC with zero padding.
//!
//! Nonces and IVs are given: the host draws them where the provider leaves the choice.

use aes_gcm::aead::consts::U12;
use aes_gcm::aead::{Aead, AeadCore, Payload};
use aes_gcm::aes::{Aes128, Aes192, Aes256};
use aes_gcm::{AesGcm, KeyInit, Nonce};
use cbc::cipher::block_padding::{Padding, Pkcs7, ZeroPadding};
use cbc::cipher::{
    BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt, KeyIvInit,
};
use des::{TdesEde2, TdesEde3};
use subtle::ConstantTimeEq;

use crate::{Cipher, Error};

/// What a cipher works on besides its key.
#[derive(Clone, Copy)]
pub struct Text<'a> {
    /// 12 bytes under AES-GCM; the IV, one block, under CBC.
    pub nonce: &'a [u8],
    /// Authenticated, not encrypted; empty under CBC.
    pub associated: &'a [u8],
    /// What is encrypted or decrypted.
    pub body: &'a [u8],
}

/// Encrypts `text.body`; under AES-GCM the tag comes after it.
pub fn seal(cipher: Cipher, key: &[u8], text: Text<'_>) -> Result<Vec<u8>, Error> {
    match (cipher, key.len()) {
        (Cipher::AesGcm, 16) => gcm_seal::<AesGcm<Aes128, U12>>(key, text),
        (Cipher::AesGcm, 24) => gcm_seal::<AesGcm<Aes192, U12>>(key, text),
        (Cipher::AesGcm, 32) => gcm_seal::<AesGcm<Aes256, U12>>(key, text),
        (Cipher::AesCbcPkcs7, 16) => cbc_seal::<Aes128, Pkcs7>(key, text),
        (Cipher::AesCbcPkcs7, 24) => cbc_seal::<Aes192, Pkcs7>(key, text),
        (Cipher::AesCbcPkcs7, 32) => cbc_seal::<Aes256, Pkcs7>(key, text),
        (Cipher::TdesCbcZero, 16) => cbc_seal::<TdesEde2, ZeroPadding>(tdes_key(key)?, text),
        (Cipher::TdesCbcZero, 24) => cbc_seal::<TdesEde3, ZeroPadding>(tdes_key(key)?, text),
        (_, length) => Err(wrong_key_size(cipher, length)),
    }
}

/// Decrypts what `seal` makes.
pub fn open(cipher: Cipher, key: &[u8], text: Text<'_>) -> Result<Vec<u8>, Error> {
    match (cipher, key.len()) {
        (Cipher::AesGcm, 16) => gcm_open::<AesGcm<Aes128, U12>>(key, text),
        (Cipher::AesGcm, 24) => gcm_open::<AesGcm<Aes192, U12>>(key, text),
        (Cipher::AesGcm, 32) => gcm_open::<AesGcm<Aes256, U12>>(key, text),
        (Cipher::AesCbcPkcs7, 16) => cbc_open::<Aes128, Pkcs7>(key, text),
        (Cipher::AesCbcPkcs7, 24) => cbc_open::<Aes192, Pkcs7>(key, text),
        (Cipher::AesCbcPkcs7, 32) => cbc_open::<Aes256, Pkcs7>(key, text),
        (Cipher::TdesCbcZero, 16) => cbc_open::<TdesEde2, ZeroPadding>(tdes_key(key)?, text),
        (Cipher::TdesCbcZero, 24) => cbc_open::<TdesEde3, ZeroPadding>(tdes_key(key)?, text),
        (_, length) => Err(wrong_key_size(cipher, length)),
    }
}

fn gcm_seal<C: Aead + KeyInit>(key: &[u8], text: Text<'_>) -> Result<Vec<u8>, Error> {
    let (cipher, nonce) = gcm::<C>(key, text.nonce)?;
    cipher
        .encrypt(&nonce, Payload { msg: text.body, aad: text.associated })
        .map_err(|_| Error::BadInput("aes-gcm takes less than 64 GiB".to_owned()))
}

fn gcm_open<C: Aead + KeyInit>(key: &[u8], text: Text<'_>) -> Result<Vec<u8>, Error> {
    let (cipher, nonce) = gcm::<C>(key, text.nonce)?;
    cipher
        .decrypt(&nonce, Payload { msg: text.body, aad: text.associated })
        .map_err(|_| Error::Rejected)
}

fn gcm<C: AeadCore + KeyInit>(key: &[u8], nonce: &[u8]) -> Result<(C, Nonce<C::NonceSize>), Error> {
    let cipher = C::new_from_slice(key).map_err(|_| wrong_key_size(Cipher::AesGcm, key.len()))?;
    let nonce = Nonce::try_from(nonce).map_err(|_| {
        Error::BadInput(format!("aes-gcm takes a nonce of 12 bytes, not {}", nonce.len()))
    })?;
    Ok((cipher, nonce))
}

fn cbc_seal<C, P>(key: &[u8], text: Text<'_>) -> Result<Vec<u8>, Error>
where
    C: BlockCipherEncrypt + KeyInit,
    P: Padding,
{
    let mode = cbc_mode::<cbc::Encryptor<C>>(key, text)?;
    Ok(mode.encrypt_padded_vec::<P>(text.body))
}

/// A ragged length, no block at all and a wrong padding are one refusal: `Rejected`. Zero padding
/// cannot fail, and takes every zero byte off the end, also those that were the message's own.
fn cbc_open<C, P>(key: &[u8], text: Text<'_>) -> Result<Vec<u8>, Error>
where
    C: BlockCipherDecrypt + KeyInit,
    P: Padding,
{
    let mode = cbc_mode::<cbc::Decryptor<C>>(key, text)?;
    mode.decrypt_padded_vec::<P>(text.body).map_err(|_| Error::Rejected)
}

fn cbc_mode<M: KeyIvInit>(key: &[u8], text: Text<'_>) -> Result<M, Error> {
    if !text.associated.is_empty() {
        return Err(Error::BadInput("CBC takes no associated data".to_owned()));
    }
    M::new_from_slices(key, text.nonce).map_err(|_| {
        let (right, given) = (M::iv_size(), text.nonce.len());
        Error::BadInput(format!("the cipher takes an IV of {right} bytes, not {given}"))
    })
}

/// Refuses a 3DES key whose neighbouring parts are equal, for it is single DES (SP 800-67r2
/// section 3.2; the lowest bit of a byte is parity and does not count).
fn tdes_key(key: &[u8]) -> Result<&[u8], Error> {
    let parts: Vec<Vec<u8>> =
        key.chunks(8).map(|part| part.iter().map(|byte| byte & 0xFE).collect()).collect();
    let single = parts.windows(2).any(|pair| match pair {
        [left, right] => left.ct_eq(right).into(),
        _ => false,
    });
    match single {
        true => Err(Error::BadInput("the 3DES key amounts to single DES".to_owned())),
        false => Ok(key),
    }
}

fn wrong_key_size(cipher: Cipher, given: usize) -> Error {
    let right = match cipher {
        Cipher::AesGcm | Cipher::AesCbcPkcs7 => "16, 24 or 32",
        Cipher::TdesCbcZero => "16 or 24",
    };
    Error::BadInput(format!("{cipher} takes a key of {right} bytes, not {given}"))
}
