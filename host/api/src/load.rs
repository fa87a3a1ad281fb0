//! What the edge has in hand, and how much of each it may have: the one place that counts.
//!
//! Not here: how each is counted (`peers`, `places`, `streams`).

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::limits::Limits;
use crate::peers::{Peers, Seat};
use crate::places::{Class, Place, Places};
use crate::problem::Problem;

/// The share of the room for bodies of providers that one peer may take, in percent: anybody may
/// send a delivery, and one network of many must not keep out all others.
const PEER_PERCENT: usize = 25;

/// The load.
pub(crate) struct Load {
    pub(crate) limits: Limits,
    pub(crate) connections: Arc<Peers>,
    pub(crate) places: Arc<Places>,
    /// Bytes of bodies that are held: of those who have proven themselves.
    bodies: Arc<Peers>,
    /// The same of everybody else.
    strangers: Arc<Peers>,
    stopping: AtomicBool,
}

/// What a request in hand holds until it has ended.
#[derive(Default)]
pub(crate) struct Hold {
    pub(crate) place: Option<Place>,
    pub(crate) body: Option<Seat>,
}

impl Load {
    pub(crate) fn new(limits: Limits) -> Arc<Load> {
        let most = limits.bodies_bytes_max.max(limits.body_bytes_max);
        let of_stranger = (most / 100 * PEER_PERCENT).max(limits.body_bytes_max);
        Arc::new(Load {
            connections: Peers::new(limits.connections_max, limits.connections_per_peer_max),
            places: Places::new(&limits),
            bodies: Peers::new(most, most),
            strangers: Peers::new(most, of_stranger),
            stopping: AtomicBool::new(false),
            limits,
        })
    }

    /// From here on the host says that it is not ready.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// A place, for an operation that has one.
    pub(crate) fn place(
        &self,
        class: Option<Class>,
        app: Option<&ledger::Id>,
    ) -> Result<Option<Place>, Problem> {
        class.map(|class| self.places.take(class, app)).transpose()
    }

    /// Room for a body of so many bytes; none when others take it.
    pub(crate) fn room(
        &self,
        peer: IpAddr,
        bytes: usize,
        (proven, proxied): (bool, bool),
    ) -> Option<Seat> {
        let of = if proven { &self.bodies } else { &self.strangers };
        of.seat(peer, bytes, !proxied)
    }

    /// Bytes of bodies that are held now.
    pub(crate) fn bodies_bytes(&self) -> usize {
        self.bodies.taken().saturating_add(self.strangers.taken())
    }
}
