//! Requests that cannot be taken: each answer names what is wrong with which field, the host goes
//! on, and nothing is lost, begun or sent.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use simulators::Books;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{Client, StripeStage, charge};

/// All there is to lose.
async fn everything(stage: &StripeStage) -> (Vec<Value>, Vec<Value>, Books) {
    let client = stage.client();
    (client.payments().await, client.events().await, stage.stripe.books())
}

/// A payment with one field changed, by its JSON pointer; `null` removes it.
fn changed(pointer: &str, value: Value) -> Value {
    let mut body = charge("pm_card_visa", 1999);
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Value::Null => drop(parent.remove(field)),
        value => drop(parent.insert(field.to_owned(), value)),
    }
    body
}

#[tokio::test]
async fn a_field_that_is_wrong_is_named_with_the_rule_it_breaks() {
    let stage = StripeStage::set().await;
    let client = stage.client();
    client.pay("good", &charge("pm_card_visa", 1999)).await.with(201);
    let before = everything(&stage).await;
    for (n, (pointer, value, rule)) in [
        ("/amount/minor", json!(0), "minimum"),
        ("/amount/minor", json!(-5), "minimum"),
        ("/amount/minor", json!(1_000_000_000_000u64), "maximum"),
        ("/amount/minor", json!(19.99), "type"),
        ("/amount/minor", json!("1999"), "type"),
        ("/amount/minor", json!(null), "required"),
        ("/amount/minor", json!([1999]), "type"),
        ("/amount/currency", json!("EURO"), "choice"),
        ("/amount/currency", json!("eur"), "choice"),
        ("/amount/currency", json!("XTS"), "choice"),
        ("/amount/currency", json!(978), "type"),
        ("/amount", json!(1999), "type"),
        ("/amount", json!(null), "required"),
        ("/account", json!(""), "min-length"),
        ("/account", json!("a b"), "characters"),
        ("/merchant_reference", json!("x".repeat(65)), "max-length"),
        ("/merchant_reference", json!("a\nb"), "characters"),
        ("/instrument/type", json!("cheque"), "choice"),
        ("/instrument/type", json!(null), "required"),
        ("/instrument/token", json!(null), "required"),
        ("/instrument/wallet", json!("w"), "unknown"),
        ("/capture", json!("perhaps"), "choice"),
        ("/capture", json!(true), "type"),
        ("/return_url", json!("javascript:alert(1)"), "format"),
        ("/description", json!("x".repeat(128)), "max-length"),
        ("/extra", json!({ "a": 1 }), "type"),
        ("/amuont", json!({}), "unknown"),
        ("/constructor", json!("x"), "unknown"),
    ]
    .into_iter()
    .enumerate()
    {
        let reply = client.pay(&format!("bad{n}"), &changed(pointer, value.clone())).await;
        let problem = reply.problem(422, "fields-invalid");
        let errors = problem["errors"].as_array().unwrap();
        let named = |error: &&Value| {
            let field = error["field"].as_str().unwrap();
            (field.starts_with(pointer) && error["rule"] == rule) && error["in"] == "body"
        };
        assert!(errors.iter().any(|error| named(&error)), "{pointer} {value}: {problem:#}");
        assert_eq!(errors.len(), 1, "{pointer} {value}: {problem:#}");
    }
    assert_eq!(everything(&stage).await, before);
}

#[tokio::test]
async fn every_fault_of_a_body_is_told_at_once() {
    let stage = StripeStage::set().await;
    let body = json!({ "amount": { "minor": 0, "currency": "euro" }, "colour": "red" });
    let problem = stage.client().pay("k", &body).await.problem(422, "fields-invalid");
    let errors = problem["errors"].as_array().unwrap().iter();
    let mut fields: Vec<_> = errors.map(|error| error["field"].as_str().unwrap()).collect();
    fields.sort_unstable();
    let expected = [
        "/account",
        "/amount/currency",
        "/amount/minor",
        "/colour",
        "/instrument",
        "/merchant_reference",
    ];
    assert_eq!(fields, expected, "{problem:#}");
}

#[tokio::test]
async fn what_the_provider_cannot_do_is_refused_before_anything_is_sent() {
    let stage = StripeStage::set().await;
    let client = stage.client();
    let before = everything(&stage).await;
    let wallet = changed("/instrument", json!({ "type": "wallet", "wallet": "w" }));
    let problem = client.pay("k1", &wallet).await.problem(422, "unsupported-by-provider");
    assert!(problem["detail"].as_str().unwrap().contains("token"), "{problem:#}");
    let dinars = changed("/amount", json!({ "minor": 1001, "currency": "KWD" }));
    let problem = client.pay("k2", &dinars).await.problem(422, "not-taken-by-provider");
    assert!(problem["detail"].as_str().unwrap().contains("multiples of 10"), "{problem:#}");
    let extra = changed("/extra", json!({ "colour": "red" }));
    let problem = client.pay("k3", &extra).await.problem(422, "not-taken-by-provider");
    assert!(problem["detail"].as_str().unwrap().contains("colour"), "{problem:#}");
    let payout = json!({
        "account": "shop-eu",
        "amount": { "minor": 5000, "currency": "EUR" },
        "merchant_reference": "p",
        "instrument": { "type": "bank", "bank": "DE89370400440532013000" },
    });
    client.post("/v1/payouts", "k4", &payout).await.problem(422, "unsupported-by-provider");
    let nobody = changed("/account", json!("shop-xx"));
    let problem = client.pay("k5", &nobody).await.problem(404, "no-such-account");
    assert_eq!(problem["errors"][0]["field"], "/account", "{problem:#}");
    assert_eq!(everything(&stage).await, before);
    // Nothing was begun, so the keys are still free.
    client.pay("k1", &charge("pm_card_visa", 100)).await.with(201);
}

#[tokio::test]
async fn a_request_that_is_no_request_is_refused() {
    let stage = StripeStage::set().await;
    let client = stage.client();
    let before = everything(&stage).await;
    let json = charge("pm_card_visa", 1999).to_string();
    let post = |path: &str| client.request(Method::POST, path).header("idempotency-key", "k");
    let typed = |path: &str| post(path).header("content-type", "application/json");
    for body in ["", "{", "[]x", "{\"a\":1,\"a\":2}", "\u{feff}{}", &"[".repeat(100_000)] {
        typed("/v1/payments").send(body.to_owned()).await.problem(400, "not-json");
    }
    typed("/v1/payments").send(vec![b'{', b'"', 0xff, b'"']).await.problem(400, "not-json");
    typed("/v1/payments").send("[]").await.problem(422, "fields-invalid");
    post("/v1/payments").send(json.clone()).await.problem(415, "media-type-unsupported");
    let zipped = typed("/v1/payments").header("content-encoding", "gzip");
    zipped.send(json.clone()).await.problem(415, "media-type-unsupported");
    let keyless = client.request(Method::POST, "/v1/payments");
    let keyless = keyless.header("content-type", "application/json").send(json.clone()).await;
    let problem = keyless.problem(400, "header-invalid");
    assert_eq!(problem["errors"][0]["field"], "idempotency-key", "{problem:#}");
    let long = "k".repeat(256);
    client.pay(&long, &charge("pm_card_visa", 1)).await.problem(400, "header-invalid");
    let twice = typed("/v1/payments").header("idempotency-key", "other").send(json.clone()).await;
    twice.problem(400, "header-invalid");
    typed("/v1/payment").send(json.clone()).await.problem(404, "nothing-here");
    typed("/v1/payments/").send(json.clone()).await.problem(404, "nothing-here");
    let put = client.request(Method::PUT, "/v1/payments").send(json.clone()).await;
    put.problem(405, "method-not-allowed");
    assert_eq!(put.header("allow"), "POST, GET, HEAD");
    for path in ["/v1/payments/pay_x", "/v1/payments/ent_01jd8ze5p2m3q4r5s6t7v8w9xa"] {
        client.get(path).await.problem(404, "no-such-payment");
    }
    client.get("/v1/payments?limit=0").await.problem(400, "query-invalid");
    client.get("/v1/payments?limit=101").await.problem(400, "query-invalid");
    client.get("/v1/payments?page=2").await.problem(400, "query-invalid");
    client.get("/v1/events?cursor=zz").await.problem(404, "no-such-cursor");
    client.get("/v1/payments/%zz").await.problem(400, "malformed-request");
    assert_eq!(everything(&stage).await, before);
}

#[tokio::test]
async fn without_a_right_key_nobody_learns_anything() {
    let stage = StripeStage::set().await;
    let client = stage.client();
    let paid = client.pay("k", &charge("pm_card_visa", 1)).await.with(201);
    let path = format!("/v1/payments/{}", paid["id"].as_str().unwrap());
    let missing = client.nameless(Method::GET, &path).send("").await;
    missing.problem(401, "api-key-missing");
    assert!(missing.header("www-authenticate").starts_with("Bearer"), "{missing:?}");
    for key in ["", "tgk_", "tgk_x_y", "sk_test_simulator", &"tgk_".repeat(200)] {
        client.with_key(key).get(&path).await.problem(401, "api-key-wrong");
    }
}

#[tokio::test]
async fn ten_megabytes_are_refused_whether_they_are_announced_or_not() {
    let stage = StripeStage::set().await;
    let client = stage.client();
    let before = everything(&stage).await;
    let large = vec![b' '; 10 << 20];
    let draft = client.request(Method::POST, "/v1/payments").header("idempotency-key", "k");
    let reply = draft.header("content-type", "application/json").send(large.clone()).await;
    reply.problem(413, "body-too-large");
    let reply = raw(&stage, |key| {
        let head = format!(
            "POST /v1/payments HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n\
             idempotency-key: k\r\ncontent-type: application/json\r\n\
             transfer-encoding: chunked\r\n\r\n"
        );
        let chunk = format!("{:x}\r\n{}\r\n", 1 << 16, " ".repeat(1 << 16));
        [head, chunk.repeat(160), "0\r\n\r\n".to_owned()].concat()
    })
    .await;
    assert!(reply.starts_with("HTTP/1.1 413 "), "{reply}");
    let webhook = client.nameless(Method::POST, "/webhooks/shop-eu").send(large).await;
    webhook.problem(413, "body-too-large");
    let many = (0..100).fold(client.request(Method::GET, "/v1/payments"), |draft, n| {
        draft.header(&format!("x-{n}"), "1")
    });
    many.send("").await.problem(431, "headers-too-large");
    let long = format!("/v1/payments?cursor={}", "c".repeat(9_000));
    client.get(&long).await.problem(414, "target-too-long");
    assert_eq!(everything(&stage).await, before);
}

/// Sends bytes as they are and gives what comes back before the host hangs up.
async fn raw(stage: &StripeStage, bytes: impl Fn(&str) -> String) -> String {
    let mut stream = TcpStream::connect(stage.host.address()).await.unwrap();
    // The host may hang up before it has read everything; what it answered is what counts.
    let _ = stream.write_all(bytes(stage.host.key()).as_bytes()).await;
    let mut reply = Vec::new();
    let read = timeout(Duration::from_secs(50), stream.read_to_end(&mut reply)).await;
    assert!(read.is_ok(), "the connection stays open: {}", String::from_utf8_lossy(&reply));
    String::from_utf8_lossy(&reply).into_owned()
}

#[tokio::test]
async fn who_sends_half_a_request_is_not_waited_for() {
    let stage = StripeStage::set().await;
    let half_a_head = raw(&stage, |_| "GET /v1/payments HTTP/1.1\r\nhost: x\r\nauth".to_owned());
    let half_a_body = raw(&stage, |key| {
        format!(
            "POST /v1/payments HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n\
             idempotency-key: k\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{{"
        )
    });
    let meanwhile = async {
        stage.client().pay("meanwhile", &charge("pm_card_visa", 500)).await.with(201)["status"]
            .clone()
    };
    let (head, body, paid) = tokio::join!(half_a_head, half_a_body, meanwhile);
    assert!(head.is_empty() || head.starts_with("HTTP/1.1 408 "), "{head}");
    assert!(body.starts_with("HTTP/1.1 408 "), "{body}");
    assert!(body.contains("body-too-slow"), "{body}");
    assert_eq!(paid, "captured");
}

#[tokio::test]
async fn bytes_that_are_no_http_are_answered_and_the_host_goes_on() {
    let stage = StripeStage::set().await;
    for bytes in [
        "\r\n\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{fc}\u{3}\u{3}",
        "POST /v1/payments HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        "POST /v1/payments HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhi",
        "GET /health HTTP/1.1\r\nhost: x\r\nx: \u{0}\r\n\r\n",
    ] {
        let reply = raw(&stage, |_| format!("{bytes}\r\n\r\n")).await;
        assert!(reply.is_empty() || reply.starts_with("HTTP/1.1 4"), "{bytes:?}: {reply}");
    }
    let health = Client::new(stage.host.address(), "").get("/health").await;
    assert_eq!(health.with(200), json!({ "status": "ok" }));
}
