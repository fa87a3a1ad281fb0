//! How a quiet day is ended on purpose, and how that is written: `call=37` (the first process dies
//! at its 37th call with an effect outside), `call=37+2` (the second one at its second, too),
//! `write=5` (the disk has no power from its fifth operation on). Not here: deaths by chance
//! (`world`).

use std::fmt;
use std::str::FromStr;

use crate::world::Shape;
use crate::{Report, quiet};

/// Commands of a day that is ended at each call in turn.
pub const COMMANDS: u64 = 14;

/// Where it is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Call(u64),
    CallAndAgain(u64, u64),
    Write(u64),
}

impl Ending {
    /// The day that is ended so.
    pub fn shape(self) -> Shape {
        let quiet = quiet(COMMANDS);
        match self {
            Ending::Call(at) => Shape { crash_at: Some(at), ..quiet },
            Ending::CallAndAgain(at, again) => {
                Shape { crash_at: Some(at), crash_again_at: Some(again), ..quiet }
            }
            Ending::Write(at) => Shape { journal: true, cut_at: Some(at), ..quiet },
        }
    }

    /// Whether the day came to it.
    pub fn happened(self, report: &Report) -> bool {
        match self {
            Ending::Call(_) => report.tally.crashes() == 1,
            Ending::CallAndAgain(..) => report.tally.crashes() == 2,
            Ending::Write(_) => report.tally.kinds().get("power cut while writing") == Some(&1),
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ending::Call(at) => write!(f, "call={at}"),
            Ending::CallAndAgain(at, again) => write!(f, "call={at}+{again}"),
            Ending::Write(at) => write!(f, "write={at}"),
        }
    }
}

impl FromStr for Ending {
    type Err = String;

    fn from_str(text: &str) -> Result<Ending, String> {
        let number = |text: &str| text.parse().map_err(|wrong| format!("{text}: {wrong}"));
        match text.split_once('=') {
            Some(("call", at)) => match at.split_once('+') {
                Some((at, again)) => Ok(Ending::CallAndAgain(number(at)?, number(again)?)),
                None => number(at).map(Ending::Call),
            },
            Some(("write", at)) => number(at).map(Ending::Write),
            _ => Err(format!("{text} is not call=N, call=N+M or write=N")),
        }
    }
}

/// The days of `seeds.txt`: a seed, how its day is ended where it is, and what it found once.
pub fn kept(text: &str) -> Vec<(u64, Option<Ending>)> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let day = |line: &str| {
        let mut words = line.split_whitespace();
        let seed = words.next().and_then(|word| word.parse().ok()).expect(line);
        let ending = words.next().filter(|word| word.contains('='));
        (seed, ending.map(|word| word.parse().expect(line)))
    };
    lines.map(day).collect()
}
