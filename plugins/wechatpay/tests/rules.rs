//! What no transcript can say: rules over many replies, and what is sealed anew each time.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;
use std::path::Path;

use sdk::prelude::*;
use sdk::test::TestHost;
use sdk::{Method, Request};
use transcript::{Material, Set};
use wechatpay::WechatPay;

const PLATFORM: &str = "PUB_KEY_ID_0000000000000024101100397200000006";
const ENTRY: &str = "ent_01jd8ze5p2m3q4r5s6t7v8w9xa";
const BILL: &str = "ent01jd8ze5p2m3q4r5s6t7v8w9xa";
const NOW: u64 = 1_700_000_000;

fn pem(slot: &str, file: &str, id: &str) -> Set {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts");
    let text = std::fs::read_to_string(folder.join(file)).expect("a key of the tests");
    Set::Key { slot: slot.to_owned(), id: Some(id.to_owned()), material: Material::Pem(text) }
}

/// An account, and the provider's own key in a slot that no plugin asks for.
fn host() -> TestHost {
    let setting = |name: &str, value: &str| Set::Setting(name.to_owned(), value.to_owned());
    TestHost::new()
        .with(setting("mchid", "1900000001"))
        .with(setting("appid", "wx0123456789abcdef"))
        .with(setting("transfer-scene-id", "1005"))
        .with(pem("merchant", "merchant.test-key.pem", "1DDE55AD98ED71D6"))
        .with(pem("platform", "platform.pem", PLATFORM))
        .with(pem("wechat", "platform.test-key.pem", "its own"))
}

fn order(kind: OperationKind, state: EntryState, instrument: Instrument) -> Order {
    let amount = Money::new(1234, "CNY");
    let entry = |id: &str, kind, state| Entry {
        id: id.to_owned(),
        kind,
        amount: amount.clone(),
        capture: true,
        state,
        references: Some(References::from(id)),
        created_at: NOW,
    };
    let paid =
        entry("ent_00000000000000000000000000", OperationKind::Authorize, EntryState::Succeeded);
    let mut extra = Vec::new();
    if kind == OperationKind::Payout {
        extra.push(("transfer_scene_report_infos".to_owned(), "[]".to_owned()));
    }
    Order {
        payment: Payment {
            id: "pay_1".to_owned(),
            merchant_reference: "order-1".to_owned(),
            amount: amount.clone(),
            entries: if kind == OperationKind::Authorize { Vec::new() } else { vec![paid] },
        },
        entry: entry(ENTRY, kind, state),
        instrument,
        description: "Two books".to_owned(),
        return_url: None,
        notify_url: "https://pay.example/v1/deliveries/test".to_owned(),
        customer_ip: None,
        beneficiary: None,
        extra,
    }
}

fn payout() -> Order {
    order(OperationKind::Payout, EntryState::Sending, Instrument::Wallet("o-1".to_owned()))
}

/// A reply as WeChat signs it.
fn signed(host: &TestHost, status: u16, body: &str) -> HttpResponse {
    let message = Content::from(format!("{NOW}\nnonce\n{body}\n"));
    let key = host.key("wechat").expect("its own key");
    let signature = key.sign(SignatureAlgorithm::RsaPkcs1Sha256, &message).expect("a signature");
    HttpResponse::new(status, body)
        .header_added("wechatpay-timestamp", &NOW.to_string())
        .header_added("wechatpay-nonce", "nonce")
        .header_added("wechatpay-serial", PLATFORM)
        .header_added("wechatpay-signature", &base64(signature))
}

fn resumed(host: &TestHost, operation: &Operation, reply: HttpResponse) -> Outcome {
    match WechatPay::resume(host, operation, b"", &Reply::Http(reply)) {
        Ok(Step::Done(outcome)) => outcome,
        other => panic!("{other:?}"),
    }
}

/// An operation of each kind that asks for money, and a reply that says it has moved.
fn told() -> Vec<(Operation, String)> {
    let sync = |kind, body: &str| {
        let order = order(kind, EntryState::Unknown, Instrument::None);
        (Operation::Sync(order), body.to_owned())
    };
    let amount = r#""amount":{"refund":1234,"total":1234}"#;
    let refund =
        format!(r#"{{"out_refund_no":"{ENTRY}","refund_id":"5","status":"SUCCESS",{amount}}}"#);
    let trade = format!(r#"{{"out_trade_no":"{ENTRY}","trade_state":"SUCCESS",{amount}}}"#);
    let bill = format!(r#"{{"out_bill_no":"{BILL}","state":"SUCCESS","transfer_amount":1234}}"#);
    let refunding = order(OperationKind::Refund, EntryState::Sending, Instrument::None);
    vec![
        sync(OperationKind::Authorize, &trade),
        sync(OperationKind::Refund, &refund),
        sync(OperationKind::Payout, &bill),
        (Operation::Refund(refunding), refund),
        (Operation::Payout(payout()), bill),
    ]
}

#[test]
fn a_reply_that_was_touched_anywhere_is_not_believed() {
    let host = host();
    for (operation, body) in told() {
        let genuine = signed(&host, 200, &body);
        let outcome = resumed(&host, &operation, genuine.clone());
        assert!(matches!(outcome, Outcome::Succeeded(_)), "{outcome:?}");
        for at in 0..genuine.body.len() {
            let mut touched = genuine.clone();
            touched.body[at] ^= 1;
            let outcome = resumed(&host, &operation, touched);
            assert!(matches!(outcome, Outcome::Unknown(_)), "byte {at}: {outcome:?}");
        }
        for at in 0..genuine.headers.len() {
            let mut without = genuine.clone();
            without.headers.remove(at);
            assert!(matches!(resumed(&host, &operation, without), Outcome::Unknown(_)));
            let mut touched = genuine.clone();
            touched.headers[at].1.insert(0, '1');
            assert!(matches!(resumed(&host, &operation, touched), Outcome::Unknown(_)));
        }
    }
}

#[test]
fn no_answer_but_200_decides_a_transfer() {
    let host = host();
    let codes = [
        "PARAM_ERROR",
        "INVALID_REQUEST",
        "NO_AUTH",
        "NOT_ENOUGH",
        "FREQUENCY_LIMITED",
        "ALREADY_EXISTS",
        "ACCOUNT_ERROR",
        "NOT_FOUND",
        "SIGN_ERROR",
        "SYSTEM_ERROR",
        "TOMORROW",
    ];
    for status in [400, 401, 403, 404, 409, 429, 500, 502, 503] {
        for code in codes {
            let body = format!(r#"{{"code":"{code}","message":"no"}}"#);
            let reply = signed(&host, status, &body);
            let unsigned = HttpResponse::new(status, body.as_str());
            for reply in [reply, unsigned] {
                let outcome = resumed(&host, &Operation::Payout(payout()), reply);
                assert!(matches!(outcome, Outcome::Unknown(_)), "{status} {code}: {outcome:?}");
            }
        }
    }
}

#[test]
fn no_server_error_decides_anything() {
    let host = host();
    for (operation, _) in told() {
        for code in ["NOT_ENOUGH", "PARAM_ERROR", "ORDER_CLOSED", "ORDER_NOT_EXIST"] {
            let body = format!(r#"{{"code":"{code}","message":"no"}}"#);
            let outcome = resumed(&host, &operation, signed(&host, 500, &body));
            assert!(matches!(outcome, Outcome::Unknown(_)), "{code}: {outcome:?}");
        }
    }
}

fn request(step: Step) -> (BTreeMap<String, String>, String, Method, bool) {
    let Step::Send(exchange) = step else { panic!("{step:?}") };
    let Request::Http(http) = exchange.request else { panic!("not HTTP") };
    let text = |parts: &[sdk::Part]| match parts {
        [sdk::Part::Text(text)] => text.clone(),
        [] => String::new(),
        other => panic!("{other:?}"),
    };
    let headers = http.headers.iter().map(|each| (each.name.clone(), text(&each.value))).collect();
    (headers, text(&http.body), http.method, exchange.moves_money)
}

#[test]
fn a_payees_name_is_sealed_to_the_platform_key_that_the_request_names() {
    let host = host();
    let order = Order { beneficiary: Some("张三".to_owned()), ..payout() };
    let step = WechatPay::start(&host, &Operation::Payout(order)).expect("a request");
    let (headers, body, ..) = request(step);
    assert!(!body.contains("张三"));
    assert_eq!(headers.get("wechatpay-serial").map(String::as_str), Some(PLATFORM));
    let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    let sealed = unbase64(body["user_name"].as_str().expect("a name")).expect("base64");
    let key = host.key("wechat").expect("its own key");
    let name = key.unwrap(KeyTransport::RsaOaepSha1, &sealed).expect("sealed to it");
    assert_eq!(String::from_utf8(name).expect("text"), "张三");
}

#[test]
fn a_transfer_below_30_fen_names_nobody_and_one_of_2000_yuan_somebody() {
    let host = host();
    let of = |minor, beneficiary: Option<&str>| {
        let mut order = payout();
        order.entry.amount.minor = minor;
        order.beneficiary = beneficiary.map(str::to_owned);
        WechatPay::start(&host, &Operation::Payout(order))
    };
    let named =
        |step: Result<Step, Failure>| request(step.expect("a request")).1.contains("\"user_name\"");
    assert!(!named(of(29, Some("张三"))));
    assert!(named(of(30, Some("张三"))));
    assert!(!named(of(199_999, None)));
    assert!(matches!(of(200_000, None), Err(Failure::Invalid(_))));
    assert!(named(of(200_000, Some("张三"))));
}

#[test]
fn only_looking_up_moves_no_money() {
    let host = host();
    let cancel = order(OperationKind::Cancel, EntryState::Sending, Instrument::Qr);
    let charge = order(OperationKind::Authorize, EntryState::Sending, Instrument::Qr);
    let refund = order(OperationKind::Refund, EntryState::Sending, Instrument::Qr);
    let asked = [
        Operation::Authorize(charge),
        Operation::Cancel(cancel),
        Operation::Refund(refund),
        Operation::Payout(payout()),
    ];
    for operation in asked {
        let (_, body, method, moves) = request(WechatPay::start(&host, &operation).expect("one"));
        assert!(moves && method == Method::Post && !body.is_empty(), "{operation:?}");
        let sync = Operation::Sync(operation.order().clone());
        let (_, body, method, moves) = request(WechatPay::start(&host, &sync).expect("one"));
        assert!(!moves && method == Method::Get && body.is_empty(), "{sync:?}");
    }
}

#[test]
fn a_refund_that_came_back_is_said_to_the_operator() {
    let key = Material::Symmetric(b"0123456789abcdef0123456789abcdef".to_vec());
    let host = host().with(Set::Key { slot: "api-v3-key".to_owned(), id: None, material: key });
    let plain = format!(
        r#"{{"out_refund_no":"{ENTRY}","refund_status":"ABNORMAL","amount":{{"refund":1}}}}"#
    );
    let key = host.key("api-v3-key").expect("a key");
    let sealed = key.seal(Cipher::AesGcm, b"fdasflkja484", b"refund", &Content::from(plain));
    let body = serde_json::json!({
        "id": "EV-1",
        "event_type": "REFUND.ABNORMAL",
        "resource": {
            "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": base64(sealed.expect("sealed")),
            "associated_data": "refund",
            "nonce": "fdasflkja484",
        },
    });
    let delivery = Delivery {
        method: "POST".to_owned(),
        path: "/".to_owned(),
        headers: Vec::new(),
        body: body.to_string().into_bytes(),
    };
    let events = WechatPay::interpret(&host, &delivery).expect("an event");
    assert!(matches!(&events[..], [event] if matches!(event.outcome, Outcome::Pending(_))));
    assert!(matches!(&host.logged()[..], [(Level::Warn, _)]));
}

#[test]
fn an_accepted_delivery_is_answered_204_and_another_is_asked_for_again() {
    assert_eq!(WechatPay::acknowledge(true), HttpResponse::new(204, ""));
    let again = WechatPay::acknowledge(false);
    assert_eq!(again.status, 500);
    let body: serde_json::Value = again.json().expect("JSON");
    assert_eq!(body["code"], "FAIL");
}

#[test]
fn what_is_described_is_what_is_asked_for() {
    let told = WechatPay::describe();
    assert!(!told.operations.contains(&OperationKind::Capture));
    assert_eq!(told.currencies, ["CNY"]);
    assert!(told.secrets.is_empty() && told.legacy.is_empty());
    assert_eq!(told.recovery.idempotent_seconds, None);
    assert!(told.recovery.query && told.recovery.close);
}
