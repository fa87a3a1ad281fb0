//! What the engine says: its errors, webhooks, readiness; and what the log says of a request.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Arc, Mutex};

use engine::{Acknowledgement, Error};
use ledger::Refusal;
use serde_json::json;

use super::double::KEY;
use super::money::{order, pay};
use super::wire::{Asked, Host};
use crate::catalogue::CATALOGUE;
use crate::problem::Problem;

fn every_error() -> Vec<(Error, u16, &'static str, &'static str)> {
    let text = || "inner words".to_owned();
    vec![
        (Error::InFlight, 409, "request-in-progress", "same-key"),
        (Error::KeyReused, 422, "idempotency-key-reused", "new-key"),
        (Error::NoSuchAccount(text()), 404, "no-such-account", "new-key"),
        (Error::Unsupported(text()), 422, "unsupported-by-provider", "new-key"),
        (Error::Invalid(text()), 422, "not-taken-by-provider", "new-key"),
        (Error::Misconfigured(text()), 503, "account-misconfigured", "later"),
        (Error::PluginFault(text()), 503, "plugin-failed", "later"),
        (Error::Busy, 409, "payment-busy", "same-key"),
        (Error::Stopping, 503, "stopping", "later"),
    ]
}

#[tokio::test]
async fn every_error_of_the_engine_is_a_documented_problem() {
    let host = Host::start().await;
    for (error, status, code, retry) in every_error() {
        *host.engine.fail.lock().unwrap() = Some(error);
        let heard = host.exchange(&pay("k", "tok_visa")).await;
        assert_eq!((heard.status, heard.code().as_str()), (status, code));
        assert_eq!(heard.json()["retry"], retry, "{code}");
        let for_operators = ["account-misconfigured", "plugin-failed"].contains(&code);
        let told = heard.json().to_string().contains("inner words");
        assert!(!(told && for_operators), "{code} tells the app what is the operator's");
    }
}

#[test]
fn every_refusal_of_the_ledger_has_a_code_of_its_own() {
    let refusals = [
        Refusal::OtherCurrency,
        Refusal::AlreadyAuthorized,
        Refusal::NotAuthorized,
        Refusal::OverCapture,
        Refusal::NotCaptured,
        Refusal::OverRefund,
        Refusal::AlreadyCaptured,
        Refusal::AlreadyCancelled,
        Refusal::NothingToCancel,
        Refusal::NotForPayouts,
    ];
    let problem = |refusal| Problem::from(Error::Refused(refusal));
    let codes: BTreeSet<&str> = refusals.into_iter().map(|one| problem(one).code.code).collect();
    assert_eq!(codes.len(), refusals.len());
    assert!(refusals.into_iter().all(|one| problem(one).code.status == 409));
}

#[tokio::test]
async fn the_catalogue_is_answered_as_a_whole_and_line_by_line() {
    let host = Host::start().await;
    let all = host.exchange(&Asked::get("/problems").without("authorization")).await.json();
    let all = all["problems"].as_array().unwrap().clone();
    assert_eq!(all.len(), CATALOGUE.len());
    let codes: BTreeSet<&str> = CATALOGUE.iter().map(|code| code.code).collect();
    assert_eq!(codes.len(), CATALOGUE.len(), "a code stands twice");
    for line in all {
        let code = line["code"].as_str().unwrap();
        let one = host.exchange(&Asked::get(&format!("/problems/{code}"))).await;
        assert_eq!((one.status, one.json()), (200, line.clone()));
    }
}

#[tokio::test]
async fn a_delivery_reaches_the_engine_to_the_byte_and_needs_no_key() {
    let host = Host::start().await;
    let said = Acknowledgement {
        status: 202,
        headers: vec![
            ("content-type".to_owned(), "text/plain".to_owned()),
            ("Content-Length".to_owned(), "999".to_owned()),
            ("bad name".to_owned(), "x".to_owned()),
        ],
        body: b"success".to_vec(),
    };
    *host.engine.acknowledgement.lock().unwrap() = said;
    let body = b"{\"a\": 1,\r\n \"a\":\xff\0}".to_vec();
    let asked = Asked::post("/webhooks/acme-eu?type=refund&x=%zz&x", "k", body.clone())
        .without("authorization")
        .also("X-Signature", "t=1,v1=AbC")
        .also("X-Signature", "v1=dEf");
    let heard = host.exchange(&asked).await;
    assert_eq!((heard.status, heard.body.as_slice()), (202, &b"success"[..]));
    assert_eq!(heard.header("content-type"), Some("text/plain"));

    let delivery = host.engine.deliveries.lock().unwrap().pop().unwrap();
    assert_eq!((delivery.method.as_str(), delivery.body), ("POST", body));
    assert_eq!(delivery.path, "/webhooks/acme-eu?type=refund&x=%zz&x");
    let signatures: Vec<&str> = delivery
        .headers
        .iter()
        .filter(|header| header.0 == "x-signature")
        .map(|header| header.1.as_str())
        .collect();
    assert_eq!(signatures, ["t=1,v1=AbC", "v1=dEf"]);
}

#[tokio::test]
async fn readiness_names_what_is_in_the_way() {
    let host = Host::start().await;
    let asked = Asked::get("/ready").without("authorization");
    let heard = host.exchange(&asked).await;
    assert_eq!((heard.status, heard.json()), (200, json!({"ready": true, "impediments": []})));
    host.engine.impediments.lock().unwrap().push("the store is full".to_owned());
    let heard = host.exchange(&asked).await;
    let said = json!({"ready": false, "impediments": ["the store is full"]});
    assert_eq!((heard.status, heard.json()), (503, said));
    let health = host.exchange(&Asked::get("/health").without("authorization")).await;
    assert_eq!((health.status, health.json()), (200, json!({"status": "ok"})));
}

#[tokio::test]
async fn no_two_answers_have_one_request_id() {
    let host = Host::start().await;
    let mut ids = BTreeSet::new();
    for _ in 0..20 {
        let heard = host.exchange(&Asked::get("/health")).await;
        assert!(ids.insert(heard.header("request-id").unwrap().to_owned()));
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_has_one_line_a_request_without_keys_bodies_or_query_values() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    // While there is one subscriber alone, what another thread is first to log is off for all.
    let _other = tracing::Dispatch::new(tracing_subscriber::registry());
    let _guard = tracing::subscriber::set_default(subscriber);
    let host = Host::start().await;
    let mut body = order("tok_canary", "automatic");
    body["description"] = json!("canary body");
    let heard = host.exchange(&Asked::post("/v1/payments", "key-canary", body.to_string())).await;
    host.exchange(&Asked::get("/v1/payments?cursor=canary-cursor")).await;
    host.exchange(&Asked::get("/v1/payments/canary-path")).await;

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let ours: Vec<&str> = log.lines().filter(|line| line.contains(" api: answered")).collect();
    assert_eq!(ours.len(), 3, "{log}");
    let id = heard.header("request-id").unwrap();
    for part in ["method=POST", "route=\"/v1/payments\"", "status=201", "code=\"-\"", "us=", id] {
        assert!(ours[0].contains(part), "{part} is not in {}", ours[0]);
    }
    assert!(ours[0].contains("app=\"app_"), "{}", ours[0]);
    assert!(ours[1].contains("status=404") && ours[1].contains("no-such-cursor"));
    assert!(ours[2].contains("route=\"/v1/payments/{payment}\""));
    for secret in ["canary", KEY] {
        assert!(!log.contains(secret), "{secret} is in the log: {log}");
    }
}
