//! Times as they are answered: RFC 3339, UTC, always three decimals of the second.

use ledger::TimestampMs;

/// The time as text; the epoch where the time is beyond what can be written.
pub(crate) fn rfc3339(at: TimestampMs) -> String {
    let ms = i64::try_from(at).unwrap_or_default();
    let time = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
