//! Which addresses a host may have, by who named it. Not here: which addresses are public
//! (`address`).

use std::net::IpAddr;

use crate::address;
use crate::error::{Error, Kind};
use crate::host::Host;
use crate::outside::Network;

/// Which addresses a host may have. Ordered: where several apply, the greatest does.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// Named by somebody else: public addresses and those of these networks, whether the host is a
    /// name or an address.
    Outside(Vec<Network>),
    /// Named by the operator: an address itself, and public addresses of a name.
    Named,
    /// Named by the operator as private: any.
    Private,
}

impl Reach {
    /// Why `host` may not have `address`; none when it may.
    pub(crate) fn refusal(&self, host: &Host, address: IpAddr) -> Option<Error> {
        let remedy = match (self, host) {
            (Reach::Private, _) | (Reach::Named, Host::Address(_)) => return None,
            (Reach::Named, Host::Name(_)) => {
                "name this address itself or mark the host as private in the account"
            }
            (Reach::Outside(allowed), _) => {
                if allowed.iter().any(|network| network.contains(&address)) {
                    return None;
                }
                "the operator has to allow its network expressly"
            }
        };
        let why = address::closed(address)?;
        let leads = match host {
            Host::Name(name) => format!("`{name}` resolves to {address}, which"),
            Host::Address(_) => address.to_string(),
        };
        let what = format!("{leads} is not public ({why}): if it is to be reached, {remedy}");
        Some(Error::new(Kind::AddressRefused, what))
    }
}
