//! The usual set of a story: one provider, one host, one app.

use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Value, json};
use simulators::{
    Retries, StripeOptions, StripeSimulator, WechatpayKeys, WechatpayOptions, WechatpaySimulator,
};

use super::client::Client;
use super::config::{Account, Config};
use super::host::Host;

/// The name of the account at the provider.
pub const ACCOUNT: &str = "shop-eu";

/// A card payment that is taken at once.
pub fn charge(token: &str, minor: u64) -> Value {
    json!({
        "account": ACCOUNT,
        "amount": { "minor": minor, "currency": "EUR" },
        "merchant_reference": "order-1",
        "instrument": { "type": "token", "token": token },
    })
}

/// A card payment that is held, to be captured later.
pub fn hold(minor: u64) -> Value {
    let mut body = charge("pm_card_visa", minor);
    body["capture"] = json!("manual");
    body
}

/// Milliseconds instead of the hours that a provider waits before it repeats a notification.
pub fn soon() -> Retries {
    Retries::after([20, 40, 80, 160, 320, 640, 1280, 2560].map(Duration::from_millis))
}

/// Stripe and a host.
pub struct StripeStage {
    /// The provider.
    pub stripe: StripeSimulator,
    /// The host.
    pub host: Host,
}

impl StripeStage {
    /// Both started, events on.
    pub async fn set() -> StripeStage {
        StripeStage::with(StripeOptions::default(), |account| account).await
    }

    /// The same, with the provider and the account made otherwise.
    pub async fn with(
        options: StripeOptions,
        change: impl FnOnce(Account) -> Account,
    ) -> StripeStage {
        let options = StripeOptions { retries: soon(), ..options };
        let stripe = StripeSimulator::start(options).await.unwrap();
        let account = change(Account::stripe(ACCOUNT, &stripe.base_url()));
        let host = Host::start(&Config::of([account])).await;
        stripe.point_webhook(Some(format!("{}/webhooks/{ACCOUNT}", host.url())));
        StripeStage { stripe, host }
    }

    /// The app.
    pub fn client(&self) -> Client {
        self.host.client()
    }
}

/// WeChat Pay and a host.
pub struct WechatStage {
    /// The provider.
    pub wechat: WechatpaySimulator,
    /// The host.
    pub host: Host,
}

impl WechatStage {
    /// Both started.
    pub async fn set() -> WechatStage {
        WechatStage::with(|options| options).await
    }

    /// The same, with the provider made otherwise.
    pub async fn with(change: impl FnOnce(WechatpayOptions) -> WechatpayOptions) -> WechatStage {
        let options = WechatpayOptions { retries: soon(), ..WechatpayOptions::new(keys().clone()) };
        let wechat = WechatpaySimulator::start(change(options)).await.unwrap();
        let account = Account::wechatpay(ACCOUNT, &wechat.base_url(), keys());
        let host = Host::start(&Config::of([account])).await;
        WechatStage { wechat, host }
    }

    /// The app.
    pub fn client(&self) -> Client {
        self.host.client()
    }
}

/// The merchant's and the platform's keys, made once a run.
fn keys() -> &'static WechatpayKeys {
    static KEYS: OnceLock<WechatpayKeys> = OnceLock::new();
    KEYS.get_or_init(|| WechatpayKeys::generate("1900000001").unwrap())
}
