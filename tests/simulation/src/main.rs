//! The simulation, as long as wanted: `simulation [DAYS] [SEED]`. Prints figures, and the seeds of
//! days that went wrong; `simulation 1 SEED --verbose` tells such a day, `--first` stops at one.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a program for people")]

use std::time::Instant;

use tollgate_simulation::{Shape, Tally, day};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let verbose = arguments.iter().any(|argument| argument == "--verbose");
    let only_first = arguments.iter().any(|argument| argument == "--first");
    let mut numbers = arguments.iter().filter_map(|argument| argument.parse::<u64>().ok());
    let days: u64 = numbers.next().unwrap_or(1_000);
    let first = numbers.next().unwrap_or(1);
    let (mut tally, mut wrong) = (Tally::default(), Vec::new());
    let began = Instant::now();
    for seed in first..first + days {
        let report = day(seed, Shape { verbose, ..Shape::of(seed) });
        report.log.iter().for_each(|line| println!("{line}"));
        tally.absorb(&report.tally);
        if !report.wrong.is_empty() {
            println!("seed {seed}:");
            report.wrong.iter().for_each(|what| println!("    {what}"));
            wrong.push(seed);
            if only_first {
                break;
            }
        }
    }
    let took = began.elapsed().as_secs_f64();
    println!("{tally}");
    let days = tally.figure("days");
    println!("seeds {first} to {}: {days} days in {took:.1} s", first + days - 1);
    println!("{:.1} days a second", days as f64 / took);
    if !wrong.is_empty() {
        println!("went wrong: {wrong:?}");
        std::process::exit(1);
    }
}
