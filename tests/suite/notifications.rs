//! Notifications: an app's endpoints are told what happened, signed, in order, at least once,
//! whatever they do, and whatever they do slows no payment and no quick endpoint.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use simulators::{StripeOptions, StripeSimulator};

use crate::support::{
    ACCOUNT, Account, Client, Config, Ear, Host, Listening, Manner, Reply, StripeStage, Told,
    charge, eventually, hold, soon,
};

/// A master key of this test alone.
pub const VAULT: &str = "[vault]\nmaster = [{ id = \"test\", command = [\"echo\", \
    \"8d0b3b6a5b0f4e2c9a7d1e3f5a6b7c8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7\"] }]\n";
const LOOPBACK: &str = "allow_networks = [\"127.0.0.0/8\"]\nallow_http = true\n";
const OFTEN: &str = "retry = [\"20ms\", \"20ms\", \"20ms\", \"20ms\", \"20ms\"]\n\
    failures_max = 1000\n";

fn config(stripe: &StripeSimulator, more: &str) -> Config {
    let account = Account::stripe(ACCOUNT, &stripe.base_url());
    let more = format!("\n{VAULT}[notifications]\n{LOOPBACK}{more}");
    Config { more, ..Config::of([account]) }
}

async fn telling(more: &str) -> StripeStage {
    let options = StripeOptions { retries: soon(), ..StripeOptions::default() };
    let stripe = StripeSimulator::start(options).await.unwrap();
    let host = Host::start(&config(&stripe, more)).await;
    stripe.point_webhook(None);
    StripeStage { stripe, host }
}

async fn send(client: &Client, method: Method, path: &str, body: &Value) -> Reply {
    let draft = client.request(method, path).header("content-type", "application/json");
    draft.send(body.to_string()).await
}

async fn post(client: &Client, path: &str, body: &Value) -> Reply {
    send(client, Method::POST, path, body).await
}

/// An endpoint that is told these events: its path and its secret.
async fn endpoint(client: &Client, ear: &Ear, events: &[&str]) -> (String, String) {
    let body = json!({ "url": ear.url(), "events": events });
    let added = post(client, "/v1/endpoints", &body).await.with(201);
    let path = format!("/v1/endpoints/{}", added["id"].as_str().unwrap());
    (path, added["secret"].as_str().unwrap().to_owned())
}

async fn stages(client: &Client, endpoint: &str, stage: &str) -> Vec<Value> {
    let path = format!("{endpoint}/notifications?limit=100&stage={stage}");
    client.get(&path).await.with(200)["notifications"].as_array().unwrap().clone()
}

fn ids(told: &[Told]) -> Vec<String> {
    told.iter().map(|told| told.id.clone()).collect()
}

#[tokio::test]
async fn what_an_endpoint_is_told_is_the_feed_to_the_byte_in_order_and_signed() {
    let (stage, ear) = (telling("").await, Ear::open().await);
    let client = stage.client();
    let (path, secret) = endpoint(&client, &ear, &["*"]).await;
    assert!(secret.starts_with("whsec_"));
    let held = client.pay("k1", &hold(900)).await.with(201);
    client.on(&held["id"], "captures", "k2", &json!({})).await.with(201);
    client.on(&held["id"], "refunds", "k3", &json!({})).await.with(201);
    let events = client.events().await;
    let told = ear.takes(events.len()).await;
    for (told, event) in told.iter().zip(&events) {
        assert_eq!((told.json(), told.id.as_str()), (event.clone(), event["id"].as_str().unwrap()));
        assert_eq!(told.content_type, "application/json");
        assert!(told.is_signed_with(&secret) && told.signatures() == 1, "{told:?}");
        assert!(!Told { body: "{}".into(), ..told.clone() }.is_signed_with(&secret));
    }
    let delivered = eventually("all recorded", async || {
        Some(stages(&client, &path, "delivered").await).filter(|all| all.len() == events.len())
    })
    .await;
    assert_eq!(delivered[0]["event"], events[events.len() - 1]["id"], "newest first");
    assert_eq!(delivered[0]["last"]["status"], 204);
    assert_eq!(client.get(&path).await.with(200)["health"], json!({"type": "taking"}));
    assert!(!client.get("/v1/endpoints").await.with(200).to_string().contains("whsec_"));
}

#[tokio::test]
async fn an_endpoint_is_told_what_it_asked_for_and_nothing_after_it_was_deleted() {
    let (stage, all, some) = (telling("").await, Ear::open().await, Ear::open().await);
    let client = stage.client();
    endpoint(&client, &all, &["*"]).await;
    let (path, _) = endpoint(&client, &some, &["refund.*"]).await;
    let paid = client.pay("k1", &charge("pm_card_visa", 900)).await.with(201);
    let part = json!({"amount": {"minor": 100, "currency": "EUR"}});
    client.on(&paid["id"], "refunds", "k2", &part).await.with(201);
    assert_eq!(some.takes(1).await[0].json()["name"], "refund.succeeded");
    send(&client, Method::DELETE, &path, &json!({})).await.with(200);
    client.get(&path).await.problem(404, "no-such-endpoint");
    client.on(&paid["id"], "refunds", "k3", &part).await.with(201);
    all.takes(3).await;
    assert_eq!(some.told().len(), 1);
}

#[tokio::test]
async fn what_is_not_taken_comes_again_under_its_id_and_the_rest_of_its_payment_waits() {
    let (stage, ear) = (telling(OFTEN).await, Ear::open().await);
    let client = stage.client();
    let (_, secret) = endpoint(&client, &ear, &["*"]).await;
    let refusals = Arc::new(AtomicUsize::new(0));
    let count = refusals.clone();
    // The first of every payment is refused three times.
    ear.answer(move |told| {
        let first = told.json()["name"] == "authorize.succeeded";
        let refused = first && count.fetch_add(1, Ordering::SeqCst) < 3;
        Manner::Status(if refused { 503 } else { 200 })
    });
    let paid = client.pay("k1", &charge("pm_card_visa", 900)).await.with(201);
    client.on(&paid["id"], "refunds", "k2", &json!({})).await.with(201);
    ear.takes(2).await;
    let told = ear.told();
    let names: Vec<Value> = told.iter().map(|told| told.json()["name"].clone()).collect();
    let (first, then) = ("authorize.succeeded", "refund.succeeded");
    assert_eq!(names, [first, first, first, first, then], "no event overtakes another");
    assert!(ids(&told[..4]).windows(2).all(|pair| pair[0] == pair[1]), "one id");
    assert!(told.iter().all(|told| told.is_signed_with(&secret)), "signed anew each time");
}

#[tokio::test]
async fn after_the_last_attempt_it_is_a_dead_letter_with_its_reason_until_it_is_replayed() {
    let mut stage = telling("retry = [\"10ms\"]\nfailures_max = 1000\n").await;
    let (client, ear) = (stage.client(), Ear::open().await);
    ear.answer(|_| Manner::Status(500));
    let (path, _) = endpoint(&client, &ear, &["*"]).await;
    client.pay("k1", &charge("pm_card_visa", 900)).await.with(201);
    client.pay("k2", &charge("pm_card_visa", 800)).await.with(201);
    let dead = eventually("both given up", async || {
        Some(stages(&client, &path, "dead").await).filter(|dead| dead.len() == 2)
    })
    .await;
    assert_eq!((ear.told().len(), &dead[0]["attempts"]), (4, &json!(2)));
    assert_eq!(dead[0]["given_up"], "2 attempts failed; the last: answered 500");
    // One, by its identifier.
    ear.answer(|_| Manner::Status(200));
    let one = json!({"type": "one", "notification": dead[0]["id"]});
    assert_eq!(post(&client, &format!("{path}/replays"), &one).await.with(200)["replayed"], 1);
    assert_eq!(ear.takes(1).await[0].id, dead[0]["event"].as_str().unwrap(), "the same id");
    eventually("it is recorded", async || {
        let delivered = stages(&client, &path, "delivered").await;
        delivered.first().filter(|one| one["replays"] == 1).map(drop)
    })
    .await;
    let unknown = json!({"type": "one", "notification": "00000000000000000000"});
    let unknown = post(&client, &format!("{path}/replays"), &unknown).await;
    unknown.problem(404, "no-such-notification");
    // The other, by the command line, while the host is stopped.
    stage.host.stop().await;
    let id = path.rsplit('/').next().unwrap();
    let listed = stage.host.command(&["notifications", "dead"]).await;
    let listed: Vec<Value> =
        listed.answered().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((listed.len(), &listed[0]["endpoint"]), (1, &json!(id)));
    assert_eq!(listed[0]["event"], dead[1]["event"]);
    let replayed = stage.host.command(&["notifications", "replay", id, "--dead"]).await;
    assert_eq!(replayed.answered(), "1");
    stage.host.run().await;
    assert_eq!(ear.takes(2).await[1].id, dead[1]["event"].as_str().unwrap());
}

#[tokio::test]
async fn everything_since_a_time_is_replayed_in_order() {
    let (stage, ear) = (telling("").await, Ear::open().await);
    let client = stage.client();
    let (path, _) = endpoint(&client, &ear, &["*"]).await;
    let paid = client.pay("k1", &charge("pm_card_visa", 900)).await.with(201);
    let refunded = client.on(&paid["id"], "refunds", "k2", &json!({})).await.with(201);
    let first = ids(&ear.takes(2).await);
    eventually("both recorded", async || {
        (stages(&client, &path, "delivered").await.len() == 2).then_some(())
    })
    .await;
    let since = json!({"type": "since", "since": "2020-01-01T00:00:00.000Z"});
    assert_eq!(post(&client, &format!("{path}/replays"), &since).await.with(200)["replayed"], 2);
    assert_eq!(ids(&ear.takes(4).await)[2..], first[..]);
    let later = json!({"type": "since", "since": "2999-01-01T00:00:00.000Z"});
    assert_eq!(post(&client, &format!("{path}/replays"), &later).await.with(200)["replayed"], 0);
    assert_eq!(refunded["status"], "refunded");
}

#[tokio::test]
async fn a_rotated_secret_signs_along_for_as_long_as_it_is_asked_to() {
    let (stage, ear) = (telling("").await, Ear::open().await);
    let client = stage.client();
    let (path, old) = endpoint(&client, &ear, &["*"]).await;
    let rotated = post(&client, &format!("{path}/secret"), &json!({})).await.with(200);
    let new = rotated["secret"].as_str().unwrap();
    assert_eq!(rotated["secrets"].as_array().unwrap().len(), 2);
    client.pay("k1", &charge("pm_card_visa", 900)).await.with(201);
    let told = ear.takes(1).await;
    assert!(told[0].is_signed_with(&old) && told[0].is_signed_with(new));
    assert_eq!(told[0].signatures(), 2);
    let at_once = json!({"overlap_s": 0});
    let last = post(&client, &format!("{path}/secret"), &at_once).await.with(200);
    client.pay("k2", &charge("pm_card_visa", 900)).await.with(201);
    let told = ear.takes(2).await.remove(1);
    assert!(told.is_signed_with(last["secret"].as_str().unwrap()) && told.signatures() == 1);
    assert!(!told.is_signed_with(&old) && !told.is_signed_with(new));
}

#[tokio::test]
async fn a_host_that_dies_between_sending_and_recording_tells_again_under_the_same_id() {
    let mut stage = telling("").await;
    let (client, ear) = (stage.client(), Ear::open().await);
    ear.answer(|_| Manner::Silence);
    endpoint(&client, &ear, &["*"]).await;
    let paid = client.pay("k1", &charge("pm_card_visa", 900)).await.with(201);
    let first = ids(&ear.hears(1).await);
    stage.host.kill().await;
    ear.answer(|_| Manner::Status(200));
    stage.host.run().await;
    assert_eq!(ids(&ear.takes(1).await), first);
    let events = stage.client().events().await;
    assert_eq!(first[0], events[0]["id"].as_str().unwrap());
    assert_eq!(stage.client().payment(&paid["id"]).await["status"], "captured");
}

#[tokio::test]
async fn whenever_a_host_dies_every_event_of_the_feed_is_told() {
    let mut stage = telling(OFTEN).await;
    let ear = Ear::open().await;
    endpoint(&stage.client(), &ear, &["*"]).await;
    for round in 0..4 {
        let client = stage.client();
        let payments = (0..6).map(|n| {
            let client = client.clone();
            tokio::spawn(async move {
                let body = charge("pm_card_visa", 900);
                // The host may not live to answer.
                let _ = client.try_post("/v1/payments", &format!("k{round}-{n}"), &body).await;
            })
        });
        let payments: Vec<_> = payments.collect();
        ear.hears(round * 3 + 1).await;
        stage.host.kill().await;
        for payment in payments {
            payment.await.unwrap();
        }
        stage.host.run().await;
    }
    eventually("the feed and what was told are the same", async || {
        let events = stage.client().events().await;
        let told = ids(&ear.taken());
        let known = |event: &Value| told.iter().any(|id| event["id"] == id.as_str());
        (events.len() > 3 && events.iter().all(known)).then_some(())
    })
    .await;
    let events = stage.client().events().await;
    let told = ear.taken();
    let is_event = |told: &Told| events.iter().any(|event| *event == told.json());
    assert!(told.iter().all(is_event), "nothing is told that did not happen");
}

#[tokio::test]
async fn a_dead_and_a_dripping_endpoint_slow_neither_payments_nor_other_endpoints() {
    let stage = telling("timeouts = { first-byte-ms-max = 600000, total-ms-max = 600000 }\n").await;
    let (client, well, dripping) = (stage.client(), Ear::open().await, Ear::open().await);
    let dead = Ear::open().await;
    dripping.answer(|_| Manner::Silence);
    for ear in [&well, &dripping, &dead] {
        endpoint(&client, ear, &["*"]).await;
    }
    drop(dead);
    client.pay("k0", &charge("pm_card_visa", 900)).await.with(201);
    dripping.hears(1).await;
    for n in 1..=30 {
        client.pay(&format!("k{n}"), &charge("pm_card_visa", 900)).await.with(201);
    }
    well.takes(31).await;
    // All of that happened while the first requests to the dripping endpoint were out, which are
    // waited for ten minutes: nothing waited for them.
    assert_eq!((dripping.taken().len(), dripping.told().len()), (0, 4), "as many as it may have");
}

#[tokio::test]
async fn an_endpoint_that_keeps_failing_is_left_alone_and_one_notification_tries_it() {
    let more = "retry = [\"1ms\", \"1ms\", \"1h\", \"1h\"]\nfailures_max = 3\n\
                left_alone = \"50ms\"\nleft_alone_max = \"50ms\"\n\
                concurrency_per_endpoint_max = 1\n";
    let (stage, ear) = (telling(more).await, Ear::open().await);
    let client = stage.client();
    let well = Arc::new(AtomicBool::new(false));
    let is_well = well.clone();
    ear.answer(move |_| Manner::Status(if is_well.load(Ordering::SeqCst) { 200 } else { 500 }));
    let (path, _) = endpoint(&client, &ear, &["*"]).await;
    for n in 0..8 {
        client.pay(&format!("k{n}"), &charge("pm_card_visa", 900)).await.with(201);
    }
    let health = eventually("it is left alone", async || {
        let health = client.get(&path).await.with(200)["health"].clone();
        (health["type"] == "left-alone").then_some(health)
    })
    .await;
    assert_eq!(health["why"], "answered 500");
    ear.hears(5).await;
    well.store(true, Ordering::SeqCst);
    // Whatever was not tried thrice waits for nothing but the endpoint.
    eventually("it is told again", async || {
        let health = client.get(&path).await.with(200)["health"].clone();
        (health["type"] == "taking" && !ear.taken().is_empty()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_leads_nowhere() {
    let (stage, ear, other) = (telling(OFTEN).await, Ear::open().await, Ear::open().await);
    let client = stage.client();
    let to = other.url();
    ear.answer(move |_| Manner::Redirect(to.clone()));
    let (path, _) = endpoint(&client, &ear, &["*"]).await;
    client.pay("k1", &charge("pm_card_visa", 900)).await.with(201);
    let dead = eventually("it is given up", async || {
        stages(&client, &path, "dead").await.first().cloned()
    })
    .await;
    assert!(dead["last"]["why"].as_str().unwrap().contains("redirects are not followed"));
    assert_eq!((ear.told().len(), other.connections()), (6, 0));
}

#[tokio::test]
async fn without_a_vault_no_endpoint_is_added_and_the_remedy_is_said() {
    let (stage, ear) = (StripeStage::set().await, Ear::open().await);
    let body = json!({"url": ear.url(), "events": ["*"]});
    let refused = post(&stage.client(), "/v1/endpoints", &body).await;
    let problem = refused.problem(refused.status, "vault-closed");
    let known = stage.client().get(problem["type"].as_str().unwrap()).await.with(200);
    assert!(known["remedy"].as_str().unwrap().contains("tollgate vault key"), "{known:#}");
    assert_eq!(ear.connections(), 0);
}

#[tokio::test]
async fn what_is_wrong_with_an_endpoint_is_said_and_others_cannot_see_it() {
    let (stage, ear) = (telling("endpoints_max = 2\n").await, Ear::open().await);
    let client = stage.client();
    for (events, field) in [
        (json!([]), "/events"),
        (json!(["refunds.*"]), "/events/0"),
        (json!(["*", "refund.suceeded"]), "/events/1"),
    ] {
        let body = json!({"url": ear.url(), "events": events});
        let problem = post(&client, "/v1/endpoints", &body).await.problem(422, "fields-invalid");
        assert_eq!(problem["errors"][0]["field"], field);
    }
    endpoint(&client, &ear, &["*"]).await;
    endpoint(&client, &ear, &["*"]).await;
    let body = json!({"url": ear.url(), "events": ["*"]});
    post(&client, "/v1/endpoints", &body).await.problem(409, "too-many-endpoints");
    client
        .get("/v1/endpoints/pay_01jd8ze5p2m3q4r5s6t7v8w9xa")
        .await
        .problem(404, "no-such-endpoint");
    client
        .get("/v1/endpoints/end_01jd8ze5p2m3q4r5s6t7v8w9xa")
        .await
        .problem(404, "no-such-endpoint");
}

#[tokio::test]
async fn the_stream_is_the_feed_and_goes_on_after_the_last_event_without_loss_or_repetition() {
    let mut stage = telling("").await;
    let client = stage.client();
    let (address, key) = (stage.host.address(), stage.host.key().to_owned());
    let mut listening = Listening::open(address, &key, None).await;
    let mut seen = Vec::new();
    for n in 0..3 {
        client.pay(&format!("a{n}"), &charge("pm_card_visa", 900)).await.with(201);
        seen.push(listening.next().await.unwrap());
    }
    assert_eq!(seen[0].event, "authorize.succeeded");
    drop(listening);
    client.pay("b", &charge("pm_card_visa", 900)).await.with(201);
    // While it is stopped the stream ends, and another process goes on with it.
    let mut open = Listening::open(address, &key, Some(&seen[2].id)).await;
    seen.push(open.next().await.unwrap());
    stage.host.stop().await;
    assert_eq!(open.next().await, None, "a host that stops ends its streams");
    stage.host.run().await;
    let client = stage.client();
    client.pay("c", &charge("pm_card_visa", 900)).await.with(201);
    let last = &seen[seen.len() - 1].id;
    let mut listening = Listening::open(stage.host.address(), &key, Some(last)).await;
    seen.push(listening.next().await.unwrap());
    let data: Vec<Value> = seen.into_iter().map(|one| one.data).collect();
    assert_eq!(data, client.events().await);
}

#[tokio::test]
async fn many_who_listen_at_the_same_time_all_hear_everything_in_order() {
    let stage = telling("").await;
    let client = stage.client();
    let (address, key) = (stage.host.address(), stage.host.key().to_owned());
    let listeners = (0..8).map(|_| {
        let key = key.clone();
        tokio::spawn(async move {
            let (mut all, mut after) = (Vec::new(), None::<String>);
            while all.len() < 40 {
                // Every few events it hangs up, and comes back.
                let mut listening = Listening::open(address, &key, after.as_deref()).await;
                for _ in 0..7.min(40 - all.len()) {
                    let one = listening.next().await.expect("the stream goes on");
                    after = Some(one.id);
                    all.push(one.data);
                }
            }
            all
        })
    });
    let listeners: Vec<_> = listeners.collect();
    for n in 0..40 {
        client.pay(&format!("k{n}"), &charge("pm_card_visa", 900)).await.with(201);
    }
    let events = client.events().await;
    for listener in listeners {
        assert_eq!(listener.await.unwrap(), events);
    }
}

/// So long may a host take to stop while a client reads nothing of its stream.
const STOP: Duration = Duration::from_secs(30);

#[tokio::test]
async fn an_app_has_so_many_streams_and_a_host_stops_in_spite_of_them() {
    let mut stage = telling("").await;
    let (address, key) = (stage.host.address(), stage.host.key().to_owned());
    let mut open = Vec::new();
    for _ in 0..8 {
        open.push(Listening::open(address, &key, None).await);
    }
    let ask =
        || stage.client().request(Method::GET, "/v1/events").header("accept", "text/event-stream");
    ask().send("").await.problem(429, "too-many-streams");
    drop(open.pop());
    eventually("a place is free again", async || {
        let wrong = ask().header("last-event-id", "zz").send("").await;
        (wrong.status == 404).then_some(())
    })
    .await;
    let stopped = tokio::time::timeout(STOP, stage.host.stop()).await;
    assert!(stopped.is_ok(), "streams keep the host from stopping");
}
