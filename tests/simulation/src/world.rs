//! The world around one process: its time, what is due in it, the moment at which the process dies,
//! and everything that lives on after that. Not here: what the parts of the world do.
//!
//! A call of the process to its clock, randomness, store or network is a *point*: it is counted,
//! told to the trace, and may be the one at which the process dies. From then on nothing it does
//! has any effect. A call of the adapter, which takes no time, is none.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ledger::Id;
use sha2::{Digest, Sha256};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::chance::Chance;
use crate::clients::Clients;
use crate::inbox::Inbox;
use crate::monitor::Monitor;
use crate::net::{Net, Parcel};
use crate::provider::{Letter, Provider};
use crate::tally::Tally;

/// 2026-03-01T09:00:00Z.
const EPOCH_MS: u64 = 1_772_355_600_000;
/// When open entries are asked about, day by day.
const SYNCS: &[&[u64]] =
    &[&[300, 1_000, 3_000, 8_000], &[2_000, 20_000, 18_000], &[40_000], &[100, 40_000]];
/// How long faults go on after the last command.
const STORMS_MS: &[u64] = &[3_000, 12_000, 12_000, 12_000, 12_000, 90_000];
/// What is told of a day that goes wrong.
const WRONGS_MAX: usize = 20;

/// What a day is like.
#[derive(Clone, Debug)]
pub struct Shape {
    /// How many commands apps give, about.
    pub commands: u64,
    /// Whether anything but the crash below goes wrong.
    pub faults: bool,
    /// Deaths of the process by chance, at the most.
    pub crashes_max: u64,
    /// The first process dies at this point, counted from 1: one of those with an effect outside.
    pub crash_at: Option<u64>,
    /// The process after that dies too, at this call with an effect outside, counted from 1.
    pub crash_again_at: Option<u64>,
    /// On the journal and a disk that fails, rather than in memory.
    pub journal: bool,
    /// The disk loses its power at this operation, counted from 1.
    pub cut_at: Option<u64>,
    /// Keeps what happened as text.
    pub verbose: bool,
}

impl Shape {
    /// The day of a seed: one in eight is on the journal.
    pub fn of(seed: u64) -> Shape {
        Shape { journal: seed.is_multiple_of(8), ..Shape::default() }
    }
}

impl Default for Shape {
    fn default() -> Shape {
        Shape {
            commands: 40,
            faults: true,
            crashes_max: 6,
            crash_at: None,
            crash_again_at: None,
            journal: false,
            cut_at: None,
            verbose: false,
        }
    }
}

/// Something that will happen.
#[derive(Debug)]
pub enum Due {
    /// A request comes to the provider.
    Hear(Letter),
    /// The other side of a line says something, or hangs up.
    Say(Parcel),
    /// A server closes a line that it has kept long enough.
    Close(u64),
    /// The provider decides about what was pending.
    Decide(u64),
    /// The provider delivers a webhook.
    Post(u64),
    /// An app gives a command, by its number.
    Ask(usize),
    /// Apps think of something new.
    Think,
    /// The host's clock is set.
    SetClock,
    /// The operator stops the host, and starts it again.
    Stop,
}

/// What the process has to be told of.
#[derive(Debug, PartialEq, Eq)]
pub enum Call {
    /// A webhook, by its number.
    Post(u64),
    /// A command, by its number.
    Ask(usize),
    /// It is to stop when it has done what is in hand.
    Stop,
}

/// Everything there is but the process.
pub struct State {
    pub shape: Shape,
    pub chance: Chance,
    pub crashes: Chance,
    pub entropy: Chance,
    pub disk: Chance,
    /// Nothing goes wrong any more.
    pub calm: bool,
    pub alive: bool,
    pub lives: u64,
    /// How far the host's clock is from the time, in milliseconds.
    skew_ms: i64,
    epoch_ms: u64,
    began: Option<Instant>,
    fuse: Option<u64>,
    /// Whether a call without an effect outside may be the last too.
    anywhere: bool,
    effects: u64,
    /// Of these, those of the processes before this one.
    effects_before: u64,
    /// Calls with an effect of the second process until it had recovered.
    pub recovery: u64,
    points: u64,
    crashed: Arc<Notify>,
    rung: Arc<Notify>,
    queue: BTreeMap<(u64, u64), Due>,
    serial: u64,
    trace: Sha256,
    pub log: Vec<String>,
    pub wrong: Vec<String>,
    pub tally: Tally,
    pub net: Net,
    pub provider: Provider,
    pub inbox: Inbox,
    pub monitor: Monitor,
    pub clients: Clients,
    pub apps: Vec<Id>,
    /// Operations of the disk under the last process.
    pub last_operations: u64,
    /// Calls of the process that are not over.
    pub in_hand: usize,
    /// When the host asks about open entries.
    pub sync_after_ms: Vec<u64>,
    /// How long faults go on after the last command.
    pub storm_ms: u64,
    /// When faults end; known once the last command was given.
    pub storm_ends_ms: Option<u64>,
}

/// Shared by everything in it.
pub struct World(Mutex<State>);

impl World {
    pub fn new(seed: u64, shape: Shape) -> Arc<World> {
        let of = |purpose: &str| Chance::of(seed, purpose);
        Arc::new(World(Mutex::new(State {
            shape,
            chance: of("world"),
            crashes: of("crashes"),
            entropy: of("entropy"),
            disk: of("disk"),
            calm: true,
            alive: false,
            lives: 0,
            skew_ms: 0,
            epoch_ms: EPOCH_MS,
            began: None,
            fuse: None,
            anywhere: false,
            effects: 0,
            effects_before: 0,
            recovery: 0,
            points: 0,
            crashed: Arc::default(),
            rung: Arc::default(),
            queue: BTreeMap::new(),
            serial: 0,
            trace: Sha256::new(),
            log: Vec::new(),
            wrong: Vec::new(),
            tally: Tally::default(),
            net: Net::new(of("net")),
            provider: Provider::new(of("provider")),
            inbox: Inbox::new(of("inbox")),
            monitor: Monitor::default(),
            clients: Clients::new(of("clients")),
            apps: Vec::new(),
            last_operations: 0,
            in_hand: 0,
            sync_after_ms: SYNCS[0].to_vec(),
            storm_ms: 0,
            storm_ends_ms: None,
        })))
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A point with an effect outside: waits for ever where the process is dead, or dies by it.
    pub async fn pass(&self, seam: &'static str, what: &[u8]) {
        if !self.state().point(seam, what, true) {
            pending::<()>().await;
        }
    }

    /// Lets this much time pass.
    pub async fn wait(&self, ms: u64) {
        if ms > 0 {
            sleep(Duration::from_millis(ms)).await;
        }
    }

    /// Waits until the process dies.
    pub async fn crash(&self) {
        let crashed = self.state().crashed.clone();
        crashed.notified().await;
    }

    /// What is due by now and concerns the process; everything else has happened.
    pub async fn next(&self) -> Call {
        loop {
            let (rung, wait) = {
                let mut state = self.state();
                if let Some(call) = state.happen() {
                    return call;
                }
                let now = state.now_ms();
                let next = state.queue.first_key_value().map_or(now + 60_000, |((at, _), _)| *at);
                (state.rung.clone(), next.saturating_sub(now))
            };
            tokio::select! {
                biased;
                () = rung.notified() => {}
                () = sleep(Duration::from_millis(wait)) => {}
            }
        }
    }
}

impl State {
    /// The time.
    pub fn now_ms(&self) -> u64 {
        let since = self.began.map_or(0, |began| began.elapsed().as_millis() as u64);
        self.epoch_ms + since
    }

    /// The time by the host's clock.
    pub fn host_ms(&self) -> u64 {
        self.now_ms().saturating_add_signed(self.skew_ms)
    }

    pub fn points(&self) -> u64 {
        self.points
    }

    pub fn effects(&self) -> u64 {
        self.effects
    }

    /// Whether this fault, which happens so many times in a thousand, happens now. It is counted.
    pub fn fault(&mut self, what: &'static str, permille: u64) -> bool {
        let happens = self.faulty() && self.chance.permille(permille);
        if happens {
            self.tally.fault(what);
        }
        happens
    }

    /// Whether anything may go wrong.
    pub fn faulty(&self) -> bool {
        self.shape.faults && !self.calm
    }

    /// A call through a seam. False when the process is dead.
    pub fn point(&mut self, seam: &'static str, what: &[u8], effect: bool) -> bool {
        if !self.alive {
            return false;
        }
        self.points += 1;
        self.tell(seam, what);
        if self.calm {
            return true;
        }
        self.effects += u64::from(effect);
        let named = match self.lives {
            1 => self.shape.crash_at,
            2 => self.shape.crash_again_at,
            _ => None,
        };
        let named = effect && named == Some(self.effects - self.effects_before);
        let burnt = match &mut self.fuse {
            // As a rule it falls on something that can be seen outside.
            Some(left) if effect || self.anywhere => {
                *left = left.saturating_sub(1);
                *left == 0
            }
            _ => false,
        };
        if named || burnt {
            self.die(seam);
        }
        self.alive
    }

    /// The process dies here and now.
    pub fn die(&mut self, at: &'static str) {
        if self.alive {
            self.alive = false;
            self.tell("crash", at.as_bytes());
            self.tally.crash(at);
            self.crashed.notify_one();
        }
    }

    /// Adds to the trace.
    pub fn tell(&mut self, seam: &str, what: &[u8]) {
        let now = self.now_ms();
        self.trace.update(now.to_be_bytes());
        self.trace.update((seam.len() as u64).to_be_bytes());
        self.trace.update(seam.as_bytes());
        self.trace.update((what.len() as u64).to_be_bytes());
        self.trace.update(what);
        if self.shape.verbose {
            let text = String::from_utf8_lossy(&what[..what.len().min(400)]).into_owned();
            self.log.push(format!("{:>7} {seam} {text}", now - EPOCH_MS));
        }
    }

    /// The digest of everything that was told to the trace.
    pub fn digest(&self) -> String {
        hex::encode(self.trace.clone().finalize())
    }

    /// Something that must not be.
    pub fn wrong(&mut self, what: String) {
        self.tell("wrong", what.as_bytes());
        if self.wrong.len() < WRONGS_MAX {
            self.wrong.push(what);
        }
    }

    /// Lets something happen in so many milliseconds.
    pub fn after(&mut self, ms: u64, due: Due) {
        self.serial += 1;
        let at = (self.now_ms() + ms, self.serial);
        self.queue.insert(at, due);
        self.rung.notify_one();
    }

    /// How many things are to happen for which `counts` is true.
    pub fn awaited(&self, counts: impl Fn(&Due) -> bool) -> usize {
        self.queue.values().filter(|due| counts(due)).count()
    }

    /// Lets happen what is due, up to the first that concerns the process.
    fn happen(&mut self) -> Option<Call> {
        let now = self.now_ms();
        while let Some(first) = self.queue.first_entry() {
            if first.key().0 > now {
                return None;
            }
            match first.remove() {
                Due::Hear(letter) => self.hear(letter),
                Due::Say(parcel) => self.say(parcel),
                Due::Close(line) => self.close(line),
                Due::Decide(object) => self.decide(object),
                Due::Think => self.think(),
                Due::SetClock => self.set_clock(),
                Due::Post(webhook) => return Some(Call::Post(webhook)),
                Due::Ask(command) => return Some(Call::Ask(command)),
                Due::Stop => return Some(Call::Stop),
            }
        }
        None
    }

    /// The process has recovered, and takes up its work.
    pub fn recovered(&mut self) {
        if self.lives == 2 {
            self.recovery = self.effects - self.effects_before;
        }
    }

    /// A process begins to live.
    pub fn begin(&mut self) {
        self.lives += 1;
        self.effects_before = self.effects;
        self.began = Some(Instant::now());
        self.alive = true;
        self.crashed = Arc::default();
        self.rung = Arc::default();
        self.arm();
        self.tell("begin", b"");
    }

    /// Decides when this process dies, if it is to die by chance.
    fn arm(&mut self) {
        let may = self.tally.crashes() < self.shape.crashes_max;
        let burns = !self.calm && may && self.crashes.permille(800);
        self.anywhere = self.crashes.permille(250);
        let most = if self.anywhere { 6_000 } else { 1_500 };
        self.fuse = burns.then(|| 1 + self.crashes.scaled(most));
    }

    /// The process is gone, and this much time passes until the next one begins.
    pub fn end(&mut self, down_ms: u64) {
        self.alive = false;
        self.in_hand = 0;
        self.epoch_ms = self.now_ms() + down_ms;
        self.began = None;
        self.net.hang_up();
        self.tell("end", &down_ms.to_be_bytes());
    }

    /// From now on nothing goes wrong, and no process dies.
    pub fn calm_down(&mut self) {
        self.calm = true;
        self.fuse = None;
        self.skew_ms = 0;
        self.tell("calm", b"");
    }

    /// From now on things go wrong.
    pub fn stir(&mut self) {
        self.calm = false;
        self.arm();
        self.sync_after_ms = self.chance.pick(SYNCS).to_vec();
        self.storm_ms = *self.chance.pick(STORMS_MS);
        if self.faulty() && self.chance.permille(300) {
            let from = self.now_ms() + self.chance.scaled(10_000);
            let until = from + self.chance.between(10_000, 80_000);
            self.provider.outage = Some((self.chance.below(4) as usize, from..until));
            self.storm_ms = self.storm_ms.max(60_000);
        }
    }

    /// Somebody sets the host's clock, by a few seconds as a rule.
    fn set_clock(&mut self) {
        if self.faulty() {
            let most = *self.chance.pick(&[50, 1_000, 4_000]);
            self.skew_ms = self.chance.below(2 * most) as i64 - most as i64;
            self.tally.fault("clock set");
            let again = self.chance.between(2_000, 30_000);
            self.after(again, Due::SetClock);
        }
    }
}
