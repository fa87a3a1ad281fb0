//! How long a simulator thinks before it answers.

use std::f64::consts::TAU;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The time between a request's effect and its answer.
///
/// The effect comes first: a caller that gives up waiting has been charged all the same, and a
/// notification may well overtake the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Delay {
    /// Answers at once.
    #[default]
    None,
    /// Always the same time.
    Fixed(Duration),
    /// A log-normal distribution, which is what the answering times of real providers look like.
    LogNormal {
        /// Half of the answers come sooner than this.
        median: Duration,
        /// Standard deviation of the logarithm: 0.5 puts one answer in a hundred beyond three times
        /// the median.
        sigma: f64,
        /// The same seed gives the same sequence.
        seed: u64,
    },
}

/// Draws one delay after the other.
pub(crate) struct Delays {
    delay: Delay,
    state: Mutex<u64>,
}

impl Delays {
    pub(crate) fn new(delay: Delay) -> Self {
        let seed = if let Delay::LogNormal { seed, .. } = delay { seed } else { 0 };
        Self { delay, state: Mutex::new(seed) }
    }

    pub(crate) fn draw(&self) -> Duration {
        match self.delay {
            Delay::None => Duration::ZERO,
            Delay::Fixed(time) => time,
            Delay::LogNormal { median, sigma, .. } => {
                let seconds = median.as_secs_f64() * (sigma * self.normal()).exp();
                Duration::try_from_secs_f64(seconds).unwrap_or(median)
            }
        }
    }

    /// A normal variate by the Box-Muller transform.
    fn normal(&self) -> f64 {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (first, second) = (uniform(&mut state), uniform(&mut state));
        (-2.0 * (1.0 - first).ln()).sqrt() * (TAU * second).cos()
    }
}

/// The next value in [0, 1) of the splitmix64 sequence (Steele, Lea and Flood, 2014).
fn uniform(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    let high = u32::try_from(mixed >> 32).unwrap_or_default();
    f64::from(high) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(seed: u64) -> Vec<Duration> {
        let median = Duration::from_millis(100);
        let delays = Delays::new(Delay::LogNormal { median, sigma: 0.5, seed });
        (0..1001).map(|_| delays.draw()).collect()
    }

    #[test]
    fn the_same_seed_draws_the_same_delays() {
        assert_eq!(sample(7), sample(7));
        assert_ne!(sample(7), sample(8));
    }

    #[test]
    fn half_of_the_delays_are_shorter_than_the_median() {
        let mut drawn = sample(1);
        drawn.sort();
        let middle = drawn[500].as_secs_f64();
        assert!((0.090..0.110).contains(&middle), "the median drawn is {middle}");
        let tail = drawn[990].as_secs_f64();
        assert!((0.25..0.45).contains(&tail), "the 99th percentile drawn is {tail}");
    }
}
