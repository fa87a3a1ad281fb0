//! Public keys as JWK (RFC 7517), with the parameters of RFC 7518, section 6, and RFC 8037.

use base64::Engine as _;
use serde_json::{Value, json};
use vault::{Key, Published};

use super::compact::BASE64URL;
use super::{Error, malformed};

/// The public half of a key; none of a symmetric one. `usage` is `sig` or `enc`, and `alg` the
/// algorithm it is used with, where there is only one.
pub fn jwk(key: &Key, kid: &str, usage: &str, alg: Option<&str>) -> Option<Value> {
    let text = |bytes: &[u8]| BASE64URL.encode(bytes);
    let mut jwk = match key.published()? {
        Published::Rsa { modulus, exponent } => {
            json!({"kty": "RSA", "n": text(&modulus), "e": text(&exponent)})
        }
        Published::P256 { x, y } => {
            json!({"kty": "EC", "crv": "P-256", "x": text(&x), "y": text(&y)})
        }
        Published::Ed25519 { x } => json!({"kty": "OKP", "crv": "Ed25519", "x": text(&x)}),
    };
    let fields = jwk.as_object_mut()?;
    fields.insert("kid".to_owned(), kid.into());
    fields.insert("use".to_owned(), usage.into());
    if let Some(alg) = alg {
        fields.insert("alg".to_owned(), alg.into());
    }
    Some(jwk)
}

/// The keys of a JWK set that can be read, each with its `kid` and `use`; others are passed over.
///
/// # Errors
/// `Malformed` when it is no set.
pub fn read_set(set: &Value) -> Result<Vec<(String, String, Key)>, Error> {
    let keys = set.get("keys").and_then(Value::as_array);
    let keys = keys.ok_or_else(|| malformed("a JWK set has `keys`"))?;
    Ok(keys.iter().filter_map(read).collect())
}

fn read(jwk: &Value) -> Option<(String, String, Key)> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let bytes = |name: &str| BASE64URL.decode(text(name)?).ok();
    let published = match (text("kty")?, text("crv")) {
        ("RSA", _) => Published::Rsa { modulus: bytes("n")?, exponent: bytes("e")? },
        ("EC", Some("P-256")) => Published::P256 { x: bytes("x")?, y: bytes("y")? },
        ("OKP", Some("Ed25519")) => Published::Ed25519 { x: bytes("x")? },
        _ => return None,
    };
    let (kid, usage) = (text("kid")?, text("use").unwrap_or_default());
    let key = Key::of_published("jwk", Some(kid), &published).ok()?;
    Some((kid.to_owned(), usage.to_owned(), key))
}
