//! A day: one process after the other over the same world, until everything has settled.

use std::sync::Arc;
use std::time::Duration;

use egress::{Egress, Gate, Outside, Timeouts};
use engine::{
    AccountParts, AppChange, Ask, Clock, Done, Engine, Entropy, Error, Event, Instrument, Mode,
    NewEndpoint, NewPayment, NewPayout, NotifyOptions, Notifying, Options, Parts, Schedule, Secret,
    SpendingLimit,
};
use ledger::{Currency, Entry, Money, State as Stand};
use store::Store;
use tokio::runtime::Builder;
use tokio::time::{sleep, timeout};
use vault::{AtRest, Key, Keyring, Legacy, Master};

use crate::adapter::Adapter;
use crate::books;
use crate::clients::{Act, Command};
use crate::disk::Ground;
use crate::kept::Kept;
use crate::net::{Roads, Server};
use crate::provider::ACCOUNTS;
use crate::tally::Tally;
use crate::webhook::{AGE_SECONDS_MAX, KEY};
use crate::world::{Call, Due, Shape, State, World};

/// So many processes a day at the most; more is a process that cannot start.
const LIVES_MAX: u64 = 100;
/// A day that has not settled after so long never will.
const SETTLED_AFTER_MS_MAX: u64 = 1_200_000;
/// After this nothing more comes of an entry nobody can ask about.
const AGE_MS: u64 = 80_000;
const APPS: usize = 2;
/// What the second app may spend in a day, in minor units.
pub const SPENDING_MAX: u64 = 15_000;

/// What a day was like.
#[derive(Clone, Debug)]
pub struct Report {
    pub seed: u64,
    /// What must not be; empty after a good day.
    pub wrong: Vec<String>,
    /// The digest of every call through a seam.
    pub digest: String,
    pub tally: Tally,
    /// Calls with an effect outside, each of which can be made the last.
    pub effects: u64,
    /// Of these, those of the second process until it had recovered.
    pub recovery: u64,
    /// Operations of the disk under the first process.
    pub disk_operations: u64,
    pub log: Vec<String>,
}

/// Lives through one day.
pub fn day(seed: u64, shape: Shape) -> Report {
    let world = World::new(seed, shape.clone());
    let mut ground = Ground::new(&shape);
    let mut first_operations = 0;
    while !life(&world, &mut ground) {
        let lives = world.state().lives;
        if lives == 1 {
            first_operations = world.state().last_operations;
        }
        if lives > LIVES_MAX {
            world.state().wrong("the host does not stay up".to_owned());
            break;
        }
    }
    if world.state().lives == 1 {
        first_operations = world.state().last_operations;
    }
    let mut state = world.state();
    state.sum_up();
    Report {
        seed,
        wrong: std::mem::take(&mut state.wrong),
        digest: state.digest(),
        tally: state.tally.clone(),
        effects: state.effects(),
        recovery: state.recovery,
        disk_operations: first_operations,
        log: std::mem::take(&mut state.log),
    }
}

/// One process; true when the day is over.
fn life(world: &Arc<World>, ground: &mut Ground) -> bool {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime");
    let over = runtime.block_on(async {
        world.state().begin();
        let over = tokio::select! {
            biased;
            () = world.crash() => false,
            over = process(world, ground) => over,
        };
        let mut state = world.state();
        let down = if over { 0 } else { 20 + state.crashes.scaled(8_000) };
        state.end(down);
        state.unanswered();
        state.unposted();
        over
    });
    // Everything that was in hand goes now, as with a process that is killed.
    drop(runtime);
    ground.rest(world);
    over
}

async fn process(world: &Arc<World>, ground: &mut Ground) -> bool {
    let store = match ground.open(world) {
        Ok(store) => store,
        Err(error) => return world.state().not_up(&error.to_string()),
    };
    let engine = engine(world, store);
    if world.state().apps.len() < APPS {
        open_up(world, &engine).await;
    }
    if let Err(error) = engine.recover().await {
        return world.state().not_up(&error.to_string());
    }
    world.state().recovered();
    let running = engine.clone();
    tokio::spawn(async move { running.run().await });
    loop {
        tokio::select! {
            biased;
            call = world.next() => {
                if call == Call::Stop {
                    return stop(world, &engine).await;
                }
                world.state().takes_up(&call);
                tokio::spawn(made(world.clone(), engine.clone(), call));
            }
            () = sleep(Duration::from_millis(500)) => {}
        }
        if world.state().settled() {
            books::check(world, &engine).await;
            return true;
        }
    }
}

/// The operator stops the host: what is in hand is finished, and nothing is left on its way.
async fn stop(world: &Arc<World>, engine: &Engine) -> bool {
    engine.stop().await;
    let mut state = world.state();
    state.tally.add("stopped by the operator", 1);
    state.tell("stopped", b"");
    let sending = |entry: &Entry| entry.state == Stand::Sending;
    let on_its_way = state.monitor.entries().find(|(_, entry)| sending(entry));
    // An outcome that could not be recorded is found out later.
    let on_its_way = on_its_way.map(|(_, entry)| entry.id.clone());
    if let (Some(entry), false) = (on_its_way, state.tally.kinds().contains_key("disk full")) {
        state.wrong(format!("the host has stopped, and {entry} is on its way"));
    }
    false
}

/// Adds the apps and their endpoints; nothing goes wrong before that is done.
async fn open_up(world: &Arc<World>, engine: &Engine) {
    world.state().inbox.endpoints.resize_with(APPS, Default::default);
    let there = world.state().apps.len();
    for number in there..APPS {
        let amount_minor_max = SPENDING_MAX;
        let currency = Currency::from_code("EUR").expect("a currency");
        let limited = (number == 1).then(|| vec![SpendingLimit { currency, amount_minor_max }]);
        let name = Some(format!("app {number}"));
        let named = AppChange { name, spending: limited, ..AppChange::default() };
        let (app, _) = engine.apps().add(&named, None).await.expect("an app");
        let url = format!("http://{}/told", Server::Endpoint(number).host());
        let new = NewEndpoint { url, events: vec!["*".to_owned()] };
        let (_, secret) = engine.add_endpoint(&app.id, new).await.expect("an endpoint");
        let mut state = world.state();
        state.inbox.endpoints[number].secret = Some(secret.expose().to_owned());
        state.apps.push(app.id);
    }
    let mut state = world.state();
    state.stir();
    state.after(10, Due::Think);
    if state.chance.permille(300) {
        state.after(1_000, Due::SetClock);
    }
    if state.faulty() && state.chance.permille(300) {
        let at = state.chance.between(1_000, 40_000);
        state.after(at, Due::Stop);
    }
}

fn engine(world: &Arc<World>, inner: Arc<dyn Store>) -> Engine {
    let accounts = (0..ACCOUNTS.len()).map(|number| account(world, number)).collect();
    let master = Secret::new("test", b"0123456789abcdef".repeat(4));
    let master = Master::read("test", &master).expect("a master key");
    let parts = Parts {
        store: Arc::new(Kept { world: world.clone(), inner }),
        egress: egress(world),
        at_rest: AtRest::new(vec![master]).expect("one master key"),
        card_keys: Arc::new(store::Slots::in_memory()),
        clock: Arc::new(HostClock(world.clone())),
        entropy: Arc::new(HostEntropy(world.clone())),
        accounts,
        notifying: Notifying {
            egress: egress(world),
            outside: Outside { networks: Vec::new(), plain: true },
            render: |event: &Event| serde_json::to_vec(event).unwrap_or_default(),
            options: NotifyOptions {
                schedule: Schedule {
                    waits_ms: [200, 500, 1_000, 2_000, 4_000]
                        .into_iter()
                        .chain([8_000; 60])
                        .collect(),
                    jitter_percent: 20,
                },
                left_alone_ms: 1_000,
                left_alone_ms_max: 4_000,
                timeouts: TIMEOUTS,
                ..NotifyOptions::default()
            },
        },
        options: Options {
            sync_after_ms: world.state().sync_after_ms.clone(),
            absent_after_ms: 20_000,
            ..Options::default()
        },
    };
    Engine::new(parts).expect("an engine")
}

const TIMEOUTS: Timeouts =
    Timeouts { connect_ms_max: 800, first_byte_ms_max: 1_500, total_ms_max: 2_500 };

fn egress(world: &Arc<World>) -> Egress {
    let roads = Arc::new(Roads(world.clone()));
    let options =
        egress::Options { resolver: roads.clone(), connector: roads, ..egress::Options::default() };
    Egress::new(options).expect("a way out")
}

fn account(world: &Arc<World>, number: usize) -> AccountParts {
    let mut keyring = Keyring::new(Legacy::none());
    let key = Secret::new("webhook", KEY.to_vec());
    keyring.add(Key::symmetric("webhook", None, &key).expect("a key"));
    let host = format!("http://{}", Server::Provider(number).host());
    AccountParts {
        name: ACCOUNTS[number].name.to_owned(),
        mode: Mode::Test,
        plugin: Arc::new(Adapter::new(world.clone(), number)),
        keyring,
        settings: Default::default(),
        secrets: Default::default(),
        gate: Gate {
            hosts: vec![host.parse().expect("a host")],
            timeouts: TIMEOUTS,
            ..Gate::default()
        },
        notify_url: format!("https://host.test/webhooks/{}", ACCOUNTS[number].name),
        delivery_age_seconds_max: AGE_SECONDS_MAX,
    }
}

struct HostClock(Arc<World>);

impl Clock for HostClock {
    fn now_ms(&self) -> u64 {
        let mut state = self.0.state();
        state.point("clock", b"", false);
        state.host_ms()
    }
}

struct HostEntropy(Arc<World>);

impl Entropy for HostEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.0.state();
        state.entropy.fill(bytes);
        state.point("entropy", bytes, false);
    }
}

/// Somebody calls the process.
async fn made(world: Arc<World>, engine: Engine, call: Call) {
    match call {
        Call::Post(webhook) => post(world.clone(), engine, webhook).await,
        Call::Ask(command) => ask(world.clone(), engine, command).await,
        Call::Stop => {}
    }
    world.state().in_hand -= 1;
}

/// The provider delivers a webhook; it may hang up before it is answered.
async fn post(world: Arc<World>, engine: Engine, number: u64) {
    let ((account, delivery), patience) = {
        let mut state = world.state();
        let hangs_up = state.faulty() && state.chance.permille(80);
        let patience = if hangs_up { state.provider.chance.scaled(200) } else { 600_000 };
        (state.delivery(number), patience)
    };
    let answered = timeout(Duration::from_millis(patience), engine.deliver(account, delivery));
    let status = match answered.await {
        Ok(Ok(acknowledgement)) => Some(acknowledgement.status),
        Ok(Err(_)) => Some(500),
        Err(_) => None,
    };
    let mut state = world.state();
    if status.is_none() {
        state.tally.fault("provider hangs up on its webhook");
    }
    state.posted(number, status);
}

/// An app gives a command; it may hang up before it is answered.
async fn ask(world: Arc<World>, engine: Engine, number: usize) {
    let (command, patience) = {
        let mut state = world.state();
        let hangs_up = state.faulty() && state.chance.permille(40);
        let patience = if hangs_up { state.clients.chance.scaled(1_500) } else { 3_600_000 };
        (state.ask(number), patience)
    };
    let app = world.state().apps[command.app].clone();
    if let Act::Sync { payment } = &command.act {
        let answer = engine.sync(&app, payment).await;
        return world.state().synced(number, &answer);
    }
    if command.done.is_some() && world.state().clients.chance.permille(100) {
        return confuse(&world, &engine, (number, command), app).await;
    }
    let given = give(&engine, command, app);
    let answer = timeout(Duration::from_millis(patience), given).await.ok();
    let mut state = world.state();
    if answer.is_none() {
        state.tally.fault("app hangs up");
    }
    state.answered(number, answer);
}

/// An app uses the key of something that was done for something else.
async fn confuse(
    world: &World,
    engine: &Engine,
    (number, mut command): (usize, Command),
    app: ledger::Id,
) {
    command.act = Act::Pay { account: 0, minor: 12_345, capture: true };
    let key = command.key.clone();
    let answer = give(engine, command, app).await;
    let mut state = world.state();
    state.tally.add("keys used for something else", 1);
    match answer {
        Err(Error::KeyReused | Error::InFlight | Error::Stopping | Error::Store(_)) => {}
        other => state.wrong(format!("{key} was used for something else: {other:?}")),
    }
    state.given_up(number);
}

async fn give(engine: &Engine, command: Command, app: ledger::Id) -> Result<Done, Error> {
    let ask = Ask {
        app,
        key: "key".to_owned(),
        idempotency_key: command.key.clone(),
        digest: command.digest(),
    };
    let money = |minor: u64| Money::new(minor, Currency::from_code("EUR").expect("a currency"));
    let money = |minor: u64| money(minor).expect("an amount");
    let token = || Instrument::Token("tok".to_owned());
    match command.act {
        Act::Pay { account, minor, capture } => {
            let new = NewPayment {
                account: ACCOUNTS[account].name.to_owned(),
                amount: money(minor),
                merchant_reference: command.key,
                instrument: token(),
                capture,
                description: String::new(),
                return_url: None,
                customer_ip: None,
                extra: Default::default(),
            };
            engine.pay(ask, new).await
        }
        Act::PayOut { account, minor } => {
            let new = NewPayout {
                account: ACCOUNTS[account].name.to_owned(),
                amount: money(minor),
                merchant_reference: command.key,
                instrument: token(),
                beneficiary: None,
                description: String::new(),
                extra: Default::default(),
            };
            engine.pay_out(ask, new).await
        }
        Act::Capture { payment, minor } => engine.capture(ask, payment, minor.map(money)).await,
        Act::Refund { payment, minor } => engine.refund(ask, payment, minor.map(money)).await,
        Act::Cancel { payment } | Act::Sync { payment } => engine.cancel(ask, payment).await,
    }
}

impl State {
    /// The host did not come up; it is started again.
    fn not_up(&mut self, why: &str) -> bool {
        self.tell("not up", why.as_bytes());
        self.tally.crash("starting");
        // A disk that died takes the process with it, whenever that is.
        let cut = self.shape.cut_at.is_some() && self.lives == 1;
        if self.calm && !cut {
            self.wrong(format!("the host does not start: {why}"));
            return true;
        }
        false
    }

    /// Somebody calls: from here on he waits for an answer, or learns that there is none.
    fn takes_up(&mut self, call: &Call) {
        self.in_hand += 1;
        match call {
            Call::Post(webhook) => self.provider.webhooks[*webhook as usize].under_way += 1,
            Call::Ask(command) => self.clients.commands[*command].under_way += 1,
            Call::Stop => {}
        }
    }

    /// What must be over long after the last fault. Entries and notifications are told of by the
    /// books; what stands as an anomaly waits for a person, and the host goes on asking about it.
    fn never_settled(&mut self) {
        let waiting = self.clients.commands.iter().filter(|command| !command.is_over());
        let waiting: Vec<_> = waiting.map(|command| command.key.as_str()).collect();
        let waiting = waiting.join(" ");
        let asked = |due: &Due| matches!(due, Due::Ask(_) | Due::Post(_) | Due::Decide(_));
        let (due, in_hand) = (self.awaited(asked), self.in_hand);
        if !waiting.is_empty() || due > 0 || in_hand > 0 {
            let calls = format!("{in_hand} calls in hand, {due} to come");
            self.wrong(format!("the day does not end: {calls}, unanswered: {waiting}"));
        }
    }

    /// Lets the storm end in time; true when nothing more will happen.
    fn settled(&mut self) -> bool {
        let now = self.now_ms();
        if self.clients.commands.len() < self.shape.commands as usize {
            return false;
        }
        let ends = *self.storm_ends_ms.get_or_insert(now + self.storm_ms);
        if now < ends {
            return false;
        }
        if !self.calm {
            self.calm_down();
        }
        if now > ends + SETTLED_AFTER_MS_MAX {
            self.never_settled();
            return true;
        }
        let more = |due: &Due| !matches!(due, Due::Think | Due::SetClock | Due::Stop);
        let told: usize = self.inbox.endpoints.iter().map(|endpoint| endpoint.told.len()).sum();
        let events: usize = self.monitor.events.values().map(Vec::len).sum();
        let quiet = self.awaited(more) == 0 && self.waiting() == 0 && told >= events;
        let quiet = quiet && self.in_hand == 0;
        quiet
            && !self.monitor.entries().any(|(payment, entry)| {
                let account = ACCOUNTS.iter().find(|account| account.name == payment.account);
                let asked = account.is_some_and(|account| account.query);
                entry.state.is_open() && (asked || now < entry.created_at_ms + AGE_MS)
            })
    }
}
