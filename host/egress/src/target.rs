//! Where a request goes, read from its URL or endpoint and matched with what the account may reach.
//! What is sent is what was written: a URL that would have to be rewritten first is refused,
//! because the plugin may have signed it.

use std::fmt;

use http::uri::PathAndQuery;
use url::{Position, Url};

use crate::allowed::{AllowedHost, Channel};
use crate::error::{Error, Kind};
use crate::host::{Host, host_and_port};
use crate::reach::Reach;

/// A checked destination that the account may reach.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Target {
    pub(crate) channel: Channel,
    pub(crate) host: Host,
    pub(crate) port: u16,
    /// Which addresses it may have.
    pub(crate) reach: Reach,
}

impl Target {
    /// The destination of an absolute `https` or `http` URL, and its path and query.
    pub(crate) fn of_url(
        url: &str,
        allowed: &[AllowedHost],
    ) -> Result<(Target, PathAndQuery), Error> {
        let refused = |why: &str| {
            Error::new(Kind::Target, format!("the URL `{}` is refused: {why}", shortened(url)))
        };
        let (channel, authority, path) = split(url).map_err(refused)?;
        let (host, port) = host_and_port(authority).map_err(refused)?;
        let port = port.or(channel.default_port()).unwrap_or_default();
        let path = as_written(url, path).map_err(|why| refused(&why))?;
        Ok((Target::allowed(&[channel], host, port, allowed)?, path))
    }

    /// The destination of a frame: `host:port`, by TLS unless the operator named it with `tcp://`.
    pub(crate) fn of_endpoint(endpoint: &str, allowed: &[AllowedHost]) -> Result<Target, Error> {
        let refused = |why: &str| {
            let what = format!("the endpoint `{}` is refused: {why}", shortened(endpoint));
            Error::new(Kind::Target, what)
        };
        let (host, port) = host_and_port(endpoint).map_err(refused)?;
        let port = port.ok_or_else(|| refused("it needs a port"))?;
        Target::allowed(&[Channel::Tls, Channel::Tcp], host, port, allowed)
    }

    /// Of the channels, the first by which the account may reach the host.
    fn allowed(
        channels: &[Channel],
        host: Host,
        port: u16,
        allowed: &[AllowedHost],
    ) -> Result<Target, Error> {
        let entries = |channel: Channel| {
            let (host, port) = (host.clone(), port);
            allowed.iter().filter(move |a| a.channel == channel && a.host == host && a.port == port)
        };
        match channels.iter().copied().find(|channel| entries(*channel).next().is_some()) {
            Some(channel) => {
                let widest = entries(channel).map(|entry| &entry.reach).max();
                let reach = widest.cloned().unwrap_or(Reach::Named);
                Ok(Target { channel, host, port, reach })
            }
            None => Err(not_allowed(channels, host, port)),
        }
    }

    /// Whether an entry of a list of hosts means this target.
    pub(crate) fn is(&self, allowed: &AllowedHost) -> bool {
        (self.channel, &self.host, self.port) == (allowed.channel, &allowed.host, allowed.port)
    }

    /// The value of the `host` header (RFC 9110 section 7.2).
    pub(crate) fn authority(&self) -> String {
        match Some(self.port) == self.channel.default_port() {
            true => self.host.to_string(),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.channel.prefix(), self.authority())
    }
}

fn not_allowed(channels: &[Channel], host: Host, port: u16) -> Error {
    let channel = channels.first().copied().unwrap_or(Channel::Tls);
    let wanted = Target { channel, host, port, reach: Reach::Named };
    let what = format!(
        "the account may not reach {wanted}: if it is to, add \"{wanted}\" to the account's hosts"
    );
    Error::new(Kind::HostNotAllowed, what)
}

/// Scheme, authority, and the rest.
pub(crate) fn split(url: &str) -> Result<(Channel, &str, &str), &'static str> {
    if url.bytes().any(|byte| byte <= b' ' || byte == 0x7f || byte == b'\\') {
        return Err("it holds a space, a control character or a backslash");
    }
    let (channel, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (Channel::Tls, rest),
        (_, Some(rest)) => (Channel::Http, rest),
        _ => return Err("it does not start with `https://` or `http://`"),
    };
    if rest.contains('#') {
        return Err("it holds a fragment");
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    match authority.contains('@') {
        true => Err("it holds a user name"),
        false => Ok((channel, authority, path)),
    }
}

/// The path and query, when sending them needs no rewriting.
fn as_written(url: &str, path: &str) -> Result<PathAndQuery, String> {
    let path = if path.is_empty() { "/" } else { path };
    let parsed = Url::parse(url).map_err(|source| source.to_string())?;
    let normal = &parsed[Position::BeforePath..];
    if normal != path {
        return Err(format!("its path and query have to be written as `{}`", shortened(normal)));
    }
    PathAndQuery::try_from(path).map_err(|_| "its path or query cannot be sent".to_owned())
}

/// Without control characters and not endless, for errors.
pub(crate) fn shortened(text: &str) -> String {
    text.chars().take(200).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests;
