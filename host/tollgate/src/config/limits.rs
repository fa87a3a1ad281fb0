//! `[limits]`: how much the host has in hand at the same time, and how long what it keeps is kept.
//!
//! The one place for it: connections and time-outs of a connection stand in `[server]`, the
//! sandbox's own limits in `[sandbox]`, those of notifications in `[notifications]`.

use std::time::Duration;

use serde::Deserialize;

/// Every limit; what is not written is the standard.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// New payments, payouts and cards in hand.
    pub payments_max: Option<usize>,
    /// Captures, refunds, cancellations, syncs and changes in hand.
    pub operations_max: Option<usize>,
    /// Reads in hand.
    pub reads_max: Option<usize>,
    /// Deliveries of providers in hand.
    pub webhooks_max: Option<usize>,
    /// Requests of the operator in hand.
    pub admin_max: Option<usize>,
    /// The share of each of these that one app may take, in percent.
    pub app_share_percent: Option<usize>,
    /// The share that one account may take, in percent.
    pub account_share_percent: Option<usize>,
    /// Bodies that are held at the same time, in MiB: of apps, and as much again of providers.
    pub bodies_mib_max: Option<usize>,
    /// Streams of server-sent events.
    pub streams_max: Option<usize>,
    /// The same of one app.
    pub streams_per_app_max: Option<usize>,
    /// How long the first step of an operation may wait for its turn in the sandbox.
    pub queue_ms_max: Option<u64>,
    /// From the end of a request's headers until the answer.
    pub answer_timeout_ms: Option<u64>,
    /// How long a client may take nothing of its answer.
    pub write_timeout_ms: Option<u64>,
    /// How long, after SIGTERM, the host says that it is not ready and serves all the same.
    pub not_ready_ms: Option<u64>,
    /// How long, after that, what is in hand may go on.
    pub drain_ms_max: Option<u64>,
    /// How long an idempotency key is remembered, in days.
    pub idempotency_keep_days: Option<u64>,
}

impl Limits {
    /// The limits of the HTTP edge, beside those of `[server]`.
    pub fn edge(&self, server: api::Limits) -> api::Limits {
        let or = |written: Option<usize>, standard: usize| written.unwrap_or(standard);
        let time = |ms: Option<u64>, standard| ms.map_or(standard, Duration::from_millis);
        api::Limits {
            payments_max: or(self.payments_max, server.payments_max),
            operations_max: or(self.operations_max, server.operations_max),
            reads_max: or(self.reads_max, server.reads_max),
            webhooks_max: or(self.webhooks_max, server.webhooks_max),
            admin_max: or(self.admin_max, server.admin_max),
            app_share_percent: or(self.app_share_percent, server.app_share_percent),
            account_share_percent: or(self.account_share_percent, server.account_share_percent),
            bodies_bytes_max: self.bodies_mib_max.map_or(server.bodies_bytes_max, |mib| mib << 20),
            streams_max: or(self.streams_max, server.streams_max),
            streams_per_app_max: or(self.streams_per_app_max, server.streams_per_app_max),
            answer_timeout: time(self.answer_timeout_ms, server.answer_timeout),
            write_timeout: time(self.write_timeout_ms, server.write_timeout),
            lame_duck: time(self.not_ready_ms, server.lame_duck),
            drain_timeout: time(self.drain_ms_max, server.drain_timeout),
            ..server
        }
    }

    /// The limits of the engine: an account's share of the same places.
    pub fn engine(&self, standard: engine::Options) -> engine::Options {
        let edge = self.edge(api::Limits::default());
        let keep = self.idempotency_keep_days;
        engine::Options {
            payments_per_account_max: edge.of_account(edge.payments_max),
            operations_per_account_max: edge.of_account(edge.operations_max),
            queue_ms_max: self.queue_ms_max.unwrap_or(standard.queue_ms_max),
            idempotency_keep_ms: keep.map_or(standard.idempotency_keep_ms, |days| {
                days.saturating_mul(24 * 60 * 60 * 1000)
            }),
            ..standard
        }
    }
}
