//! The protected header: four parameters, each one of a few words (RFC 7516, section 4).

use serde_json::Value;

use super::{Error, malformed};
use crate::json;

/// How the content's key comes along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyWrap {
    /// RFC 7518, section 4.3, with SHA-256.
    RsaOaep256,
    /// RFC 7518, section 4.5: it does not; both sides hold it.
    Dir,
}

impl KeyWrap {
    /// The value of `alg`.
    pub fn name(self) -> &'static str {
        match self {
            KeyWrap::RsaOaep256 => "RSA-OAEP-256",
            KeyWrap::Dir => "dir",
        }
    }

    pub(super) fn wraps(self) -> bool {
        self == KeyWrap::RsaOaep256
    }
}

/// The parameters that are read. `enc` is always `A256GCM`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// How the key comes along: `alg`.
    pub wrap: KeyWrap,
    /// Which key.
    pub kid: String,
}

/// The only content encryption.
pub(crate) const ENC: &str = "A256GCM";
/// The content's type: `application/json` without its first word (RFC 7515, section 4.1.10).
pub(super) const CTY: &str = "json";

impl Header {
    pub(super) fn read(bytes: &[u8]) -> Result<Header, Error> {
        let read = json::read(bytes, 2).map_err(|problem| {
            malformed(format!("the header is not JSON that can be taken: {}", problem.detail))
        })?;
        let Value::Object(fields) = read else {
            return Err(malformed("the header is not a JSON object"));
        };
        let (mut wrap, mut enc, mut kid) = (None, false, None);
        for (name, value) in &fields {
            match (name.as_str(), value.as_str()) {
                ("alg", Some("RSA-OAEP-256")) => wrap = Some(KeyWrap::RsaOaep256),
                ("alg", Some("dir")) => wrap = Some(KeyWrap::Dir),
                ("enc", Some(ENC)) => enc = true,
                ("kid", Some(text)) if (1..=256).contains(&text.len()) => {
                    kid = Some(text.to_owned());
                }
                ("typ", Some(typ)) if typ.eq_ignore_ascii_case("JOSE") => {}
                ("cty", Some(cty)) if is_json(cty) => {}
                (known @ ("alg" | "enc" | "kid" | "typ" | "cty"), _) => {
                    return Err(malformed(format!("the header's `{known}` is not taken here")));
                }
                // Anything else may change what the others mean.
                _ => return Err(malformed("the header has a parameter that is not taken here")),
            }
        }
        match (wrap, enc, kid) {
            (Some(wrap), true, Some(kid)) => Ok(Header { wrap, kid }),
            _ => Err(malformed("the header has `alg`, `enc` and `kid`")),
        }
    }

    /// The header in JSON.
    pub(super) fn write(&self) -> String {
        let Header { wrap, kid } = self;
        serde_json::json!({"alg": wrap.name(), "enc": ENC, "kid": kid, "cty": CTY}).to_string()
    }
}

fn is_json(cty: &str) -> bool {
    cty.eq_ignore_ascii_case(CTY) || cty.eq_ignore_ascii_case("application/json")
}
