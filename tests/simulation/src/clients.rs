//! The apps: what they ask, how they ask again when they were not answered, and what they were
//! answered. Not here: the calls themselves (`day`).

use engine::{Done, Error};
use ledger::{Id, Payment};
use sha2::{Digest, Sha256};

use crate::chance::Chance;
use crate::provider::ACCOUNTS;
use crate::world::{Due, State};

/// How often an app asks again.
const TRIES_MAX: u64 = 40;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    Pay { account: usize, minor: u64, capture: bool },
    PayOut { account: usize, minor: u64 },
    Capture { payment: Id, minor: Option<u64> },
    Cancel { payment: Id },
    Refund { payment: Id, minor: Option<u64> },
    Sync { payment: Id },
}

/// A command of an app, by its idempotency key.
#[derive(Clone, Debug)]
pub struct Command {
    pub app: usize,
    pub key: String,
    pub act: Act,
    /// The first answer.
    pub done: Option<Done>,
    /// The answer that repeats of the first are given.
    pub replayed: Option<Done>,
    /// Refused, for good: why.
    pub refused: Option<String>,
    /// Calls under way in this life of the process.
    pub under_way: u64,
    /// The app has given up asking.
    pub abandoned: bool,
    tries: u64,
}

impl Command {
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(format!("{:?}", self.act)).into()
    }

    /// Whether the app wants to hear more of it.
    pub fn is_over(&self) -> bool {
        self.done.is_some() || self.refused.is_some() || self.abandoned
    }
}

/// Every app.
pub struct Clients {
    pub chance: Chance,
    pub commands: Vec<Command>,
    /// Payments the apps know, oldest first, each with its app.
    payments: Vec<(usize, Id)>,
}

impl Clients {
    pub fn new(chance: Chance) -> Clients {
        Clients { chance, commands: Vec::new(), payments: Vec::new() }
    }

    fn draw(&mut self) -> (usize, Act) {
        let known = self.payments.len() as u64;
        let account = self.chance.below(ACCOUNTS.len() as u64) as usize;
        let minor = 1 + self.chance.scaled(20_000);
        let app = self.chance.below(2) as usize;
        let chosen = if known == 0 { self.chance.below(50) } else { self.chance.below(100) };
        if chosen < 42 {
            return (app, Act::Pay { account, minor, capture: self.chance.permille(450) });
        }
        if chosen < 50 {
            return (app, Act::PayOut { account, minor });
        }
        // The newest are the likeliest.
        let back = self.chance.scaled(known - 1).min(known - 1);
        let (app, payment) = self.payments[(known - 1 - back) as usize].clone();
        let part = self.chance.permille(600).then(|| 1 + self.chance.scaled(minor));
        let act = match chosen {
            50..64 => Act::Capture { payment, minor: part },
            64..72 => Act::Cancel { payment },
            72..93 => Act::Refund { payment, minor: part },
            _ => Act::Sync { payment },
        };
        (app, act)
    }
}

impl State {
    /// Apps think of something new.
    pub fn think(&mut self) {
        let most = self.shape.commands as usize;
        if self.clients.commands.len() >= most {
            return;
        }
        let (app, act) = self.clients.draw();
        let number = self.clients.commands.len();
        self.clients.commands.push(Command {
            app,
            key: format!("key-{number}"),
            act,
            done: None,
            replayed: None,
            refused: None,
            under_way: 0,
            abandoned: false,
            tries: 0,
        });
        self.after(0, Due::Ask(number));
        if self.clients.chance.permille(120) {
            let soon = self.clients.chance.scaled(300);
            self.tally.add("commands given twice at once", 1);
            self.after(soon, Due::Ask(number));
        }
        if self.clients.chance.permille(120) {
            let old = self.clients.chance.below(number as u64 + 1) as usize;
            self.tally.add("old commands repeated", 1);
            self.after(10, Due::Ask(old));
        }
        let pause = self.clients.chance.scaled(2_500);
        self.after(pause, Due::Think);
    }

    /// A command is about to be given; nothing where the app has given it up.
    pub fn ask(&mut self, number: usize) -> Command {
        let command = &mut self.clients.commands[number];
        command.tries += 1;
        // What was refused left no trace, and may be done now.
        command.refused = None;
        command.clone()
    }

    /// What came of giving a command; nothing where the app hung up.
    pub fn answered(&mut self, number: usize, answer: Option<Result<Done, Error>>) {
        self.clients.commands[number].under_way -= 1;
        let told = match &answer {
            Some(Ok(done)) => format!("{number} {} {:?}", done.entry, done.payment.status()),
            Some(Err(error)) => format!("{number} {error:?}"),
            None => format!("{number} hung up"),
        };
        self.tell("answer", told.as_bytes());
        match answer {
            Some(Ok(done)) => self.done(number, done),
            Some(Err(error)) if is_final(&error) => self.refuse(number, &error),
            Some(Err(error)) => self.ask_again(number, &error.to_string()),
            None => self.ask_again(number, "the app hung up"),
        }
    }

    /// A call is over, and nothing follows from it.
    pub fn given_up(&mut self, number: usize) {
        self.clients.commands[number].under_way -= 1;
        self.tell("answer", format!("{number} of no concern").as_bytes());
    }

    fn done(&mut self, number: usize, done: Done) {
        let command = &mut self.clients.commands[number];
        let (app, payment) = (command.app, done.payment.id.clone());
        let known = command.done.get_or_insert_with(|| done.clone()).clone();
        let mut wrong = None;
        if known.entry != done.entry || known.payment.id != payment {
            wrong = Some(format!("{}: {} and {}", command.key, known.entry, done.entry));
        }
        command.refused = None;
        if done.replayed {
            let before = command.replayed.get_or_insert_with(|| done.clone());
            if before.payment != done.payment {
                wrong = Some(format!("{}: two answers to repeats", command.key));
            }
        }
        if !self.clients.payments.iter().any(|(_, known)| *known == payment) {
            self.clients.payments.push((app, payment));
        }
        if let Some(what) = wrong {
            self.wrong(format!("one key, two answers: {what}"));
        }
    }

    fn refuse(&mut self, number: usize, error: &Error) {
        let command = &mut self.clients.commands[number];
        let what = format!("{}: {error:?}", command.key);
        if command.done.is_some() {
            return self.wrong(format!("a command was done and then refused: {what}"));
        }
        command.refused.get_or_insert(error.to_string());
        if matches!(error, Error::KeyReused | Error::Misconfigured(_) | Error::NoSuchAccount(_)) {
            self.wrong(format!("a refusal without a reason: {what}"));
        }
    }

    /// What was not answered is asked again, but for the few apps that give up early; and one that
    /// asks and asks has to be answered some time.
    fn ask_again(&mut self, number: usize, why: &str) {
        let chance = &mut self.clients.chance;
        let command = &mut self.clients.commands[number];
        if command.is_over() {
            return;
        }
        if command.tries > TRIES_MAX {
            command.abandoned = true;
            let what = format!("{} was given {} times and is not over", command.key, command.tries);
            return self.wrong(format!("{what}: {why}"));
        }
        if chance.permille(20) {
            command.abandoned = true;
            return;
        }
        let wait = chance.between(100, 3_000);
        self.after(wait, Due::Ask(number));
    }

    /// The process died: whoever waited for an answer asks again, as a rule.
    pub fn unanswered(&mut self) {
        for number in 0..self.clients.commands.len() {
            let command = &mut self.clients.commands[number];
            if std::mem::take(&mut command.under_way) > 0 {
                self.ask_again(number, "the process died");
            }
        }
    }

    /// A question was answered, or not: it is not asked again.
    pub fn synced(&mut self, number: usize, answer: &Result<Payment, Error>) {
        self.clients.commands[number].under_way -= 1;
        let status = answer.as_ref().map(|payment| payment.status());
        self.tell("answer", format!("{number} {status:?}").as_bytes());
        self.clients.commands[number].abandoned = true;
    }

    /// Commands that are not over.
    pub fn waiting(&self) -> usize {
        self.clients.commands.iter().filter(|command| !command.is_over()).count()
    }
}

/// Whether asking again cannot help.
fn is_final(error: &Error) -> bool {
    !matches!(
        error,
        Error::InFlight
            | Error::Busy
            | Error::Store(_)
            | Error::Stopping
            | Error::PluginFault(_)
            | Error::Audit(_)
    )
}
