//! Keys as operators hold them: PEM (RFC 7468), read leniently, since providers' consoles hand out
//! one long line as often as lines of 64 characters.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use x509_parser::prelude::{FromDer, X509Certificate};
use zeroize::Zeroizing;

use crate::Secret;
use crate::private::PrivateKey;
use crate::public::PublicKey;

/// A key read from PEM.
pub enum Read {
    /// From PKCS#1, PKCS#8 or SEC 1.
    Private(PrivateKey),
    /// From PKCS#1 or SPKI.
    Public(PublicKey),
    /// From X.509.
    Certificate(Certificate),
}

/// What is taken from an X.509 certificate (RFC 5280). Neither its signature nor its chain is
/// looked at: the operator put it there, and that is what makes it trusted.
pub struct Certificate {
    /// Its subject's key.
    pub key: PublicKey,
    /// Its serial number, upper-case hexadecimal, an even number of digits.
    pub serial: String,
    /// The end of its validity, seconds of Unix time.
    pub not_after: i64,
}

struct Block<'a> {
    label: &'a str,
    der: Zeroizing<Vec<u8>>,
}

/// Reads the key of a PEM text. Of a chain of certificates the first counts, the leaf; a text with
/// several keys, or a key and a certificate, is refused. The error names no byte of the text.
pub fn read(pem: &Secret) -> Result<Read, String> {
    let text = std::str::from_utf8(pem.expose()).map_err(|_| "not text")?;
    let blocks = blocks(text)?;
    let (first, rest) = blocks.split_first().ok_or(
        "no PEM block; it starts with `-----BEGIN PRIVATE KEY-----`, `PUBLIC KEY` or `CERTIFICATE`",
    )?;
    let chain = |block: &Block<'_>| (first.label, block.label) == ("CERTIFICATE", "CERTIFICATE");
    match rest.iter().all(chain) {
        true => key(first),
        false => Err("more than one key".to_owned()),
    }
}

/// The public key of a PEM text that holds nothing else: its family, and its SPKI (RFC 5280 section
/// 4.1) in DER.
pub fn spki(pem: &Secret) -> Result<(&'static str, Vec<u8>), String> {
    let text = std::str::from_utf8(pem.expose()).map_err(|_| "not text")?;
    let blocks = blocks(text)?;
    let Some(block) = blocks.first() else {
        return Err("no PEM block; it starts with `-----BEGIN PUBLIC KEY-----`".to_owned());
    };
    let der = match block.label {
        _ if blocks.iter().any(|block| block.label.contains("PRIVATE")) => {
            return Err("a private key: keep it to yourself, and give the public one".to_owned());
        }
        _ if blocks.len() > 1 => return Err("more than one key".to_owned()),
        "PUBLIC KEY" => block.der.to_vec(),
        "CERTIFICATE" => {
            let (_, certificate) = X509Certificate::from_der(&block.der)
                .map_err(|_| "a malformed certificate".to_owned())?;
            certificate.public_key().raw.to_vec()
        }
        other => {
            let other = shown(other);
            return Err(format!("a PEM block `{other}`; give `PUBLIC KEY` or `CERTIFICATE`"));
        }
    };
    Ok((PublicKey::from_spki(&der)?.family().name(), der))
}

fn key(block: &Block<'_>) -> Result<Read, String> {
    let der = block.der.as_slice();
    match block.label {
        "PRIVATE KEY" => PrivateKey::from_pkcs8(der).map(Read::Private),
        "RSA PRIVATE KEY" => PrivateKey::from_pkcs1(der).map(Read::Private),
        "EC PRIVATE KEY" => PrivateKey::p256(der).map(Read::Private),
        "PUBLIC KEY" => PublicKey::from_spki(der).map(Read::Public),
        "RSA PUBLIC KEY" => PublicKey::from_pkcs1(der).map(Read::Public),
        "CERTIFICATE" => certificate(der).map(Read::Certificate),
        "ENCRYPTED PRIVATE KEY" => Err("an encrypted key; store it decrypted".to_owned()),
        other => Err(format!("a PEM block of unknown label `{}`", shown(other))),
    }
}

/// As much of a label as may stand in an error: where lines were lost, the key itself is taken for
/// one.
fn shown(label: &str) -> String {
    label.chars().take(24).flat_map(char::escape_debug).collect()
}

fn certificate(der: &[u8]) -> Result<Certificate, String> {
    let (_, certificate) =
        X509Certificate::from_der(der).map_err(|_| "a malformed certificate".to_owned())?;
    Ok(Certificate {
        key: PublicKey::from_spki(certificate.public_key().raw)?,
        serial: serial(certificate.raw_serial()),
        not_after: certificate.validity().not_after.timestamp(),
    })
}

/// DER puts a zero byte before a number whose first bit is set; no console shows it.
fn serial(raw: &[u8]) -> String {
    let digits = match raw {
        [0, rest @ ..] if !rest.is_empty() => rest,
        whole => whole,
    };
    hex::encode_upper(digits)
}

/// Every block but curve parameters, which OpenSSL writes before a SEC 1 key that repeats them.
fn blocks(text: &str) -> Result<Vec<Block<'_>>, String> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((_, begun)) = rest.split_once("-----BEGIN ") {
        let (label, body) = begun.split_once("-----").ok_or("a PEM block without a label")?;
        let end = format!("-----END {label}-----");
        let (body, after) = body.split_once(&end).ok_or("a PEM block without an end")?;
        if label != "EC PARAMETERS" {
            blocks.push(Block { label, der: decoded(body)? });
        }
        rest = after;
    }
    Ok(blocks)
}

fn decoded(body: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    if body.contains("Proc-Type:") {
        return Err("an encrypted key; store it decrypted".to_owned());
    }
    let is_base64 = |byte: &u8| !byte.is_ascii_whitespace();
    let body = Zeroizing::new(body.bytes().filter(is_base64).collect::<Vec<u8>>());
    let der = STANDARD.decode(body.as_slice()).map_err(|_| "a PEM block that is not Base64")?;
    Ok(Zeroizing::new(der))
}
