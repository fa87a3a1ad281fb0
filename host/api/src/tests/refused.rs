//! Every bad request there is a name for: its status, its code, and the fields it blames.

use serde_json::{Value, json};

use engine::Scope;

use super::double::{KEY, READING_KEY};
use super::money::order;
use super::wire::{Asked, Host};
use crate::table::ROUTES;

const UNKNOWN: &str = "pay_01jd8ze5p2m3q4r5s6t7v8w9xa";

/// Faults as `in field rule`.
type Blamed = &'static [&'static str];

/// A request, the status and code it must be answered with, and the faults in order.
type Case = (&'static str, Asked, u16, &'static str, Blamed);

async fn hold(cases: Vec<Case>) {
    let host = Host::start().await;
    for (name, asked, status, code, faults) in cases {
        let heard = host.exchange(&asked).await;
        assert_eq!((heard.status, heard.code().as_str()), (status, code), "{name}: {heard:?}");
        assert_eq!(heard.faults(), faults, "{name}");
    }
    assert!(host.engine.asked.lock().unwrap().is_empty(), "a bad request reached the engine");
}

fn body(name: &'static str, bytes: impl Into<Vec<u8>>, faults: Blamed) -> Case {
    (name, Asked::post("/v1/payments", "k", bytes), 422, "fields-invalid", faults)
}

/// The order with one field set.
fn set(name: &'static str, pointer: &str, value: Value, faults: Blamed) -> Case {
    let mut order = order("tok_visa", "automatic");
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    order.pointer_mut(parent).unwrap()[field] = value;
    body(name, order.to_string(), faults)
}

/// The order with an amount as this text.
fn amount(minor: &'static str, rule: Blamed) -> Case {
    let order = order("tok_visa", "automatic").to_string();
    body(minor, order.replace("1999", minor), rule)
}

#[tokio::test]
async fn amounts_are_whole_positive_and_within_twelve_digits() {
    const TYPE: &[&str] = &["body /amount/minor type"];
    const MINIMUM: &[&str] = &["body /amount/minor minimum"];
    const MAXIMUM: &[&str] = &["body /amount/minor maximum"];
    hold(vec![
        amount("0", MINIMUM),
        amount("-1", MINIMUM),
        amount("-9223372036854775808", MINIMUM),
        amount("1000000000000", MAXIMUM),
        amount("18446744073709551615", MAXIMUM),
        amount("18446744073709551616", MAXIMUM),
        amount("99999999999999999999999999", MAXIMUM),
        amount("19.99", TYPE),
        amount("1998.9999999999998", TYPE),
        amount("1e-1", TYPE),
        amount("-1.5", TYPE),
        amount("-0", TYPE),
        amount("0.0", MINIMUM),
        amount("1e12", MAXIMUM),
        amount("1e300", MAXIMUM),
        amount("\"1999\"", TYPE),
        amount("null", TYPE),
        amount("true", TYPE),
        amount("[1999]", TYPE),
        set("lower case", "/amount/currency", json!("eur"), &["body /amount/currency choice"]),
        set("no code", "/amount/currency", json!("EURO"), &["body /amount/currency choice"]),
        set("test code", "/amount/currency", json!("XTS"), &["body /amount/currency choice"]),
        set("number", "/amount/currency", json!(978), &["body /amount/currency type"]),
        set("text", "/amount", json!("19.99 EUR"), &["body /amount type"]),
        set("unknown", "/amount/major", json!(19), &["body /amount/major unknown"]),
        set(
            "absent",
            "/amount",
            json!({}),
            &["body /amount/minor required", "body /amount/currency required"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn nothing_is_begun_in_a_withdrawn_currency() {
    let withdrawn = |name, code: &str| {
        set(name, "/amount/currency", json!(code), &["body /amount/currency choice"])
    };
    hold(vec![withdrawn("lev", "BGN"), withdrawn("kuna", "HRK"), withdrawn("fund of gold", "XAU")])
        .await;
}

#[tokio::test]
async fn fields_are_held_to_their_shapes_and_all_faults_are_listed() {
    let long = |length: usize| json!("x".repeat(length));
    hold(vec![
        body(
            "empty object",
            "{}",
            &[
                "body /account required",
                "body /amount required",
                "body /merchant_reference required",
                "body /instrument required",
            ],
        ),
        body("a list", "[]", &["body  type"]),
        body("a word", "null", &["body  type"]),
        body(
            "several",
            r#"{"account":7,"amount":{"minor":0,"currency":"X"},"merchant_reference":"",
               "instrument":{"type":"cash"},"capture":"later","bogus":1}"#,
            &[
                "body /account type",
                "body /amount/minor minimum",
                "body /amount/currency choice",
                "body /merchant_reference min-length",
                "body /instrument/type choice",
                "body /capture choice",
                "body /bogus unknown",
            ],
        ),
        set("null", "/description", Value::Null, &["body /description type"]),
        set("slash in name", "/a~1b", json!(1), &["body /a~01b unknown"]),
        set("account", "/account", json!("a/b"), &["body /account characters"]),
        set("long account", "/account", long(65), &["body /account max-length"]),
        set("reference", "/merchant_reference", long(65), &["body /merchant_reference max-length"]),
        set("umlaut", "/merchant_reference", json!("ü"), &["body /merchant_reference characters"]),
        set("space", "/merchant_reference", json!("a "), &["body /merchant_reference characters"]),
        set("NUL", "/description", json!("a\u{0}b"), &["body /description characters"]),
        set("line", "/description", json!("a\nb"), &["body /description characters"]),
        set("long", "/description", json!("ü".repeat(128)), &["body /description max-length"]),
        set("capture", "/capture", json!(true), &["body /capture type"]),
    ])
    .await;
}

#[tokio::test]
async fn addresses_and_extra_fields_are_held_to_their_shapes() {
    hold(vec![
        set("payer", "/customer", json!({"name": "Ada"}), &["body /customer/name unknown"]),
        set("address", "/customer", json!({"ip": "1.2.3.4.5"}), &["body /customer/ip format"]),
        set("path", "/return_url", json!("/done"), &["body /return_url format"]),
        set("script", "/return_url", json!("javascript:x"), &["body /return_url format"]),
        set("user", "/return_url", json!("https://u@h.example/"), &["body /return_url format"]),
        set("percent", "/return_url", json!("https://h.example/%z"), &["body /return_url format"]),
        set("no host", "/return_url", json!("https:///x"), &["body /return_url format"]),
        set("port", "/return_url", json!("https://h:x/"), &["body /return_url format"]),
        set(
            "long uri",
            "/return_url",
            json!(format!("https://h/{}", "x".repeat(2048))),
            &["body /return_url max-length"],
        ),
        set("extra", "/extra", json!([]), &["body /extra type"]),
        set("extra value", "/extra", json!({"a": 1}), &["body /extra/a type"]),
        set("extra name", "/extra", json!({"a b": "1"}), &["body /extra/a b characters"]),
        set("no name", "/extra", json!({"": "1"}), &["body /extra/ min-length"]),
        set(
            "extra length",
            "/extra",
            json!({"a": "x".repeat(1025)}),
            &["body /extra/a max-length"],
        ),
        set(
            "too many",
            "/extra",
            (0..33).map(|n| (n.to_string(), json!(""))).collect(),
            &["body /extra max-properties"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn an_instrument_has_the_fields_of_its_type_alone() {
    let instrument = |value| set("instrument", "/instrument", value, &[]);
    let mut cases = vec![
        (instrument(json!("tok")), &["body /instrument type"][..]),
        (instrument(json!({})), &["body /instrument/type required"]),
        (instrument(json!({"type": 1})), &["body /instrument/type type"]),
        (instrument(json!({"type": "cash"})), &["body /instrument/type choice"]),
        (instrument(json!({"type": "token"})), &["body /instrument/token required"]),
        (
            instrument(json!({"type": "token", "token": "a b"})),
            &["body /instrument/token characters"],
        ),
        (instrument(json!({"type": "qr", "token": "t"})), &["body /instrument/token unknown"]),
        (
            instrument(json!({"type": "bank", "bank": "x".repeat(65)})),
            &["body /instrument/bank max-length"],
        ),
        (
            instrument(json!({"type": "wallet", "wallet": ""})),
            &["body /instrument/wallet min-length"],
        ),
    ];
    hold(cases.drain(..).map(|((a, b, c, d, _), faults)| (a, b, c, d, faults)).collect()).await;
}

#[tokio::test]
async fn json_is_read_strictly() {
    let bad = |name, bytes: Vec<u8>, faults: Blamed| -> Case {
        (name, Asked::post("/v1/payments", "k", bytes), 400, "not-json", faults)
    };
    let order = order("tok_visa", "automatic").to_string();
    let twice = order.replacen('{', r#"{"account":"other","#, 1);
    let inner = order.replace("\"minor\":1999", "\"minor\":1,\"minor\":1999");
    let escaped = order.replacen('{', r#"{"\u0061ccount":"other","#, 1);
    hold(vec![
        bad("no body", Vec::new(), &[]),
        bad("no JSON", b"account=acme".to_vec(), &[]),
        bad("cut short", order.as_bytes()[..40].to_vec(), &[]),
        bad("something after it", format!("{order}{{}}").into_bytes(), &[]),
        bad("a comma too many", order.replace("}}", "},}").replace("}", ",}").into_bytes(), &[]),
        bad("NaN", order.replace("1999", "NaN").into_bytes(), &[]),
        bad("1e999", order.replace("1999", "1e999").into_bytes(), &[]),
        bad("leading zero", order.replace("1999", "01999").into_bytes(), &[]),
        bad("half a pair", order.replace("tok_visa", "\\ud800").into_bytes(), &[]),
        bad("control character", order.replace("order-1", "a\u{0}b").into_bytes(), &[]),
        bad("byte order mark", format!("\u{feff}{order}").into_bytes(), &[]),
        bad(
            "invalid UTF-8",
            order
                .replace("tok_visa", "\u{0}")
                .replace('\0', "?")
                .into_bytes()
                .into_iter()
                .map(|byte| if byte == b'?' { 0xff } else { byte })
                .collect(),
            &[],
        ),
        bad("UTF-16", order.encode_utf16().flat_map(u16::to_le_bytes).collect(), &[]),
        bad("a name twice", twice.into_bytes(), &["body /account duplicate"]),
        bad("a name twice, escaped", escaped.into_bytes(), &["body /account duplicate"]),
        bad("a name twice inside", inner.into_bytes(), &["body /amount/minor duplicate"]),
        bad("lists in lists", "[".repeat(10_000).into_bytes(), &["body /0/0/0/0/0/0/0/0 depth"]),
        bad(
            "objects in objects",
            "{\"a\":".repeat(10_000).into_bytes(),
            &["body /a/a/a/a/a/a/a/a depth"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn headers_that_decide_stand_once_and_in_form() {
    let good = || Asked::post("/v1/payments", "k", order("tok_visa", "automatic").to_string());
    let key = |value: &[u8]| good().with("idempotency-key", value);
    const KEY_FAULT: &[&str] = &["header idempotency-key characters"];
    hold(vec![
        (
            "no key",
            good().without("idempotency-key"),
            400,
            "header-invalid",
            &["header idempotency-key required"],
        ),
        ("empty key", key(b""), 400, "header-invalid", &["header idempotency-key min-length"]),
        ("blank key", key(b"   "), 400, "header-invalid", &["header idempotency-key min-length"]),
        (
            "long key",
            key(&[b'k'; 256]),
            400,
            "header-invalid",
            &["header idempotency-key max-length"],
        ),
        ("non-ASCII key", key("schlüssel".as_bytes()), 400, "header-invalid", KEY_FAULT),
        ("bytes as key", key(b"\xff\xfe"), 400, "header-invalid", KEY_FAULT),
        ("tab in key", key(b"a\tb"), 400, "header-invalid", KEY_FAULT),
        (
            "two keys",
            good().also("idempotency-key", "j"),
            400,
            "header-invalid",
            &["header idempotency-key duplicate"],
        ),
        (
            "two of us",
            good().also("authorization", format!("Bearer {KEY}")),
            400,
            "header-invalid",
            &["header authorization duplicate"],
        ),
        ("no host", good().without("host"), 400, "header-invalid", &["header host required"]),
        ("two hosts", good().also("host", "b"), 400, "header-invalid", &["header host duplicate"]),
        (
            "two types",
            good().also("content-type", "text/plain"),
            400,
            "header-invalid",
            &["header content-type duplicate"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn only_uncompressed_json_is_taken() {
    let good = || Asked::post("/v1/payments", "k", order("tok_visa", "automatic").to_string());
    let refused = |name, asked: Asked| (name, asked, 415, "media-type-unsupported", &[][..]);
    hold(vec![
        refused("no type", good().without("content-type")),
        refused("a form", good().with("content-type", "application/x-www-form-urlencoded")),
        refused("text", good().with("content-type", "text/json")),
        refused("longer", good().with("content-type", "application/json5")),
        refused("UTF-16", good().with("content-type", "application/json; charset=utf-16")),
        refused("gzip", good().also("content-encoding", "gzip")),
    ])
    .await;
    let host = Host::start().await;
    let typed = good().with("content-type", "Application/JSON; charset=\"UTF-8\"");
    assert_eq!(host.exchange(&typed).await.status, 201);
}

#[tokio::test]
async fn without_a_valid_key_nothing_is_read() {
    let with = |value: String| Asked::get("/v1/payments").with("authorization", value);
    let wrong = |name, value: String| (name, with(value), 401, "api-key-wrong", &[][..]);
    hold(vec![
        ("none", Asked::get("/v1/payments").without("authorization"), 401, "api-key-missing", &[]),
        (
            "none, and nonsense",
            Asked::post("/v1/payments", "", "{").without("authorization"),
            401,
            "api-key-missing",
            &[],
        ),
        wrong("another scheme", format!("Basic {KEY}")),
        wrong("no scheme", KEY.to_owned()),
        wrong("no key", "Bearer".to_owned()),
        wrong("no prefix", "Bearer sk_live_1".to_owned()),
        wrong("another key", "Bearer tgk_shop_0".to_owned()),
        wrong("two keys", format!("Bearer {KEY}, Bearer {KEY}")),
        wrong("something after it", format!("Bearer {KEY} x")),
        wrong("long", format!("Bearer tgk_{}", "x".repeat(300))),
    ])
    .await;
}

#[tokio::test]
async fn an_app_does_only_what_its_scopes_allow() {
    let host = Host::start().await;
    for route in ROUTES.iter().filter(|route| route.scope.is_some()) {
        let path = route.path.replace("{payment}", UNKNOWN);
        let asked =
            if route.method == "GET" { Asked::get(&path) } else { Asked::post(&path, "k", "{}") };
        let asked = asked.method(route.method);
        let asked = asked.with("authorization", format!("Bearer {READING_KEY}"));
        let refused = host.exchange(&asked).await.code() == "scope-missing";
        assert_eq!(refused, route.scope != Some(Scope::Read), "{}", route.id);
    }
}

#[tokio::test]
async fn paths_and_methods_are_those_of_the_table() {
    let get = Asked::get;
    let payment = |rest: &str| format!("/v1/payments/{UNKNOWN}{rest}");
    hold(vec![
        ("nothing", get("/v1/nothing"), 404, "nothing-here", &[]),
        ("root", get("/"), 404, "nothing-here", &[]),
        ("slash at the end", get("/v1/payments/"), 404, "nothing-here", &[]),
        ("two slashes", get("//v1/payments"), 404, "nothing-here", &[]),
        ("dots", get("/v1/../v1/payments"), 404, "nothing-here", &[]),
        ("in capitals", get("/V1/payments"), 404, "nothing-here", &[]),
        ("star", get("*").method("OPTIONS"), 404, "nothing-here", &[]),
        ("broken percent", get("/v1/%zz"), 400, "malformed-request", &[]),
        ("half a percent", get("/v1/payments/%4"), 400, "malformed-request", &[]),
        ("no UTF-8", get("/v1/payments/%ff"), 400, "malformed-request", &[]),
        ("percent in query", get("/v1/payments?cursor=%"), 400, "malformed-request", &[]),
        ("delete", get(&payment("")).method("DELETE"), 405, "method-not-allowed", &[]),
        ("put", get("/v1/payments").method("PUT"), 405, "method-not-allowed", &[]),
        ("own verb", get("/health").method("BREW"), 405, "method-not-allowed", &[]),
        ("get a refund", get(&payment("/refunds")), 405, "method-not-allowed", &[]),
        ("no identifier", get("/v1/payments/1"), 404, "no-such-payment", &[]),
        (
            "an entry",
            get("/v1/payments/ent_01jd8ze5p2m3q4r5s6t7v8w9xa"),
            404,
            "no-such-payment",
            &[],
        ),
        ("unknown", get(&payment("")), 404, "no-such-payment", &[]),
        (
            "unknown capture",
            Asked::post(&payment("/captures"), "1", "{}"),
            404,
            "no-such-payment",
            &[],
        ),
        (
            "unknown refund",
            Asked::post(&payment("/refunds"), "2", "{}"),
            404,
            "no-such-payment",
            &[],
        ),
        (
            "unknown cancel",
            Asked::post(&payment("/cancellation"), "3", ""),
            404,
            "no-such-payment",
            &[],
        ),
        ("unknown sync", Asked::post(&payment("/sync"), "4", ""), 404, "no-such-payment", &[]),
        ("parameter", get("/v1/payments?page=2"), 400, "query-invalid", &["query page unknown"]),
        ("on health", get("/health?x"), 400, "query-invalid", &["query x unknown"]),
        (
            "on a payment",
            get(&payment("?expand=1")),
            400,
            "query-invalid",
            &["query expand unknown"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn queries_are_those_of_the_table() {
    const LIMIT: Blamed = &["query limit type"];
    let get = Asked::get;
    let limit = |name, value: &str, faults: Blamed| -> Case {
        (name, get(&format!("/v1/payments?limit={value}")), 400, "query-invalid", faults)
    };
    hold(vec![
        limit("zero", "0", &["query limit minimum"]),
        limit("many", "101", &["query limit maximum"]),
        limit("negative", "-1", LIMIT),
        limit("a word", "ten", LIMIT),
        limit("nothing", "", LIMIT),
        limit("signed", "%2B5", LIMIT),
        limit("padded", "05", LIMIT),
        limit("twice", "5&limit=5", &["query limit duplicate"]),
        (
            "no cursor",
            get("/v1/events?cursor="),
            400,
            "query-invalid",
            &["query cursor min-length"],
        ),
        ("blank", get("/v1/events?cursor=a+b"), 400, "query-invalid", &["query cursor characters"]),
        ("cursor", get("/v1/events?cursor=x"), 404, "no-such-cursor", &["query cursor exists"]),
        ("beyond", get("/v1/payments?cursor=c9"), 404, "no-such-cursor", &["query cursor exists"]),
        ("code", get("/problems/nonsense"), 404, "no-such-problem", &[]),
        ("account", Asked::post("/webhooks/other", "k", ""), 404, "no-such-account", &[]),
        ("no account", Asked::post("/webhooks/", "k", ""), 404, "nothing-here", &[]),
    ])
    .await;
}

#[tokio::test]
async fn allow_names_the_methods_there_are() {
    let host = Host::start().await;
    for (path, allow) in [
        ("/v1/payments", "POST, GET, HEAD"),
        ("/v1/payouts", "POST"),
        ("/health", "GET, HEAD"),
        ("/webhooks/acme-eu", "POST"),
    ] {
        let heard = host.exchange(&Asked::get(path).method("PATCH")).await;
        assert_eq!(heard.header("allow"), Some(allow), "{path}");
    }
}

#[tokio::test]
async fn an_unknown_account_is_pointed_at_and_long_text_is_never_sent_back() {
    let host = Host::start().await;
    let mut asked = order("tok_visa", "automatic");
    asked["account"] = json!("x".repeat(64));
    let heard = host.exchange(&Asked::post("/v1/payments", "k", asked.to_string())).await;
    assert_eq!((heard.status, heard.code().as_str()), (404, "no-such-account"));
    assert_eq!(heard.faults(), ["body /account exists"]);
    assert!(!heard.json().to_string().contains(&"x".repeat(49)));

    let name = "y".repeat(60_000);
    let heard =
        host.exchange(&Asked::post("/v1/payments", "k", json!({name: 1}).to_string())).await;
    assert_eq!(heard.status, 422);
    assert!(heard.body.len() < 2_000, "{} bytes", heard.body.len());
    let many: Value = (0..9_000).map(|n| (n.to_string(), json!(1))).collect();
    let heard = host.exchange(&Asked::post("/v1/payments", "k", many.to_string())).await;
    assert_eq!((heard.status, heard.faults().len()), (422, 32));
}
