//! What notifications are made of, and their limits.

use egress::{Egress, Outside, Timeouts};

use super::circuit::Fuse;
use super::pace::Pace;
use super::schedule::Schedule;
use crate::Event;

/// How apps are told.
pub struct Notifying {
    /// The way out to endpoints. Not the providers' own: no endpoint takes a connection from one.
    pub egress: Egress,
    /// What the URL of an endpoint may lead to.
    pub outside: Outside,
    /// An event as an endpoint is told it: JSON.
    pub render: fn(&Event) -> Vec<u8>,
    /// Limits and times.
    pub options: NotifyOptions,
}

/// Limits and times of notifications.
#[derive(Clone, Debug)]
pub struct NotifyOptions {
    /// When what was not taken is sent again.
    pub schedule: Schedule,
    /// Notifications on their way at the same time, to all endpoints; two at least. One half of
    /// these places is for endpoints that are known to be quick, the other for all others.
    pub concurrency_max: usize,
    /// The same to one endpoint.
    pub concurrency_per_endpoint_max: usize,
    /// Failures in a row after which an endpoint is left alone.
    pub failures_max: u32,
    /// How long it is left alone the first time, in milliseconds; twice as long each time after.
    pub left_alone_ms: u64,
    /// The longest it is left alone, in milliseconds.
    pub left_alone_ms_max: u64,
    /// Endpoints of one app.
    pub endpoints_max: usize,
    /// How long what was delivered is kept, in milliseconds: so long it can be read and replayed.
    pub keep_delivered_ms: u64,
    /// How long one sending may take.
    pub timeouts: Timeouts,
}

impl Default for NotifyOptions {
    fn default() -> NotifyOptions {
        NotifyOptions {
            schedule: Schedule::default(),
            concurrency_max: 256,
            concurrency_per_endpoint_max: 4,
            failures_max: 5,
            left_alone_ms: 30_000,
            left_alone_ms_max: 15 * 60_000,
            endpoints_max: 16,
            keep_delivered_ms: 30 * 24 * 60 * 60 * 1000,
            timeouts: Timeouts {
                connect_ms_max: 5_000,
                first_byte_ms_max: 15_000,
                total_ms_max: 20_000,
            },
        }
    }
}

impl NotifyOptions {
    pub(crate) fn fuse(&self) -> Fuse<'_> {
        Fuse {
            failures_max: self.failures_max.max(1),
            open_ms: self.left_alone_ms,
            open_ms_max: self.left_alone_ms_max,
            waits_ms: &self.schedule.waits_ms,
        }
    }

    /// The places of all endpoints together.
    pub(crate) fn places(&self) -> usize {
        self.concurrency_max.max(2)
    }

    /// Those of them that endpoints of this pace share.
    pub(crate) fn places_at(&self, pace: Pace) -> usize {
        let others = self.places() / 2;
        if pace.is_quick() { self.places() - others } else { others }
    }
}
