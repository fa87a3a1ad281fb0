//! A merchant: signs its requests, and checks what the platform signed.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs1v15::{Signature, SigningKey, VerifyingKey};
use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey};
use rsa::sha2::Sha256;
use rsa::signature::{SignatureEncoding, Signer, Verifier};
use rsa::{RsaPrivateKey, RsaPublicKey};
use serde_json::{Value, json};
use simulators::{Clock, Retries, WechatpayKeys, WechatpayOptions, WechatpaySimulator};

use crate::wire::{self, Reply};

pub const MCHID: &str = "1900000001";
pub const NOW_S: i64 = 1_800_000_000;
pub const NATIVE: &str = "/v3/pay/transactions/native";
pub const REFUNDS: &str = "/v3/refund/domestic/refunds";

/// Making RSA keys takes long, so all tests share them.
pub fn keys() -> &'static WechatpayKeys {
    static KEYS: OnceLock<WechatpayKeys> = OnceLock::new();
    KEYS.get_or_init(|| WechatpayKeys::generate(MCHID).expect("keys"))
}

pub fn options() -> WechatpayOptions {
    WechatpayOptions {
        clock: Clock::still(NOW_S),
        retries: Retries::after([Duration::ZERO; 3]),
        ..WechatpayOptions::new(keys().clone())
    }
}

pub struct Merchant {
    pub simulator: WechatpaySimulator,
    pub clock: Clock,
    key: Arc<SigningKey<Sha256>>,
}

/// What a request is signed with; a test spoils one part.
#[derive(Clone)]
pub struct Signing {
    pub mchid: String,
    pub serial: String,
    pub at_s: i64,
    pub nonce: String,
    /// Signed instead of the body that is sent.
    pub body: Option<Vec<u8>>,
}

impl Merchant {
    pub async fn start() -> Self {
        Self::with(options()).await
    }

    pub async fn with(options: WechatpayOptions) -> Self {
        let clock = options.clock.clone();
        let key = RsaPrivateKey::from_pkcs8_pem(&keys().merchant_key).expect("a key");
        let simulator = WechatpaySimulator::start(options).await.expect("a simulator");
        Self { simulator, clock, key: Arc::new(SigningKey::new(key)) }
    }

    pub fn signing(&self) -> Signing {
        Signing {
            mchid: MCHID.to_owned(),
            serial: keys().merchant_serial.clone(),
            at_s: self.clock.now_s(),
            nonce: "593BEC0C930BF1AFEB40B4A08C8FB242".to_owned(),
            body: None,
        }
    }

    pub fn authorization(
        &self,
        (method, target): (&str, &str),
        body: &[u8],
        signing: &Signing,
    ) -> String {
        let Signing { mchid, serial, at_s, nonce, .. } = signing;
        let mut message = format!("{method}\n{target}\n{at_s}\n{nonce}\n").into_bytes();
        message.extend_from_slice(signing.body.as_deref().unwrap_or(body));
        message.push(b'\n');
        let signature = STANDARD.encode(self.key.sign(&message).to_bytes());
        format!(
            "WECHATPAY2-SHA256-RSA2048 mchid=\"{mchid}\",nonce_str=\"{nonce}\",\
             signature=\"{signature}\",timestamp=\"{at_s}\",serial_no=\"{serial}\""
        )
    }

    pub async fn send(
        &self,
        (method, target): (&str, &str),
        body: &[u8],
        authorization: &str,
        more: &[(&str, &str)],
    ) -> Reply {
        let mut headers = vec![
            ("authorization", authorization),
            ("accept", "application/json"),
            ("user-agent", "tests"),
            ("content-type", "application/json"),
        ];
        headers.extend(more);
        wire::send(self.simulator.address(), (method, target), &headers, body).await
    }

    pub async fn post(&self, target: &str, body: &Value) -> Reply {
        self.post_with(target, body, &[]).await
    }

    pub async fn post_with(&self, target: &str, body: &Value, more: &[(&str, &str)]) -> Reply {
        let body = body.to_string();
        let line = ("POST", target);
        let authorization = self.authorization(line, body.as_bytes(), &self.signing());
        self.send(line, body.as_bytes(), &authorization, more).await
    }

    pub async fn read(&self, target: &str) -> Reply {
        let line = ("GET", target);
        let authorization = self.authorization(line, b"", &self.signing());
        self.send(line, b"", &authorization, &[]).await
    }

    pub async fn order(&self, out_trade_no: &str) -> Value {
        self.read(&format!("/v3/pay/transactions/out-trade-no/{out_trade_no}?mchid={MCHID}"))
            .await
            .json()
    }

    /// An order that is paid.
    pub async fn paid(&self, out_trade_no: &str, total: i64) {
        let reply = self.post(NATIVE, &order(out_trade_no, total)).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        self.simulator.pay(out_trade_no, simulators::PayerAnswer::Succeeded).expect("a payer");
    }
}

pub fn order(out_trade_no: &str, total: i64) -> Value {
    json!({
        "appid": "wxd678efh567hg6787",
        "mchid": MCHID,
        "description": "深圳腾大-QQ公仔",
        "out_trade_no": out_trade_no,
        "attach": "E1",
        "notify_url": "http://127.0.0.1:9/none",
        "amount": { "total": total, "currency": "CNY" },
    })
}

pub fn refund(out_trade_no: &str, out_refund_no: &str, amount: i64, total: i64) -> Value {
    json!({
        "out_trade_no": out_trade_no,
        "out_refund_no": out_refund_no,
        "amount": { "refund": amount, "total": total, "currency": "CNY" },
    })
}

/// Whether the platform signed this, by its public key or by its certificate's.
pub fn platform_signed(header: impl Fn(&str) -> String, body: &[u8]) -> bool {
    let serial = header("wechatpay-serial");
    let key = if serial == keys().public_key_id {
        RsaPublicKey::from_public_key_pem(&keys().public_key).expect("a key")
    } else {
        assert_eq!(serial, keys().platform_serial);
        let private = RsaPrivateKey::from_pkcs8_pem(&keys().platform_key).expect("a key");
        private.to_public_key()
    };
    assert_eq!(header("wechatpay-signature-type"), "WECHATPAY2-SHA256-RSA2048");
    let (at, nonce) = (header("wechatpay-timestamp"), header("wechatpay-nonce"));
    let mut message = format!("{at}\n{nonce}\n").into_bytes();
    message.extend_from_slice(body);
    message.push(b'\n');
    let Ok(signature) = STANDARD.decode(header("wechatpay-signature")) else { return false };
    let Ok(signature) = Signature::try_from(signature.as_slice()) else { return false };
    VerifyingKey::<Sha256>::new(key).verify(&message, &signature).is_ok()
}

pub fn reply_signed(reply: &Reply) -> bool {
    platform_signed(|name| reply.header(name).expect("a header").to_owned(), &reply.body)
}

/// Status and code of an error.
pub fn error(reply: &Reply) -> (u16, String) {
    (reply.status, reply.json()["code"].as_str().expect("a code").to_owned())
}
