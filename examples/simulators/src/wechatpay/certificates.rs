//! The platform's certificate, sealed under the APIv3 key.
//! <https://pay.weixin.qq.com/doc/v3/merchant/4012551764>

use http::StatusCode;
use serde_json::{Value, json};

use super::keys::EFFECTIVE;
use super::refusal::Refusal;
use super::seal::{Platform, PlatformIdentity};

/// `GET /v3/certificates`; a merchant that uses a public key has no certificate.
pub(crate) fn list(platform: &Platform) -> Result<Value, Refusal> {
    if platform.identity == PlatformIdentity::PublicKey {
        let why = "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥";
        return Err(Refusal::new(StatusCode::NOT_FOUND, "RESOURCE_NOT_EXISTS", why));
    }
    let (effective, expires) = EFFECTIVE;
    let sealed = platform.sealed(platform.platform_certificate.as_bytes(), "certificate");
    Ok(json!({
        "data": [{
            "serial_no": platform.platform_serial,
            "effective_time": effective,
            "expire_time": expires,
            "encrypt_certificate": sealed,
        }],
    }))
}
