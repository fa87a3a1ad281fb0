//! The simulation, as long as wanted. Prints figures, and the seeds of days that went wrong.
//!
//! `simulation [DAYS] [SEED]` lives through the days of so many seeds; with `--verbose` it tells
//! them call by call. `simulation every [DAYS] [SEED]` ends each of so many quiet days at every
//! call with an effect outside, once more at every such call of the recovery after it, and at every
//! operation of its disk. `simulation 1 SEED call=37+2` is one of these, as `ending` spells it.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a program for people")]

use std::time::Instant;

use tollgate_simulation::{Ending, Shape, Sweep};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let given = |what: &str| arguments.iter().any(|argument| argument == what);
    let (every, verbose) = (given("every"), given("--verbose"));
    let mut numbers = arguments.iter().filter_map(|argument| argument.parse::<u64>().ok());
    let days = numbers.next().unwrap_or(if every { 1 } else { 1_000 });
    let first = numbers.next().unwrap_or(1);
    let seeds = first..first + days;
    let began = Instant::now();
    let told = |line: &String| println!("{line}");
    let ending = arguments.iter().find_map(|argument| argument.parse::<Ending>().ok());
    let shape = |seed| Shape { verbose, ..ending.map_or_else(|| Shape::of(seed), Ending::shape) };
    let sweeps = if every {
        let [mut calls, mut recoveries, mut writes] = <[Sweep; 3]>::default();
        for seed in seeds {
            calls.absorb(Sweep::of_every_call(seed));
            recoveries.absorb(Sweep::of_every_recovery(seed));
            writes.absorb(Sweep::of_every_write(seed));
        }
        vec![("every-call", calls), ("every-recovery", recoveries), ("every-write", writes)]
    } else {
        vec![("days", Sweep::of(seeds, shape, |report| report.log.iter().for_each(told)))]
    };
    let runs: u64 = sweeps.iter().map(|(_, sweep)| sweep.runs).sum();
    let took = began.elapsed().as_secs_f64();
    for (name, sweep) in &sweeps {
        println!("{}", sweep.tally);
        for (day, wrong) in &sweep.wrong {
            println!("{day}:");
            wrong.iter().for_each(|what| println!("    {what}"));
        }
        println!("{}", sweep.line(name, first));
    }
    println!(
        "{runs} days from seed {first} on, in {took:.1} s: {:.1} a second",
        runs as f64 / took
    );
    if sweeps.iter().any(|(_, sweep)| !sweep.wrong.is_empty()) {
        std::process::exit(1);
    }
}
