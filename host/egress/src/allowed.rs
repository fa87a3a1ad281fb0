//! A host the operator allows an account to reach. Not here: the matching of names to addresses
//! (`dial`), which addresses are refused (`address`).

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

use crate::error::{Error, Kind};
use crate::host::{Host, host_and_port};
use crate::reach::Reach;

/// One host and port, exactly; there are no wildcards.
///
/// Written as `api.example`, `api.example:8443` or `https://api.example` (TLS, port 443 unless
/// said), `http://127.0.0.1:8081` (plain HTTP, port 80 unless said) or `tcp://10.0.0.5:5000`
/// (plain frames, port required). Plain channels exist only where they are named so.
///
/// In a configuration: that text, or a table `{ host = "pos.lan:5000", private = true }`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AllowedHost {
    pub(crate) channel: Channel,
    pub(crate) host: Host,
    pub(crate) port: u16,
    pub(crate) reach: Reach,
}

/// What stands between us and a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Channel {
    /// TLS, with HTTP or frames inside.
    Tls,
    /// HTTP in the clear.
    Http,
    /// Frames in the clear.
    Tcp,
}

impl Channel {
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Channel::Tls => "",
            Channel::Http => "http://",
            Channel::Tcp => "tcp://",
        }
    }

    pub(crate) fn default_port(self) -> Option<u16> {
        match self {
            Channel::Tls => Some(443),
            Channel::Http => Some(80),
            Channel::Tcp => None,
        }
    }
}

impl AllowedHost {
    /// The same host, but its name may resolve to addresses inside the operator's own network.
    pub fn private(self) -> AllowedHost {
        AllowedHost { reach: Reach::Private, ..self }
    }
}

impl FromStr for AllowedHost {
    type Err = Error;

    fn from_str(text: &str) -> Result<AllowedHost, Error> {
        let (channel, rest) = split_channel(text);
        let refused = |why: &str| {
            Error::new(
                Kind::Settings,
                format!("`{}` is no allowed host: {why}", text.escape_debug()),
            )
        };
        let (host, port) = host_and_port(rest).map_err(refused)?;
        if let Host::Address(address) = host
            && (address.is_unspecified() || address.is_multicast() || is_broadcast(address))
        {
            return Err(refused("this address is nobody's"));
        }
        let port = port.or(channel.default_port()).ok_or_else(|| refused("it needs a port"))?;
        Ok(AllowedHost { channel, host, port, reach: Reach::Named })
    }
}

fn split_channel(text: &str) -> (Channel, &str) {
    let prefixes = [
        ("http://", Channel::Http),
        ("tcp://", Channel::Tcp),
        ("https://", Channel::Tls),
        ("tls://", Channel::Tls),
    ];
    let found = prefixes
        .into_iter()
        .find_map(|(prefix, channel)| text.strip_prefix(prefix).map(|rest| (channel, rest)));
    found.unwrap_or((Channel::Tls, text))
}

fn is_broadcast(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(v4) if v4.is_broadcast())
}

impl fmt::Display for AllowedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.channel.prefix(), self.host)?;
        match Some(self.port) == self.channel.default_port() {
            true => Ok(()),
            false => write!(f, ":{}", self.port),
        }
    }
}

impl<'de> Deserialize<'de> for AllowedHost {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<AllowedHost, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a host, or a table with `host` and `private`")]
        enum Written {
            Text(String),
            Table(Table),
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            host: String,
            #[serde(default)]
            private: bool,
        }
        let (text, private) = match Written::deserialize(deserializer)? {
            Written::Text(text) => (text, false),
            Written::Table(table) => (table.host, table.private),
        };
        let allowed: AllowedHost = text.parse().map_err(serde::de::Error::custom)?;
        Ok(if private { allowed.private() } else { allowed })
    }
}
