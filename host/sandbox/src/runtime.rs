//! wasmtime, set up once: what compiled code may contain, where instances live, when they end.
//!
//! The figures behind these settings were measured: a fresh instance for each call costs page
//! faults, so memory is reset by scanning which pages were touched (`pagemap_scan`).

use std::time::Duration;

use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store,
    UpdateDeadline,
};

use crate::Limits;
use crate::call::Call;
use crate::{Error, ErrorKind};

/// How late a guest that never calls the host may notice its deadline.
const TICK: Duration = Duration::from_millis(5);
/// Linear memories and tables of one component: shims and linked libraries share the first.
const MEMORIES_PER_COMPONENT: u32 = 4;
const TABLES_PER_COMPONENT: u32 = 16;

/// An engine and its ticking clock.
pub(crate) fn engine(limits: &Limits) -> Result<Engine, Error> {
    let engine = Engine::new(&config(limits)).map_err(|error| {
        let what = "the sandbox cannot be set up with these limits on this machine";
        Error::because(ErrorKind::Engine, what, error)
    })?;
    tick(&engine)?;
    Ok(engine)
}

fn config(limits: &Limits) -> Config {
    let mut config = Config::new();
    config
        .memory_init_cow(true)
        .epoch_interruption(true)
        .concurrency_support(false)
        .max_wasm_stack(512 << 10)
        // The same step gives the same bytes on every machine.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .wasm_memory64(false)
        .wasm_multi_memory(false)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits)));
    config
}

fn pool(limits: &Limits) -> PoolingAllocationConfig {
    // One more than the semaphore lets in: loading a plugin asks it to describe itself.
    let calls = limits.concurrent_calls_max.saturating_add(1);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls)
        .total_core_instances(calls.saturating_mul(limits.core_instances_max))
        .total_memories(calls.saturating_mul(MEMORIES_PER_COMPONENT))
        .total_tables(calls.saturating_mul(TABLES_PER_COMPONENT))
        .max_core_instances_per_component(limits.core_instances_max)
        .max_memories_per_component(MEMORIES_PER_COMPONENT)
        .max_tables_per_component(TABLES_PER_COMPONENT)
        .max_memory_size(limits.memory_bytes_max)
        .table_elements(limits.table_elements_max)
        .max_tables_per_module(TABLES_PER_COMPONENT)
        .pagemap_scan(Enabled::Auto);
    if PoolingAllocationConfig::is_pagemap_scan_available() {
        // Without the scan this would clear a whole mebibyte after each call.
        pool.linear_memory_keep_resident(1 << 20).table_keep_resident(64 << 10);
    }
    pool
}

/// One thread that moves the engine's epoch on for as long as the engine lives. What a passed
/// epoch means for a call, the call's own clock decides.
fn tick(engine: &Engine) -> Result<(), Error> {
    let engine = engine.weak();
    let run = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(TICK);
        }
    };
    let spawned = std::thread::Builder::new().name("sandbox clock".to_owned()).spawn(run);
    let what = "the sandbox's clock cannot be started";
    spawned.map(drop).map_err(|error| Error::because(ErrorKind::Engine, what, error))
}

/// A store with every limit in force.
pub(crate) fn store(engine: &Engine, call: Call) -> Store<Call> {
    let limits = &call.plugin.limits;
    let (answer_bytes, handles) = (limits.output_bytes_max, limits.handles_max);
    let mut store = Store::new(engine, call);
    store.limiter(|call| &mut call.meter);
    store.set_hostcall_fuel(answer_bytes);
    store.set_max_component_handles(handles);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut store| {
        store.data_mut().tick()?;
        Ok(UpdateDeadline::Continue(1))
    });
    store
}
