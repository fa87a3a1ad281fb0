//! The ledger against the provider's books: they agree after a busy day, and each kind of
//! difference that is made on purpose is found and named.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use simulators::{Books, Fault, FaultRule, Movement, MovementKind, PayerAnswer, StripeSimulator};

use crate::support::{ACCOUNT, Host, Office, WechatStage, charge, eventually, hold, tollgate};

const INTENTS: &str = "/v1/payment_intents";

fn now_s() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

/// A span that is over, and holds all that has happened since `from`.
async fn span(from: i64) -> [String; 2] {
    let to = now_s() + 1;
    eventually("the second is over", async || (now_s() >= to).then_some(())).await;
    [format!("@{from}"), format!("@{to}")]
}

struct Compared {
    code: i32,
    out: String,
}

impl Compared {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }

    /// In what the two differ, and the entries, in alphabetical order.
    fn named(&self) -> Vec<(String, Option<String>)> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let differences = self.json()["differences"].as_array().unwrap().clone();
        let named = |one: &Value| (text(&one["differs"]).unwrap(), text(&one["entry"]["id"]));
        let mut all: Vec<_> = differences.iter().map(named).collect();
        all.sort();
        all
    }
}

async fn compare(office: &Office, span: &[String; 2], more: &[&str]) -> Compared {
    compare_at(&office.host, span, more).await
}

async fn compare_at(host: &Host, [from, to]: &[String; 2], more: &[&str]) -> Compared {
    let first = ["reconcile", "--account", ACCOUNT, "--from", from, "--to", to];
    let ended = tollgate(&[&first[..], more].concat(), host.folder()).await;
    assert!(matches!(ended.code, Some(0 | 2)), "{ended:#?}");
    Compared { code: ended.code.unwrap(), out: ended.out }
}

fn id(of: &Value) -> &str {
    of.as_str().unwrap()
}

/// Charges, captures in part, refunds, declines and cancellations.
async fn trade(office: &Office, rounds: u64) {
    let client = office.client();
    for n in 0..rounds {
        let key = |what: &str| format!("{what}-{n}");
        let paid = client.pay(&key("charge"), &charge("pm_card_visa", 1_000 + n)).await.with(201);
        let part = json!({ "amount": { "minor": 300, "currency": "EUR" } });
        client.on(&paid["id"], "refunds", &key("refund"), &part).await.with(201);
        let held = client.pay(&key("hold"), &hold(2_000 + n)).await.with(201);
        let some = json!({ "amount": { "minor": 1_500, "currency": "EUR" } });
        client.on(&held["id"], "captures", &key("capture"), &some).await.with(201);
        let freed = client.pay(&key("free"), &hold(500)).await.with(201);
        client.on(&freed["id"], "cancellation", &key("cancel"), &json!({})).await.with(201);
        let refused = charge("pm_card_chargeDeclined", 900);
        client.pay(&key("decline"), &refused).await.with(201);
    }
}

#[tokio::test]
async fn a_busy_day_with_lost_answers_agrees_with_what_the_provider_booked() {
    let mut office = Office::open().await;
    let from = now_s();
    trade(&office, 4).await;
    let client = office.client();
    let lose = |fault| office.stripe.fault(FaultRule::next(fault, INTENTS));
    for (n, fault) in
        [Fault::Reset, Fault::Drop, Fault::Garbage, Fault::Torn].into_iter().enumerate()
    {
        lose(fault);
        let lost = client.pay(&format!("lost-{n}"), &charge("pm_card_visa", 700)).await.with(201);
        eventually("it is found out", async || {
            (client.sync(&lost["id"]).await["status"] == "captured").then_some(())
        })
        .await;
    }
    office.host.stop().await;
    let span = span(from).await;
    let same = compare(&office, &span, &["--format", "json", "--fee", "EUR:1.5%+25"]).await;
    let said = same.json();
    assert_eq!((same.code, &said["agrees"]), (0, &json!(true)), "{said:#}");
    assert_eq!(said["differences"], json!([]));
    let books = office.stripe.books();
    let sum = |kind: &str| {
        let sums = said["sums"].as_array().unwrap().clone();
        sums.into_iter().find(|sum| sum["kind"] == kind).unwrap()
    };
    for (kind, theirs) in [("payment", MovementKind::Capture), ("refund", MovementKind::Refund)] {
        let (sum, total) = (sum(kind), books.total(theirs, "EUR"));
        assert_eq!((&sum["ledger_minor"], &sum["provider_minor"]), (&json!(total), &json!(total)));
        assert_eq!(sum["ledger_count"], json!(books.of(theirs).count()), "{sum}");
    }
    assert!(sum("payment")["fee_minor"].as_u64().unwrap() > 0);
    let text = compare(&office, &span, &[]).await;
    assert!(text.out.ends_with("the two agree\n"), "{}", text.out);
    let other = ["--fee", "EUR:0.5%+25"];
    let dear = compare(&office, &span, &[&["--format", "json"][..], &other].concat()).await;
    assert_eq!(dear.code, 2, "more was kept than is agreed now");
    assert!(dear.named().iter().all(|(differs, _)| differs == "fee"), "{:?}", dear.named());
}

fn line<'a>(books: &'a mut Books, entry: &str) -> &'a mut Movement {
    let mut lines = books.movements.iter_mut();
    lines
        .find(|line| line.entry.as_deref() == Some(entry) && line.kind == MovementKind::Capture)
        .unwrap()
}

/// One payment for each way to differ, and the books rewritten so; what is to be found.
async fn spoilt(office: &Office) -> Vec<(String, Option<String>)> {
    let (client, stripe) = (office.client(), &office.stripe);
    let mut expected = Vec::new();
    for (n, what) in
        ["missing", "amount", "currency", "timing", "duplicate"].into_iter().enumerate()
    {
        let minor = 1_000 + n as u64;
        let paid = client.pay(what, &charge("pm_card_visa", minor)).await.with(201);
        let entry = id(&paid["entry"]).to_owned();
        stripe.rewrite_books(|books| spoil(books, what, &entry));
        let named = if what == "missing" { "missing-at-provider" } else { what };
        expected.push((named.to_owned(), Some(entry)));
    }
    stripe.charge_by_hand("pm_card_visa", 700, "eur").unwrap();
    expected.push(("unknown-here".to_owned(), None));
    let executed = Fault::Status { status: 500, executed: true };
    stripe.fault(FaultRule::next(executed, INTENTS));
    let lost = client.pay("lost", &charge("pm_card_visa", 800)).await.with(201);
    assert_eq!(lost["status"], "unknown");
    expected.push(("state".to_owned(), Some(id(&lost["entry"]).to_owned())));
    expected.sort();
    expected
}

fn spoil(books: &mut Books, what: &str, entry: &str) {
    match what {
        // The line stays, so that the others keep their places; it moves nothing any more.
        "missing" => line(books, entry).kind = MovementKind::Decline,
        "amount" => line(books, entry).amount -= 1,
        "currency" => line(books, entry).currency = "USD".to_owned(),
        "timing" => line(books, entry).at_s -= 6 * 3_600,
        _ => {
            let again = line(books, entry).clone();
            books.movements.push(again);
        }
    }
}

#[tokio::test]
async fn each_difference_is_found_and_named_and_nothing_is_changed_unasked() {
    let mut office = Office::open().await;
    let from = now_s();
    trade(&office, 2).await;
    let expected = spoilt(&office).await;
    office.host.stop().await;
    let span = span(from).await;
    let found = compare(&office, &span, &["--format", "json"]).await;
    assert_eq!((found.code, found.named()), (2, expected.clone()), "{:#}", found.json());
    let again = compare(&office, &span, &["--format", "json"]).await;
    assert_eq!(again.named(), expected, "nothing was changed");
    assert_eq!(office.host.command(&["anomaly", "list"]).await.answered(), "");

    let rows = csv(&compare(&office, &span, &["--format", "csv"]).await.out);
    assert_eq!(rows.len(), 1 + expected.len(), "{rows:?}");
    assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{rows:?}");
    let out = office.host.folder().join("differences.csv");
    compare(&office, &span, &["--format", "csv", "--out", out.to_str().unwrap()]).await;
    assert_eq!(csv(&std::fs::read_to_string(&out).unwrap()), rows);

    let resolved = compare(&office, &span, &["--format", "json", "--resolve"]).await;
    assert_eq!((resolved.code, &resolved.json()["settled"]), (2, &json!(1)));
    let left: Vec<_> = expected.into_iter().filter(|(differs, _)| differs != "state").collect();
    assert_eq!(compare(&office, &span, &["--format", "json"]).await.named(), left);
    compare(&office, &span, &["--resolve"]).await;
    let orphans = office.host.command(&["anomaly", "list"]).await;
    assert_eq!(orphans.answered().lines().count(), 1, "an orphan is recorded once: {orphans:?}");
    let trail = office.host.command(&["audit", "export"]).await;
    assert_eq!(trail.answered().matches("\"action\":\"reconcile\"").count(), 2);
    let closed = office.host.command(&["entry", "list", "--unknown"]).await;
    assert_eq!(closed.answered(), "", "the report settled what was unknown");

    office.host.run().await;
    let payments = office.client().payments().await;
    let settled = payments.iter().find(|payment| payment["captured_minor"] == 800).unwrap();
    let resolution = &settled["entries"][0]["resolution"];
    assert_eq!((&resolution["means"], &resolution["by"]), (&json!("report"), &json!(ACCOUNT)));
}

/// Rows of quoted cells, by RFC 4180.
fn csv(text: &str) -> Vec<Vec<String>> {
    let rows = text.strip_suffix("\r\n").expect("a line end").split("\r\n");
    rows.map(|row| {
        let row = row.strip_prefix('"').and_then(|row| row.strip_suffix('"')).expect("quotes");
        row.split("\",\"").map(|cell| cell.replace("\"\"", "\"")).collect()
    })
    .collect()
}

#[tokio::test]
async fn a_report_of_many_pages_is_read_to_its_end_while_the_host_runs() {
    let office = Office::open().await;
    let from = now_s();
    let paid = office.client().pay("k", &charge("pm_card_visa", 900)).await.with(201);
    let strangers = |stripe: &StripeSimulator| {
        stripe.rewrite_books(|books| {
            let known = line(books, id(&paid["entry"])).clone();
            books.movements.extend((0..250).map(|n| Movement {
                reference: format!("ch_{n}"),
                payment: format!("pi_{n}"),
                entry: None,
                ..known.clone()
            }));
        });
    };
    strangers(&office.stripe);
    let [from, to] = [from, now_s() + 1].map(rfc3339);
    let admin = office.admin();
    let asked = json!({ "account": ACCOUNT, "from": from, "to": to });
    let said = eventually("the span is over", async || {
        let said = admin.post("/admin/v1/reconciliations", "-", &asked).await;
        (said.status != 422).then_some(said)
    })
    .await
    .with(200);
    assert_eq!((&said["differing"], &said["movements"]), (&json!(250), &json!(251)), "{said:#}");
    let differs: Vec<_> = said["differences"].as_array().unwrap().iter().collect();
    assert!(differs.iter().all(|one| one["differs"] == "unknown-here"));
    let elsewhere = json!({ "account": "nowhere", "from": from, "to": to });
    let refused = admin.post("/admin/v1/reconciliations", "-", &elsewhere).await;
    refused.problem(404, "no-such-account");
    office.stripe.fault(FaultRule::next(Fault::Drop, "/v1/balance_transactions"));
    let broken = admin.post("/admin/v1/reconciliations", "-", &asked).await;
    broken.problem(502, "report-unreadable");
}

/// Seconds of Unix time, by the days of the civil calendar (Howard Hinnant's algorithm).
fn rfc3339(at_s: i64) -> String {
    let (days, rest) = (at_s.div_euclid(86_400), at_s.rem_euclid(86_400));
    let era_day = days + 719_468;
    let (era, day_of_era) = (era_day.div_euclid(146_097), era_day.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.000Z")
}

#[tokio::test]
async fn a_trade_bill_is_downloaded_and_read_and_so_is_one_in_a_file() {
    let mut stage = WechatStage::set().await;
    let from = now_s();
    let client = stage.client();
    let order = json!({
        "account": ACCOUNT,
        "amount": { "minor": 1_234, "currency": "CNY" },
        "merchant_reference": "order-1",
        "instrument": { "type": "qr" },
        "description": "Two books",
    });
    let mut paid = Vec::new();
    for n in 0..3 {
        let begun = client.pay(&format!("k{n}"), &order).await.with(201);
        let entry = id(&begun["entry"]).to_owned();
        stage.wechat.pay(&entry, PayerAnswer::Succeeded).unwrap();
        let known = eventually("it is paid", async || {
            let known = client.sync(&begun["id"]).await;
            (known["status"] == "captured").then_some(known)
        })
        .await;
        paid.push(known);
    }
    let part = json!({ "amount": { "minor": 234, "currency": "CNY" } });
    let given = client.on(&paid[0]["id"], "refunds", "r", &part).await.with(201);
    stage.wechat.settle(PayerAnswer::Succeeded);
    eventually("it is given back", async || {
        (client.sync(&given["id"]).await["refunded_minor"] == 234).then_some(())
    })
    .await;
    stage.host.stop().await;
    let span = span(from).await;
    let same = compare_at(&stage.host, &span, &["--format", "json", "--fee", "CNY:0.6%"]).await;
    assert_eq!((same.code, same.named()), (0, vec![]), "{:#}", same.json());
    assert_eq!(same.json()["movements"], 4);

    let bill = stage.host.folder().join("bill.csv");
    std::fs::write(&bill, trade_bill(&paid, from)).unwrap();
    let read = ["--format", "json", "--report", bill.to_str().unwrap()];
    let found = compare_at(&stage.host, &span, &read).await;
    let entry = |n: usize| Some(id(&paid[n]["entries"][0]["id"]).to_owned());
    let refund = Some(id(&given["entry"]).to_owned());
    let mut expected = [("amount", entry(1)), ("missing-at-provider", entry(2))]
        .map(|(differs, entry)| (differs.to_owned(), entry))
        .to_vec();
    expected.push(("missing-at-provider".to_owned(), refund));
    expected.sort();
    assert_eq!((found.code, found.named()), (2, expected), "{:#}", found.json());

    std::fs::write(&bill, "nothing of the kind\n").unwrap();
    let account = ["reconcile", "--account", ACCOUNT, "--from", &span[0], "--to", &span[1]];
    let broken = tollgate(&[&account[..], &read].concat(), stage.host.folder()).await;
    broken.refused(&["no trade bill"]);
}

/// A bill with the first payment, and the second with a fen too little.
fn trade_bill(paid: &[Value], at_s: i64) -> String {
    let at = rfc3339(at_s + 8 * 3_600);
    let at = format!("{} {}", &at[..10], &at[11..19]);
    let row = |n: usize, amount: &str| {
        let (ours, theirs) = (id(&paid[n]["entries"][0]["id"]), format!("42000020012023{n}"));
        format!("`{at},`{theirs},`{ours},`SUCCESS,`CNY,`{amount},`0.00000\r\n")
    };
    let columns = "交易时间,微信订单号,商户订单号,交易状态,货币种类,订单金额,手续费";
    let rows = [row(0, "12.34"), row(1, "12.33")].concat();
    format!("\u{feff}{columns}\r\n{rows}总交易单数,订单总金额\r\n`2,`24.67\r\n")
}
