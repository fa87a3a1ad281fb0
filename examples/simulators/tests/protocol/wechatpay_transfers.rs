//! Payouts: the name is encrypted to the platform, the payee confirms.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs8::DecodePublicKey;
use rsa::rand_core::OsRng;
use rsa::{Oaep, RsaPublicKey};
use serde_json::{Value, json};
use sha1_for_rsa::Sha1;
use simulators::{MovementKind, PayerAnswer};

use crate::inbox::Inbox;
use crate::wechatpay_client::{Merchant, error, keys};

const BILLS: &str = "/v3/fund-app/mch-transfer/transfer-bills";

fn encrypted(name: &str, padding: Oaep) -> String {
    let key = RsaPublicKey::from_public_key_pem(&keys().public_key).expect("a key");
    STANDARD.encode(key.encrypt(&mut OsRng, padding, name.as_bytes()).expect("encrypted"))
}

fn bill(out_bill_no: &str, amount: i64, name: Option<&str>) -> Value {
    let mut bill = json!({
        "appid": "wxf636efh567hg4356",
        "out_bill_no": out_bill_no,
        "transfer_scene_id": "1000",
        "openid": "o-MYE42l80oelYMDE34nYD456Xoy",
        "transfer_amount": amount,
        "transfer_remark": "报销",
        "transfer_scene_report_infos": [{ "info_type": "活动名称", "info_content": "有礼" }],
    });
    if let Some(name) = name {
        bill["user_name"] = json!(encrypted(name, Oaep::new::<Sha1>()));
    }
    bill
}

async fn post(merchant: &Merchant, bill: &Value) -> crate::wire::Reply {
    let serial = [("wechatpay-serial", keys().public_key_id.as_str())];
    merchant.post_with(BILLS, bill, &serial).await
}

async fn state(merchant: &Merchant, out_bill_no: &str) -> Value {
    merchant.read(&format!("{BILLS}/out-bill-no/{out_bill_no}")).await.json()
}

#[tokio::test]
async fn a_payee_confirms_and_the_merchant_is_told() {
    let mut inbox = Inbox::open(&[]).await;
    let merchant = Merchant::start().await;
    let mut body = bill("B1", 200_000, Some("张三"));
    body["notify_url"] = json!(inbox.url());
    let created = post(&merchant, &body).await.json();
    assert_eq!(created["state"], "WAIT_USER_CONFIRM");
    assert!(created["package_info"].is_string());
    assert_eq!(merchant.simulator.books().of(MovementKind::Payout).count(), 0);
    merchant.simulator.pay("B1", PayerAnswer::Succeeded).expect("a payee");
    assert!(merchant.simulator.pay("B1", PayerAnswer::Succeeded).is_err());
    assert_eq!(inbox.next().await.json()["event_type"], "MCHTRANSFER.BILL.FINISHED");
    let found = state(&merchant, "B1").await;
    assert_eq!((&found["state"], &found["transfer_amount"]), (&json!("SUCCESS"), &json!(200_000)));
    let number = found["transfer_bill_no"].as_str().expect("a number");
    let same = merchant.read(&format!("{BILLS}/transfer-bill-no/{number}")).await.json();
    assert_eq!(same, found);
    assert_eq!(merchant.simulator.books().total(MovementKind::Payout, "CNY"), 200_000);
}

#[tokio::test]
async fn one_number_is_one_transfer_though_the_name_is_encrypted_anew() {
    let merchant = Merchant::start().await;
    let first = post(&merchant, &bill("B1", 100, Some("张三"))).await;
    assert_eq!(first.status, 200);
    let again = post(&merchant, &bill("B1", 100, Some("张三"))).await;
    assert_eq!(again.json(), first.json());
    for other in [bill("B1", 100, Some("李四")), bill("B1", 101, Some("张三"))] {
        let reply = post(&merchant, &other).await;
        assert_eq!(error(&reply), (400, "INVALID_REQUEST".to_owned()));
        assert_eq!(reply.json()["message"], "单号已存在但信息不一致,请查单后比较确认");
    }
}

#[tokio::test]
async fn a_name_must_be_encrypted_as_the_platform_reads_it() {
    let merchant = Merchant::start().await;
    let mut sha256 = bill("B1", 100, None);
    sha256["user_name"] = json!(encrypted("张三", Oaep::new::<rsa::sha2::Sha256>()));
    let mut plain = bill("B1", 100, None);
    plain["user_name"] = json!("张三");
    let mut unreported = bill("B1", 100, None);
    unreported["transfer_scene_report_infos"] = json!([]);
    let wrong = [
        (sha256, "PARAM_ERROR"),
        (plain, "PARAM_ERROR"),
        (unreported, "PARAM_ERROR"),
        (bill("B1", 29, Some("张三")), "PARAM_ERROR"),
        (bill("B1", 200_000, None), "PARAM_ERROR"),
        (bill("B-1", 100, None), "PARAM_ERROR"),
        (bill("B1", 9, None), "INVALID_REQUEST"),
    ];
    for (body, code) in wrong {
        assert_eq!(error(&post(&merchant, &body).await), (400, code.to_owned()), "{body}");
    }
    let unnamed = merchant.post(BILLS, &bill("B1", 100, Some("张三"))).await;
    assert_eq!(unnamed.json()["message"], "Http头缺少Wechatpay-Serial");
    assert_eq!(error(&merchant.read(&format!("{BILLS}/out-bill-no/B1")).await).0, 404);
}

#[tokio::test]
async fn a_transfer_ends_unpaid_when_refused_canceled_or_forgotten() {
    let merchant = Merchant::start().await;
    merchant.simulator.set_balance(Some(300));
    for number in ["B1", "B2", "B3"] {
        assert_eq!(post(&merchant, &bill(number, 100, None)).await.status, 200);
    }
    let poor = post(&merchant, &bill("B4", 100, None)).await;
    assert_eq!(error(&poor), (403, "NOT_ENOUGH".to_owned()));
    merchant.simulator.pay("B1", PayerAnswer::Failed).expect("a payee of another name");
    assert_eq!(state(&merchant, "B1").await["state"], "FAIL");
    let cancel = format!("{BILLS}/out-bill-no/B2/cancel");
    let canceled = merchant.post(&cancel, &json!({})).await.json();
    assert_eq!(canceled["state"], "CANCELING");
    assert_eq!(state(&merchant, "B2").await["state"], "CANCELLED");
    merchant.clock.advance(24 * 3600 + 1);
    let forgotten = state(&merchant, "B3").await;
    assert_eq!(forgotten["state"], "FAIL");
    assert_eq!(forgotten["fail_reason"], "OVERDUE_CLOSE");
    assert!(merchant.simulator.pay("B3", PayerAnswer::Succeeded).is_err());
    assert_eq!(merchant.simulator.books().of(MovementKind::Payout).count(), 0);
    let again = post(&merchant, &bill("B5", 300, None)).await;
    assert_eq!(again.status, 200, "the money did not come back");
}
