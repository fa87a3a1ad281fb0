//! Many days: those of many seeds, or one day ended at each of its calls in turn.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread::{available_parallelism, scope};

use crate::tally::{CHANGED, CHARGED_TWICE, LOST, Tally};
use crate::world::Shape;
use crate::{Report, day};

/// Commands of a day that is ended at each call in turn.
const COMMANDS: u64 = 14;

/// What came of many days.
#[derive(Debug, Default)]
pub struct Sweep {
    pub runs: u64,
    pub tally: Tally,
    /// Days that went wrong: which, and what must not have been.
    pub wrong: Vec<(String, Vec<String>)>,
}

/// A day to be lived through, and how it is called.
type Planned = (String, u64, Shape);

impl Sweep {
    /// The day of each seed, as it comes by chance; of each that is over, `told` hears.
    pub fn of(seeds: impl Iterator<Item = u64>, verbose: bool, told: impl FnMut(&Report)) -> Sweep {
        let shape = |seed| Shape { verbose, ..Shape::of(seed) };
        let planned = seeds.map(|seed| (format!("seed {seed}"), seed, shape(seed)));
        Sweep::through(planned.collect(), told)
    }

    /// A day in which nothing goes wrong but that the process dies, at each of its calls in turn.
    pub fn of_every_call(seed: u64) -> Sweep {
        let last = day(seed, quiet(COMMANDS)).effects;
        let shape = |at| Shape { crash_at: Some(at), ..quiet(COMMANDS) };
        let planned =
            (1..=last).map(|at| (format!("seed {seed}, dead at call {at}"), seed, shape(at)));
        Sweep::through(planned.collect(), |report| {
            assert_eq!(report.tally.crashes(), 1, "seed {seed}: the process did not die");
        })
    }

    /// The same of the operations of its disk, which has no power from there on.
    pub fn of_every_write(seed: u64) -> Sweep {
        let whole = Shape { journal: true, ..quiet(COMMANDS) };
        let last = day(seed, whole.clone()).disk_operations;
        let shape = |at| Shape { cut_at: Some(at), ..whole.clone() };
        let planned = (1..=last)
            .map(|at| (format!("seed {seed}, no power from write {at} on"), seed, shape(at)));
        Sweep::through(planned.collect(), |_| {})
    }

    /// Days know nothing of each other: as many at a time as there are processors.
    fn through(planned: Vec<Planned>, mut told: impl FnMut(&Report)) -> Sweep {
        let (next, (send, receive)) = (AtomicUsize::new(0), mpsc::channel());
        let mut sweep = Sweep::default();
        scope(|scope| {
            for _ in 0..available_parallelism().map_or(1, usize::from) {
                let (next, planned, send) = (&next, &planned, send.clone());
                scope.spawn(move || {
                    while let Some((name, seed, shape)) =
                        planned.get(next.fetch_add(1, Ordering::Relaxed))
                    {
                        send.send((name.clone(), day(*seed, shape.clone())))
                            .expect("somebody listens");
                    }
                });
            }
            drop(send);
            for (name, report) in receive {
                told(&report);
                sweep.runs += 1;
                sweep.tally.absorb(&report.tally);
                if !report.wrong.is_empty() {
                    sweep.wrong.push((name, report.wrong));
                }
            }
        });
        sweep.wrong.sort();
        sweep
    }

    pub fn absorb(&mut self, other: Sweep) {
        self.runs += other.runs;
        self.tally.absorb(&other.tally);
        self.wrong.extend(other.wrong);
    }

    /// The line that `tests/campaign` makes its table of.
    pub fn line(&self, name: &str, seed: u64) -> String {
        let figure = |what| self.tally.figure(what);
        let kinds = self.tally.kinds().iter().map(|(kind, many)| (*kind, *many));
        let ends = [("crash", self.tally.crashes()), ("power cut", figure("power cuts"))];
        let faults = kinds.chain(ends).filter(|(_, many)| *many > 0);
        let faults: Vec<_> =
            faults.map(|(kind, many)| format!("{}:{many}", kind.replace(' ', "-"))).collect();
        format!(
            "campaign name={name} runs={} faults={} acknowledged={} lost={} twice={} terminal={} \
             other={} unknown={} seed={seed}",
            self.runs,
            faults.join(","),
            figure("commands acknowledged"),
            figure(LOST),
            figure(CHARGED_TWICE),
            figure(CHANGED),
            self.wrong.len(),
            figure("entries left unknown"),
        )
    }
}

/// A day in which nothing goes wrong but what the caller makes go wrong.
pub fn quiet(commands: u64) -> Shape {
    Shape { commands, faults: false, crashes_max: 0, ..Shape::default() }
}
