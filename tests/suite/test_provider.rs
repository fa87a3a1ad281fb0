//! The test provider at a real host: every row of its README, and the payer who decides.

use serde_json::{Value, json};

use crate::support::{ACCOUNT, Account, Client, Config, Host, root};

/// A row of a table of magic values: the value, what is answered at once, what a question finds.
type Row = (String, String, String);

/// The rows of the README whose first cell is a magic value that begins so.
fn rows(prefix: &str) -> Vec<Row> {
    let readme = std::fs::read_to_string(root().join("plugins/sandbox/README.md")).unwrap();
    let cells = readme.lines().map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
    let rows = cells.filter_map(|cells| match cells.as_slice() {
        [_, value, first, then, _, _] => Some((value.trim_matches('`'), *first, *then)),
        _ => None,
    });
    let owned = |(value, first, then): (&str, &str, &str)| {
        (value.to_owned(), first.to_owned(), then.to_owned())
    };
    rows.filter(|(value, ..)| value.starts_with(prefix)).map(owned).collect()
}

/// `declined` of "declined, try later".
fn state(cell: &str) -> &str {
    cell.split([',', ':']).next().unwrap_or_default()
}

/// A host that asks about nothing by itself, so that every question is the test's own.
async fn host() -> Host {
    let mut config = Config::of([Account::test_provider(ACCOUNT)]);
    config.more = "\n[recovery]\nsync_after_ms = [3600000]\n".to_owned();
    Host::start(&config).await
}

fn order(value: &str, capture: &str) -> Value {
    json!({
        "account": ACCOUNT,
        "amount": { "minor": 1999, "currency": "EUR" },
        "merchant_reference": value,
        "instrument": { "type": "token", "token": value },
        "capture": capture,
    })
}

fn entry(payment: &Value, n: usize) -> &Value {
    &payment["entries"][n]
}

/// Holds the entry to the row: as it is now, and after the question or questions.
async fn hold_to_row(client: &Client, payment: &Value, n: usize, row: &Row) {
    let (value, first, then) = row;
    let found = entry(payment, n);
    assert_eq!(found["state"], state(first), "{value}: {payment:#}");
    if let Some(code) = value.split_once("decline-").map(|(_, code)| code)
        && found["state"] == "declined"
    {
        assert_eq!(found["decline"]["code"], code, "{value}");
    }
    let then = if then.starts_with("the same") { first } else { then };
    if then.is_empty() {
        return;
    }
    let mut later = client.sync(&payment["id"]).await;
    if then.ends_with("when asked twice") {
        assert_eq!(entry(&later, n)["state"], "unknown", "{value}, asked once");
        later = client.sync(&payment["id"]).await;
    }
    assert_eq!(entry(&later, n)["state"], state(then), "{value}, asked: {later:#}");
}

#[tokio::test]
async fn every_magic_value_does_what_its_row_says() {
    let host = host().await;
    let client = host.client();
    let rows = rows("test-");
    for row in &rows {
        let reply = client.pay(&row.0, &order(&row.0, "automatic")).await;
        match row.1.strip_prefix("the problem ") {
            Some(code) => assert_eq!(reply.json()["code"], code.trim_matches('`'), "{}", row.0),
            None => hold_to_row(&client, &reply.with(201), 0, row).await,
        }
    }
    assert!(rows.len() > 25, "only {} rows", rows.len());
}

#[tokio::test]
async fn every_magic_value_for_a_payout_does_what_its_row_says() {
    let host = host().await;
    let client = host.client();
    for row in rows("test-").iter().filter(|row| !row.1.contains("problem")) {
        let mut body = order(&row.0, "automatic");
        body["instrument"] = json!({ "type": "bank", "bank": row.0 });
        body.as_object_mut().unwrap().remove("capture");
        let reply = client.post("/v1/payouts", &row.0, &body).await;
        hold_to_row(&client, &reply.with(201), 0, row).await;
    }
}

#[tokio::test]
async fn every_magic_value_for_a_later_operation_does_what_its_row_says() {
    let host = host().await;
    let client = host.client();
    let rows = rows("…-");
    assert!(rows.len() > 5, "only {} rows", rows.len());
    for (operation, path, capture) in [
        ("capture", "captures", "manual"),
        ("cancel", "cancellation", "manual"),
        ("refund", "refunds", "automatic"),
    ] {
        for (value, first, then) in &rows {
            let value = value.replace('…', &format!("test-{operation}"));
            let payment = client.pay(&value, &order(&value, capture)).await.with(201);
            assert_eq!(entry(&payment, 0)["state"], "succeeded", "{value}");
            let key = format!("{value}-{operation}");
            let reply = client.on(&payment["id"], path, &key, &json!({})).await.with(201);
            let row = (value, first.clone(), then.clone());
            hold_to_row(&client, &reply, 1, &row).await;
        }
    }
}

/// The fields of the page's form, out of the URL that the payer is sent to.
fn decided(payment: &Value, decision: &str) -> String {
    let url = payment["next_action"]["url"].as_str().unwrap();
    let query = url.split_once('?').unwrap().1;
    let of = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(known, _)| *known == name).unwrap().1.to_owned()
    };
    let fields = ["entry", "word", "minor", "currency"].map(|name| format!("{name}={}", of(name)));
    format!("decision={decision}&{}&tag={}", fields.join("&"), of(decision))
}

async fn tell(client: &Client, body: String) -> u16 {
    let path = format!("/webhooks/{ACCOUNT}");
    client.nameless(http::Method::POST, &path).send(body).await.status
}

#[tokio::test]
async fn a_test_payer_pays_or_refuses_and_nobody_else_can() {
    let host = host().await;
    let client = host.client();
    let ask = || order("test-redirect", "automatic");
    let paid = client.pay("paid", &ask()).await.with(201);
    let refused = client.pay("refused", &ask()).await.with(201);

    let forged = decided(&refused, "refused").replace("decision=refused", "decision=paid");
    assert_eq!(tell(&client, forged).await, 400);
    let cheaper = decided(&paid, "paid").replace("minor=1999", "minor=1");
    assert_eq!(tell(&client, cheaper).await, 400);
    assert_eq!(client.payment(&paid["id"]).await["status"], "needs-action");

    assert_eq!(tell(&client, decided(&paid, "paid")).await, 200);
    assert_eq!(client.payment(&paid["id"]).await["status"], "captured");
    assert_eq!(tell(&client, decided(&refused, "refused")).await, 200);
    let refused = client.payment(&refused["id"]).await;
    assert_eq!(refused["status"], "declined");
    assert_eq!(refused["decline"]["provider_code"], "payer-refused");
}

#[tokio::test]
async fn what_the_test_provider_said_is_kept_through_a_kill() {
    let mut host = host().await;
    let unknown = host.client().pay("k", &order("test-unknown", "automatic")).await.with(201);
    host.kill().await;
    host.run().await;
    let client = host.client();
    assert_eq!(client.payment(&unknown["id"]).await["status"], "unknown");
    assert_eq!(client.sync(&unknown["id"]).await["status"], "captured");
}
