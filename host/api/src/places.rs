//! Places for requests in hand: so many of each kind, and no more than a share of them for one app.
//!
//! Whoever finds no place is refused at once: a queue would only make clients wait for answers that
//! they have given up on. Each kind has places of its own, so that new payments, which are the
//! most and the slowest, leave webhooks, syncs and reads alone. A place is held until the operation
//! has ended, whoever still listens.
//!
//! Not here: how many of them one account may take (`engine`, which knows the account), and
//! connections (`peers`).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ledger::Id;

use crate::catalogue::{OVERLOADED, TOO_MUCH_IN_HAND};
use crate::limits::Limits;
use crate::problem::Problem;

/// What a request is to the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    /// Begins a payment or a payout, or hands over a card for one.
    Payments,
    /// Goes on with something that was begun: capture, refund, sync; or changes what an app has.
    Operations,
    /// Reads.
    Reads,
    /// A provider's delivery.
    Webhooks,
    /// The operator's.
    Admin,
}

impl Class {
    pub(crate) const ALL: [Class; 5] =
        [Class::Payments, Class::Operations, Class::Reads, Class::Webhooks, Class::Admin];

    /// Its word, in metrics.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Class::Payments => "payments",
            Class::Operations => "operations",
            Class::Reads => "reads",
            Class::Webhooks => "webhooks",
            Class::Admin => "admin",
        }
    }

    /// How many places it has.
    pub(crate) fn places_max(self, limits: &Limits) -> usize {
        match self {
            Class::Payments => limits.payments_max,
            Class::Operations => limits.operations_max,
            Class::Reads => limits.reads_max,
            Class::Webhooks => limits.webhooks_max,
            Class::Admin => limits.admin_max,
        }
    }
}

/// How one kind stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Requests in hand.
    pub(crate) taken: usize,
    /// Requests refused since the start.
    pub(crate) refused: u64,
}

/// The requests in hand.
pub(crate) struct Places {
    limits: Limits,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    all: HashMap<Class, Standing>,
    by_app: HashMap<(Class, Id), usize>,
}

/// The place of a request; given back when dropped.
pub(crate) struct Place {
    places: Arc<Places>,
    class: Class,
    app: Option<Id>,
}

impl Places {
    pub(crate) fn new(limits: &Limits) -> Arc<Places> {
        Arc::new(Places { limits: limits.clone(), held: Mutex::default() })
    }

    /// Whether there is a place at all: asked before anything is spent on the request.
    pub(crate) fn expect_one(&self, class: Class) -> Result<(), Problem> {
        let mut held = self.held();
        let standing = held.all.entry(class).or_default();
        if standing.taken < class.places_max(&self.limits) {
            return Ok(());
        }
        standing.refused += 1;
        Err(overloaded(class))
    }

    /// A place, of this app's share where an app asks.
    pub(crate) fn take(
        self: &Arc<Places>,
        class: Class,
        app: Option<&Id>,
    ) -> Result<Place, Problem> {
        let most = class.places_max(&self.limits);
        let share = self.limits.of_app(most);
        let mut held = self.held();
        let of_app = app.and_then(|app| held.by_app.get(&(class, app.clone()))).copied();
        let standing = held.all.entry(class).or_default();
        let refusal = match of_app {
            _ if standing.taken >= most => Some(overloaded(class)),
            Some(count) if count >= share => Some(too_much(class, share)),
            _ => None,
        };
        if let Some(problem) = refusal {
            standing.refused += 1;
            return Err(problem);
        }
        standing.taken += 1;
        if let Some(app) = app {
            *held.by_app.entry((class, app.clone())).or_default() += 1;
        }
        Ok(Place { places: self.clone(), class, app: app.cloned() })
    }

    /// How a kind stands.
    pub(crate) fn standing(&self, class: Class) -> Standing {
        self.held().all.get(&class).copied().unwrap_or_default()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn overloaded(class: Class) -> Problem {
    let detail = format!("all places for {} are taken; nothing was done", class.word());
    Problem::new(&OVERLOADED, detail)
}

fn too_much(class: Class, share: usize) -> Problem {
    let detail = format!("the app has {share} {} in hand, its share of the places", class.word());
    Problem::new(&TOO_MUCH_IN_HAND, detail)
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.places.held();
        if let Some(standing) = held.all.get_mut(&self.class) {
            standing.taken = standing.taken.saturating_sub(1);
        }
        let Some(app) = self.app.take() else { return };
        let key = (self.class, app);
        match held.by_app.get_mut(&key) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(held.by_app.remove(&key)),
        }
    }
}

#[cfg(test)]
mod tests;
