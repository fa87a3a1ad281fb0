//! What an operator sees of the ledger and settles in it: open entries, and anomalies.
//!
//! A person's word about an entry is taken where the state table has a line for it and where it
//! contradicts nothing the ledger knows; who said it, when and why stays with the entry. What the
//! provider says later is compared with it like with anything else.

mod settle;

use ledger::{Anomaly, Closed, Entry, Id, Payment, State, TimestampMs};
use store::{Expected, Range};

use crate::record::{self, Exchange, Operation, Read};
use crate::schedule::Due;
use crate::{Engine, Error};
pub use settle::{Fate, Settling, Unsettled};

/// Rows of one look, where not all of them are wanted.
const ROWS: usize = 200;

/// The ledger, for an operator.
#[derive(Clone)]
pub struct Books(Engine);

/// Which entries or anomalies are listed.
#[derive(Clone, Debug, Default)]
pub struct Listed {
    /// Only those of this account.
    pub account: Option<String>,
    /// Of entries: only `unknown` ones, not all that are open. Of anomalies: closed ones too.
    pub narrowed: bool,
    /// Where to go on.
    pub cursor: Option<String>,
    /// How many at most, 1 to 100.
    pub limit: usize,
}

/// An entry, the payment it belongs to, and how finding out about it stands.
#[derive(Clone, Debug)]
pub struct EntryRecord {
    /// The payment, with all its entries.
    pub payment: Payment,
    /// The entry.
    pub entry: Entry,
    /// How often the provider was asked what became of it.
    pub asked: u32,
    /// How often, late enough to count, it said that it has never heard of it.
    pub absences: u32,
    /// When it is asked next.
    pub next_at_ms: Option<TimestampMs>,
    /// The requests of the operation, oldest first; empty in a list.
    pub exchanges: Vec<ShownExchange>,
}

/// A request as it was recorded, without what it said.
#[derive(Clone, Debug)]
pub struct ShownExchange {
    /// The method and where to, or the endpoint of a framed exchange.
    pub to: String,
    /// Whether the provider may have moved money on it.
    pub moves_money: bool,
    /// When it was made.
    pub at_ms: TimestampMs,
    /// The status of the reply, `replied`, or why there is none.
    pub ended: String,
}

/// A page of entries, by account and by when they are asked about next.
#[derive(Clone, Debug)]
pub struct EntryPage {
    /// The entries.
    pub entries: Vec<EntryRecord>,
    /// What to ask for next; none on the last page.
    pub cursor: Option<String>,
}

/// A page of anomalies, oldest first.
#[derive(Clone, Debug)]
pub struct AnomalyPage {
    /// The anomalies.
    pub anomalies: Vec<Anomaly>,
    /// What to ask for next; none on the last page.
    pub cursor: Option<String>,
}

impl Books {
    /// The books that this engine keeps.
    pub fn of(engine: &Engine) -> Books {
        Books(engine.clone())
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0
    }

    /// Entries that are open, by account.
    ///
    /// # Errors
    /// The store's, or a cursor that was not made here.
    pub async fn open(&self, listed: &Listed) -> Result<EntryPage, Error> {
        let limit = listed.limit.clamp(1, 100);
        let mut after = listed.cursor.as_deref().map(cursor_key).transpose()?;
        let mut entries = Vec::new();
        loop {
            let account = listed.account.as_deref();
            let rows = self.0.open_entries(account, after.as_deref(), ROWS).await?;
            let whole = rows.len() < ROWS;
            for due in &rows {
                let read = self.read(&due.entry).await?;
                after = Some(due.key());
                entries.extend(read.filter(|read| wanted(listed, read.entry.state)));
                if entries.len() == limit {
                    return Ok(EntryPage { entries, cursor: after.map(hex::encode) });
                }
            }
            if whole {
                return Ok(EntryPage { entries, cursor: None });
            }
        }
    }

    /// One entry with the requests that were made for it.
    ///
    /// # Errors
    /// The store's, or that there is none.
    pub async fn entry(&self, id: &Id) -> Result<EntryRecord, Error> {
        let read = self.read(id).await?;
        let mut read = read.ok_or_else(|| Error::NoSuchEntry(id.clone()))?;
        let under = Range::under(record::EXCHANGE, format!("{id}/"));
        for row in self.0.0.store.scan(under.limit(ROWS)).await? {
            let exchange = record::decode(record::EXCHANGE, &row.key, &row.value)?;
            read.exchanges.push(shown(&exchange));
        }
        read.exchanges.sort_by_key(|exchange| exchange.at_ms);
        Ok(read)
    }

    async fn read(&self, id: &Id) -> Result<Option<EntryRecord>, Error> {
        let Some(operation) = self.0.read_operation(id).await? else { return Ok(None) };
        let Operation { payment, recovery, .. } = operation.value;
        let Some(payment) = self.0.read_payment(&payment).await? else { return Ok(None) };
        let payment = payment.value;
        let Some(entry) = payment.entry(id).cloned() else { return Ok(None) };
        Ok(Some(EntryRecord {
            payment,
            entry,
            asked: recovery.syncs,
            absences: recovery.absences,
            next_at_ms: recovery.due_at_ms,
            exchanges: Vec::new(),
        }))
    }

    /// Asks the provider what became of the entry, now.
    ///
    /// # Errors
    /// The store's, or that there is no such entry.
    pub async fn ask(&self, id: &Id) -> Result<EntryRecord, Error> {
        self.entry(id).await?;
        self.0.resolve(id).await?;
        self.entry(id).await
    }

    /// Anomalies, oldest first; open ones, or closed ones too.
    ///
    /// # Errors
    /// The store's, or a cursor that was not made here.
    pub async fn anomalies(&self, listed: &Listed) -> Result<AnomalyPage, Error> {
        let limit = listed.limit.clamp(1, 100);
        let mut after = match &listed.cursor {
            Some(cursor) => Some(cursor.parse::<Id>().map_err(|_| not_a_cursor(cursor))?),
            None => None,
        };
        let mut anomalies: Vec<Anomaly> = Vec::new();
        loop {
            let mut range = Range::all(record::ANOMALY).limit(ROWS);
            if let Some(after) = &after {
                range = range.after(after.as_str());
            }
            let rows = self.0.0.store.scan(range).await?;
            for row in &rows {
                let one: Anomaly = record::decode(record::ANOMALY, &row.key, &row.value)?;
                after = Some(one.id.clone());
                let of_account = listed.account.as_ref().is_none_or(|name| one.account == *name);
                if of_account && (listed.narrowed || one.closed.is_none()) {
                    anomalies.push(one);
                }
                if anomalies.len() == limit {
                    return Ok(AnomalyPage { anomalies, cursor: after.map(Into::into) });
                }
            }
            if rows.len() < ROWS {
                return Ok(AnomalyPage { anomalies, cursor: None });
            }
        }
    }

    /// Closes an anomaly: a person has looked into it. No entry is changed.
    ///
    /// # Errors
    /// There is no such anomaly, it is closed already, or the store could not do it.
    pub async fn close(&self, id: &Id, by: &str, reason: &str) -> Result<Anomaly, Error> {
        let key = id.as_str().as_bytes();
        let read = record::read::<Anomaly>(&*self.0.0.store, record::ANOMALY, key).await?;
        let Read { mut value, version } = read.ok_or_else(|| Error::NoSuchAnomaly(id.clone()))?;
        if let Some(Closed { by, .. }) = value.closed {
            return Err(Error::AnomalyClosed { anomaly: id.clone(), by });
        }
        let at_ms = self.0.0.clock.now_ms();
        value.closed = Some(Closed { by: by.to_owned(), reason: reason.to_owned(), at_ms });
        let mut batch = self.0.batch();
        batch.expect(record::ANOMALY, key, Expected::Version(version));
        batch.put(record::ANOMALY, key, record::encode(&value));
        self.0.0.store.commit(batch).await?;
        Ok(value)
    }
}

/// An entry that another one has ended is on the schedule until it is looked at.
fn wanted(listed: &Listed, state: State) -> bool {
    if listed.narrowed { state == State::Unknown } else { state.is_open() }
}

fn shown(exchange: &Exchange) -> ShownExchange {
    let to = match &exchange.request {
        egress::Request::Http(http) => format!("{} {}", method(http.method), http.url),
        egress::Request::Frame(frame) => frame.endpoint.clone(),
    };
    let ended = match (&exchange.reply, &exchange.failed) {
        (Some(egress::Reply::Http { status, .. }), _) => status.to_string(),
        (Some(egress::Reply::Frame(_)), _) => "replied".to_owned(),
        (None, Some(why)) => why.clone(),
        (None, None) => "not known".to_owned(),
    };
    let (moves_money, at_ms) = (exchange.moves_money, exchange.made_at_ms);
    ShownExchange { to, moves_money, at_ms, ended }
}

fn method(method: egress::Method) -> &'static str {
    match method {
        egress::Method::Get => "GET",
        egress::Method::Post => "POST",
        egress::Method::Put => "PUT",
        egress::Method::Patch => "PATCH",
        egress::Method::Delete => "DELETE",
    }
}

fn cursor_key(cursor: &str) -> Result<Vec<u8>, Error> {
    let key = hex::decode(cursor).ok().filter(|key| Due::read(key).is_some());
    key.ok_or_else(|| not_a_cursor(cursor))
}

fn not_a_cursor(cursor: &str) -> Error {
    Error::NotACursor(cursor.chars().take(64).collect())
}

#[cfg(test)]
pub(crate) mod tests;
