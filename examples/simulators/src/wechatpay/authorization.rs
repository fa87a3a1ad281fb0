//! `Authorization: WECHATPAY2-SHA256-RSA2048 …`, as strictly as the platform reads it.
//! <https://pay.weixin.qq.com/doc/v3/merchant/4012365336>

use std::collections::BTreeMap;

use serde_json::json;

use crate::exchange::Asked;

use super::refusal::Refusal;
use super::seal::Platform;

const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048";
const NAMES: [&str; 5] = ["mchid", "nonce_str", "serial_no", "signature", "timestamp"];
/// How far the caller's clock may be off, either way.
const SKEW_MAX_S: i64 = 300;

/// Checks who asks.
pub(crate) fn check(platform: &Platform, asked: &Asked, now_s: i64) -> Result<(), Refusal> {
    let malformed = || {
        Refusal::unsigned("Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》")
    };
    let parts = asked.header("authorization").and_then(parse).ok_or_else(malformed)?;
    let part = |name: &str| parts.get(name).copied().unwrap_or_default();
    let sent_s: i64 = part("timestamp").parse().map_err(|_| malformed())?;
    if now_s.abs_diff(sent_s) > SKEW_MAX_S.unsigned_abs() {
        let why = "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟";
        return Err(Refusal::unsigned(why));
    }
    if part("mchid") != platform.mchid {
        return Err(Refusal::unsigned("商户号不存在，请检查Http头Authorization中的mchid"));
    }
    if part("serial_no") != platform.merchant_serial {
        let why = "商户证书序列号有误。请使用签名私钥匹配的证书序列号";
        return Err(Refusal::unsigned(why));
    }
    let message = message(asked, part("timestamp"), part("nonce_str"));
    if platform.merchant_signed(&message, part("signature")) {
        return Ok(());
    }
    Err(mismatch(asked, &message))
}

/// `METHOD\ntarget\ntimestamp\nnonce\nbody\n`
fn message(asked: &Asked, timestamp: &str, nonce: &str) -> Vec<u8> {
    let target = asked.target();
    let mut message = format!("{}\n{target}\n{timestamp}\n{nonce}\n", asked.method).into_bytes();
    message.extend_from_slice(&asked.body);
    message.push(b'\n');
    message
}

fn mismatch(asked: &Asked, message: &[u8]) -> Refusal {
    let start = message.len() - asked.body.len() - 1;
    let shown = message.get(..start).unwrap_or_default();
    Refusal::unsigned("错误的签名，验签失败").with_detail(json!({
        "detail": { "issue": "sign not match" },
        "field": "signature",
        "location": "authorization",
        "sign_information": {
            "method": asked.method.as_str(),
            "sign_message_length": message.len(),
            "truncated_sign_message": String::from_utf8_lossy(shown),
            "url": asked.target(),
        },
    }))
}

/// Exactly the five parts, each once, each in quotes, in any order.
fn parse(header: &str) -> Option<BTreeMap<&str, &str>> {
    let (scheme, rest) = header.split_once(' ')?;
    if scheme != SCHEME {
        return None;
    }
    let mut parts = BTreeMap::new();
    for part in rest.split(',') {
        let (name, value) = part.trim_start().split_once('=')?;
        let value = value.strip_prefix('"')?.strip_suffix('"')?;
        let usable = NAMES.contains(&name) && !value.is_empty() && !value.contains('"');
        if !usable || parts.insert(name, value).is_some() {
            return None;
        }
    }
    if parts.len() == NAMES.len() { Some(parts) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "WECHATPAY2-SHA256-RSA2048 mchid=\"1\",nonce_str=\"n\",signature=\"c2ln==\",\
                        timestamp=\"5\",serial_no=\"AB\"";

    #[test]
    fn the_five_parts_are_read_in_any_order() {
        let parts = parse(GOOD).expect("a good header");
        assert_eq!(parts["signature"], "c2ln==");
        assert_eq!(parts["serial_no"], "AB");
    }

    #[test]
    fn anything_else_is_refused() {
        let spoilt = [
            GOOD.replace("WECHATPAY2-SHA256-RSA2048", "WECHATPAY2-SM2-WITH-SM3"),
            GOOD.replace("mchid=\"1\",", ""),
            GOOD.replace("mchid=\"1\"", "mchid=\"1\",mchid=\"1\""),
            GOOD.replace("mchid=\"1\"", "mchid=\"1\",other=\"1\""),
            GOOD.replace("mchid=\"1\"", "mchid=1"),
            GOOD.replace("mchid=\"1\"", "mchid=\"\""),
            GOOD.replace("mchid=\"1\"", "mchid=\"1\"\""),
            GOOD.replace(' ', ""),
            String::new(),
        ];
        for header in spoilt {
            assert_eq!(parse(&header), None, "{header}");
        }
    }
}
