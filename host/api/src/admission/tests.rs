use std::sync::Arc;

use engine::{App, Rate, Scope};

use super::*;
use crate::table::ROUTES;

fn app() -> App {
    App {
        id: Id::app(1, [1; 10]),
        name: "shop".to_owned(),
        created_at_ms: 1,
        revoked_at_ms: None,
        scopes: Scope::ALL.into(),
        networks: Vec::new(),
        protection: Protection::Bearer,
        accounts: None,
        rate: None,
        spending: Vec::new(),
        keys: Vec::new(),
    }
}

fn sender(app: &App, proof: Proof) -> Sender {
    Sender { app: Arc::new(app.clone()), key: "key-1".to_owned(), proof }
}

fn route(id: &str) -> &'static Route {
    ROUTES.iter().find(|route| route.id == id).unwrap()
}

fn at(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// The code of a refusal; empty when admitted.
fn asked(admission: &Admission, sender: &Sender, from: &str, content_type: Option<&str>) -> String {
    let mut headers = HeaderMap::new();
    headers.extend(content_type.map(|kind| (http::header::CONTENT_TYPE, kind.parse().unwrap())));
    let route = route("createPayment");
    let admitted = admission.admit(sender, route, (at(from), &headers), content_type.is_some());
    admitted.err().map(|problem| problem.code.code.to_owned()).unwrap_or_default()
}

#[test]
fn each_protection_admits_itself_and_more_and_nothing_less() {
    let admission = Admission::new(Vec::new());
    let (json, jose) = (Some("application/json"), Some("application/jose"));
    for (protection, proof, body, admitted) in [
        (Protection::Bearer, Proof::Bearer, json, true),
        (Protection::Bearer, Proof::Signature, json, true),
        (Protection::Bearer, Proof::Signature, jose, true),
        (Protection::Signature, Proof::Bearer, json, false),
        (Protection::Signature, Proof::Bearer, jose, false),
        (Protection::Signature, Proof::Signature, json, true),
        (Protection::Signature, Proof::Signature, jose, true),
        (Protection::Encryption, Proof::Bearer, jose, false),
        (Protection::Encryption, Proof::Signature, json, false),
        (Protection::Encryption, Proof::Signature, Some("application/josex"), false),
        (Protection::Encryption, Proof::Signature, jose, true),
        (Protection::Encryption, Proof::Signature, None, true),
        (Protection::Encryption, Proof::Bearer, None, false),
    ] {
        let sender = sender(&App { protection, ..app() }, proof);
        let code = asked(&admission, &sender, "192.0.2.1", body);
        let expected = if admitted { "" } else { "protection-required" };
        assert_eq!(code, expected, "{protection:?} {proof:?} {body:?}");
    }
}

#[test]
fn a_network_is_looked_at_first_and_no_request_from_elsewhere_uses_up_the_rate() {
    let admission = Admission::new(Vec::new());
    let networks = vec!["192.0.2.0/24".parse().unwrap()];
    let rate = Some(Rate { per_second: 1, burst: 1 });
    let sender = sender(&App { networks, rate, ..app() }, Proof::Bearer);
    for _ in 0..9 {
        assert_eq!(asked(&admission, &sender, "198.51.100.1", None), "network-refused");
    }
    assert_eq!(asked(&admission, &sender, "192.0.2.9", None), "");
    assert_eq!(asked(&admission, &sender, "192.0.2.9", None), "rate-limited");
}

#[test]
fn one_app_does_not_use_up_the_rate_of_another() {
    let admission = Admission::new(Vec::new());
    let slow = App { rate: Some(Rate { per_second: 1, burst: 2 }), ..app() };
    let other = App { id: Id::app(1, [2; 10]), ..slow.clone() };
    let [slow, other] = [slow, other].map(|app| sender(&app, Proof::Bearer));
    let codes = |sender| [(); 3].map(|()| asked(&admission, sender, "192.0.2.1", None));
    assert_eq!(codes(&slow), ["", "", "rate-limited"]);
    assert_eq!(codes(&other), ["", "", "rate-limited"]);
}

#[test]
fn only_what_a_known_proxy_says_of_an_origin_is_believed() {
    let proxies = ["10.0.0.0/8", "2001:db8:f::/48"].map(|text| text.parse().unwrap());
    let admission = Admission::new(proxies.into());
    for (peer, said, origin) in [
        ("203.0.113.5", &["1.1.1.1"][..], "203.0.113.5"),
        ("10.0.0.1", &[], "10.0.0.1"),
        ("10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
        ("::ffff:10.0.0.1", &["::ffff:203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", &["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", &["1.1.1.1, 203.0.113.9,10.0.0.7"], "203.0.113.9"),
        ("10.0.0.1", &["1.1.1.1", "203.0.113.9", "2001:db8:f::1"], "203.0.113.9"),
        ("10.0.0.1", &["10.0.0.9"], "10.0.0.9"),
        ("10.0.0.1", &["203.0.113.9, nonsense"], "10.0.0.1"),
        ("10.0.0.1", &["203.0.113.9, "], "10.0.0.1"),
        ("10.0.0.1", &["1.1.1.1", "\u{e9}, 203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", &["1.1.1.1", "\u{e9}"], "10.0.0.1"),
    ] {
        let mut headers = HeaderMap::new();
        for value in said {
            let value = http::HeaderValue::from_bytes(value.as_bytes()).unwrap();
            headers.append("x-forwarded-for", value);
        }
        assert_eq!(admission.origin(at(peer), &headers), at(origin), "{peer} {said:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn failures_are_held_up_by_network_and_refused_where_too_many_are() {
    let admission = Arc::new(Admission::new(Vec::new()));
    let began = tokio::time::Instant::now();
    for _ in 0..FAILURES.1 {
        admission.slow_down(at("192.0.2.1")).await.unwrap();
    }
    admission.slow_down(at("192.0.2.2")).await.unwrap();
    assert_eq!(began.elapsed(), Duration::ZERO, "the first failures are answered at once");
    admission.slow_down(at("192.0.2.1")).await.unwrap();
    assert_eq!(began.elapsed(), HELD_UP);
    let many: Vec<_> = (0..HELD_UP_MAX + 9)
        .map(|_| {
            let admission = admission.clone();
            tokio::spawn(async move { admission.slow_down(at("192.0.2.1")).await })
        })
        .collect();
    let mut refused = 0;
    for one in many {
        let code = one.await.unwrap().err().map(|problem| problem.code.code);
        assert!(code.is_none_or(|code| code == "too-many-failures"));
        refused += usize::from(code.is_some());
    }
    assert_eq!(refused, 9);
}
