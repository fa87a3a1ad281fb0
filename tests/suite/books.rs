//! The books in the hands of an operator: open entries settled by a person, and anomalies.

use serde_json::{Value, json};
use simulators::{Fault, FaultRule, MovementKind};

use crate::support::{ACCOUNT, Client, Office, charge, eventually};

const INTENTS: &str = "/v1/payment_intents";

/// A payment whose answer was lost for good: the provider keeps its first answer, and that was an
/// error.
async fn lost(office: &Office, key: &str, minor: u64) -> Value {
    let fault = Fault::Status { status: 500, executed: true };
    office.stripe.fault(FaultRule::next(fault, INTENTS));
    let lost = office.client().pay(key, &charge("pm_card_visa", minor)).await.with(201);
    assert_eq!(lost["status"], "unknown", "{lost:#}");
    lost
}

fn id(of: &Value) -> &str {
    of.as_str().unwrap()
}

async fn settle(admin: &Client, entry: &Value, said: &Value) -> crate::support::Reply {
    admin.post(&format!("/admin/v1/entries/{}/resolution", id(entry)), "-", said).await
}

fn word(fate: &str, reference: Option<&str>) -> Value {
    let mut said = json!({ "as": fate, "reason": "the dashboard shows it", "by": "Ada" });
    if let Some(reference) = reference {
        said["reference"] = json!(reference);
    }
    said
}

/// The lines of a command that answers JSON lines.
fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn an_operator_settles_an_unknown_entry_while_the_host_runs() {
    let office = Office::open().await;
    let (admin, client) = (office.admin(), office.client());
    let lost = lost(&office, "k", 900).await;
    let open = admin.get("/admin/v1/entries?state=unknown").await.with(200);
    assert_eq!(open["entries"].as_array().unwrap().len(), 1, "{open:#}");
    assert_eq!(open["entries"][0]["entry"]["id"], lost["entry"]);
    let path = format!("/admin/v1/entries/{}", id(&lost["entry"]));
    let shown = admin.get(&path).await.with(200);
    let first = &shown["exchanges"][0];
    assert!(id(&first["to"]).ends_with(INTENTS), "{shown:#}");
    assert_eq!((&first["ended"], &first["moves_money"]), (&json!("500"), &json!(true)));

    settle(&admin, &lost["entry"], &word("succeeded", None))
        .await
        .problem(409, "entry-not-settled");
    let reply = settle(&admin, &lost["entry"], &word("succeeded", Some("pi_looked_up"))).await;
    let settled = eventually_settled(&admin, &lost, reply).await;
    assert_eq!(settled["entry"]["state"], "succeeded", "{settled:#}");
    assert_eq!(settled["entry"]["resolution"]["by"], "Ada");
    let known = client.payment(&lost["id"]).await;
    assert_eq!(known["status"], "captured", "{known:#}");
    assert_eq!(known["entries"][0]["resolution"]["reason"], "the dashboard shows it");
    let events = client.events().await;
    let last = events.last().unwrap();
    assert_eq!(
        (&last["name"], &last["entry"]["resolution"]["means"]),
        (&json!("authorize.succeeded"), &json!("person"))
    );

    let again = settle(&admin, &lost["entry"], &word("declined", None)).await;
    again.problem(409, "entry-not-settled");
    let open = admin.get("/admin/v1/entries").await.with(200);
    assert_eq!(open["entries"], json!([]));
    let trail = admin.get("/admin/v1/audit?limit=100").await.with(200);
    let told = |line: &Value| line["action"] == "settleEntry" && line["actor"] == "admin";
    assert_eq!(trail["lines"].as_array().unwrap().iter().filter(|line| told(line)).count(), 3);
}

/// The schedule may be asking at that very moment.
async fn eventually_settled(admin: &Client, lost: &Value, first: crate::support::Reply) -> Value {
    if first.status == 200 {
        return first.json();
    }
    first.problem(409, "entry-in-hand");
    eventually("nobody is at it", async || {
        let said = word("succeeded", Some("pi_looked_up"));
        let reply = settle(admin, &lost["entry"], &said).await;
        (reply.status == 200).then(|| reply.json())
    })
    .await
}

#[tokio::test]
async fn an_operator_settles_an_entry_of_a_host_that_is_stopped() {
    let mut office = Office::open().await;
    let one = lost(&office, "k1", 900).await;
    let two = lost(&office, "k2", 901).await;
    office.host.stop().await;
    let host = &office.host;
    let open = lines(host.command(&["entry", "list", "--unknown"]).await.answered());
    assert_eq!(open.len(), 2, "{open:#?}");
    let (one_id, two_id) = (id(&one["entry"]), id(&two["entry"]));
    let resolve = |entry, fate, more: &'static [&'static str]| {
        let first = ["entry", "resolve", entry, "--as", fate, "--by", "Ada", "--reason", "seen"];
        [&first[..], more].concat()
    };
    let missing = host.command(&resolve(one_id, "succeeded", &[])).await;
    missing.refused(&["reference is not known yet"]);
    let with = resolve(one_id, "succeeded", &["--reference", "pi_seen"]);
    let settled: Value = serde_json::from_str(host.command(&with).await.answered()).unwrap();
    assert_eq!(settled["entry"]["resolution"]["by"], "Ada", "{settled:#}");
    let taken = host.command(&resolve(two_id, "succeeded", &["--reference", "pi_seen"])).await;
    taken.refused(&["another payment by this reference", one_id]);
    host.command(&resolve(two_id, "not-sent", &[])).await.answered();
    host.command(&resolve(two_id, "succeeded", &["--reference", "pi_2"]))
        .await
        .refused(&["not-sent"]);
    let shown = host.command(&["entry", "show", two_id]).await;
    let shown: Value = serde_json::from_str(shown.answered()).unwrap();
    assert_eq!(shown["entry"]["state"], "not-sent");
    assert_eq!(host.command(&["entry", "list"]).await.answered(), "");
    let trail = host.command(&["audit", "export"]).await;
    assert_eq!(trail.answered().matches("\"action\":\"settleEntry\"").count(), 5);
    host.command(&["audit", "verify"]).await.answered();

    office.host.run().await;
    let client = office.client();
    assert_eq!(client.payment(&one["id"]).await["status"], "captured");
    assert_eq!(client.payment(&two["id"]).await["status"], "not-sent");
    let names: Vec<Value> =
        client.events().await.iter().map(|event| event["name"].clone()).collect();
    assert!(names.contains(&json!("authorize.succeeded")), "{names:?}");
    assert!(names.contains(&json!("authorize.not-sent")), "{names:?}");
}

#[tokio::test]
async fn a_webhook_that_contradicts_a_persons_word_is_an_anomaly_for_a_person() {
    let mut office = Office::open().await;
    office.stripe.hold_notifications(true);
    office.stripe.point_webhook(Some(format!("{}/webhooks/{ACCOUNT}", office.host.url())));
    let lost = lost(&office, "k", 900).await;
    assert_eq!(office.stripe.books().total(MovementKind::Capture, "EUR"), 900);
    let wrong = word("not-sent", None);
    eventually("nobody is at it", async || {
        (settle(&office.admin(), &lost["entry"], &wrong).await.status == 200).then_some(())
    })
    .await;
    office.stripe.hold_notifications(false);
    let admin = office.admin();
    let found = eventually("the webhook contradicts", async || {
        let page = admin.get("/admin/v1/anomalies").await.with(200);
        page["anomalies"].as_array().unwrap().first().cloned()
    })
    .await;
    assert_eq!(found["kind"], "contradiction", "{found:#}");
    assert_eq!(found["entry"], lost["entry"]);
    assert_eq!(office.client().payment(&lost["id"]).await["status"], "not-sent");

    let close = format!("/admin/v1/anomalies/{}/closure", id(&found["id"]));
    let why = json!({ "reason": "refunded by hand", "by": "Ada" });
    let closed = admin.post(&close, "-", &why).await.with(200);
    assert_eq!(closed["closed"]["by"], "Ada");
    admin.post(&close, "-", &why).await.problem(409, "anomaly-closed");
    assert_eq!(admin.get("/admin/v1/anomalies").await.with(200)["anomalies"], json!([]));
    let all = admin.get("/admin/v1/anomalies?state=all").await.with(200);
    assert_eq!(all["anomalies"].as_array().unwrap().len(), 1);
    office.host.stop().await;
    assert_eq!(office.host.command(&["anomaly", "list"]).await.answered(), "");
    let all = lines(office.host.command(&["anomaly", "list", "--all"]).await.answered());
    assert_eq!(all[0]["id"], found["id"]);
}

#[tokio::test]
async fn what_the_provider_knows_and_the_ledger_does_not_is_listed_until_somebody_closes_it() {
    let mut office = Office::open().await;
    office.stripe.point_webhook(Some(format!("{}/webhooks/{ACCOUNT}", office.host.url())));
    // A charge that somebody made at the provider, without this host.
    let made = office.stripe.charge_by_hand("pm_card_visa", 700, "eur").unwrap();
    let admin = office.admin();
    let orphan = eventually("the orphan is noticed", async || {
        let page = admin.get("/admin/v1/anomalies").await.with(200);
        page["anomalies"].as_array().unwrap().first().cloned()
    })
    .await;
    assert_eq!(orphan["kind"], "orphan", "{orphan:#}");
    assert!(orphan["told"].to_string().contains(&made), "{orphan:#}");
    assert_eq!(orphan["entry"], Value::Null);
    office.host.stop().await;
    let anomaly = id(&orphan["id"]);
    let close = ["anomaly", "close", anomaly, "--by", "Ada", "--reason", "made in the dashboard"];
    office.host.command(&close).await.answered();
    office.host.command(&close).await.refused(&["Ada has closed"]);
    assert_eq!(office.host.command(&["anomaly", "list"]).await.answered(), "");
}
