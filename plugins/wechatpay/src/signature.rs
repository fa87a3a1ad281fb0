//! Signatures of both directions: ours on every request, WeChat's on replies and deliveries.

use sdk::prelude::*;

const USER_AGENT: &str = concat!("tollgate-wechatpay/", env!("CARGO_PKG_VERSION"));
/// How far from now a signature of WeChat's may have been made.
const WINDOW_SECONDS: u64 = 300;

/// A request of this path and query, signed: a POST where there is a body, else a GET.
pub(crate) fn signed(host: &dyn Host, path: &str, body: String) -> Result<Call, Failure> {
    let verb = if body.is_empty() { "GET" } else { "POST" };
    let mchid = crate::required(host, "mchid")?;
    let merchant = host.key("merchant")?;
    let serial = host.setting("serial-no").or_else(|| merchant.id());
    let serial =
        serial.ok_or_else(|| Failure::misconfigured("serial-no: not set, nor a key id"))?;
    let (now, nonce) = (host.now().0, hex(host.random(16)?));
    let message = Content::from(format!("{verb}\n{path}\n{now}\n{nonce}\n{body}\n"));
    let signature = base64(merchant.sign(SignatureAlgorithm::RsaPkcs1Sha256, &message)?);
    let authorization = format!(
        "WECHATPAY2-SHA256-RSA2048 mchid=\"{mchid}\",nonce_str=\"{nonce}\",timestamp=\"{now}\",\
         serial_no=\"{serial}\",signature=\"{signature}\""
    );
    let base =
        host.setting("base-url").unwrap_or_else(|| "https://api.mch.weixin.qq.com".to_owned());
    let url = format!("{}{path}", base.trim_end_matches('/'));
    let call = if body.is_empty() { get(url) } else { post(url).body(body) };
    let call =
        call.header("content-type", "application/json").header("authorization", authorization);
    // WeChat refuses a request without these two, and signs its answer with the key named last.
    let call = call.header("accept", "application/json").header("user-agent", USER_AGENT);
    Ok(call.header("wechatpay-serial", platform(host)?.1))
}

/// The platform's current key and its id.
pub(crate) fn platform(host: &dyn Host) -> Result<(Box<dyn Key>, String), Failure> {
    let key = host.key("platform")?;
    let id = key.id().ok_or_else(|| Failure::misconfigured("platform: the key has no id"))?;
    Ok((key, id))
}

/// Whether this reply is WeChat's and fresh.
pub(crate) fn check(host: &dyn Host, reply: &HttpResponse) -> Result<(), String> {
    let header = |name: &str| reply.header(name).ok_or_else(|| format!("it has no {name}"));
    let (at, nonce) = (header("wechatpay-timestamp")?, header("wechatpay-nonce")?);
    let (serial, text) = (header("wechatpay-serial")?, header("wechatpay-signature")?);
    let signature = unbase64(text).map_err(|_| "its signature is not base64")?;
    let seconds: u64 = at.parse().map_err(|_| "its timestamp is no number")?;
    if seconds.abs_diff(host.now().0) > WINDOW_SECONDS {
        return Err(format!("it was signed at {at}, over {WINDOW_SECONDS} s from now"));
    }
    let key = host.key_version("platform", serial);
    let key = key.map_err(|_| format!("it is signed with {serial}, no key of this account"))?;
    key.verify(SignatureAlgorithm::RsaPkcs1Sha256, &message(at, nonce, &reply.body), &signature)
        .map_err(|_| "its signature does not hold".to_owned())
}

/// The same as a recipe, for a delivery: the host checks it.
pub(crate) fn recipe(delivery: &Delivery) -> Result<Proof, Failure> {
    let header = |name: &str| delivery.required(name);
    let (at, nonce) = (header("wechatpay-timestamp")?, header("wechatpay-nonce")?);
    let seconds = at.parse().map_err(|_| Failure::malformed("wechatpay-timestamp: no number"))?;
    let message = message(at, nonce, &delivery.body);
    Ok(proof("platform", SignatureAlgorithm::RsaPkcs1Sha256, message)
        .key_id(header("wechatpay-serial")?)
        .evidence(unbase64(header("wechatpay-signature")?)?)
        .signed_at(seconds))
}

fn message(at: &str, nonce: &str, body: &[u8]) -> Vec<u8> {
    [at.as_bytes(), b"\n", nonce.as_bytes(), b"\n", body, b"\n"].concat()
}
