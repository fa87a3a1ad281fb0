//! Which resolved addresses are on the public Internet. Everything else is refused, so that a name
//! a plugin may reach cannot be pointed at the operator's own network or a cloud's metadata.
//! Not here: addresses and names the operator allowed expressly (`reach`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A block of IPv4 addresses: its first address, its prefix length, what it is for.
type Block4 = (Ipv4Addr, u32, &'static str);
/// A block of IPv6 addresses.
type Block6 = (Ipv6Addr, u32, &'static str);

/// IANA's IPv4 special-purpose registry (RFC 6890) where not globally reachable, multicast, and a
/// cloud's metadata service on a public address.
const CLOSED_4: &[Block4] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8, "this network"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "shared by a carrier's NAT"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    (Ipv4Addr::new(168, 63, 129, 16), 32, "a cloud's metadata service"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local, with metadata services"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "for protocol assignments"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "for documentation"),
    (Ipv4Addr::new(192, 31, 196, 0), 24, "for name servers' sinks"),
    (Ipv4Addr::new(192, 52, 193, 0), 24, "for multicast relays"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "a 6to4 relay"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
    (Ipv4Addr::new(192, 175, 48, 0), 24, "for name servers' sinks"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "for benchmarks"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "for documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "for documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
];

/// Inside 2000::/3, what is not globally reachable or hides another address (RFC 4380 Teredo, RFC
/// 3056 6to4, RFC 9637). Outside 2000::/3 nothing is public but NAT64.
const CLOSED_6: &[Block6] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "for protocol assignments, Teredo among them"),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, "for documentation"),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, "6to4, which hides an IPv4 address"),
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48, "for name servers' sinks"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "for documentation"),
];

/// Outside 2000::/3: named only so that the refusal says something.
const NAMED_6: &[Block6] = &[
    (Ipv6Addr::UNSPECIFIED, 128, "unspecified"),
    (Ipv6Addr::LOCALHOST, 128, "loopback"),
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96, "an IPv4 address in IPv6 clothes"),
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0, 0, 0), 96, "an IPv4 address in IPv6 clothes"),
    (Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48, "local NAT64"),
    (Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 0), 64, "a sink"),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, "private, with metadata services"),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, "link-local"),
    (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10, "site-local"),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, "multicast"),
];

const GLOBAL_6: Block6 = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3, "");
/// The well-known NAT64 prefix (RFC 6052): an IPv4 address reached from an IPv6-only network.
const NAT64: Block6 = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96, "");

/// Why `address` is not on the public Internet, or `None` when it is.
pub(crate) fn closed(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => closed_4(address),
        IpAddr::V6(address) => closed_6(address),
    }
}

fn closed_4(address: Ipv4Addr) -> Option<&'static str> {
    CLOSED_4.iter().find(|block| within_4(address, block)).map(|(_, _, what)| *what)
}

fn closed_6(address: Ipv6Addr) -> Option<&'static str> {
    if within_6(address, &NAT64) {
        let [.., a, b, c, d] = address.octets();
        return closed_4(Ipv4Addr::new(a, b, c, d));
    }
    let blocks = if within_6(address, &GLOBAL_6) { CLOSED_6 } else { NAMED_6 };
    match blocks.iter().find(|block| within_6(address, block)) {
        Some((_, _, what)) => Some(what),
        None if within_6(address, &GLOBAL_6) => None,
        None => Some("outside global unicast"),
    }
}

fn within_4(address: Ipv4Addr, (first, length, _): &Block4) -> bool {
    (address.to_bits() ^ first.to_bits()).leading_zeros() >= *length
}

fn within_6(address: Ipv6Addr, (first, length, _): &Block6) -> bool {
    (address.to_bits() ^ first.to_bits()).leading_zeros() >= *length
}

#[cfg(test)]
mod tests;
