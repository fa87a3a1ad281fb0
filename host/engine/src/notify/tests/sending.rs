//! The deliverer over a store in memory, a clock in the hand and an endpoint on loopback.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};

use egress::{Egress, Outside};
use ledger::{Currency, Entry, Id, Kind, Money, Payment, State};
use store::{Batch, Model, Store};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use vault::{AtRest, Master, Secret};

use crate::apps::tests::Hand;
use crate::clock::SystemEntropy;
use crate::notify::{Health, NewEndpoint, NotifyOptions, Notifying, Replay, Schedule, Stage, note};
use crate::{Engine, Event, Options, Parts};

/// Nothing allowed, nothing written.
pub(crate) fn notifying() -> Notifying {
    Notifying {
        egress: Egress::new(egress::Options::default()).unwrap(),
        outside: Outside::default(),
        render: |event| event.id.as_str().as_bytes().to_vec(),
        options: NotifyOptions::default(),
    }
}

/// An endpoint that answers every request with one status, and counts.
struct Door {
    url: String,
    status: Arc<AtomicU16>,
    count: Arc<AtomicUsize>,
}

impl Door {
    async fn open() -> Door {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (status, count) = (Arc::new(AtomicU16::new(500)), Arc::new(AtomicUsize::new(0)));
        let (answers, counted) = (status.clone(), count.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, answers.clone(), counted.clone()));
            }
        });
        Door { url, status, count }
    }
}

/// One request a connection; its body has the length of an event's identifier.
async fn answer(mut stream: TcpStream, status: Arc<AtomicU16>, count: Arc<AtomicUsize>) {
    let mut read = Vec::new();
    while !read.windows(4).any(|four| four == b"\r\n\r\n") || !read.ends_with(b"!") {
        let mut buffer = [0; 1024];
        let some = stream.read(&mut buffer).await.unwrap_or(0);
        if some == 0 {
            return;
        }
        read.extend_from_slice(&buffer[..some]);
    }
    count.fetch_add(1, Ordering::SeqCst);
    let status = status.load(Ordering::SeqCst);
    let head = format!("HTTP/1.1 {status} So\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let _ = stream.write_all(head.as_bytes()).await;
}

struct Bench {
    engine: Engine,
    store: Arc<Model>,
    clock: Arc<Hand>,
    app: Id,
}

impl Bench {
    fn new(options: NotifyOptions) -> Bench {
        let (store, clock) = (Arc::new(Model::new()), Arc::new(Hand(1_000_000.into())));
        let networks = vec!["127.0.0.1/32".parse().unwrap()];
        let master = Secret::new("test", "8d".repeat(31).into_bytes());
        let master = Secret::new("test", [master.expose(), b"01"].concat());
        let master = Master::read("test", &master).unwrap();
        let engine = Engine::new(Parts {
            store: store.clone(),
            egress: Egress::new(egress::Options::default()).unwrap(),
            at_rest: AtRest::new(vec![master]).unwrap(),
            card_keys: Arc::new(store::Slots::in_memory()),
            notifying: Notifying {
                outside: Outside { networks, plain: true },
                render: |event| format!("{}!", event.id).into_bytes(),
                options,
                ..notifying()
            },
            clock: clock.clone(),
            entropy: Arc::new(SystemEntropy),
            accounts: Vec::new(),
            options: Options::default(),
        });
        Bench { engine: engine.unwrap(), store, clock, app: Id::app(1, [7; 10]) }
    }

    async fn endpoint(&self, door: &Door) -> Id {
        let new = NewEndpoint { url: door.url.clone(), events: vec!["*".to_owned()] };
        self.engine.add_endpoint(&self.app, new).await.unwrap().0.id
    }

    /// An event of a payment of its own, as `tell` commits it.
    async fn happens(&self, n: u8) {
        let now = crate::clock::Clock::now_ms(&*self.clock);
        let amount = Money::new(1, Currency::from_code("EUR").unwrap()).unwrap();
        let entry = Entry {
            id: Id::entry(now, [n; 10]),
            kind: Kind::Authorize,
            amount,
            capture: true,
            state: State::Succeeded,
            references: None,
            next: None,
            decline: None,
            why: None,
            resolution: None,
            created_at_ms: now,
            changed_at_ms: now,
        };
        let payment = Payment {
            id: Id::payment(now, [n; 10]),
            app: self.app.clone(),
            account: "a".to_owned(),
            merchant_reference: "r".to_owned(),
            amount,
            entries: vec![entry.clone()],
            created_at_ms: now,
        };
        let name = "authorize.succeeded".to_owned();
        let event = Event { id: Id::event(now, [n; 10]), name, at_ms: now, payment, entry };
        let mut batch = Batch::at(now);
        note(&mut batch, &event, &self.engine.registered(&self.app).await.unwrap());
        let addressed = crate::notify::addressed(&batch);
        self.store.commit(batch).await.unwrap();
        self.engine.0.desk.ring(addressed);
    }

    async fn count(&self, endpoint: &Id, stage: Stage) -> usize {
        let page = (None, 100);
        let page = self.engine.notifications(&self.app, endpoint, Some(stage), page).await;
        page.unwrap().notifications.len()
    }

    /// Lets the deliverer work until so many stand so.
    async fn until(&self, endpoint: &Id, stage: Stage, count: usize) {
        let mut changes = self.store.subscribe();
        let key = crate::record::endpoint_key(&self.app, endpoint);
        self.engine.0.desk.ring([key]);
        let working = async {
            while self.count(endpoint, stage).await != count {
                changes.changed().await.unwrap();
            }
        };
        tokio::select! {
            () = self.engine.notify() => {}
            () = working => {}
        }
    }
}

fn options(waits_ms: &[u64]) -> NotifyOptions {
    NotifyOptions {
        schedule: Schedule { waits_ms: waits_ms.to_vec(), jitter_percent: 0 },
        concurrency_per_endpoint_max: 1,
        failures_max: 2,
        left_alone_ms: 100,
        left_alone_ms_max: 100,
        ..NotifyOptions::default()
    }
}

#[tokio::test]
async fn what_waited_as_long_as_its_endpoint_failed_is_given_up_and_the_rest_is_not() {
    let (bench, door) = (Bench::new(options(&[400, 400])), Door::open().await);
    let endpoint = bench.endpoint(&door).await;
    for n in 0..20 {
        bench.happens(n).await;
    }
    // Two failures, and it is left alone: the others are not tried.
    let mut changes = bench.store.subscribe();
    let left_alone = async {
        loop {
            let health = bench.engine.endpoint(&bench.app, &endpoint).await.unwrap().health;
            if matches!(health, Health::LeftAlone { .. }) {
                return;
            }
            changes.changed().await.unwrap();
        }
    };
    tokio::select! {
        () = bench.engine.notify() => {}
        () = left_alone => {}
    }
    assert_eq!(door.count.load(Ordering::SeqCst), 2);
    // A whole schedule later it fails still; what is younger than that is waited for.
    bench.clock.0.fetch_add(801, Ordering::SeqCst);
    bench.happens(100).await;
    bench.until(&endpoint, Stage::Dead, 20).await;
    assert_eq!(bench.count(&endpoint, Stage::Waiting).await, 1);
    assert_eq!(door.count.load(Ordering::SeqCst), 3, "one probe, and no more for the dead");
    // Replayed, all of them arrive once it is well.
    door.status.store(204, Ordering::SeqCst);
    let replayed = bench.engine.replay(&bench.app, &endpoint, &Replay::Dead).await;
    assert_eq!(replayed.unwrap(), 20);
    bench.clock.0.fetch_add(1_000, Ordering::SeqCst);
    bench.until(&endpoint, Stage::Delivered, 21).await;
    assert_eq!(door.count.load(Ordering::SeqCst), 24);
}

#[tokio::test]
async fn what_waits_for_an_endpoint_that_is_gone_is_removed() {
    let (bench, door) = (Bench::new(options(&[400])), Door::open().await);
    let endpoint = bench.endpoint(&door).await;
    let known = bench.engine.registered(&bench.app).await.unwrap();
    bench.engine.remove_endpoint(&bench.app, &endpoint).await.unwrap();
    assert!(bench.engine.endpoint(&bench.app, &endpoint).await.is_err());
    // Written by a commit that had read the endpoint before it was removed.
    let mut batch = Batch::at(1);
    let key = crate::record::endpoint_key(&bench.app, &known[0].id);
    batch.append(crate::record::OUTBOX, crate::record::outbox_prefix(&key), b"{}".to_vec());
    bench.store.commit(batch).await.unwrap();
    let mut changes = bench.store.subscribe();
    let removed = async {
        let all = || bench.store.scan(store::Range::all(crate::record::OUTBOX));
        while !all().await.unwrap().is_empty() {
            changes.changed().await.unwrap();
        }
    };
    tokio::select! {
        () = bench.engine.notify() => {}
        () = removed => {}
    }
    assert_eq!(door.count.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_was_delivered_is_removed_after_its_time_and_what_is_younger_stays() {
    let day_ms = 24 * 60 * 60 * 1000;
    let keep = NotifyOptions { keep_delivered_ms: 10 * day_ms, ..options(&[400]) };
    let (bench, door) = (Bench::new(keep), Door::open().await);
    door.status.store(204, Ordering::SeqCst);
    let (one, other) = (bench.endpoint(&door).await, bench.endpoint(&door).await);
    for n in 0..3 {
        bench.happens(n).await;
    }
    bench.until(&one, Stage::Delivered, 3).await;
    bench.until(&other, Stage::Delivered, 3).await;
    bench.clock.0.fetch_add(5 * day_ms, Ordering::SeqCst);
    bench.happens(9).await;
    bench.until(&one, Stage::Delivered, 4).await;
    bench.until(&other, Stage::Delivered, 4).await;
    bench.clock.0.fetch_add(5 * day_ms, Ordering::SeqCst);
    assert_eq!(bench.engine.expire().await.unwrap(), 0, "on the very day it is still there");
    bench.clock.0.fetch_add(1, Ordering::SeqCst);
    assert_eq!(bench.engine.expire().await.unwrap(), 6);
    assert_eq!(bench.count(&one, Stage::Delivered).await, 1);
    assert_eq!(bench.count(&other, Stage::Delivered).await, 1);
}

#[tokio::test]
async fn an_endpoint_that_is_gone_for_good_is_disabled_and_told_again_when_it_is_enabled() {
    let (bench, door) = (Bench::new(options(&[400])), Door::open().await);
    let endpoint = bench.endpoint(&door).await;
    door.status.store(410, Ordering::SeqCst);
    for n in 0..3 {
        bench.happens(n).await;
    }
    let health = || async { bench.engine.endpoint(&bench.app, &endpoint).await.unwrap().health };
    let mut changes = bench.store.subscribe();
    let audited = async {
        // The line in the trail comes after the endpoint is disabled.
        while bench.engine.audit().lines(0, 10).await.unwrap().is_empty() {
            changes.changed().await.unwrap();
        }
    };
    tokio::select! {
        () = bench.engine.notify() => {}
        () = audited => {}
    }
    let Health::Disabled { why, .. } = health().await else { panic!("{:?}", health().await) };
    assert_eq!(why, "it answered 410 Gone");
    let lines = bench.engine.audit().lines(0, 10).await.unwrap();
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!(
        (line.action.as_str(), line.object.as_str()),
        ("disableEndpoint", endpoint.as_str())
    );
    assert_eq!(line.actor, crate::audit::Actor::Host);
    assert_eq!(door.count.load(Ordering::SeqCst), 1, "nothing more was sent");
    // What happens meanwhile is not for it; what waited is kept.
    bench.happens(7).await;
    assert_eq!(bench.count(&endpoint, Stage::Waiting).await, 3);
    door.status.store(204, Ordering::SeqCst);
    bench.engine.enable_endpoint(&bench.app, &endpoint).await.unwrap();
    assert_eq!(health().await, Health::Taking);
    bench.until(&endpoint, Stage::Delivered, 3).await;
    assert_eq!(door.count.load(Ordering::SeqCst), 4);
}
