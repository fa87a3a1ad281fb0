//! What the tests of the deliverer stand on: a store in memory that can be made to refuse, a clock
//! in the hand, and endpoints on loopback that answer when they are told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::time::Duration;

use egress::{Egress, Outside};
use ledger::{Currency, Entry, Id, Kind, Money, Payment, State};
use store::{Batch, Change, Model, Pending, Range, Receipt, Record, Row, Store};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use vault::{AtRest, Master, Secret};

use crate::apps::tests::Hand;
use crate::clock::{Clock, SystemEntropy};
use crate::notify::{
    Circuit, Health, NewEndpoint, NotifyOptions, Notifying, Schedule, Stage, note,
};
use crate::{Engine, Error, Event, Options, Parts, record};

/// So long nothing takes but what never ends.
const PATIENCE: Duration = Duration::from_secs(120);

/// Nothing allowed, nothing written.
pub(crate) fn notifying() -> Notifying {
    Notifying {
        egress: Egress::new(egress::Options::default()).unwrap(),
        outside: Outside::default(),
        render: |event| event.id.as_str().as_bytes().to_vec(),
        options: NotifyOptions::default(),
    }
}

/// Few tries, one at a time; left alone after two failures.
pub(super) fn options(waits_ms: &[u64]) -> NotifyOptions {
    NotifyOptions {
        schedule: Schedule { waits_ms: waits_ms.to_vec(), jitter_percent: 0 },
        concurrency_per_endpoint_max: 1,
        failures_max: 2,
        left_alone_ms: 100,
        left_alone_ms_max: 100,
        ..NotifyOptions::default()
    }
}

/// An endpoint that answers every request with one status, when it may, and counts.
pub(super) struct Door {
    pub url: String,
    pub status: Arc<AtomicU16>,
    asked: watch::Sender<usize>,
    /// Answers that may be given.
    answers: Arc<Semaphore>,
}

impl Door {
    /// Answers at once.
    pub async fn open() -> Door {
        let door = Door::held().await;
        door.answers.add_permits(1_000_000);
        door
    }

    /// Answers nothing before it is let.
    pub async fn held() -> Door {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (status, asked) = (Arc::new(AtomicU16::new(500)), watch::Sender::new(0));
        let answers = Arc::new(Semaphore::new(0));
        let (of, counted, let_by) = (status.clone(), asked.clone(), answers.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, of.clone(), counted.clone(), let_by.clone()));
            }
        });
        Door { url, status, asked, answers }
    }

    pub fn answers(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// Lets so many requests be answered.
    pub fn release(&self, answers: usize) {
        self.answers.add_permits(answers);
    }

    /// How often it was asked.
    pub fn count(&self) -> usize {
        *self.asked.borrow()
    }

    /// Waits until it was asked so often.
    pub async fn asked(&self, count: usize) {
        self.asked.subscribe().wait_for(|asked| *asked >= count).await.unwrap();
    }
}

/// One request a connection; its body has the length of an event's identifier.
async fn answer(
    mut stream: TcpStream,
    status: Arc<AtomicU16>,
    asked: watch::Sender<usize>,
    answers: Arc<Semaphore>,
) {
    let mut read = Vec::new();
    while !read.windows(4).any(|four| four == b"\r\n\r\n") || !read.ends_with(b"!") {
        let mut buffer = [0; 1024];
        let some = stream.read(&mut buffer).await.unwrap_or(0);
        if some == 0 {
            return;
        }
        read.extend_from_slice(&buffer[..some]);
    }
    asked.send_modify(|asked| *asked += 1);
    answers.acquire().await.unwrap().forget();
    let status = status.load(Ordering::SeqCst);
    let head = format!("HTTP/1.1 {status} So\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let _ = stream.write_all(head.as_bytes()).await;
}

/// A store in memory that lets others go first, and refuses what it is made to.
pub(super) struct Ward {
    pub model: Model,
    /// Takes only what finishes something, as a disk does that is full for anything new.
    pub reserve: AtomicBool,
    /// Takes no dead letter at all.
    pub no_dead: AtomicBool,
    /// Dead letters it has not taken.
    pub refused: watch::Sender<usize>,
}

impl Ward {
    fn refuses(&self, batch: &Batch) -> bool {
        let dead =
            |change: &Change| matches!(change, Change::Put { space, .. } if *space == record::DEAD);
        let dead = self.no_dead.load(Ordering::SeqCst) && batch.changes.iter().any(dead);
        if dead {
            self.refused.send_modify(|refused| *refused += 1);
        }
        dead || (self.reserve.load(Ordering::SeqCst) && !batch.finishing)
    }
}

impl Store for Ward {
    fn commit(&self, batch: Batch) -> Pending<'_, Receipt> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            if self.refuses(&batch) {
                return Err(store::Error::new(store::Kind::Full, "the disk is full"));
            }
            self.model.commit(batch).await
        })
    }

    fn read(&self, space: store::Space, key: &[u8]) -> Pending<'_, Option<Record>> {
        let read = self.model.read(space, key);
        Box::pin(async move {
            tokio::task::yield_now().await;
            read.await
        })
    }

    fn scan(&self, range: Range) -> Pending<'_, Vec<Row>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            self.model.scan(range).await
        })
    }

    fn subscribe(&self) -> watch::Receiver<u64> {
        self.model.subscribe()
    }
}

/// A host, as far as it tells apps something, and one app of it.
#[derive(Clone)]
pub(super) struct Bench {
    pub engine: Engine,
    pub store: Arc<Ward>,
    pub clock: Arc<Hand>,
    pub app: Id,
    pub options: NotifyOptions,
}

impl Bench {
    pub fn new(options: NotifyOptions) -> Bench {
        let store = Arc::new(Ward {
            model: Model::new(),
            reserve: AtomicBool::new(false),
            no_dead: AtomicBool::new(false),
            refused: watch::Sender::new(0),
        });
        let clock = Arc::new(Hand(1_000_000.into()));
        let engine = engine(&store, &clock, &options, "01");
        Bench { engine, store, clock, app: Id::app(1, [7; 10]), options }
    }

    /// The next process of this host.
    pub fn restarted(&self) -> Bench {
        let engine = engine(&self.store, &self.clock, &self.options, "01");
        Bench { engine, ..self.clone() }
    }

    /// The next process of this host, by another master key.
    pub fn restarted_by_another_key(&self) -> Bench {
        let engine = engine(&self.store, &self.clock, &self.options, "02");
        Bench { engine, ..self.clone() }
    }

    /// Another app of this host.
    pub fn of_app(&self, n: u8) -> Bench {
        Bench { app: Id::app(1, [n; 10]), ..self.clone() }
    }

    pub fn advance(&self, ms: u64) {
        self.clock.0.fetch_add(ms, Ordering::SeqCst);
    }

    pub async fn try_endpoint(&self, door: &Door) -> Result<Id, Error> {
        let new = NewEndpoint { url: door.url.clone(), events: vec!["*".to_owned()] };
        Ok(self.engine.add_endpoint(&self.app, new).await?.0.id)
    }

    pub async fn endpoint(&self, door: &Door) -> Id {
        self.try_endpoint(door).await.unwrap()
    }

    /// An event of a payment of its own, as `tell` commits it.
    pub async fn happens(&self, n: u8) {
        let now = self.clock.now_ms();
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
        self.store.model.commit(batch).await.unwrap();
        self.engine.0.desk.ring(addressed);
    }

    pub async fn count(&self, endpoint: &Id, stage: Stage) -> usize {
        let page = (None, 100);
        let page = self.engine.notifications(&self.app, endpoint, Some(stage), page).await;
        page.unwrap().notifications.len()
    }

    pub async fn health(&self, endpoint: &Id) -> Health {
        self.engine.endpoint(&self.app, endpoint).await.unwrap().health
    }

    pub async fn circuit(&self, endpoint: &Id) -> Circuit {
        self.engine.circuit(&record::endpoint_key(&self.app, endpoint)).await.unwrap()
    }

    /// Lets the deliverer work until this has come about.
    pub async fn working<T>(&self, comes: impl Future<Output = T>) -> T {
        let works = async {
            tokio::select! {
                () = self.engine.notify() => unreachable!("it works for ever"),
                come = comes => come,
            }
        };
        tokio::time::timeout(PATIENCE, works).await.expect("it comes about")
    }

    /// Waits until so many stand so.
    pub async fn stand(&self, endpoint: &Id, stage: Stage, count: usize) {
        let mut changes = self.store.subscribe();
        while self.count(endpoint, stage).await != count {
            changes.changed().await.unwrap();
        }
    }

    /// Waits until the endpoint has failed so often in a row.
    pub async fn failed(&self, endpoint: &Id, failures: u32) {
        let mut changes = self.store.subscribe();
        while self.circuit(endpoint).await.failures < failures {
            changes.changed().await.unwrap();
        }
    }

    /// Lets the deliverer work until so many stand so.
    pub async fn until(&self, endpoint: &Id, stage: Stage, count: usize) {
        self.engine.0.desk.ring([record::endpoint_key(&self.app, endpoint)]);
        self.working(self.stand(endpoint, stage, count)).await;
    }
}

fn engine(store: &Arc<Ward>, clock: &Arc<Hand>, options: &NotifyOptions, master: &str) -> Engine {
    let key = Secret::new("test", ["8d".repeat(31).as_bytes(), master.as_bytes()].concat());
    let engine = Engine::new(Parts {
        store: store.clone(),
        egress: Egress::new(egress::Options::default()).unwrap(),
        at_rest: AtRest::new(vec![Master::read(master, &key).unwrap()]).unwrap(),
        card_keys: Arc::new(store::Slots::in_memory()),
        notifying: Notifying {
            outside: Outside { networks: vec!["127.0.0.1/32".parse().unwrap()], plain: true },
            render: |event| format!("{}!", event.id).into_bytes(),
            options: options.clone(),
            ..notifying()
        },
        clock: clock.clone(),
        entropy: Arc::new(SystemEntropy),
        accounts: Vec::new(),
        options: Options::default(),
    });
    engine.unwrap()
}
