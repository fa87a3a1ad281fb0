//! Compact JWE (RFC 7516) with RSA-OAEP-256 and A256GCM, by the crates `rsa` and `aes-gcm`.

use aes_gcm::aead::{Aead, AeadCore, KeyInit, OsRng, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use rsa::sha2::Sha256;
use rsa::{BigUint, Oaep, RsaPrivateKey, RsaPublicKey};
use serde_json::{Value, json};

use crate::Error;

pub const MEDIA_TYPE: &str = "application/jose";
const TAG_BYTES: usize = 16;

/// Encrypts to the holder of this JWK's private key.
pub fn seal(plain: &[u8], jwk: &Value) -> Result<String, Error> {
    let number = |name: &str| -> Result<BigUint, Error> {
        Ok(BigUint::from_bytes_be(&BASE64URL.decode(jwk[name].as_str().unwrap_or_default())?))
    };
    let recipient = RsaPublicKey::new(number("n")?, number("e")?)?;
    let header = json!({"alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": jwk["kid"], "cty": "json"});
    let header = BASE64URL.encode(header.to_string());
    let content_key = Aes256Gcm::generate_key(OsRng);
    let nonce = Aes256Gcm::generate_nonce(OsRng);
    let payload = Payload { msg: plain, aad: header.as_bytes() };
    let sealed = Aes256Gcm::new(&content_key).encrypt(&nonce, payload).map_err(|_| "not sealed")?;
    let wrapped = recipient.encrypt(&mut OsRng, Oaep::new::<Sha256>(), &content_key)?;
    let (ciphertext, tag) = sealed.split_at(sealed.len() - TAG_BYTES);
    let parts = [wrapped.as_slice(), &nonce, ciphertext, tag].map(|part| BASE64URL.encode(part));
    Ok(format!("{header}.{}", parts.join(".")))
}

/// Opens what was encrypted to this key.
pub fn open(jwe: &[u8], key: &RsaPrivateKey) -> Result<Vec<u8>, Error> {
    let text = std::str::from_utf8(jwe)?;
    let parts: Vec<&str> = text.split('.').collect();
    let [header, wrapped, nonce, ciphertext, tag] = parts.as_slice() else {
        return Err("not a compact JWE".into());
    };
    let known: Value = serde_json::from_slice(&BASE64URL.decode(header)?)?;
    if known["alg"] != "RSA-OAEP-256" || known["enc"] != "A256GCM" {
        return Err("encrypted in another way than was agreed".into());
    }
    let content_key = key.decrypt(Oaep::new::<Sha256>(), &BASE64URL.decode(wrapped)?)?;
    let (nonce, mut sealed) = (BASE64URL.decode(nonce)?, BASE64URL.decode(ciphertext)?);
    sealed.extend(BASE64URL.decode(tag)?);
    if nonce.len() != 12 {
        return Err("not a compact JWE".into());
    }
    let payload = Payload { msg: &sealed, aad: header.as_bytes() };
    let cipher = Aes256Gcm::new_from_slice(&content_key)?;
    Ok(cipher.decrypt(Nonce::from_slice(&nonce), payload).map_err(|_| "it does not open")?)
}
