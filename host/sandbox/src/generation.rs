//! One loaded version of a plugin: the adapter's functions, each call in a fresh instance.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use wasmtime::{Engine, Store};

use crate::call::{Call, Plugin};
use crate::contract::bindings::exports::tollgate::adapter::adapter::Guest;
use crate::contract::bindings::{Provider, ProviderPre};
use crate::contract::{
    Delivery, Description, Event, Failure, HttpResponse, Operation, Proof, Reply, Step,
};
use crate::fault::{self, Fault, Kind, Trip};
use crate::{Called, Digest, Surroundings, runtime};

/// A loaded version of a plugin. Cheap to clone; calls in flight keep the version they began with.
#[derive(Clone)]
pub struct Generation(Arc<Loaded>);

/// What a generation is made of.
pub(crate) struct Loaded {
    pub(crate) plugin: Arc<Plugin>,
    pub(crate) digest: Digest,
    pub(crate) description: Description,
    pub(crate) code: Code,
    pub(crate) places: Arc<Semaphore>,
}

/// Compiled code, linked and checked, ready to be instantiated.
pub(crate) struct Code {
    pub(crate) engine: Engine,
    pub(crate) linked: ProviderPre<Call>,
}

/// What runs inside an instance.
type Task<T> = Box<dyn FnOnce(&Guest, &mut Store<Call>) -> wasmtime::Result<T> + Send>;

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
        let task = move |guest: &Guest, store: &mut Store<Call>| {
            bounded(guest.call_start(&mut *store, &operation)?, store)
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
        let task = move |guest: &Guest, store: &mut Store<Call>| {
            bounded(guest.call_resume(&mut *store, &operation, &state, &reply)?, store)
        };
        self.call("resume", Some(around), Box::new(task)).await
    }

    /// How to prove an unproven delivery.
    pub async fn prove(
        &self,
        around: Surroundings,
        delivery: Delivery,
    ) -> Result<Called<Result<Proof, Failure>>, Fault> {
        let task = move |guest: &Guest, store: &mut Store<Call>| guest.call_prove(store, &delivery);
        self.call("prove", Some(around), Box::new(task)).await
    }

    /// What a proven delivery says. The caller has checked the proof.
    pub async fn interpret(
        &self,
        around: Surroundings,
        delivery: Delivery,
    ) -> Result<Called<Result<Vec<Event>, Failure>>, Fault> {
        let task =
            move |guest: &Guest, store: &mut Store<Call>| guest.call_interpret(store, &delivery);
        self.call("interpret", Some(around), Box::new(task)).await
    }

    /// What the provider wants to hear back about a delivery. Runs without an account.
    pub async fn acknowledge(&self, accepted: bool) -> Result<Called<HttpResponse>, Fault> {
        let task =
            move |guest: &Guest, store: &mut Store<Call>| guest.call_acknowledge(store, accepted);
        self.call("acknowledge", None, Box::new(task)).await
    }

    /// Waits for a free place, then runs `task` on a thread that may block.
    async fn call<T: Send + 'static>(
        &self,
        export: &'static str,
        around: Option<Surroundings>,
        task: Task<T>,
    ) -> Result<Called<T>, Fault> {
        let place = self.0.places.clone().acquire_owned().await;
        let place = place.map_err(|_| self.broken(export, "the sandbox is closed"))?;
        let loaded = self.0.clone();
        let running = tokio::task::spawn_blocking(move || {
            let called = loaded.code.run(&loaded.plugin, export, around, task);
            // Only now is the instance gone and its place free.
            drop(place);
            called
        });
        running.await.unwrap_or_else(|error| Err(self.broken(export, &error.to_string())))
    }

    /// A fault of the host's own making.
    fn broken(&self, export: &'static str, what: &str) -> Fault {
        Fault {
            plugin: self.0.plugin.name.as_str().into(),
            export,
            what: what.into(),
            kind: Kind::Host,
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
    /// Runs `task` in a fresh instance, on this thread.
    pub(crate) fn run<T>(
        &self,
        plugin: &Arc<Plugin>,
        export: &'static str,
        around: Option<Surroundings>,
        task: impl FnOnce(&Guest, &mut Store<Call>) -> wasmtime::Result<T>,
    ) -> Result<Called<T>, Fault> {
        let began = Instant::now();
        let mut store = runtime::store(&self.engine, Call::blank(plugin.clone()));
        let answer = match self.linked.instantiate(&mut store) {
            Ok(provider) => enter(&provider, &mut store, around, export, task)
                .map_err(|error| fault(&error, store.data(), export, began)),
            Err(error) => Err(unmade(fault(&error, store.data(), export, began))),
        };
        plugin.witness.look(export);
        let call = store.into_data();
        Ok(Called {
            answer: answer?,
            remembered: call.remembered,
            derived: call.derived.into_iter().map(|derived| derived.value).collect(),
            elapsed: began.elapsed(),
        })
    }
}

fn enter<T>(
    provider: &Provider,
    store: &mut Store<Call>,
    around: Option<Surroundings>,
    export: &'static str,
    task: impl FnOnce(&Guest, &mut Store<Call>) -> wasmtime::Result<T>,
) -> wasmtime::Result<T> {
    if let Some(around) = around {
        store.data_mut().surround(around, export)?;
    }
    task(provider.tollgate_adapter_adapter(), store)
}

/// Refuses a state that is too large to be journaled.
fn bounded(
    step: Result<Step, Failure>,
    store: &mut Store<Call>,
) -> wasmtime::Result<Result<Step, Failure>> {
    let max = store.data().plugin.limits.state_bytes_max;
    if let Ok(Step::Send(exchange)) = &step
        && exchange.state.len() > max
    {
        let what = format!("a state of {} bytes, {max} allowed", exchange.state.len());
        return Err(Trip::Output(what).into());
    }
    Ok(step)
}

fn fault(error: &wasmtime::Error, call: &Call, export: &'static str, began: Instant) -> Fault {
    let (kind, what) = fault::classify(error, call.errors());
    Fault {
        plugin: call.plugin.name.as_str().into(),
        export,
        what: what.into(),
        kind,
        log: call.errors().into(),
        trace: fault::trace(error),
        elapsed: began.elapsed(),
    }
}

/// What no rule explains, when it happens before the plugin's code runs, is not the plugin's doing.
fn unmade(fault: Fault) -> Fault {
    match fault.kind {
        Kind::Contract => Fault { kind: Kind::Instantiate, ..fault },
        _ => fault,
    }
}
