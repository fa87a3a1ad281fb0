//! Deliveries that are not what they seem: nothing of the ledger or the provider moves, the
//! provider hears that it was not accepted, and the operator reads why.

use serde_json::{Value, json};
use simulators::{Books, Clock, PayerAnswer, StripeOptions, StripeSimulator};

use crate::support::{Account, Client, Config, Host, Key, Mailbox, Posted, charge, eventually};

const ACCOUNT: &str = "shop-eu";
const TWIN: &str = "shop-us";
const STRANGER: &str = "shop-uk";

/// A payment that waits for its payer, whose webhook comes to the test instead of the host.
struct Scene {
    stripe: StripeSimulator,
    host: Host,
    clock: Clock,
    mailbox: Mailbox,
    waiting: Value,
}

/// All there is to change.
#[derive(Debug, PartialEq)]
struct Everything {
    payments: Vec<Value>,
    events: Vec<Value>,
    books: Books,
}

impl Scene {
    /// Three accounts at one provider: `TWIN` with the same webhook secret, `STRANGER` with
    /// another.
    async fn set() -> Scene {
        let clock = Clock::system();
        let options = StripeOptions { clock: clock.clone(), ..StripeOptions::default() };
        let stripe = StripeSimulator::start(options).await.unwrap();
        let mailbox = Mailbox::open().await;
        stripe.point_webhook(Some(mailbox.url()));
        let account = |name: &str| Account::stripe(name, &stripe.base_url());
        let mut stranger = account(STRANGER);
        stranger.keys = vec![Key::text("webhook", "whsec_of_another_account")];
        let config = Config::of([account(ACCOUNT), account(TWIN), stranger]);
        let host = Host::start(&config).await;
        let mut body = charge("pm_card_threeDSecure2Required", 4200);
        body["return_url"] = json!("https://shop.example/done");
        let waiting = host.client().pay("k1", &body).await.with(201);
        Scene { stripe, host, clock, mailbox, waiting }
    }

    fn client(&self) -> Client {
        self.host.client()
    }

    /// The payer pays: the genuine letter, which has not been delivered.
    async fn paid(&self) -> Posted {
        let intent = self.waiting["entries"][0]["reference"]["provider"].as_str().unwrap();
        self.stripe.pay(intent, PayerAnswer::Succeeded).unwrap();
        self.mailbox.letter("\"payment_intent.succeeded\"").await
    }

    async fn everything(&self) -> Everything {
        let client = self.client();
        Everything {
            payments: client.payments().await,
            events: client.events().await,
            books: self.stripe.books(),
        }
    }

    /// Holds that a letter is answered with this status and changes nothing; `words` stand in one
    /// line of the log.
    async fn refuses(&self, letter: &Posted, account: &str, status: u16, words: &[&str]) {
        let (before, logged) = (self.everything().await, self.host.logged());
        let reply = letter.deliver(&self.client(), account).await;
        assert_eq!(reply.status, status, "{words:?}: {}", String::from_utf8_lossy(&reply.body));
        let line = self.host.log_line(logged, words).await;
        assert!(["WARN", "ERROR"].contains(&line["level"].as_str().unwrap()), "{line}");
        assert_eq!(self.everything().await, before, "{words:?}");
    }

    async fn completes(&self, letter: &Posted) {
        let reply = letter.deliver(&self.client(), ACCOUNT).await;
        assert_eq!(reply.status, 200);
        let paid = self.client().payment(&self.waiting["id"]).await;
        assert_eq!((&paid["status"], &paid["captured_minor"]), (&json!("captured"), &json!(4200)));
    }
}

/// The signature header with one part of it changed.
fn signature(letter: &Posted, change: impl Fn(&str) -> String) -> Posted {
    letter.with_header("stripe-signature", |value| Some(change(value)))
}

/// The same text with the last hexadecimal digit of a part turned into another.
fn flip(part: &str) -> String {
    let (rest, last) = part.split_at(part.len() - 1);
    format!("{rest}{}", if last == "0" { "1" } else { "0" })
}

/// `t=…,v1=…,v0=…` by parts.
fn parts(header: &str) -> (String, String, String) {
    let parts: Vec<_> = header.split(',').map(str::to_owned).collect();
    (parts[0].clone(), parts[1].clone(), parts[2].clone())
}

#[tokio::test]
async fn whatever_is_altered_is_refused_and_the_genuine_one_is_taken() {
    let scene = Scene::set().await;
    let genuine = scene.paid().await;
    let forged = ["a delivery was refused", ACCOUNT, "none of its signatures holds"];
    let unreadable = ["a delivery was refused", ACCOUNT, "cannot read it"];
    let richer = genuine.with_body(|body| body.replace("4200", "4201"));
    scene.refuses(&richer, ACCOUNT, 503, &forged).await;
    let spaced = genuine.with_body(|body| format!("{body} "));
    scene.refuses(&spaced, ACCOUNT, 503, &forged).await;
    let rewritten =
        genuine.with_body(|body| serde_json::from_str::<Value>(body).unwrap().to_string());
    scene.refuses(&rewritten, ACCOUNT, 503, &forged).await;
    let flipped = signature(&genuine, |header| {
        let (time, tag, _) = parts(header);
        format!("{time},{}", flip(&tag))
    });
    scene.refuses(&flipped, ACCOUNT, 503, &forged).await;
    let cut = signature(&genuine, |header| {
        let (time, tag, _) = parts(header);
        format!("{time},{}", &tag[..tag.len() - 2])
    });
    scene.refuses(&cut, ACCOUNT, 503, &forged).await;
    let redated = signature(&genuine, |header| {
        let (time, tag, _) = parts(header);
        let seconds: u64 = time.trim_start_matches("t=").parse().unwrap();
        format!("t={},{tag}", seconds + 1)
    });
    scene.refuses(&redated, ACCOUNT, 503, &forged).await;
    let weaker = signature(&genuine, |header| {
        let (time, tag, _) = parts(header);
        format!("{time},{}", tag.replace("v1=", "v0="))
    });
    scene.refuses(&weaker, ACCOUNT, 503, &unreadable).await;
    let timeless = signature(&genuine, |header| parts(header).1);
    scene.refuses(&timeless, ACCOUNT, 503, &unreadable).await;
    let unsigned = genuine.with_header("stripe-signature", |_| None);
    scene.refuses(&unsigned, ACCOUNT, 503, &unreadable).await;
    scene.completes(&genuine).await;
}

#[tokio::test]
async fn a_rolled_secret_is_recognised_beside_a_wrong_signature() {
    let scene = Scene::set().await;
    let genuine = scene.paid().await;
    let two = signature(&genuine, |header| {
        let (time, tag, _) = parts(header);
        format!("{time},{},{tag}", flip(&tag))
    });
    scene.completes(&two).await;
}

#[tokio::test]
async fn a_repeated_delivery_is_accepted_and_acted_on_once() {
    let scene = Scene::set().await;
    let genuine = scene.paid().await;
    scene.completes(&genuine).await;
    let before = scene.everything().await;
    for _ in 0..3 {
        let logged = scene.host.logged();
        let reply = genuine.deliver(&scene.client(), ACCOUNT).await;
        assert_eq!(reply.status, 200, "the provider must not go on repeating it");
        scene.host.log_line(logged, &["a webhook event was repeated", ACCOUNT]).await;
    }
    assert_eq!(scene.everything().await, before);
}

#[tokio::test]
async fn copies_that_arrive_at_once_are_acted_on_once() {
    let scene = Scene::set().await;
    let genuine = scene.paid().await;
    let copies = (0..8).map(|_| {
        let (genuine, client) = (genuine.clone(), scene.client());
        tokio::spawn(async move { genuine.deliver(&client, ACCOUNT).await.status })
    });
    for copy in copies.collect::<Vec<_>>() {
        assert_eq!(copy.await.unwrap(), 200);
    }
    let events = scene.client().events().await;
    let names: Vec<_> = events.iter().map(|event| event["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["authorize.needs-action", "authorize.succeeded"]);
}

#[tokio::test]
async fn an_old_delivery_is_refused_however_well_it_is_signed() {
    let scene = Scene::set().await;
    for (shift, what) in [(-601, "old"), (1_202, "from the future")] {
        scene.clock.advance(shift);
        let before = scene.everything().await;
        assert_eq!(before.payments[0]["status"], "needs-action", "{what}");
        if shift < 0 {
            let stale = scene.paid().await;
            let words = ["a delivery was refused", "it was signed", "300 s are taken"];
            scene.refuses(&stale, ACCOUNT, 503, &words).await;
        }
    }
    let refund = scene.client().sync(&scene.waiting["id"]).await;
    assert_eq!(refund["status"], "captured");
    let body = json!({ "amount": { "minor": 1, "currency": "EUR" } });
    scene.client().on(&scene.waiting["id"], "refunds", "k2", &body).await.with(201);
    let early = scene.mailbox.letter("\"refund.created\"").await;
    scene.refuses(&early, ACCOUNT, 503, &["a delivery was refused", "it was signed"]).await;
}

#[tokio::test]
async fn a_delivery_for_one_account_is_nothing_to_another() {
    let scene = Scene::set().await;
    let genuine = scene.paid().await;
    let forged = ["a delivery was refused", STRANGER, "none of its signatures holds"];
    scene.refuses(&genuine, STRANGER, 503, &forged).await;
    // The twin shares the secret: the signature holds, and the payment is still not its own.
    let foreign = ["the provider contradicts the ledger", TWIN, "Orphan"];
    scene.refuses(&genuine, TWIN, 200, &foreign).await;
    scene.completes(&genuine).await;
}

#[tokio::test]
async fn a_delivery_for_no_account_is_not_found() {
    let scene = Scene::set().await;
    let genuine = scene.paid().await;
    let before = scene.everything().await;
    for account in ["nobody", "SHOP-EU", "shop-eu%2f..%2fshop-us"] {
        let reply = genuine.deliver(&scene.client(), account).await;
        reply.problem(404, "no-such-account");
    }
    assert_eq!(scene.everything().await, before);
    scene.completes(&genuine).await;
}

#[tokio::test]
async fn nonsense_is_refused_without_harm() {
    let scene = Scene::set().await;
    let genuine = scene.paid().await;
    let words = ["a delivery was refused", ACCOUNT];
    for body in ["", "{", "null", "[]", "\u{0}\u{1}"] {
        let nonsense = genuine.with_body(|_| body.to_owned());
        scene.refuses(&nonsense, ACCOUNT, 503, &words).await;
    }
    for header in ["", "t=,v1=", "t=99999999999999999999,v1=00", "v1=zz,t=1", &"v1=00,".repeat(500)]
    {
        let nonsense = signature(&genuine, |_| header.to_owned());
        scene.refuses(&nonsense, ACCOUNT, 503, &words).await;
    }
    scene.completes(&genuine).await;
}

#[tokio::test]
async fn a_webhook_that_overtakes_the_answer_changes_nothing_about_it() {
    let scene = Scene::set().await;
    scene.stripe.point_webhook(Some(format!("{}/webhooks/{ACCOUNT}", scene.host.url())));
    let slow = simulators::Fault::Delay { ms: 700 };
    scene.stripe.fault(simulators::FaultRule::next(slow, "/v1/payment_intents"));
    let client = scene.client();
    let paying = tokio::spawn({
        let client = client.clone();
        async move { client.pay("k2", &charge("pm_card_visa", 300)).await }
    });
    let paid = paying.await.unwrap().with(201);
    assert_eq!(paid["status"], "captured", "{paid:#}");
    eventually("the webhooks are accepted", async || {
        let all = scene.stripe.deliveries();
        all.iter().filter(|one| one.url.contains(ACCOUNT)).all(|one| one.accepted).then_some(())
    })
    .await;
    let events = client.events().await;
    let told = events.iter().filter(|event| event["payment"]["id"] == paid["id"]).count();
    assert_eq!(told, 1, "{events:#?}");
}
