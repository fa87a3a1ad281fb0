//! URLs and hosts that somebody else wrote, and which addresses are public.
//!
//! Holds: an address that is admitted is public by another list than the host's own; a URL that is
//! admitted leads to the host, the port and the path that the `url` crate reads in it, and is sent
//! as it was written; an allowed host is read as the one it is shown as; a refusal is short and
//! shows no control character. Four or sixteen bytes are an address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use egress::{AllowedHost, Gate, HttpRequest, Method, Outside, fuzzing};
use url::{Host, Url};

use crate::targets::requests::Values;

/// See the module.
pub fn addresses(bytes: &[u8]) {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        address(four.into());
    }
    if let Ok(sixteen) = <[u8; 16]>::try_from(bytes) {
        address(sixteen.into());
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for plain in [true, false] {
        let outside = Outside { networks: Vec::new(), plain };
        match outside.host(text) {
            Ok(host) => admitted(text, &host, plain),
            Err(error) => short(&error.to_string(), 2600),
        }
    }
    match text.parse::<AllowedHost>() {
        Ok(host) => {
            let shown = host.to_string();
            assert_eq!(shown.parse::<AllowedHost>().unwrap(), host, "{text:?} as {shown:?}");
        }
        Err(error) => short(&error.to_string(), 256 + 10 * text.len()),
    }
}

fn address(address: IpAddr) {
    if fuzzing::closed(address).is_none() {
        assert!(is_public(address), "{address} counts as public");
    }
}

fn short(error: &str, most: usize) {
    assert!(error.len() <= most, "{} bytes of error", error.len());
    assert!(!error.chars().any(char::is_control), "{error:?}");
}

fn admitted(text: &str, host: &AllowedHost, plain: bool) {
    let shown = host.to_string();
    let ours = match shown.starts_with("http://") {
        true => shown,
        false => format!("https://{shown}"),
    };
    assert!(plain || ours.starts_with("https://"), "{text:?} is not TLS");
    let ours = Url::parse(&ours).expect("a host that is shown is one");
    match ours.host().expect("a host") {
        Host::Ipv4(address) => assert!(is_public(address.into()), "{text:?} is admitted"),
        Host::Ipv6(address) => assert!(is_public(address.into()), "{text:?} is admitted"),
        Host::Domain(_) => {}
    }
    let gate = Gate { hosts: vec![host.clone()], ..Gate::default() };
    let (url, method) = (text.to_owned(), Method::Get);
    let request = HttpRequest { method, url, headers: Vec::new(), body: Vec::new() };
    let Ok((_, sent)) = fuzzing::prepared(&gate, &Values::default(), &request) else { return };
    let theirs = Url::parse(text).expect("what is sent is a URL to others too");
    let place = |url: &Url| {
        (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port_or_known_default())
    };
    assert_eq!(place(&ours), place(&theirs), "{text:?} leads elsewhere");
    let written = sent.uri().path_and_query().map(|path| path.as_str().to_owned());
    let path = &theirs[url::Position::BeforePath..];
    assert_eq!(written.as_deref(), Some(path), "{text:?} is rewritten");
    let named = sent.headers()["host"].to_str().unwrap();
    let authority = Url::parse(&format!("{}://{named}", theirs.scheme())).unwrap();
    assert_eq!(place(&authority), place(&theirs), "{text:?}: the wrong `host`");
}

/// By the properties of addresses that the standard library and RFC 6890 name, not by a list of
/// blocks.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_4(address),
        IpAddr::V6(address) => is_public_6(address),
    }
}

fn is_public_4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let closed = address.is_unspecified()
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && b & 0xc0 == 64)
        || (a == 198 && b & 0xfe == 18)
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99);
    !closed
}

fn is_public_6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    if let [0x64, 0xff9b, 0, 0, 0, 0, high, low] = address.segments() {
        return is_public_4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    }
    let hidden = first == 0x2002 || (first == 0x2001 && second < 0x200);
    let documented = (first == 0x2001 && second == 0xdb8) || (first == 0x3fff && second < 0x1000);
    first & 0xe000 == 0x2000
        && !hidden
        && !documented
        && !address.is_loopback()
        && !address.is_multicast()
        && address.to_ipv4_mapped().is_none()
}
