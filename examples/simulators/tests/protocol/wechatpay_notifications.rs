//! Notifications and certificates: opened here with the APIv3 key, as a merchant opens them.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use simulators::{PayerAnswer, PlatformIdentity, WechatpayOptions};

use crate::inbox::{Inbox, Notification};
use crate::wechatpay_client::{
    MCHID, Merchant, NATIVE, REFUNDS, error, keys, options, order, platform_signed, refund,
};
use crate::wire;

fn opened(sealed: &Value) -> Option<String> {
    assert_eq!(sealed["algorithm"], "AEAD_AES_256_GCM");
    let text = |name: &str| sealed[name].as_str().expect("a text");
    let cipher = Aes256Gcm::new_from_slice(keys().api_v3_key.as_bytes()).expect("a key");
    let nonce = Nonce::try_from(text("nonce").as_bytes()).expect("a nonce");
    let ciphertext = STANDARD.decode(text("ciphertext")).expect("base64");
    let payload = Payload { msg: &ciphertext, aad: text("associated_data").as_bytes() };
    let plain = cipher.decrypt(&nonce, payload).ok()?;
    Some(String::from_utf8(plain).expect("UTF-8"))
}

fn signed(notification: &Notification) -> bool {
    platform_signed(|name| notification.header(name).to_owned(), &notification.body)
}

fn resource(notification: &Notification) -> Value {
    let text = opened(&notification.json()["resource"]).expect("a resource");
    serde_json::from_str(&text).expect("JSON")
}

fn order_told_to(inbox: &Inbox, out_trade_no: &str) -> Value {
    let mut order = order(out_trade_no, 100);
    order["notify_url"] = json!(inbox.url());
    order
}

#[tokio::test]
async fn a_payment_is_told_sealed_and_signed() {
    for identity in [PlatformIdentity::PublicKey, PlatformIdentity::Certificate] {
        let mut inbox = Inbox::open(&[]).await;
        let merchant = Merchant::with(WechatpayOptions { identity, ..options() }).await;
        merchant.post(NATIVE, &order_told_to(&inbox, "ORDER1")).await;
        merchant.simulator.pay("ORDER1", PayerAnswer::Succeeded).expect("a payer");
        let mut told = inbox.next().await;
        assert!(signed(&told), "{identity:?}");
        let envelope = told.json();
        assert_eq!(envelope["event_type"], "TRANSACTION.SUCCESS");
        assert_eq!(envelope["resource_type"], "encrypt-resource");
        assert_eq!(envelope["resource"]["original_type"], "transaction");
        assert_eq!(resource(&told), merchant.order("ORDER1").await);
        assert_eq!(resource(&told)["mchid"], MCHID);
        let mut sealed = envelope["resource"].clone();
        sealed["associated_data"] = json!("refund");
        assert_eq!(opened(&sealed), None, "the associated data is not bound");
        told.body.push(b' ');
        assert!(!signed(&told), "a longer body is still signed");
    }
}

#[tokio::test]
async fn a_refund_is_told_where_it_was_asked_or_where_the_payment_was() {
    let mut inbox = Inbox::open(&[]).await;
    let merchant = Merchant::start().await;
    merchant.paid("ORDER1", 100).await;
    let mut body = refund("ORDER1", "R1", 60, 100);
    body["notify_url"] = json!(inbox.url());
    let created = merchant.post(REFUNDS, &body).await.json();
    let told = inbox.next().await;
    assert_eq!(told.json()["event_type"], "REFUND.SUCCESS");
    assert!(signed(&told));
    let resource = resource(&told);
    assert_eq!(resource["refund_id"], created["refund_id"]);
    assert_eq!(resource["refund_status"], "SUCCESS");
    assert_eq!(resource["amount"]["refund"], 60);
}

#[tokio::test]
async fn a_refund_may_take_its_time_and_fail() {
    let mut inbox = Inbox::open(&[]).await;
    let late = WechatpayOptions { settles_at_once: false, ..options() };
    let merchant = Merchant::with(late).await;
    merchant.paid("ORDER1", 100).await;
    let mut body = refund("ORDER1", "R1", 60, 100);
    body["notify_url"] = json!(inbox.url());
    merchant.post(REFUNDS, &body).await;
    let path = format!("{REFUNDS}/R1");
    assert_eq!(merchant.read(&path).await.json()["status"], "PROCESSING");
    let settle = json!({ "outcome": "failed" });
    let settled = wire::control(merchant.simulator.address(), "settle", settle).await;
    assert_eq!(settled.json()["settled"], 1);
    assert_eq!(inbox.next().await.json()["event_type"], "REFUND.ABNORMAL");
    assert_eq!(merchant.read(&path).await.json()["status"], "ABNORMAL");
    assert_eq!(merchant.simulator.books().kept("ORDER1"), 100);
}

#[tokio::test]
async fn a_notification_is_sent_again_until_it_is_answered_200_or_204() {
    let mut inbox = Inbox::open(&[500, 201, 204]).await;
    let merchant = Merchant::start().await;
    merchant.post(NATIVE, &order_told_to(&inbox, "ORDER1")).await;
    merchant.simulator.pay("ORDER1", PayerAnswer::Succeeded).expect("a payer");
    let first = inbox.next().await;
    for _ in 0..2 {
        let again = inbox.next().await;
        assert_eq!((&again.body, signed(&again)), (&first.body, true));
        assert_ne!(again.header("wechatpay-nonce"), first.header("wechatpay-nonce"));
    }
}

#[tokio::test]
async fn the_platform_probes_with_a_signature_that_must_fail() {
    let mut inbox = Inbox::open(&[]).await;
    let merchant = Merchant::start().await;
    merchant.post(NATIVE, &order_told_to(&inbox, "ORDER1")).await;
    merchant.simulator.pay("ORDER1", PayerAnswer::Succeeded).expect("a payer");
    let id = inbox.next().await.json()["id"].clone();
    let order = json!({ "id": id, "broken": true });
    wire::control(merchant.simulator.address(), "redeliver", order).await;
    let probe = inbox.next().await;
    assert!(probe.header("wechatpay-signature").starts_with("WECHATPAY/SIGNTEST/"));
    assert!(!signed(&probe));
}

#[tokio::test]
async fn the_certificate_is_sealed_and_only_for_merchants_who_use_it() {
    let identity = PlatformIdentity::Certificate;
    let merchant = Merchant::with(WechatpayOptions { identity, ..options() }).await;
    let list = merchant.read("/v3/certificates").await.json();
    let entry = &list["data"][0];
    assert_eq!(entry["serial_no"], keys().platform_serial);
    let certificate = opened(&entry["encrypt_certificate"]).expect("a certificate");
    assert_eq!(certificate, keys().platform_certificate);
    let newer = Merchant::start().await;
    let none = newer.read("/v3/certificates").await;
    assert_eq!(error(&none), (404, "RESOURCE_NOT_EXISTS".to_owned()));
}
