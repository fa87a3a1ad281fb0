//! Plays a transcript on a stage and writes down the whole conversation as it went.

use std::path::Path;

use crate::book::Book;
use crate::report;
use crate::script::{Error, Given, Set, pieces};
use crate::show::{event_text, exchange_text, failure_text, outcome_text, proof_text};
use crate::{
    Answer, Delivery, Event, Exchange, Failure, Operation, Page, Piece, Portion, Proof, Reply, Span,
};

/// Where a plugin plays: a host around it, native or sandboxed.
pub trait Stage {
    /// Furnishes the host: a setting, a key, the time. Says why when it cannot.
    fn set(&mut self, set: &Set) -> Result<(), String>;
    /// The first step.
    fn start(&mut self, operation: &Operation) -> Answer;
    /// The step after a reply.
    fn resume(&mut self, operation: &Operation, state: &[u8], reply: &Reply) -> Answer;
    /// Phase one of a delivery.
    fn prove(&mut self, delivery: &Delivery) -> Result<Proof, Failure>;
    /// The host's own check of a recipe.
    fn check(&mut self, proof: &Proof) -> Verdict;
    /// Phase two; called only when the check held.
    fn interpret(&mut self, delivery: &Delivery) -> Result<Vec<Event>, Failure>;
    /// The beginning of a report.
    fn begin(&mut self, span: Span) -> Result<Page, Failure>;
    /// The report goes on after a reply.
    fn proceed(&mut self, span: Span, state: &[u8], reply: &Reply) -> Result<Page, Failure>;
    /// A piece of a report file.
    fn read(&mut self, piece: &Piece) -> Result<Portion, Failure>;
}

/// What the host makes of a recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// One piece of evidence holds.
    Holds,
    /// None does.
    Refused,
    /// Signed too long ago, or in the future.
    Stale,
    /// No key in the slot to check with.
    NoKey,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Verdict::Holds => "holds",
            Verdict::Refused => "refused",
            Verdict::Stale => "stale",
            Verdict::NoKey => "no-key",
        }
    }
}

/// A conversation as it went.
#[derive(Clone, Debug)]
pub struct Play {
    /// The transcript with what the plugin said this time.
    pub text: String,
    /// What does not fit together: a reply that nothing asked for, a request left unanswered.
    pub problems: Vec<String>,
}

/// Plays `script` on `stage`. Keys and includes are files in `folder`.
///
/// # Errors
/// When a line cannot be read, or the stage cannot be furnished as it says.
pub fn replay(script: &str, folder: &Path, stage: &mut dyn Stage) -> Result<Play, Error> {
    let (book, text) = (Book::default(), Vec::new());
    let mut player = Player { stage, folder, book, text, waiting: None };
    let mut problems = Vec::new();
    for piece in pieces(script, folder)? {
        let line = piece.line;
        player.write(&piece.text);
        match player.play(piece.given) {
            Ok(None) => {}
            Ok(Some(problem)) => problems.push(format!("line {line}: {problem}")),
            Err(what) => return Err(Error { line, what }),
        }
    }
    if player.waiting.is_some() {
        problems.push("it ends while a request waits for its reply".to_owned());
    }
    Ok(Play { text: player.finish(), problems })
}

pub(crate) struct Player<'a> {
    pub stage: &'a mut dyn Stage,
    pub folder: &'a Path,
    book: Book,
    text: Vec<String>,
    pub waiting: Option<Waiting>,
}

/// A request that waits for its reply.
pub(crate) enum Waiting {
    Operation(Box<Operation>, Exchange),
    Report(Span, Exchange),
}

impl Player<'_> {
    fn play(&mut self, given: Given) -> Result<Option<&'static str>, String> {
        match given {
            Given::Blank | Given::Comment => {}
            Given::Set(set) => self.set(&set)?,
            Given::Include(sets) => sets.iter().try_for_each(|set| self.set(set))?,
            Given::Command(words) => {
                if self.waiting.is_some() {
                    return Ok(Some("a command while a request waits for its reply"));
                }
                if report::is_command(&words) {
                    return report::command(self, &words).map(|()| None);
                }
                let operation = self.book.operation(&words)?;
                let answer = self.stage.start(&operation);
                self.answer(operation, answer);
            }
            Given::Reply(reply) => match self.waiting.take() {
                None => return Ok(Some("a reply that nothing asked for")),
                Some(Waiting::Operation(operation, exchange)) => {
                    let answer = self.stage.resume(&operation, &exchange.state, &reply);
                    self.answer(*operation, answer);
                }
                Some(Waiting::Report(span, exchange)) => {
                    let page = self.stage.proceed(span, &exchange.state, &reply);
                    report::page(self, span, page, &reply);
                }
            },
            Given::Delivery(delivery) => self.delivery(&delivery),
        }
        Ok(None)
    }

    fn set(&mut self, set: &Set) -> Result<(), String> {
        if let Set::Now(seconds) = set {
            self.book.now = *seconds;
        }
        self.stage.set(set)
    }

    fn answer(&mut self, operation: Operation, answer: Answer) {
        match answer {
            Answer::Send(exchange) => {
                self.block(exchange_text(&exchange));
                self.waiting = Some(Waiting::Operation(Box::new(operation), exchange));
            }
            Answer::Done(outcome) => {
                self.block(format!("= {}", outcome_text(&outcome)));
                self.book.conclude(&operation, &outcome);
            }
            Answer::Failed(failure) => self.block(format!("= {}", failure_text(&failure))),
        }
    }

    fn delivery(&mut self, delivery: &Delivery) {
        let proof = match self.stage.prove(delivery) {
            Ok(proof) => proof,
            Err(failure) => return self.block(format!("~ {}", failure_text(&failure))),
        };
        let verdict = self.stage.check(&proof);
        self.block(format!("~ {}: {}", proof_text(&proof), verdict.word()));
        if verdict == Verdict::Holds {
            self.interpret(delivery);
        }
    }

    fn interpret(&mut self, delivery: &Delivery) {
        let said = match self.stage.interpret(delivery) {
            Ok(events) if events.is_empty() => "= no event".to_owned(),
            Ok(events) => {
                events.iter().for_each(|event| self.book.learn(event));
                let line = |event| format!("= {}", event_text(event));
                events.iter().map(line).collect::<Vec<_>>().join("\n")
            }
            Err(failure) => format!("= {}", failure_text(&failure)),
        };
        self.block(said);
    }

    /// Writes given lines; never two blank ones in a row, nor one at the beginning.
    fn write(&mut self, text: &str) {
        if !text.is_empty() || self.text.last().is_some_and(|last| !last.is_empty()) {
            self.text.push(text.to_owned());
        }
    }

    /// Writes what the plugin said, as a paragraph of its own.
    pub fn block(&mut self, text: String) {
        self.write("");
        self.text.push(text);
        self.text.push(String::new());
    }

    fn finish(self) -> String {
        format!("{}\n", self.text.join("\n").trim_end())
    }
}

/// The randomness of a step in a transcript: the same bytes on every stage, from the number of the
/// step (SplitMix64 of Steele, Lea and Flood, 2014). For tests only: anyone can compute it.
pub fn random(step: u64, length: u32) -> Vec<u8> {
    let mut state = step;
    let mut bytes = Vec::new();
    let length = usize::try_from(length).unwrap_or_default();
    while bytes.len() < length {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bytes.extend((mixed ^ (mixed >> 31)).to_be_bytes());
    }
    bytes.truncate(length);
    bytes
}
