//! A host and port as written by an operator or a plugin, brought to one form. Odd spellings of an
//! address (`127.1`, `0x7f000001`, `%6c`) are refused instead of understood.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// A host in its one form: a name in lower-case ASCII (IDNA applied), or a literal address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Host {
    Name(String),
    Address(IpAddr),
}

impl Host {
    /// The host written as `text`, or why it is none.
    pub(crate) fn parse(text: &str) -> Result<Host, &'static str> {
        if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let address = inner.parse::<Ipv6Addr>().map_err(|_| "not an IPv6 address")?;
            if address.to_string() != inner.to_ascii_lowercase() {
                return Err("not the short form of this IPv6 address (RFC 5952)");
            }
            return Ok(Host::Address(IpAddr::V6(address)));
        }
        if text.contains('%') {
            return Err("a percent sign in a host");
        }
        match url::Host::parse(text) {
            Ok(url::Host::Ipv4(address)) if address.to_string() == text => {
                Ok(Host::Address(IpAddr::V4(address)))
            }
            Ok(url::Host::Ipv4(_)) => Err("an IPv4 address that is not four plain decimal numbers"),
            Ok(url::Host::Domain(name)) => Host::name(text, name),
            Ok(url::Host::Ipv6(_)) | Err(_) => Err("not a host name"),
        }
    }

    fn name(text: &str, name: String) -> Result<Host, &'static str> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
        let label = |part: &str| !part.is_empty() && part.len() <= 63 && part.chars().all(plain);
        if name.len() > 253 || !name.split('.').all(label) {
            return Err("not a host name of letters, digits, hyphens and single dots");
        }
        if text.is_ascii() && text.to_ascii_lowercase() != name {
            return Err("not the plain spelling of this host");
        }
        Ok(Host::Name(name))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => f.write_str(name),
            Host::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Host::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

/// Splits `host`, `host:port`, `[v6]` or `[v6]:port`.
pub(crate) fn host_and_port(text: &str) -> Result<(Host, Option<u16>), &'static str> {
    let host_end = match text.strip_prefix('[') {
        Some(_) => text.find(']').map_or(text.len(), |at| at + 1),
        None => text.find(':').unwrap_or(text.len()),
    };
    let (host, rest) = text.split_at(host_end);
    let host = Host::parse(host)?;
    match rest.strip_prefix(':') {
        Some(port) => Ok((host, Some(parse_port(port)?))),
        None if rest.is_empty() => Ok((host, None)),
        None => Err("something after the closing bracket that is not a port"),
    }
}

fn parse_port(text: &str) -> Result<u16, &'static str> {
    match text.parse::<u16>() {
        Ok(port) if port > 0 && port.to_string() == text => Ok(port),
        _ => Err("a port that is not a number from 1 to 65535"),
    }
}
