//! Waiting for something to become true, by looking at it: the only place where a test lets time
//! pass.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

/// Longer than anything takes on a machine that is busy with other things.
pub const LONG: Duration = Duration::from_secs(60);

/// How often the thing is looked at.
const LOOK: Duration = Duration::from_millis(15);

/// What `look` finds, as soon as it finds something.
///
/// # Panics
/// When it found nothing within [`LONG`]; `what` says what was waited for.
pub async fn eventually<T>(what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
    eventually_within(LONG, what, look).await
}

/// The same within this time.
pub async fn eventually_within<T>(
    time: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> T {
    let until = Instant::now() + time;
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < until, "waited {time:?} in vain: {what}");
    }
}
