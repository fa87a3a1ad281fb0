//! Requests as the platform reads them, orders and refunds as it keeps them.

use rsa::pkcs8::EncodePublicKey;
use serde_json::{Value, json};
use simulators::{
    Fault, FaultRule, MovementKind, PayerAnswer, PlatformIdentity, WechatpayKeys, WechatpayOptions,
};

use crate::wechatpay_client::{
    MCHID, Merchant, NATIVE, NOW_S, REFUNDS, Signing, error, keys, options, order, refund,
    reply_signed,
};
use crate::wire;

#[tokio::test]
async fn a_signed_order_gives_a_code_in_a_signed_answer() {
    for identity in [PlatformIdentity::PublicKey, PlatformIdentity::Certificate] {
        let merchant = Merchant::with(WechatpayOptions { identity, ..options() }).await;
        let reply = merchant.post(NATIVE, &order("ORDER1", 100)).await;
        assert_eq!(reply.status, 200);
        let code_url = reply.json()["code_url"].clone();
        assert!(code_url.as_str().is_some_and(|url| url.starts_with("weixin://wxpay/")));
        assert!(reply_signed(&reply), "{identity:?}");
        let mut forged = reply.clone();
        forged.body[3] ^= 1;
        assert!(!reply_signed(&forged), "{identity:?}");
    }
}

#[tokio::test]
async fn a_request_signed_for_anything_else_is_refused() {
    let merchant = Merchant::start().await;
    let body = order("ORDER1", 100).to_string();
    let good = merchant.signing();
    let post = ("POST", NATIVE);
    let spoilt = [
        ("another target", ("POST", "/v3/pay/transactions/h5"), good.clone()),
        ("another method", ("GET", NATIVE), good.clone()),
        ("a query", ("POST", "/v3/pay/transactions/native?a=1"), good.clone()),
        ("another body", post, Signing { body: Some(b"{}".to_vec()), ..good.clone() }),
        ("another merchant", post, Signing { mchid: "1900000002".into(), ..good.clone() }),
        ("another certificate", post, Signing { serial: "5157F09EFD".into(), ..good.clone() }),
        ("late", post, Signing { at_s: NOW_S - 301, ..good.clone() }),
        ("early", post, Signing { at_s: NOW_S + 301, ..good.clone() }),
    ];
    for (what, line, signing) in spoilt {
        let authorization = merchant.authorization(line, body.as_bytes(), &signing);
        let reply = merchant.send(post, body.as_bytes(), &authorization, &[]).await;
        assert_eq!(error(&reply), (401, "SIGN_ERROR".to_owned()), "{what}");
        assert_eq!(reply.header("wechatpay-signature"), None, "{what}");
    }
    let at_the_edge = Signing { at_s: NOW_S - 300, ..good };
    let authorization = merchant.authorization(post, body.as_bytes(), &at_the_edge);
    assert_eq!(merchant.send(post, body.as_bytes(), &authorization, &[]).await.status, 200);
}

#[tokio::test]
async fn a_signature_that_does_not_match_is_told_what_was_signed() {
    let merchant = Merchant::start().await;
    let target = format!("/v3/pay/transactions/out-trade-no/ORDER1?mchid={MCHID}");
    let signing = merchant.signing();
    let authorization = merchant.authorization(("GET", "/v3/other"), b"", &signing);
    let reply = merchant.send(("GET", &target), b"", &authorization, &[]).await;
    let message = format!("GET\n{target}\n{NOW_S}\n{}\n\n", signing.nonce);
    let told = &reply.json()["detail"]["sign_information"];
    assert_eq!(told["sign_message_length"], message.len());
    assert_eq!(told["truncated_sign_message"], message.trim_end_matches('\n').to_owned() + "\n");
}

#[tokio::test]
async fn a_request_without_its_headers_is_refused() {
    let merchant = Merchant::start().await;
    let address = merchant.simulator.address();
    let body = order("ORDER1", 100).to_string();
    let authorization =
        merchant.authorization(("POST", NATIVE), body.as_bytes(), &merchant.signing());
    let all = [
        ("authorization", authorization.as_str()),
        ("accept", "application/json"),
        ("user-agent", "tests"),
        ("content-type", "application/json"),
    ];
    let expected =
        [(401, "SIGN_ERROR"), (400, "PARAM_ERROR"), (400, "PARAM_ERROR"), (400, "PARAM_ERROR")];
    for (left_out, (status, code)) in expected.into_iter().enumerate() {
        let mut headers = all.to_vec();
        headers.remove(left_out);
        let reply = wire::send(address, ("POST", NATIVE), &headers, body.as_bytes()).await;
        assert_eq!(error(&reply), (status, code.to_owned()), "without {}", all[left_out].0);
    }
}

#[tokio::test]
async fn a_wrong_field_is_named() {
    let merchant = Merchant::start().await;
    let wrong: [(&str, Value); 13] = [
        ("/out_trade_no", json!(null)),
        ("/out_trade_no", json!("SHORT")),
        ("/out_trade_no", json!("A".repeat(33))),
        ("/out_trade_no", json!("ORDER 1")),
        ("/out_trade_no", json!(123_456)),
        ("/amount/total", json!(0)),
        ("/amount/total", json!(1.5)),
        ("/amount/total", json!("100")),
        ("/amount/currency", json!("USD")),
        ("/description", json!("长".repeat(128))),
        ("/notify_url", json!("https://shop.example/hook?a=1")),
        ("/notify_url", json!("hook")),
        ("/time_expire", json!("tomorrow")),
    ];
    for (pointer, value) in wrong {
        let mut body = order("ORDER1", 100);
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        body.pointer_mut(parent).expect("a parent")[name] = value.clone();
        let reply = merchant.post(NATIVE, &body).await;
        assert_eq!(error(&reply), (400, "PARAM_ERROR".to_owned()), "{pointer} {value}");
        assert_eq!(reply.json()["detail"]["field"], pointer, "{value}");
        assert!(reply_signed(&reply));
    }
    let mut body = order("ORDER1", 100);
    body["notifyUrl"] = json!("x");
    assert_eq!(merchant.post(NATIVE, &body).await.json()["detail"]["field"], "/notifyUrl");
    let mut body = order("ORDER1", 100);
    body["mchid"] = json!("1900000002");
    assert_eq!(error(&merchant.post(NATIVE, &body).await), (403, "NO_AUTH".to_owned()));
    let query = format!("/v3/pay/transactions/out-trade-no/ORDER1?mchid={MCHID}");
    assert_eq!(error(&merchant.read(&query).await), (404, "ORDER_NOT_EXIST".to_owned()));
}

#[tokio::test]
async fn an_application_of_another_merchant_is_refused() {
    let appid = Some("wx0000000000000000".to_owned());
    let merchant = Merchant::with(WechatpayOptions { appid, ..options() }).await;
    let reply = merchant.post(NATIVE, &order("ORDER1", 100)).await;
    assert_eq!(error(&reply), (400, "APPID_MCHID_NOT_MATCH".to_owned()));
}

#[tokio::test]
async fn the_same_order_gives_the_same_code_and_another_one_is_refused() {
    let merchant = Merchant::start().await;
    let first = merchant.post(NATIVE, &order("ORDER1", 100)).await;
    let again = merchant.post(NATIVE, &order("ORDER1", 100)).await;
    assert_eq!(first.json(), again.json());
    let other = merchant.post(NATIVE, &order("ORDER1", 101)).await;
    assert_eq!(error(&other), (400, "INVALID_REQUEST".to_owned()));
    assert_eq!(other.json()["message"], "201 商户订单号重复");
    merchant.simulator.pay("ORDER1", PayerAnswer::Succeeded).expect("a payer");
    let late = merchant.post(NATIVE, &order("ORDER1", 100)).await;
    assert_eq!(error(&late), (403, "OUT_TRADE_NO_USED".to_owned()));
}

#[tokio::test]
async fn an_order_is_paid_once_by_whoever_scans_its_code() {
    let merchant = Merchant::start().await;
    let code = merchant.post(NATIVE, &order("ORDER1", 100)).await.json()["code_url"].clone();
    let code = code.as_str().expect("a code");
    assert_eq!(merchant.order("ORDER1").await["trade_state"], "NOTPAY");
    merchant.simulator.pay(code, PayerAnswer::Failed).expect("a payer without money");
    assert_eq!(merchant.order("ORDER1").await["trade_state"], "NOTPAY");
    let pay = json!({ "reference": code });
    let paid = wire::control(merchant.simulator.address(), "pay", pay.clone()).await;
    assert_eq!(paid.status, 200);
    let again = wire::control(merchant.simulator.address(), "pay", pay).await;
    assert_eq!(again.status, 409);
    let found = merchant.order("ORDER1").await;
    assert_eq!(found["trade_state"], "SUCCESS");
    assert_eq!(found["amount"]["payer_total"], 100);
    assert_eq!(found["success_time"], "2027-01-15T16:00:00+08:00");
    let transaction = found["transaction_id"].as_str().expect("a transaction");
    let target = format!("/v3/pay/transactions/id/{transaction}?mchid={MCHID}");
    assert_eq!(merchant.read(&target).await.json(), found);
    let books = merchant.simulator.books();
    assert_eq!(books.total(MovementKind::Capture, "CNY"), 100);
    assert_eq!(books.of(MovementKind::Decline).count(), 1);
    assert_eq!(books.movements[1].key, "ORDER1");
    assert_eq!(books.movements[1].entry.as_deref(), Some("E1"));
}

#[tokio::test]
async fn a_closed_order_cannot_be_paid_and_a_paid_one_cannot_be_closed() {
    let merchant = Merchant::start().await;
    let close = |no: &str| format!("/v3/pay/transactions/out-trade-no/{no}/close");
    let body = json!({ "mchid": MCHID });
    merchant.post(NATIVE, &order("ORDER1", 100)).await;
    for _ in 0..2 {
        let reply = merchant.post(&close("ORDER1"), &body).await;
        assert_eq!((reply.status, reply.body.len(), reply_signed(&reply)), (204, 0, true));
    }
    assert!(merchant.simulator.pay("ORDER1", PayerAnswer::Succeeded).is_err());
    assert_eq!(merchant.order("ORDER1").await["trade_state"], "CLOSED");
    let again = merchant.post(NATIVE, &order("ORDER1", 100)).await;
    assert_eq!(error(&again), (400, "ORDER_CLOSED".to_owned()));
    merchant.paid("ORDER2", 100).await;
    let refused = merchant.post(&close("ORDER2"), &body).await;
    assert_eq!(error(&refused), (400, "ORDERPAID".to_owned()));
    let unknown = merchant.post(&close("ORDER3"), &body).await;
    assert_eq!(error(&unknown), (404, "ORDER_NOT_EXIST".to_owned()));
}

#[tokio::test]
async fn a_code_lives_two_hours_and_an_order_no_longer_than_it_says() {
    let merchant = Merchant::start().await;
    merchant.post(NATIVE, &order("ORDER1", 100)).await;
    let mut short = order("ORDER2", 100);
    short["time_expire"] = json!("2027-01-15T16:10:00+08:00");
    assert_eq!(merchant.post(NATIVE, &short).await.status, 200);
    merchant.clock.advance(601);
    assert!(merchant.simulator.pay("ORDER2", PayerAnswer::Succeeded).is_err());
    merchant.clock.advance(7200 - 601 + 1);
    assert!(merchant.simulator.pay("ORDER1", PayerAnswer::Succeeded).is_err());
    merchant.post(NATIVE, &order("ORDER1", 100)).await;
    merchant.simulator.pay("ORDER1", PayerAnswer::Succeeded).expect("a code asked for again");
}

#[tokio::test]
async fn refunds_never_exceed_the_order_and_one_number_is_one_refund() {
    let merchant = Merchant::start().await;
    merchant.paid("ORDER1", 100).await;
    let first = merchant.post(REFUNDS, &refund("ORDER1", "R1", 60, 100)).await;
    assert_eq!((first.status, &first.json()["status"]), (200, &json!("PROCESSING")));
    assert!(reply_signed(&first));
    let again = merchant.post(REFUNDS, &refund("ORDER1", "R1", 60, 100)).await.json();
    assert_eq!(again["refund_id"], first.json()["refund_id"]);
    assert_eq!(again["status"], "SUCCESS");
    let found = merchant.read(&format!("{REFUNDS}/R1")).await.json();
    assert_eq!((&found["status"], &found["amount"]["refund"]), (&json!("SUCCESS"), &json!(60)));
    let refused = [
        (refund("ORDER1", "R1", 40, 100), 400, "INVALID_REQUEST"),
        (refund("ORDER1", "R2", 40, 99), 400, "INVALID_REQUEST"),
        (refund("ORDER1", "R2", 41, 100), 400, "INVALID_REQUEST"),
        (refund("ORDER9", "R2", 40, 100), 404, "RESOURCE_NOT_EXISTS"),
        (refund("ORDER1", "", 40, 100), 400, "PARAM_ERROR"),
    ];
    for (body, status, code) in refused {
        let reply = merchant.post(REFUNDS, &body).await;
        assert_eq!(error(&reply), (status, code.to_owned()), "{body}");
    }
    let rest = merchant.post(REFUNDS, &refund("ORDER1", "R2", 40, 100)).await;
    assert_eq!(rest.status, 200);
    let over = merchant.post(REFUNDS, &refund("ORDER1", "R3", 1, 100)).await;
    assert_eq!(over.json()["message"], "订单已全额退款");
    assert_eq!(merchant.order("ORDER1").await["trade_state"], "REFUND");
    assert_eq!(merchant.simulator.books().kept("ORDER1"), 0);
    let unknown = merchant.read(&format!("{REFUNDS}/R9")).await;
    assert_eq!(error(&unknown), (404, "RESOURCE_NOT_EXISTS".to_owned()));
}

#[tokio::test]
async fn an_unpaid_order_cannot_be_refunded() {
    let merchant = Merchant::start().await;
    merchant.post(NATIVE, &order("ORDER1", 100)).await;
    let reply = merchant.post(REFUNDS, &refund("ORDER1", "R1", 60, 100)).await;
    assert_eq!(error(&reply), (404, "RESOURCE_NOT_EXISTS".to_owned()));
}

#[tokio::test]
async fn a_refund_needs_money_on_the_account() {
    let merchant = Merchant::with(WechatpayOptions { balance: Some(0), ..options() }).await;
    merchant.paid("ORDER1", 100).await;
    merchant.simulator.set_balance(Some(59));
    let poor = merchant.post(REFUNDS, &refund("ORDER1", "R1", 60, 100)).await;
    assert_eq!(error(&poor), (403, "NOT_ENOUGH".to_owned()));
    let richer = json!({ "fen": 60 });
    wire::control(merchant.simulator.address(), "balance", richer).await;
    let again = merchant.post(REFUNDS, &refund("ORDER1", "R1", 60, 100)).await;
    assert_eq!(again.status, 200, "the same number, once there is money");
    let poor = merchant.post(REFUNDS, &refund("ORDER1", "R2", 1, 100)).await;
    assert_eq!(error(&poor), (403, "NOT_ENOUGH".to_owned()));
}

#[tokio::test]
async fn a_lost_answer_leaves_the_order_to_be_found() {
    let merchant = Merchant::start().await;
    merchant.paid("ORDER1", 100).await;
    let fault = Fault::Status { status: 500, executed: true };
    merchant.simulator.fault(FaultRule::next(fault, REFUNDS));
    let failed = merchant.post(REFUNDS, &refund("ORDER1", "R1", 60, 100)).await;
    assert_eq!(error(&failed), (500, "SYSTEM_ERROR".to_owned()));
    assert!(reply_signed(&failed));
    assert_eq!(merchant.read(&format!("{REFUNDS}/R1")).await.json()["status"], "SUCCESS");
    merchant.post(REFUNDS, &refund("ORDER1", "R1", 60, 100)).await;
    assert_eq!(merchant.simulator.books().kept("ORDER1"), 40);
}

#[test]
fn keys_are_written_for_their_owner_only_and_read_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("keys");
    keys().write(&path).expect("written");
    assert!(keys().write(&path).is_err(), "keys were written over");
    assert!(WechatpayKeys::read(&path).expect("read") == *keys());
    let note = std::fs::read_to_string(path.join("README.txt")).expect("a note");
    assert!(note.starts_with("TEST KEYS"));
    #[cfg(unix)]
    for file in std::fs::read_dir(&path).expect("files") {
        let file = file.expect("a file");
        let mode = file.metadata().expect("metadata");
        let mode = std::os::unix::fs::PermissionsExt::mode(&mode.permissions());
        assert_eq!(mode & 0o777, 0o600, "{:?}", file.path());
    }
    let shown = format!("{:?}", keys());
    assert!(!shown.contains(&keys().api_v3_key) && !shown.contains("PRIVATE"), "{shown}");
}

#[test]
fn a_certificate_carries_the_serial_number_it_is_named_by() {
    let (_, pem) = x509_parser::pem::parse_x509_pem(keys().platform_certificate.as_bytes())
        .expect("a certificate");
    let certificate = pem.parse_x509().expect("a certificate");
    assert_eq!(hex::encode_upper(certificate.raw_serial()), keys().platform_serial);
    let private =
        <rsa::RsaPrivateKey as rsa::pkcs8::DecodePrivateKey>::from_pkcs8_pem(&keys().platform_key);
    let public = private.expect("a key").to_public_key().to_public_key_der().expect("a key");
    assert_eq!(certificate.public_key().raw, public.as_bytes());
}
