//! Many days: those of many seeds, or one day ended at each of its calls in turn.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread::{available_parallelism, scope};

use crate::ending::{COMMANDS, Ending};
use crate::tally::{CHANGED, CHARGED_TWICE, LOST, Tally};
use crate::world::Shape;
use crate::{Report, day};

/// What came of many days.
#[derive(Debug, Default)]
pub struct Sweep {
    pub runs: u64,
    pub tally: Tally,
    /// Days that went wrong: which, and what must not have been.
    pub wrong: Vec<(String, Vec<String>)>,
}

/// A day to be lived through, and how it is called.
struct Planned {
    name: String,
    seed: u64,
    shape: Shape,
}

impl Sweep {
    /// The day of each seed, as it is shaped; of each that is over, `told` hears.
    pub fn of(
        seeds: impl Iterator<Item = u64>,
        shape: impl Fn(u64) -> Shape,
        mut told: impl FnMut(&Report),
    ) -> Sweep {
        let name = |seed| format!("seed {seed}");
        let planned = seeds.map(|seed| Planned { name: name(seed), seed, shape: shape(seed) });
        Sweep::through(planned.collect(), |_, report| told(report))
    }

    /// A day in which nothing goes wrong but that the first process dies, at each of its calls in
    /// turn.
    pub fn of_every_call(seed: u64) -> Sweep {
        let last = day(seed, quiet(COMMANDS)).effects;
        Sweep::ended(seed, (1..=last).map(Ending::Call), |_, _| {})
    }

    /// The same, and the second process dies too, at each of its calls until it has recovered from
    /// the death of the first.
    pub fn of_every_recovery(seed: u64) -> Sweep {
        let last = day(seed, quiet(COMMANDS)).effects;
        let mut twice = Vec::new();
        Sweep::ended(seed, (1..=last).map(Ending::Call), |ending, report| {
            let Ending::Call(at) = ending else { return };
            twice.extend((1..=report.recovery).map(|again| Ending::CallAndAgain(at, again)));
        });
        Sweep::ended(seed, twice.into_iter(), |_, _| {})
    }

    /// A day in which nothing goes wrong but that the disk has no power any more, from each of its
    /// operations on in turn.
    pub fn of_every_write(seed: u64) -> Sweep {
        let last = day(seed, Shape { journal: true, ..quiet(COMMANDS) }).disk_operations;
        Sweep::ended(seed, (1..=last).map(Ending::Write), |_, _| {})
    }

    /// The quiet day of a seed, once with each of these endings, to which it has to come.
    fn ended(
        seed: u64,
        endings: impl Iterator<Item = Ending>,
        mut told: impl FnMut(Ending, &Report),
    ) -> Sweep {
        let endings: Vec<Ending> = endings.collect();
        let planned = endings.iter().map(|ending| Planned {
            name: format!("seed {seed} {ending}"),
            seed,
            shape: ending.shape(),
        });
        Sweep::through(planned.collect(), |number, report| {
            let ending = endings[number];
            assert!(ending.happened(report), "seed {seed} never came to {ending}");
            told(ending, report);
        })
    }

    /// Days know nothing of each other: as many at a time as there are processors. `told` hears of
    /// each that is over, by its place in the plan.
    fn through(planned: Vec<Planned>, mut told: impl FnMut(usize, &Report)) -> Sweep {
        let (next, (send, receive)) = (AtomicUsize::new(0), mpsc::channel());
        let mut sweep = Sweep::default();
        scope(|scope| {
            for _ in 0..available_parallelism().map_or(1, usize::from) {
                let (next, planned, send) = (&next, &planned, send.clone());
                scope.spawn(move || {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        let Some(one) = planned.get(number) else { return };
                        let report = day(one.seed, one.shape.clone());
                        send.send((number, report)).expect("somebody listens");
                    }
                });
            }
            drop(send);
            for (number, report) in receive {
                told(number, &report);
                sweep.runs += 1;
                sweep.tally.absorb(&report.tally);
                if !report.wrong.is_empty() {
                    sweep.wrong.push((planned[number].name.clone(), report.wrong));
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
