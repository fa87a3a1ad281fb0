//! The lane of a plugin's calls: fewer of them compute at a time than there are processors, so
//! whatever a plugin does with its time, a processor is left for its neighbours and for the host.
//!
//! A call gives its place to the next in line after a turn: one that takes a moment does not wait
//! for the end of one that takes long.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Places, and who waits for one.
#[derive(Debug)]
pub(crate) struct Lane {
    line: Mutex<Line>,
    moved: Condvar,
}

#[derive(Debug)]
struct Line {
    free: usize,
    /// Tickets, in the order in which they were drawn.
    waiting: VecDeque<u64>,
    drawn: u64,
}

/// A place in the lane, free again when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    lane: Arc<Lane>,
    since: Instant,
}

/// A call keeps its place for so long although others wait.
const TURN: Duration = Duration::from_millis(20);

impl Lane {
    /// With so many places, one at least.
    pub(crate) fn new(places: u32) -> Lane {
        let free = usize::try_from(places.max(1)).unwrap_or(usize::MAX);
        let line = Line { free, waiting: VecDeque::new(), drawn: 0 };
        Lane { line: Mutex::new(line), moved: Condvar::new() }
    }

    /// Waits for a place, behind all who came before.
    pub(crate) fn place(self: &Arc<Lane>) -> Place {
        let mut line = self.line();
        let ticket = line.drawn;
        line.drawn += 1;
        line.waiting.push_back(ticket);
        while line.free == 0 || line.waiting.front() != Some(&ticket) {
            line = self.moved.wait(line).unwrap_or_else(PoisonError::into_inner);
        }
        line.waiting.pop_front();
        line.free -= 1;
        // The next may find another place free.
        self.moved.notify_all();
        Place { lane: self.clone(), since: Instant::now() }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Lets the next in line go first, when the turn is over; gives the time that was waited then.
    pub(crate) fn take_turns(place: &mut Option<Place>) -> Duration {
        let Some(done) = place.take_if(|place| place.is_over()) else { return Duration::ZERO };
        let (lane, left) = (done.lane.clone(), Instant::now());
        drop(done);
        *place = Some(lane.place());
        left.elapsed()
    }

    /// Whether its turn is over, and somebody waits.
    fn is_over(&self) -> bool {
        self.since.elapsed() >= TURN && !self.lane.line().waiting.is_empty()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.lane.line().free += 1;
        self.lane.moved.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread::{scope, yield_now};

    use super::*;

    fn waiting(lane: &Lane) -> usize {
        lane.line().waiting.len()
    }

    #[test]
    fn places_go_to_those_who_wait_in_the_order_in_which_they_came() {
        let lane = Arc::new(Lane::new(1));
        let held = lane.place();
        let (send, receive) = channel();
        scope(|scope| {
            for n in 0..3 {
                let (lane, send) = (&lane, send.clone());
                scope.spawn(move || {
                    let place = lane.place();
                    send.send(n).unwrap();
                    drop(place);
                });
                while waiting(lane) <= n {
                    yield_now();
                }
            }
            assert!(receive.try_recv().is_err(), "there is one place");
            drop(held);
        });
        assert_eq!(receive.try_iter().collect::<Vec<_>>(), [0, 1, 2]);
        let line = lane.line();
        assert_eq!((line.free, line.waiting.len()), (1, 0));
    }

    #[test]
    fn a_turn_ends_where_another_waits_and_only_there() {
        let lane = Arc::new(Lane::new(1));
        let mut held = Some(lane.place());
        while held.as_ref().unwrap().since.elapsed() < TURN {
            yield_now();
        }
        assert_eq!(Place::take_turns(&mut held), Duration::ZERO, "nobody waits");
        scope(|scope| {
            let other = scope.spawn(|| drop(lane.place()));
            while waiting(&lane) == 0 {
                yield_now();
            }
            assert!(Place::take_turns(&mut held) > Duration::ZERO);
            assert!(held.is_some(), "it goes on after the other");
            other.join().unwrap();
        });
    }
}
