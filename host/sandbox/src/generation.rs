//! One loaded version of a plugin: the adapter's functions, each call in a fresh instance.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, watch};
use wasmtime::{Engine, Store};

use crate::call::{Call, Plugin};
use crate::contract::bindings::{Provider, ProviderPre};
use crate::contract::{
    Delivery, Description, Event, Failure, HttpResponse, Operation, Proof, Reply, Step,
};
use crate::description::Asked;
use crate::fault::{self, Fault, Kind, Trip};
use crate::quarantine::{Admission, Quarantine, Reason, Round, Weight};
use crate::{Called, Digest, Surroundings, runtime};

mod standing;

/// A loaded version of a plugin. Cheap to clone; calls in flight keep the version they began with.
#[derive(Clone)]
pub struct Generation(Arc<Loaded>);

/// What a generation is made of.
pub(crate) struct Loaded {
    plugin: Arc<Plugin>,
    digest: Digest,
    description: Description,
    code: Code,
    /// Places of the whole sandbox.
    places: Arc<Semaphore>,
    /// Places of this plugin among them.
    share: Arc<Semaphore>,
    quarantine: Mutex<Quarantine>,
    /// Another number after every change of the quarantine.
    changes: watch::Sender<u64>,
    /// When the quarantine's clock began.
    began: Instant,
}

/// Compiled code, linked and checked, ready to be instantiated.
pub(crate) struct Code {
    pub(crate) engine: Engine,
    pub(crate) linked: ProviderPre<Call>,
}

/// What runs inside an instance.
pub(crate) type Task<T> =
    Box<dyn FnOnce(&Provider, &mut Store<Call>) -> wasmtime::Result<T> + Send>;

impl Generation {
    pub(crate) fn new(loaded: Loaded) -> Generation {
        Generation(Arc::new(loaded))
    }

    /// The name it was loaded under.
    pub fn name(&self) -> &str {
        &self.0.plugin.name
    }

    /// The identity of its component.
    pub fn digest(&self) -> Digest {
        self.0.digest
    }

    /// What it says it is and asks for.
    pub fn description(&self) -> &Description {
        &self.0.description
    }

    /// The first step of an operation.
    ///
    /// # Errors
    /// A `Fault` when the plugin gave no answer; the same holds for every function below.
    pub async fn start(
        &self,
        around: Surroundings,
        operation: Operation,
    ) -> Result<Called<Result<Step, Failure>>, Fault> {
        let task = move |plugin: &Provider, store: &mut Store<Call>| {
            bounded(plugin.tollgate_adapter_adapter().call_start(&mut *store, &operation)?, store)
        };
        self.call("start", Some(around), Box::new(task)).await
    }

    /// The step after a reply; `state` is what the exchange kept.
    pub async fn resume(
        &self,
        around: Surroundings,
        operation: Operation,
        state: Vec<u8>,
        reply: Reply,
    ) -> Result<Called<Result<Step, Failure>>, Fault> {
        let task = move |plugin: &Provider, store: &mut Store<Call>| {
            bounded(
                plugin.tollgate_adapter_adapter().call_resume(
                    &mut *store,
                    &operation,
                    &state,
                    &reply,
                )?,
                store,
            )
        };
        self.call("resume", Some(around), Box::new(task)).await
    }

    /// How to prove an unproven delivery.
    pub async fn prove(
        &self,
        around: Surroundings,
        delivery: Delivery,
    ) -> Result<Called<Result<Proof, Failure>>, Fault> {
        let task = move |plugin: &Provider, store: &mut Store<Call>| {
            plugin.tollgate_adapter_adapter().call_prove(store, &delivery)
        };
        self.call("prove", Some(around), Box::new(task)).await
    }

    /// What a proven delivery says. The caller has checked the proof.
    pub async fn interpret(
        &self,
        around: Surroundings,
        delivery: Delivery,
    ) -> Result<Called<Result<Vec<Event>, Failure>>, Fault> {
        let task = move |plugin: &Provider, store: &mut Store<Call>| {
            plugin.tollgate_adapter_adapter().call_interpret(store, &delivery)
        };
        self.call("interpret", Some(around), Box::new(task)).await
    }

    /// What the provider wants to hear back about a delivery. Runs without an account.
    pub async fn acknowledge(&self, accepted: bool) -> Result<Called<HttpResponse>, Fault> {
        let task = move |plugin: &Provider, store: &mut Store<Call>| {
            plugin.tollgate_adapter_adapter().call_acknowledge(store, accepted)
        };
        self.call("acknowledge", None, Box::new(task)).await
    }

    /// Waits for a free place, then runs `task` on a thread that may block.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        export: &'static str,
        around: Option<Surroundings>,
        task: Task<T>,
    ) -> Result<Called<T>, Fault> {
        let place = self.0.place().await;
        let place = place.map_err(|_| self.0.uncalled(export, Kind::Host, "it is closed"))?;
        let loaded = self.0.clone();
        let running = tokio::task::spawn_blocking(move || {
            let called = loaded.call(export, around, task);
            // Only now is the instance gone and its place free.
            drop(place);
            called
        });
        let broken = |what: String| Err(self.0.uncalled(export, Kind::Host, &what));
        running.await.unwrap_or_else(|error| broken(error.to_string()))
    }
}

impl Loaded {
    pub(crate) fn new(
        plugin: Arc<Plugin>,
        digest: Digest,
        description: Description,
        code: Code,
        places: Arc<Semaphore>,
    ) -> Loaded {
        let share = plugin.limits.concurrent_calls_per_plugin_max.max(1);
        let share = usize::try_from(share).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Loaded {
            share: Arc::new(Semaphore::new(share)),
            quarantine: Mutex::new(Quarantine::new(plugin.limits.quarantine)),
            changes: watch::Sender::new(0),
            began: Instant::now(),
            plugin,
            digest,
            description,
            code,
            places,
        }
    }

    /// A place of this plugin's share first: whoever waits for that takes none from another.
    async fn place(&self) -> Result<[OwnedSemaphorePermit; 2], AcquireError> {
        let share = self.share.clone().acquire_owned().await?;
        Ok([share, self.places.clone().acquire_owned().await?])
    }

    /// Runs `task`, unless the plugin is quarantined, and counts how it ended.
    fn call<T>(
        &self,
        export: &'static str,
        around: Option<Surroundings>,
        task: Task<T>,
    ) -> Result<Called<T>, Fault> {
        let weight = match export {
            "start" | "resume" | "interpret" => Weight::Counted,
            // Anyone may have these called, by a delivery of his own making.
            _ => Weight::Uncounted,
        };
        let account = around.as_ref().map_or_else(String::new, |around| around.account.clone());
        let called = self.admitted(export, weight).and_then(|round| {
            let called = self.code.run(&self.plugin, export, around, task);
            if weight == Weight::Counted {
                self.count(round, called.as_ref().err());
            }
            called
        });
        self.note_change();
        if let Err(fault) = &called {
            let (plugin, kind, what) = (&*fault.plugin, &fault.kind, &*fault.what);
            tracing::warn!(target: "plugin", plugin, account, export, ?kind, "fault: {what}");
        }
        called
    }

    fn admitted(&self, export: &'static str, weight: Weight) -> Result<Round, Fault> {
        let refused = |reason: &str| Err(self.uncalled(export, Kind::Quarantined, reason));
        // Its lock is not held during the self-test.
        let admission = self.quarantine().admit(self.now_ms(), weight);
        let round = match admission {
            Admission::Go(round) => return Ok(round),
            Admission::Refused(reason) => return refused(&reason),
            Admission::Test(round) => round,
        };
        let Err(what) = self.self_test() else { return Ok(round) };
        self.tell(self.quarantine().failed(round, self.now_ms(), &what));
        refused(&what)
    }

    /// Whether the plugin still says of itself what it said when it was loaded.
    fn self_test(&self) -> Result<(), String> {
        match self.code.describe(&self.plugin) {
            Ok(said) if said.answer == self.description => Ok(()),
            Ok(_) => Err("it describes itself otherwise than when it was loaded".to_owned()),
            Err(fault) => Err(fault.to_string()),
        }
    }

    fn count(&self, round: Round, fault: Option<&Fault>) {
        let now_ms = self.now_ms();
        match fault {
            None if self.quarantine().answered(round, now_ms) => {
                let plugin = &self.plugin.name;
                tracing::info!(target: "plugin", plugin, "no longer quarantined");
            }
            Some(fault) if fault.kind.of_the_guest() => {
                self.tell(self.quarantine().faulted(round, now_ms, &fault.to_string()));
            }
            _ => {}
        }
    }

    fn tell(&self, reason: Option<Reason>) {
        let Some(reason) = reason else { return };
        let (plugin, digest) = (&self.plugin.name, self.digest.to_string());
        tracing::error!(target: "plugin", plugin, digest, "quarantined: {reason}");
    }

    fn quarantine(&self) -> MutexGuard<'_, Quarantine> {
        self.quarantine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// A call that was never made.
    fn uncalled(&self, export: &'static str, kind: Kind, what: &str) -> Fault {
        Fault {
            plugin: self.plugin.name.as_str().into(),
            export,
            what: what.into(),
            kind,
            log: Box::default(),
            trace: Box::default(),
            elapsed: Duration::ZERO,
        }
    }
}

impl fmt::Debug for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Generation({}, {})", self.0.plugin.name, self.0.digest)
    }
}

impl Code {
    /// Asks a plugin to describe itself, with nothing around it.
    pub(crate) fn describe(&self, plugin: &Plugin) -> Result<Called<Description>, Fault> {
        let blank = Arc::new(Plugin {
            name: plugin.name.clone(),
            asked: Asked::default(),
            limits: plugin.limits.clone(),
            decimals: plugin.decimals,
            witness: plugin.witness.clone(),
            lane: plugin.lane.clone(),
        });
        self.run(&blank, "describe", None, |plugin, store| {
            plugin.tollgate_adapter_adapter().call_describe(store)
        })
    }

    /// Runs `task` in a fresh instance, on this thread.
    pub(crate) fn run<T>(
        &self,
        plugin: &Arc<Plugin>,
        export: &'static str,
        around: Option<Surroundings>,
        task: impl FnOnce(&Provider, &mut Store<Call>) -> wasmtime::Result<T>,
    ) -> Result<Called<T>, Fault> {
        let call = Call::blank(plugin.clone());
        let mut store = runtime::store(&self.engine, call);
        let answer = match self.linked.instantiate(&mut store) {
            Ok(provider) => enter(&provider, &mut store, around, export, task)
                .map_err(|error| fault(&error, store.data(), export)),
            Err(error) => Err(unmade(fault(&error, store.data(), export))),
        };
        plugin.witness.look(export);
        let call = store.into_data();
        Ok(Called {
            answer: answer?,
            elapsed: call.elapsed(),
            remembered: call.remembered,
            derived: call.derived.into_iter().map(|derived| derived.value).collect(),
        })
    }
}

fn enter<T>(
    provider: &Provider,
    store: &mut Store<Call>,
    around: Option<Surroundings>,
    export: &'static str,
    task: impl FnOnce(&Provider, &mut Store<Call>) -> wasmtime::Result<T>,
) -> wasmtime::Result<T> {
    if let Some(around) = around {
        store.data_mut().surround(around, export)?;
    }
    task(provider, store)
}

/// Refuses a state that is too large to be journaled.
fn bounded(
    step: Result<Step, Failure>,
    store: &mut Store<Call>,
) -> wasmtime::Result<Result<Step, Failure>> {
    if let Ok(Step::Send(exchange)) = &step {
        bound(&exchange.state, store)?;
    }
    Ok(step)
}

/// Refuses a state that is too large to be kept.
pub(crate) fn bound(state: &[u8], store: &Store<Call>) -> wasmtime::Result<()> {
    let (bytes, max) = (state.len(), store.data().plugin.limits.state_bytes_max);
    match bytes > max {
        true => Err(Trip::Output(format!("a state of {bytes} bytes, {max} allowed")).into()),
        false => Ok(()),
    }
}

fn fault(error: &wasmtime::Error, call: &Call, export: &'static str) -> Fault {
    let (kind, what) = fault::classify(error, call.errors());
    Fault {
        plugin: call.plugin.name.as_str().into(),
        export,
        what: what.into(),
        kind,
        log: call.errors().into(),
        trace: fault::trace(error),
        elapsed: call.elapsed(),
    }
}

/// What no rule explains, when it happens before the plugin's code runs, is not the plugin's doing.
fn unmade(fault: Fault) -> Fault {
    match fault.kind {
        Kind::Contract => Fault { kind: Kind::Instantiate, ..fault },
        _ => fault,
    }
}
