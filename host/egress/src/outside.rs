//! URLs that somebody else wrote, as the endpoint of an app: what they may lead to. Not here: hosts
//! the operator named (`allowed`), and the checking of addresses (`reach`, `dial`).

use crate::allowed::{AllowedHost, Channel};
use crate::error::{Error, Kind};
use crate::host::{Host, host_and_port};
use crate::reach::Reach;
use crate::target::{shortened, split};

/// A block of addresses, written as `10.0.0.0/8` or `fd00::/8`.
pub type Network = ipnet::IpNet;

/// What a URL that somebody else wrote may lead to. By default: public addresses, by TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outside {
    /// Networks that may be reached though they are not public.
    pub networks: Vec<Network>,
    /// Whether `http://` is taken too.
    pub plain: bool,
}

impl Outside {
    /// The host of an absolute URL, without looking at what its name resolves to. An address that
    /// is written out is checked at once.
    ///
    /// # Errors
    /// [`Kind::Target`]: it is no URL this host sends to. [`Kind::HostNotAllowed`]: it is not TLS.
    /// [`Kind::AddressRefused`]: its address is not public.
    pub fn host(&self, url: &str) -> Result<AllowedHost, Error> {
        let refused = |why: &str| {
            Error::new(Kind::Target, format!("the URL `{}` is refused: {why}", shortened(url)))
        };
        let (channel, authority, _) = split(url).map_err(refused)?;
        if channel == Channel::Http && !self.plain {
            let what = "only `https://` is taken: the operator has to allow `http://` expressly";
            return Err(Error::new(Kind::HostNotAllowed, what));
        }
        let (host, port) = host_and_port(authority).map_err(refused)?;
        let reach = Reach::Outside(self.networks.clone());
        if let Host::Address(address) = &host
            && let Some(closed) = reach.refusal(&host, *address)
        {
            return Err(closed);
        }
        let port = port.or(channel.default_port()).unwrap_or_default();
        Ok(AllowedHost { channel, host, port, reach })
    }
}
