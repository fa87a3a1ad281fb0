//! Idle HTTP connections, to be used again. A connection is taken out for its exchange and comes
//! back only when it is idle, so that two requests never share one.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;
use tokio::time::Instant;

use crate::connection::Connection;
use crate::gate::Gate;
use crate::target::Target;
use crate::tls::Identity;

/// How many idle connections are kept, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct PoolLimits {
    /// Towards one host and port with one client certificate.
    pub idle_per_host_max: usize,
    /// In all.
    pub idle_max: usize,
    /// A connection idle for longer is not used again.
    pub idle_ms_max: u64,
    /// A connection open for longer is not used again, so that a change in DNS takes effect.
    pub open_ms_max: u64,
}

impl Default for PoolLimits {
    /// The idle time is shorter than what servers commonly allow (60 s and more), so that it is
    /// rarely they who close first.
    fn default() -> PoolLimits {
        PoolLimits {
            idle_per_host_max: 16,
            idle_max: 256,
            idle_ms_max: 20_000,
            open_ms_max: 300_000,
        }
    }
}

/// What connections have to agree in to be used for one another's requests. The host's permission
/// to resolve to private addresses is part of it: an account without it must not inherit one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    target: Target,
    identity: u64,
}

impl Key {
    pub(crate) fn new(target: &Target, gate: &Gate) -> Key {
        Key { target: target.clone(), identity: Identity::serial(gate.identity.as_ref()) }
    }
}

struct Idle {
    connection: Connection,
    since: Instant,
}

/// The idle connections of one process.
pub(crate) struct Pool {
    limits: PoolLimits,
    idle: Mutex<HashMap<Key, Vec<Idle>>>,
}

impl Pool {
    pub(crate) fn new(limits: PoolLimits) -> Pool {
        Pool { limits, idle: Mutex::default() }
    }

    /// The connection that was used last among those that can be used again.
    pub(crate) fn take(&self, key: &Key) -> Option<Connection> {
        let mut idle = self.lock();
        let connections = idle.get_mut(key)?;
        let mut usable = std::iter::from_fn(|| connections.pop())
            .filter(|idle| self.is_fresh(idle))
            .map(|idle| idle.connection)
            .filter_map(|mut connection| connection.is_idle().then_some(connection));
        let found = usable.next();
        if connections.is_empty() {
            idle.remove(key);
        }
        found
    }

    /// Keeps `connection` for the next request, if it is idle and there is room.
    pub(crate) fn put(&self, key: Key, mut connection: Connection) {
        if !connection.is_idle() {
            return;
        }
        let mut idle = self.lock();
        idle.retain(|_, connections| {
            connections.retain(|idle| self.is_fresh(idle));
            !connections.is_empty()
        });
        let total: usize = idle.values().map(Vec::len).sum();
        let here = idle.get(&key).map_or(0, Vec::len);
        if total < self.limits.idle_max && here < self.limits.idle_per_host_max {
            let since = Instant::now();
            idle.entry(key).or_default().push(Idle { connection, since });
        }
    }

    fn is_fresh(&self, idle: &Idle) -> bool {
        let within = |since: Instant, ms_max: u64| since.elapsed().as_millis() < u128::from(ms_max);
        within(idle.since, self.limits.idle_ms_max)
            && within(idle.connection.opened, self.limits.open_ms_max)
    }

    /// A panic elsewhere leaves the map whole: each change to it is one call.
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Vec<Idle>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
