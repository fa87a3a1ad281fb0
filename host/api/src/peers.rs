//! Who may hold a connection: so many in all, so many of one peer.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::limits::Limits;

/// The connections there are, by peer.
pub(crate) struct Peers {
    all_max: usize,
    each_max: usize,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    all: usize,
    by_peer: HashMap<IpAddr, usize>,
}

/// A connection's place; given back when dropped.
pub(crate) struct Seat {
    peers: Arc<Peers>,
    peer: IpAddr,
}

impl Peers {
    pub(crate) fn new(limits: &Limits) -> Arc<Peers> {
        let (all_max, each_max) = (limits.connections_max, limits.connections_per_peer_max);
        Arc::new(Peers { all_max, each_max, held: Mutex::default() })
    }

    /// A place for one more connection of this peer; none when there is none left.
    pub(crate) fn seat(self: &Arc<Peers>, address: IpAddr) -> Option<Seat> {
        let peer = network(address);
        let mut held = self.held();
        let of_peer = held.by_peer.get(&peer).copied().unwrap_or_default();
        if held.all >= self.all_max || of_peer >= self.each_max {
            return None;
        }
        held.all += 1;
        held.by_peer.insert(peer, of_peer + 1);
        Some(Seat { peers: self.clone(), peer })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut held = self.peers.held();
        held.all = held.all.saturating_sub(1);
        match held.by_peer.get_mut(&self.peer) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                held.by_peer.remove(&self.peer);
            }
        }
    }
}

/// What counts as one peer: an IPv4 address, or the /64 network that one IPv6 customer has.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peers(all: usize, each: usize) -> Arc<Peers> {
        let (connections_max, connections_per_peer_max) = (all, each);
        Peers::new(&Limits { connections_max, connections_per_peer_max, ..Limits::default() })
    }

    fn at(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_place_is_given_back_when_it_is_dropped() {
        let peers = peers(1, 1);
        let seat = peers.seat(at("192.0.2.1"));
        assert!(seat.is_some());
        assert!(peers.seat(at("192.0.2.2")).is_none());
        drop(seat);
        assert!(peers.seat(at("192.0.2.2")).is_some());
        assert!(peers.held().by_peer.is_empty());
    }

    #[test]
    fn one_ipv6_network_is_one_peer_and_a_mapped_address_is_its_ipv4_address() {
        let peers = peers(9, 1);
        let _six = peers.seat(at("2001:db8::1"));
        assert!(peers.seat(at("2001:db8::ffff:1")).is_none());
        assert!(peers.seat(at("2001:db8:0:1::1")).is_some());
        let _four = peers.seat(at("::ffff:192.0.2.1"));
        assert!(peers.seat(at("192.0.2.1")).is_none());
    }
}
