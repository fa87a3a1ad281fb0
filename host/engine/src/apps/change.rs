//! What can be set of an app, and what it is held to.

use std::collections::BTreeSet;

use ipnet::IpNet;

use super::{Unchanged, unfit};
use crate::app::{App, Protection, Rate, Scope, SpendingLimit};

/// Networks of one app, and accounts.
const LIST_MAX: usize = 256;

/// What to change of an app; what is none stays as it is.
#[derive(Clone, Debug, Default)]
pub struct AppChange {
    /// A name for people: 1 to 64 characters, none of them control.
    pub name: Option<String>,
    /// What it may do; at least one.
    pub scopes: Option<BTreeSet<Scope>>,
    /// Where its requests may come from; empty for anywhere.
    pub networks: Option<Vec<IpNet>>,
    /// The least it has to prove.
    pub protection: Option<Protection>,
    /// The accounts open to it; none within for all.
    pub accounts: Option<Option<BTreeSet<String>>>,
    /// How often it may ask; none within for as often as it likes.
    pub rate: Option<Option<Rate>>,
    /// What it may spend in a UTC day.
    pub spending: Option<Vec<SpendingLimit>>,
}

impl AppChange {
    /// Makes the change, or says what cannot be; then the app may be changed in part.
    pub(super) fn apply(&self, app: &mut App) -> Result<(), Unchanged> {
        if let Some(name) = &self.name {
            check_name(name)?;
            app.name.clone_from(name);
        }
        if let Some(scopes) = &self.scopes {
            if scopes.is_empty() {
                return Err(unfit(
                    "scopes",
                    "name at least one; revoke an app that may do nothing",
                ));
            }
            app.scopes.clone_from(scopes);
        }
        if let Some(networks) = &self.networks {
            app.networks = checked_networks(networks)?;
        }
        if let Some(Some(open)) = &self.accounts
            && open.len() > LIST_MAX
        {
            return Err(unfit("accounts", format!("name at most {LIST_MAX}")));
        }
        if let Some(Some(rate)) = self.rate
            && (rate.per_second == 0 || rate.burst == 0)
        {
            return Err(unfit("rate", "write at least 1 for each"));
        }
        if let Some(spending) = &self.spending {
            app.spending = checked_spending(spending)?;
        }
        app.protection = self.protection.unwrap_or(app.protection);
        self.accounts.iter().for_each(|accounts| app.accounts.clone_from(accounts));
        app.rate = self.rate.unwrap_or(app.rate);
        Ok(())
    }
}

pub(super) fn check_name(name: &str) -> Result<(), Unchanged> {
    match (1..=64).contains(&name.chars().count()) && !name.chars().any(char::is_control) {
        true => Ok(()),
        false => Err(unfit("name", "write 1 to 64 characters, none of them control")),
    }
}

/// The networks without the bits of hosts, in order, each once.
fn checked_networks(networks: &[IpNet]) -> Result<Vec<IpNet>, Unchanged> {
    let networks: BTreeSet<IpNet> = networks.iter().map(IpNet::trunc).collect();
    match networks.len() > LIST_MAX {
        true => Err(unfit("networks", format!("name at most {LIST_MAX}"))),
        false => Ok(networks.into_iter().collect()),
    }
}

fn checked_spending(limits: &[SpendingLimit]) -> Result<Vec<SpendingLimit>, Unchanged> {
    let currencies: BTreeSet<_> = limits.iter().map(|limit| limit.currency).collect();
    match currencies.len() == limits.len() {
        true => Ok(limits.to_vec()),
        false => Err(unfit("spending", "name each currency once")),
    }
}
