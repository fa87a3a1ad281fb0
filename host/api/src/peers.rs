//! What peers may hold, connections or bytes of bodies: so much in all, so much of one peer.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What there is, by peer.
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

/// What a peer has taken; given back when dropped.
pub(crate) struct Seat {
    peers: Arc<Peers>,
    peer: IpAddr,
    amount: usize,
}

impl Peers {
    /// So much in all, so much of each.
    pub(crate) fn new(all_max: usize, each_max: usize) -> Arc<Peers> {
        Arc::new(Peers { all_max, each_max, held: Mutex::default() })
    }

    /// So much more for this peer, within what each may have where that is `bounded`; none when
    /// there is not so much left.
    pub(crate) fn seat(
        self: &Arc<Peers>,
        address: IpAddr,
        amount: usize,
        bounded: bool,
    ) -> Option<Seat> {
        let peer = network(address);
        let mut held = self.held();
        let all = held.all.saturating_add(amount);
        let of_peer = held.by_peer.get(&peer).copied().unwrap_or_default().saturating_add(amount);
        if all > self.all_max || (bounded && of_peer > self.each_max) {
            return None;
        }
        held.all = all;
        held.by_peer.insert(peer, of_peer);
        Some(Seat { peers: self.clone(), peer, amount })
    }

    /// How much is held now.
    pub(crate) fn taken(&self) -> usize {
        self.held().all
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut held = self.peers.held();
        held.all = held.all.saturating_sub(self.amount);
        match held.by_peer.get_mut(&self.peer) {
            Some(count) if *count > self.amount => *count -= self.amount,
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

    fn at(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_place_is_given_back_when_it_is_dropped() {
        let peers = Peers::new(1, 1);
        let seat = peers.seat(at("192.0.2.1"), 1, true);
        assert!(seat.is_some());
        assert!(peers.seat(at("192.0.2.2"), 1, true).is_none());
        drop(seat);
        assert!(peers.seat(at("192.0.2.2"), 1, true).is_some());
        assert!(peers.held().by_peer.is_empty());
    }

    #[test]
    fn one_ipv6_network_is_one_peer_and_a_mapped_address_is_its_ipv4_address() {
        let peers = Peers::new(9, 1);
        let _six = peers.seat(at("2001:db8::1"), 1, true);
        assert!(peers.seat(at("2001:db8::ffff:1"), 1, true).is_none());
        assert!(peers.seat(at("2001:db8:0:1::1"), 1, true).is_some());
        let _four = peers.seat(at("::ffff:192.0.2.1"), 1, true);
        assert!(peers.seat(at("192.0.2.1"), 1, true).is_none());
    }

    #[test]
    fn whoever_is_not_bounded_is_counted_all_the_same() {
        let peers = Peers::new(3, 1);
        let _proxied = [at("192.0.2.1"), at("192.0.2.1")].map(|one| peers.seat(one, 1, false));
        assert!(peers.seat(at("192.0.2.1"), 1, true).is_none());
        assert!(peers.seat(at("192.0.2.2"), 2, false).is_none());
        assert_eq!(peers.taken(), 2);
        assert!(peers.seat(at("192.0.2.2"), 1, true).is_some());
    }
}
