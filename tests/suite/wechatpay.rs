//! WeChat Pay: a code that the payer scans, signed and sealed notifications, and payouts.

use serde_json::{Value, json};
use simulators::{MovementKind, PayerAnswer};

use crate::support::{Client, WechatStage, eventually};

fn order(minor: u64) -> Value {
    json!({
        "account": "shop-eu",
        "amount": { "minor": minor, "currency": "CNY" },
        "merchant_reference": "order-1",
        "instrument": { "type": "qr" },
        "description": "茶",
    })
}

fn payout(minor: u64, name: &str) -> Value {
    json!({
        "account": "shop-eu",
        "amount": { "minor": minor, "currency": "CNY" },
        "merchant_reference": "payout-1",
        "instrument": { "type": "wallet", "wallet": "oUpF8uMuAJO2pxb1Q9zNjWeS6o00" },
        "beneficiary": { "name": name },
        "description": "稿费",
        "extra": {
            "transfer_scene_report_infos":
                "[{\"info_type\":\"岗位类型\",\"info_content\":\"作者\"}]",
        },
    })
}

async fn becomes(client: &Client, payment: &Value, status: &str) -> Value {
    eventually(&format!("the payment is {status}"), async || {
        let payment = client.payment(&payment["id"]).await;
        (payment["status"] == status).then_some(payment)
    })
    .await
}

#[tokio::test]
async fn a_code_is_paid_and_a_sealed_notification_tells_it() {
    let stage = WechatStage::set().await;
    let client = stage.client();
    let waiting = client.pay("k1", &order(1288)).await.with(201);
    assert_eq!(waiting["status"], "needs-action", "{waiting:#}");
    assert_eq!(waiting["next_action"]["type"], "qr");
    let code = waiting["next_action"]["text"].as_str().unwrap();
    assert!(code.starts_with("weixin://"), "{code}");
    stage.wechat.pay(code, PayerAnswer::Succeeded).unwrap();
    let paid = becomes(&client, &waiting, "captured").await;
    assert_eq!(paid["captured_minor"], 1288);
    let reference = &paid["entries"][0]["reference"];
    assert_eq!(reference["provider"], paid["entries"][0]["id"], "our number");
    assert!(reference["secondary"].as_str().unwrap().starts_with("42000"), "{reference}");
    eventually("the notification is accepted", async || {
        stage.wechat.deliveries().iter().all(|delivery| delivery.accepted).then_some(())
    })
    .await;
    assert_eq!(stage.wechat.books().kept(waiting["entry"].as_str().unwrap()), 1288);
}

#[tokio::test]
async fn a_query_finds_out_that_a_code_was_paid() {
    let stage = WechatStage::set().await;
    let client = stage.client();
    stage.wechat.hold_notifications(true);
    let waiting = client.pay("k1", &order(300)).await.with(201);
    let code = waiting["next_action"]["text"].clone();
    let asked = client.sync(&waiting["id"]).await;
    assert_eq!(asked["status"], "needs-action", "{asked:#}");
    assert_eq!(asked["next_action"]["text"], code, "the code stays while it is not paid");
    stage.wechat.pay(code.as_str().unwrap(), PayerAnswer::Succeeded).unwrap();
    let paid = client.sync(&waiting["id"]).await;
    assert_eq!((&paid["status"], &paid["captured_minor"]), (&json!("captured"), &json!(300)));
    stage.wechat.hold_notifications(false);
    eventually("the late notification is accepted", async || {
        stage.wechat.deliveries().iter().all(|delivery| delivery.accepted).then_some(())
    })
    .await;
    assert_eq!(client.payment(&waiting["id"]).await, paid, "and says nothing new");
}

#[tokio::test]
async fn an_unpaid_code_is_closed_and_cannot_be_paid_any_more() {
    let stage = WechatStage::set().await;
    let client = stage.client();
    let waiting = client.pay("k1", &order(300)).await.with(201);
    let cancelled = client.on(&waiting["id"], "cancellation", "k2", &json!({})).await.with(201);
    assert_eq!(cancelled["status"], "cancelled", "{cancelled:#}");
    assert_eq!(cancelled["entries"][0]["state"], "expired");
    let code = waiting["next_action"]["text"].as_str().unwrap();
    stage.wechat.pay(code, PayerAnswer::Succeeded).unwrap_err();
    assert_eq!(stage.wechat.books().total(MovementKind::Capture, "CNY"), 0);
}

#[tokio::test]
async fn a_paid_code_cannot_be_closed() {
    let stage = WechatStage::set().await;
    let client = stage.client();
    stage.wechat.hold_notifications(true);
    let waiting = client.pay("k1", &order(300)).await.with(201);
    let code = waiting["next_action"]["text"].as_str().unwrap();
    stage.wechat.pay(code, PayerAnswer::Succeeded).unwrap();
    let closing = client.on(&waiting["id"], "cancellation", "k2", &json!({})).await.with(201);
    assert_ne!(closing["status"], "cancelled", "the money was taken: {closing:#}");
    let paid = client.sync(&waiting["id"]).await;
    assert_eq!(paid["status"], "captured", "{paid:#}");
}

#[tokio::test]
async fn a_refund_is_told_by_a_notification() {
    let stage = WechatStage::with(|options| simulators::WechatpayOptions {
        settles_at_once: false,
        ..options
    })
    .await;
    let client = stage.client();
    let waiting = client.pay("k1", &order(1000)).await.with(201);
    let code = waiting["next_action"]["text"].as_str().unwrap();
    stage.wechat.pay(code, PayerAnswer::Succeeded).unwrap();
    becomes(&client, &waiting, "captured").await;
    let part = json!({ "amount": { "minor": 400, "currency": "CNY" } });
    let refunding = client.on(&waiting["id"], "refunds", "k2", &part).await.with(201);
    assert_eq!(refunding["entries"][1]["state"], "pending", "{refunding:#}");
    let rest = json!({ "amount": { "minor": 601, "currency": "CNY" } });
    let over = client.on(&waiting["id"], "refunds", "k3", &rest).await;
    over.problem(409, "over-refund");
    assert_eq!(stage.wechat.settle(PayerAnswer::Succeeded), 1);
    let refunded = becomes(&client, &waiting, "partially-refunded").await;
    assert_eq!(refunded["refunded_minor"], 400);
    assert_eq!(stage.wechat.books().total(MovementKind::Refund, "CNY"), 400);
}

#[tokio::test]
async fn a_payout_carries_the_payees_name_encrypted() {
    let stage = WechatStage::set().await;
    let client = stage.client();
    let reply = client.post("/v1/payouts", "k1", &payout(250_000, "张三")).await;
    let waiting = reply.with(201);
    assert_eq!(waiting["status"], "needs-action", "the payee confirms: {waiting:#}");
    assert_eq!(waiting["next_action"]["type"], "app");
    let entry = waiting["entries"][0]["id"].as_str().unwrap();
    let bill = entry.replace('_', "");
    // From 2000 CNY on the simulator opens the name with the platform's key, or refuses.
    stage.wechat.pay(&bill, PayerAnswer::Succeeded).unwrap();
    let paid = becomes(&client, &waiting, "paid-out").await;
    assert_eq!(paid["entries"][0]["state"], "succeeded");
    let books = stage.wechat.books();
    assert_eq!(books.total(MovementKind::Payout, "CNY"), 250_000);
    client.on(&waiting["id"], "refunds", "k2", &json!({})).await.problem(409, "not-for-payouts");
    assert!(!stage.host.log_text().contains("张三"), "a name is nothing for a log");
}

#[tokio::test]
async fn a_forged_notification_changes_nothing() {
    let stage = WechatStage::set().await;
    let client = stage.client();
    let waiting = client.pay("k1", &order(1288)).await.with(201);
    stage.wechat.hold_notifications(true);
    stage
        .wechat
        .pay(waiting["next_action"]["text"].as_str().unwrap(), PayerAnswer::Succeeded)
        .unwrap();
    let id = eventually("the notification is written", async || {
        stage.wechat.deliveries().first().map(|delivery| delivery.id.clone())
    })
    .await;
    let before = client.payment(&waiting["id"]).await;
    // WeChat itself probes merchants with signatures that do not hold.
    let order = json!({ "id": id, "broken": true });
    let url = stage.wechat.base_url();
    let control = Client::new(url.trim_start_matches("http://").parse().unwrap(), "");
    control.post("/_simulator/redeliver", "-", &order).await.with(200);
    assert_eq!(before["status"], "needs-action");
    stage.wechat.hold_notifications(false);
    stage.host.log_line(0, &["a delivery was refused", "not base64"]).await;
    becomes(&client, &waiting, "captured").await;
}
