//! Whether a request is admitted, once it is known who sent it: network, rate, protection, scope.
//!
//! What is told of a refusal here is told to an app that has proven itself. Whoever has not is told
//! the same whatever is wrong, and is slowed down by address. No attacker can shut an app out: a
//! request that is proven is never held up by the failures of others.
//!
//! Not here: how a request proves itself (`auth`), and accounts and spending, which the engine
//! decides together with what it records.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use engine::{IpNet, Proof, Protection, Sender};
use http::HeaderMap;
use ledger::Id;
use tokio::sync::Semaphore;
use tokio::time::sleep;

use crate::catalogue::{
    NETWORK_REFUSED, PROTECTION_REQUIRED, RATE_LIMITED, SCOPE_MISSING, TOO_MANY_FAILURES,
};
use crate::pace::{Buckets, Pace};
use crate::peers::network;
use crate::problem::Problem;
use crate::route::{Intake, Route};
use crate::sealed;

/// Apps that asked lately.
const APPS_MAX: usize = 65_536;
/// Networks that lately failed to prove themselves.
const FAILING_MAX: usize = 16_384;
/// Failures at once that are answered at once, and how many a second in the long run.
const FAILURES: (u32, u32) = (1, 20);
/// Failures that are held up at the same time; more are refused.
const HELD_UP_MAX: usize = 256;
/// How long one is held up.
const HELD_UP: Duration = Duration::from_secs(1);

/// Who is counted, and who may stand before this host.
pub(crate) struct Admission {
    since: Instant,
    apps: Mutex<Buckets<Id>>,
    failing: Mutex<Buckets<IpAddr>>,
    held_up: Semaphore,
    proxies: Vec<IpNet>,
}

impl Admission {
    /// Nobody counted yet; `proxies` are believed when they say for whom they ask.
    pub(crate) fn new(proxies: Vec<IpNet>) -> Admission {
        Admission {
            since: Instant::now(),
            apps: Mutex::new(Buckets::new(APPS_MAX)),
            failing: Mutex::new(Buckets::new(FAILING_MAX)),
            held_up: Semaphore::new(HELD_UP_MAX),
            proxies,
        }
    }

    /// Where a request comes from: the peer, or, behind proxies, the last address of
    /// `X-Forwarded-For` that is none of theirs. What is left of it anybody may have written.
    pub(crate) fn origin(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut origin = peer.to_canonical();
        // Bytes that are no text stay where they are: what a proxy added after them still counts.
        let values = headers.get_all("x-forwarded-for").iter();
        let values: Vec<_> =
            values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        for text in values.join(",").rsplit(',') {
            if !self.is_proxy(origin) {
                return origin;
            }
            // Text that is no address was not written by a proxy of ours.
            let Ok(address) = text.trim().parse::<IpAddr>() else { return origin };
            origin = address.to_canonical();
        }
        origin
    }

    /// Whether this is the address of a proxy before this host.
    pub(crate) fn is_proxy(&self, address: IpAddr) -> bool {
        self.proxies.iter().any(|known| known.contains(&address.to_canonical()))
    }

    /// Whether the app may ask this, from there, so often, proven like that.
    pub(crate) fn admit(
        &self,
        sender: &Sender,
        route: &Route,
        (origin, headers): (IpAddr, &HeaderMap),
        has_body: bool,
    ) -> Result<(), Problem> {
        if !sender.app.is_from(origin) {
            let detail = format!("the app may not ask from {origin}");
            return Err(Problem::new(&NETWORK_REFUSED, detail));
        }
        self.pace(sender)?;
        let encrypted = !has_body
            || sealed::is_declared(headers)
            || !matches!(route.intake, Intake::Json { .. });
        let given = match (sender.proof, encrypted) {
            (Proof::Bearer, _) => Protection::Bearer,
            (Proof::Signature, false) => Protection::Signature,
            (Proof::Signature, true) => Protection::Encryption,
        };
        if given < sender.app.protection {
            let (needed, given) = (sender.app.protection.word(), given.word());
            let detail = format!("the app asks with `{needed}` or more; this is `{given}`");
            return Err(Problem::new(&PROTECTION_REQUIRED, detail));
        }
        match route.scope {
            Some(scope) if !sender.app.scopes.contains(&scope) => {
                let detail = format!("this operation needs the scope `{}`", scope.word());
                Err(Problem::new(&SCOPE_MISSING, detail))
            }
            _ => Ok(()),
        }
    }

    fn pace(&self, sender: &Sender) -> Result<(), Problem> {
        let Some(rate) = sender.app.rate else { return Ok(()) };
        let pace = Pace::new(rate.per_second, rate.burst);
        let mut apps = self.apps.lock().unwrap_or_else(PoisonError::into_inner);
        apps.take(sender.app.id.clone(), pace, self.now_ns()).map_err(|wait_ns| {
            let seconds = wait_ns.div_ceil(1_000_000_000);
            let (rate, burst) = (rate.per_second, rate.burst);
            let detail = format!("{rate} requests a second, {burst} at once; wait {seconds} s");
            Problem::new(&RATE_LIMITED, detail).header("retry-after", seconds.to_string())
        })
    }

    /// Called when somebody has failed to prove who they are: soon answered the first times, later
    /// held up, and refused where too many are held up already.
    pub(crate) async fn slow_down(&self, origin: IpAddr) -> Result<(), Problem> {
        let held_up = {
            let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
            let (per_second, burst) = FAILURES;
            failing.take(network(origin), Pace::new(per_second, burst), self.now_ns()).is_err()
        };
        if held_up {
            let Ok(_place) = self.held_up.try_acquire() else {
                return Err(Problem::new(&TOO_MANY_FAILURES, TOO_MANY_FAILURES.cause));
            };
            sleep(HELD_UP).await;
        }
        Ok(())
    }

    fn now_ns(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests;
