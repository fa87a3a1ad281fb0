//! `[notifications]`: how apps are told, and what their endpoints may lead to.

use engine::{NotifyOptions, Schedule};
use serde::Deserialize;

use super::Network;

/// Everything about notifications; what is not written is the standard.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notifications {
    /// Networks off the public Internet that endpoints may be in, as `10.1.0.0/16`.
    #[serde(default)]
    pub allow_networks: Vec<Network>,
    /// Whether endpoints may be `http://`.
    #[serde(default)]
    pub allow_http: bool,
    /// How long to wait after each failure, as `5s`, `30m`, `12h`, `1d` or `250ms`; after the last
    /// a notification is a dead letter.
    pub retry: Option<Vec<Time>>,
    /// What is added to a wait by chance at the most, in hundredths of it.
    pub jitter_percent: Option<u8>,
    /// Notifications on their way at the same time, two at least; half of them only to endpoints
    /// that are known to be quick.
    pub concurrency_max: Option<usize>,
    /// The same to one endpoint.
    pub concurrency_per_endpoint_max: Option<usize>,
    /// Failures in a row after which an endpoint is left alone.
    pub failures_max: Option<u32>,
    /// How long it is left alone the first time.
    pub left_alone: Option<Time>,
    /// The longest it is left alone.
    pub left_alone_max: Option<Time>,
    /// Endpoints of one app.
    pub endpoints_max: Option<usize>,
    /// How long what was delivered is kept to be read and replayed, 30 days at the most.
    pub keep_delivered: Option<Time>,
    /// How long one sending may take.
    pub timeouts: Option<egress::Timeouts>,
}

impl Notifications {
    /// What the URL of an endpoint may lead to.
    pub fn outside(&self) -> egress::Outside {
        let networks = self.allow_networks.iter().map(|network| network.0).collect();
        egress::Outside { networks, plain: self.allow_http }
    }

    /// The options of the engine.
    pub fn options(&self) -> NotifyOptions {
        let standard = NotifyOptions::default();
        let waits = self.retry.as_ref();
        let waits_ms = waits.map(|waits| waits.iter().map(|wait| wait.0).collect());
        let time = |written: Option<Time>, standard| written.map_or(standard, |time| time.0);
        NotifyOptions {
            schedule: Schedule {
                waits_ms: waits_ms.unwrap_or(standard.schedule.waits_ms),
                jitter_percent: self.jitter_percent.unwrap_or(standard.schedule.jitter_percent),
            },
            concurrency_max: self.concurrency_max.unwrap_or(standard.concurrency_max),
            concurrency_per_endpoint_max: self
                .concurrency_per_endpoint_max
                .unwrap_or(standard.concurrency_per_endpoint_max),
            failures_max: self.failures_max.unwrap_or(standard.failures_max),
            left_alone_ms: time(self.left_alone, standard.left_alone_ms),
            left_alone_ms_max: time(self.left_alone_max, standard.left_alone_ms_max),
            endpoints_max: self.endpoints_max.unwrap_or(standard.endpoints_max),
            keep_delivered_ms: time(self.keep_delivered, standard.keep_delivered_ms),
            timeouts: self.timeouts.unwrap_or(standard.timeouts),
        }
    }
}

/// A time with its unit, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Time(pub u64);

/// The longest time: longer ones are a slip of the pen, and cannot be added up.
const TIME_MS_MAX: u64 = 30 * 86_400_000;

impl TryFrom<String> for Time {
    type Error = String;

    fn try_from(text: String) -> Result<Time, String> {
        let end = text.find(|one: char| !one.is_ascii_digit()).unwrap_or(text.len());
        let (digits, unit) = text.split_at(end);
        let unit_ms: Option<u64> = match unit {
            "ms" => Some(1),
            "s" => Some(1_000),
            "m" => Some(60_000),
            "h" => Some(3_600_000),
            "d" => Some(86_400_000),
            _ => None,
        };
        let count = digits.parse::<u64>().ok();
        let time = count.zip(unit_ms).and_then(|(count, unit)| count.checked_mul(unit));
        let time = time.filter(|ms| *ms <= TIME_MS_MAX);
        time.map(Time).ok_or_else(|| {
            format!(
                "`{text}` is no time up to 30 days; write a number and ms, s, m, h or d, as 30s"
            )
        })
    }
}
