//! The provider's report, a page at a time: fetched through the plugin and egress, or read from
//! files. The only place that asks a plugin for reports.

use std::convert::Infallible;
use std::io::Read;
use std::sync::Arc;

use egress::Failed;
use ledger::{Currency, References, TimestampMs};
use sandbox::contract as wit;
use sandbox::{Called, Fault, Surroundings};

use super::ReportFile;
use crate::account::{Account, Filling};
use crate::call::{remember, surroundings};
use crate::converse::{chain, words};
use crate::translate;
use crate::{Engine, Error};

/// A file is read in pieces of this size: what a piece says has room in one answer of a plugin.
const PIECE_BYTES: usize = 64 << 10;
/// Requests one report may make: a hundred movements each would be a million.
const REQUESTS_MAX: u32 = 10_000;

/// What a movement did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MovementKind {
    /// Money of a payer was taken.
    Payment,
    /// Money was given back.
    Refund,
    /// Money was sent to somebody.
    Payout,
    /// A movement was undone.
    Reversal,
    /// No operation of ours.
    Other,
}

impl MovementKind {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            MovementKind::Payment => "payment",
            MovementKind::Refund => "refund",
            MovementKind::Payout => "payout",
            MovementKind::Reversal => "reversal",
            MovementKind::Other => "other",
        }
    }
}

/// Whether a movement counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MovementState {
    /// It does.
    Booked,
    /// The provider has not decided.
    Pending,
    /// It does not, and will not.
    Failed,
}

impl MovementState {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            MovementState::Booked => "booked",
            MovementState::Pending => "pending",
            MovementState::Failed => "failed",
        }
    }
}

/// A movement, as the provider booked it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// The provider's identifier of the booking.
    pub id: String,
    /// What it did.
    pub kind: MovementKind,
    /// Whether it counts.
    pub state: MovementState,
    /// Our entry, where the report names it.
    pub entry: Option<String>,
    /// The provider's references.
    pub references: Option<References>,
    /// How much, in minor units of `currency`, before fees.
    pub minor: u64,
    /// The currency of the operation.
    pub currency: Currency,
    /// What the provider kept, and in which currency.
    pub fee: Option<(u64, Currency)>,
    /// When it was booked.
    pub booked_at_ms: TimestampMs,
}

impl Movement {
    /// In one line, for people.
    pub fn words(&self) -> String {
        let Movement { id, kind, state, minor, currency, .. } = self;
        let reference = self.references.as_ref().map_or("-", |known| known.provider.as_str());
        let entry = self.entry.as_deref().unwrap_or("-");
        let (kind, state) = (kind.name(), state.name());
        let text = format!(
            "{kind} {id}, {state}, {minor} minor units of {currency}, {reference}, {entry}"
        );
        text.chars().take(512).collect()
    }
}

/// A report under way: that of a span, or one file.
pub(super) struct Report {
    engine: Engine,
    account: Arc<Account>,
    span: wit::Span,
    /// A file that is being read, and what the plugin keeps between its pieces.
    reading: Option<(ReportFile, Vec<u8>)>,
    /// The next request, with what the step before derived.
    next: Next,
    requests: u32,
}

enum Next {
    Begin,
    Ask(Box<wit::Exchange>, Vec<vault::Secret>),
    End,
}

type Paged = Result<Called<Result<wit::Page, wit::Failure>>, Fault>;

/// Whether the plugin has reports of this kind at all.
pub(super) fn offered(account: &Account, files: bool) -> Result<(), Error> {
    let offers = &account.plugin.description().reports;
    let (offered, how) = match files {
        false => (offers.fetched, "fetches no reports: give it one as a file"),
        true => (offers.read, "reads no report files"),
    };
    let name = &account.plugin.description().name;
    if offered { Ok(()) } else { Err(Error::Unsupported(format!("`{name}` {how}"))) }
}

impl Report {
    /// The report of this span, from the provider.
    pub fn of(engine: &Engine, account: &Arc<Account>, [since, until]: [TimestampMs; 2]) -> Report {
        let span = wit::Span { since: since / 1000, until: until.div_ceil(1000) };
        let (engine, account) = (engine.clone(), account.clone());
        Report { engine, account, span, reading: None, next: Next::Begin, requests: 0 }
    }

    /// The report in this file.
    pub fn file(engine: &Engine, account: &Arc<Account>, file: ReportFile) -> Report {
        let reading = Some((file, Vec::new()));
        Report { reading, next: Next::End, ..Report::of(engine, account, [0, 0]) }
    }

    /// The next movements; none at the end. A page may be empty.
    pub async fn next(&mut self) -> Result<Option<Vec<Movement>>, Error> {
        if let Some((file, state)) = self.reading.take() {
            return self.read(file, state).await.map(Some);
        }
        let paged = match std::mem::replace(&mut self.next, Next::End) {
            Next::End => return Ok(None),
            Next::Begin => (self.begin().await?, Vec::new()),
            Next::Ask(exchange, derived) => self.ask(*exchange, derived).await?,
        };
        self.turn(paged).await.map(Some)
    }

    async fn begin(&self) -> Result<Paged, Error> {
        let around = self.around().await?;
        Ok(self.account.plugin.begin(around, self.span).await)
    }

    /// Sends a request; what the plugin makes of the reply, and the reply's body.
    async fn ask(
        &mut self,
        exchange: wit::Exchange,
        derived: Vec<vault::Secret>,
    ) -> Result<(Paged, Vec<u8>), Error> {
        self.requests += 1;
        if exchange.moves_money || self.requests > REQUESTS_MAX {
            let why = "the plugin asks for what moves money, or without an end";
            return Err(Error::PluginFault(why.to_owned()));
        }
        let account = &self.account;
        let filling = Filling { secrets: account.secrets.clone(), card: None, derived };
        let nothing = async { Ok::<(), Infallible>(()) };
        let request = translate::request(exchange.request);
        let sent = self.engine.0.egress.send(&account.gate, &filling, &request, nothing).await;
        let reply = match sent {
            Ok(reply) => reply,
            Err(Failed::NoReply(error) | Failed::NotSent(error) | Failed::Refused(error)) => {
                return Err(Error::Report(chain(&error)));
            }
            Err(Failed::Intent(never)) => match never {},
        };
        let body = match &reply {
            egress::Reply::Http { body, .. } | egress::Reply::Frame(body) => body.clone(),
        };
        let around = self.around().await?;
        let reply = translate::reply(reply);
        Ok((account.plugin.proceed(around, self.span, exchange.state, reply).await, body))
    }

    async fn turn(&mut self, (paged, body): (Paged, Vec<u8>)) -> Result<Vec<Movement>, Error> {
        let called = paged.map_err(|fault| Error::PluginFault(fault.to_string()))?;
        let now = self.engine.0.clock.now_ms();
        let mut batch = self.engine.batch();
        remember(&mut batch, &self.account, &called.remembered, now);
        if !batch.changes.is_empty() {
            self.engine.0.store.commit(batch).await?;
        }
        let page = called.answer.map_err(|failure| Error::Report(words(&failure)))?;
        if page.is_file {
            self.reading = Some((Box::new(std::io::Cursor::new(body)), Vec::new()));
        }
        self.next = page.next.map_or(Next::End, |next| Next::Ask(Box::new(next), called.derived));
        page.movements.into_iter().map(movement).collect()
    }

    /// One piece of a file.
    async fn read(&mut self, mut file: ReportFile, state: Vec<u8>) -> Result<Vec<Movement>, Error> {
        let mut bytes = Vec::new();
        let read = file.by_ref().take(PIECE_BYTES as u64).read_to_end(&mut bytes);
        read.map_err(|error| Error::Report(format!("the file cannot be read: {error}")))?;
        let last = bytes.len() < PIECE_BYTES;
        let around = self.around().await?;
        let piece = wit::Piece { state, bytes, last };
        let called = self.account.plugin.read(around, piece).await;
        let called = called.map_err(|fault| Error::PluginFault(fault.to_string()))?;
        let portion = called.answer.map_err(|failure| Error::Report(words(&failure)))?;
        self.reading = (!last).then_some((file, portion.state));
        portion.movements.into_iter().map(movement).collect()
    }

    async fn around(&self) -> Result<Surroundings, Error> {
        let now = self.engine.0.clock.now_ms();
        let kept = self.engine.kept(&self.account, now).await?;
        Ok(surroundings(&self.account, kept, self.engine.random(), now))
    }
}

fn movement(told: wit::Movement) -> Result<Movement, Error> {
    let fits = |text: &str| (1..=255).contains(&text.len()) && !text.chars().any(char::is_control);
    let nonsense = |what: &str| Error::Report(format!("{}: {what}", told.id.escape_debug()));
    let currency = |code: &str| Currency::from_code(code).map_err(|why| nonsense(&why.to_string()));
    if !fits(&told.id) {
        return Err(nonsense("no identifier of a movement"));
    }
    let references = told.references.clone().map(translate::references).transpose();
    let references = references.map_err(|why| nonsense(&why.to_string()))?;
    let fee = told.fee.as_ref().map(|fee| Ok::<_, Error>((fee.minor, currency(&fee.currency)?)));
    Ok(Movement {
        kind: match told.kind {
            wit::MovementKind::Payment => MovementKind::Payment,
            wit::MovementKind::Refund => MovementKind::Refund,
            wit::MovementKind::Payout => MovementKind::Payout,
            wit::MovementKind::Reversal => MovementKind::Reversal,
            wit::MovementKind::Other => MovementKind::Other,
        },
        state: match told.state {
            wit::MovementState::Booked => MovementState::Booked,
            wit::MovementState::Pending => MovementState::Pending,
            wit::MovementState::Failed => MovementState::Failed,
        },
        currency: currency(&told.amount.currency)?,
        fee: fee.transpose()?,
        minor: told.amount.minor,
        references,
        entry: told.entry.filter(|entry| fits(entry)),
        booked_at_ms: told.booked_at.saturating_mul(1000),
        id: told.id,
    })
}
