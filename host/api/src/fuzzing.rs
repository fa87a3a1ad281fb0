//! Doors for the fuzz targets in `tests/fuzz`: a connection in memory, and the strict reading of
//! bodies. Not a part of what the edge offers; nothing else uses it.

use std::net::IpAddr;
use std::sync::Arc;

use engine::{NewCard, NewPayment, NewPayout};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, watch};

use crate::contract::Payments;
use crate::edge::Edge;
use crate::forms::{self, CardForm, PaymentForm, PayoutForm};
use crate::server::Options;
use crate::{connection, edge, json, vocabulary};

/// The server without its sockets.
pub struct Door {
    edge: Arc<Edge>,
    stop: watch::Sender<bool>,
    _begun: mpsc::Receiver<()>,
}

impl Door {
    /// What [`crate::Server::bind`] makes, but nothing listens.
    pub fn new(options: Options, payments: Arc<dyn Payments>) -> Door {
        let (hold, _begun) = mpsc::channel(1);
        let (stop, stopped) = watch::channel(false);
        let edge = Arc::new(Edge::new(payments, options, (hold, stopped)));
        Door { edge, stop, _begun }
    }

    /// Serves one connection of this peer until it ends.
    pub async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin, peer: IpAddr) {
        connection::serve((stream, peer), self.edge.clone(), self.stop.subscribe()).await;
    }
}

/// A body as the edge reads it; `depth_max` as in [`crate::Limits`].
///
/// # Errors
/// The problem that is answered, in JSON.
pub fn json(body: &[u8], depth_max: usize) -> Result<Value, Value> {
    json::read(body, depth_max).map_err(|problem| problem.json())
}

/// What a body asks for.
#[derive(Debug)]
pub enum Wanted {
    /// `POST /v1/payments`.
    Payment(NewPayment),
    /// `POST /v1/payouts`.
    Payout(NewPayout),
    /// `POST /v1/cards`. Its `Debug` shows nothing of the card.
    Card(Box<NewCard>),
}

/// What a body asks for, if the edge would take it to the engine; the forms are those of `Wanted`,
/// in its order.
///
/// # Errors
/// The problem that is answered, in JSON.
pub fn wanted(form: u8, body: Value) -> Result<Wanted, Value> {
    let shape = match form % 3 {
        0 => &vocabulary::NEW_PAYMENT,
        1 => &vocabulary::NEW_PAYOUT,
        _ => &vocabulary::NEW_CARD,
    };
    let read = |body| match form % 3 {
        0 => forms::read::<PaymentForm>(body).map(|form| Wanted::Payment(form.into())),
        1 => forms::read::<PayoutForm>(body).map(|form| Wanted::Payout(form.into())),
        _ => forms::read::<CardForm>(body).map(|form| Wanted::Card(Box::new(form.into()))),
    };
    edge::checked_fields(shape, body).and_then(read).map_err(|problem| problem.json())
}
