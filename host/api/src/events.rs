//! The feed of events of an app, by cursor, oldest first: a page, or a stream of server-sent events
//! (WHATWG HTML, section 9.2) where the request accepts `text/event-stream`.
//!
//! An event's `id` in the stream is the cursor just after it, so a client that comes back with
//! `Last-Event-ID` misses nothing and is told nothing twice.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use engine::{Event, EventPage};
use http::{HeaderMap, HeaderValue, StatusCode};
use ledger::Id;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::answer::Answer;
use crate::contract::Payments;
use crate::payments::page;
use crate::problem::Problem;
use crate::route::Visit;
use crate::streams::{Seat, Streams};
use crate::views;

/// Events read at once.
const EVENTS_MAX: usize = 100;
/// Pieces that wait for a slow client; its reader waits when there are as many.
const PIECES_MAX: usize = 4;
/// When a client comes back after its connection broke, in milliseconds.
const RETRY_MS: u64 = 2_000;
/// How long commits are gathered before the feed is read again.
const GATHER: Duration = Duration::from_millis(10);

pub(crate) async fn list(visit: Visit, app: Id) -> Result<Answer, Problem> {
    if accepts_stream(&visit.parts.headers) {
        return stream(visit, app).await;
    }
    let (cursor, limit) = page(&visit.query);
    let page = visit.payments.events(&app, cursor, limit).await?;
    let events: Vec<Value> = page.events.iter().map(views::event).collect();
    Ok(Answer::json(StatusCode::OK, &json!({"events": events, "cursor": page.cursor})))
}

/// Whether `text/event-stream` is named in `Accept` (RFC 9110, section 12.5.1) and not refused.
fn accepts_stream(headers: &HeaderMap) -> bool {
    let texts = headers.get_all("accept").iter().filter_map(|value| value.to_str().ok());
    let named = |range: &str| {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default();
        let zero = |part: &str| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000");
        kind.eq_ignore_ascii_case("text/event-stream") && !parts.any(zero)
    };
    texts.flat_map(|text| text.split(',')).any(named)
}

async fn stream(visit: Visit, app: Id) -> Result<Answer, Problem> {
    let seat = visit.streams.seat(&app)?;
    let last = visit.parts.headers.get("last-event-id");
    let last = last.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    // A client that comes back asks the same URL again: where it left off is in the header.
    let cursor = last.filter(|last| !last.is_empty());
    let cursor = cursor.or_else(|| page(&visit.query).0.map(str::to_owned));
    // The first page is read before anything is answered: a wrong cursor is a problem.
    let first = visit.payments.events(&app, cursor.as_deref(), EVENTS_MAX).await?;
    let (out, pieces) = mpsc::channel(PIECES_MAX);
    let feed = Feed { payments: visit.payments, streams: visit.streams, app, out, _seat: seat };
    tokio::spawn(feed.run(first));
    let mut answer = Answer::new(StatusCode::OK, Bytes::new());
    answer.stream = Some(pieces);
    answer.set("content-type", HeaderValue::from_static("text/event-stream"));
    // Proxies that gather answers would keep the events for themselves.
    answer.set("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(answer)
}

/// One stream, until its client goes, the host stops, or the store does.
struct Feed {
    payments: Arc<dyn Payments>,
    streams: Arc<Streams>,
    app: Id,
    out: mpsc::Sender<Bytes>,
    _seat: Seat,
}

impl Feed {
    async fn run(self, first: EventPage) {
        let (streams, out) = (self.streams.clone(), self.out.clone());
        tokio::select! {
            () = self.tell(first) => {}
            () = streams.stopped() => {}
            () = out.closed() => {}
        }
    }

    async fn tell(&self, first: EventPage) {
        let mut changes = self.payments.changes();
        let mut cursor = first.cursor.clone();
        if !self.send(format!("retry: {RETRY_MS}\n\n") + &pieces(&first)).await {
            return;
        }
        loop {
            // Looked at before reading: a commit in between wakes this again.
            changes.borrow_and_update();
            match self.payments.events(&self.app, Some(&cursor), EVENTS_MAX).await {
                Ok(page) if page.events.is_empty() => {}
                Ok(page) => {
                    cursor.clone_from(&page.cursor);
                    if !self.send(pieces(&page)).await {
                        return;
                    }
                    continue;
                }
                Err(error) => {
                    tracing::error!(%error, "a stream of events ended");
                    return;
                }
            }
            match timeout(self.streams.heartbeat, changes.changed()).await {
                Ok(Ok(())) => sleep(GATHER).await,
                Ok(Err(_)) => return,
                Err(_) => {
                    if !self.send(":\n\n".to_owned()).await {
                        return;
                    }
                }
            }
        }
    }

    /// False when the client takes nothing, or is gone.
    async fn send(&self, text: String) -> bool {
        let sent = timeout(self.streams.patience, self.out.send(Bytes::from(text))).await;
        matches!(sent, Ok(Ok(())))
    }
}

/// A page as it stands in the stream. JSON as it is written here holds no line end.
fn pieces(page: &EventPage) -> String {
    let mut text = String::new();
    for (event, place) in page.events.iter().zip(&page.places) {
        let (name, json) = (&event.name, views::event(event));
        // Writing to a text cannot fail.
        let _ = write!(text, "id: {place}\nevent: {name}\ndata: {json}\n\n");
    }
    text
}

/// An event as an endpoint is told it: the same as in the feed.
pub fn event_body(event: &Event) -> Vec<u8> {
    views::event(event).to_string().into_bytes()
}
