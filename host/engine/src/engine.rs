//! The engine's face: what the API asks of it.

use std::sync::Arc;

use ledger::{Id, Money, Payment};

use crate::{App, Ask, Done, Error, EventPage, NewPayment, NewPayout};

/// Drives operations. Cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<()>);

/// A webhook as it arrived.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// `POST`.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Untouched.
    pub body: Vec<u8>,
}

/// What the provider hears back.
#[derive(Clone, Debug)]
pub struct Acknowledgement {
    /// The HTTP status.
    pub status: u16,
    /// Header names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// A page of payments.
#[derive(Clone, Debug)]
pub struct PaymentPage {
    /// Newest first.
    pub payments: Vec<Payment>,
    /// What to ask for next; none on the last page.
    pub cursor: Option<String>,
}

#[allow(unused_variables)]
impl Engine {
    /// Begins a payment and drives it until the provider has answered.
    pub async fn pay(&self, ask: Ask, payment: NewPayment) -> Result<Done, Error> {
        unimplemented!()
    }

    /// Pays out.
    pub async fn pay_out(&self, ask: Ask, payout: NewPayout) -> Result<Done, Error> {
        unimplemented!()
    }

    /// Captures this amount, or all that is authorised and not captured.
    pub async fn capture(
        &self,
        ask: Ask,
        payment: Id,
        amount: Option<Money>,
    ) -> Result<Done, Error> {
        unimplemented!()
    }

    /// Releases an authorisation, or closes a payment that was not paid yet.
    pub async fn cancel(&self, ask: Ask, payment: Id) -> Result<Done, Error> {
        unimplemented!()
    }

    /// Refunds this amount, or all that is captured and not refunded.
    pub async fn refund(
        &self,
        ask: Ask,
        payment: Id,
        amount: Option<Money>,
    ) -> Result<Done, Error> {
        unimplemented!()
    }

    /// Asks the provider what became of every open entry of the payment, now.
    pub async fn sync(&self, app: &Id, payment: &Id) -> Result<Payment, Error> {
        unimplemented!()
    }

    /// One payment of the app.
    pub async fn payment(&self, app: &Id, payment: &Id) -> Result<Payment, Error> {
        unimplemented!()
    }

    /// The app's payments, newest first; `limit` is between 1 and 100.
    pub async fn payments(
        &self,
        app: &Id,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<PaymentPage, Error> {
        unimplemented!()
    }

    /// The app's events after the cursor, oldest first; `limit` is between 1 and 100.
    pub async fn events(
        &self,
        app: &Id,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<EventPage, Error> {
        unimplemented!()
    }

    /// A webhook for an account. Always answers something the provider understands; an error is
    /// only for an account that does not exist, or a store that does not answer.
    pub async fn deliver(
        &self,
        account: &str,
        delivery: Delivery,
    ) -> Result<Acknowledgement, Error> {
        unimplemented!()
    }

    /// The app of this API key; none when the key is wrong, whatever is wrong with it.
    pub async fn app_by_key(&self, key: &str) -> Result<Option<App>, Error> {
        unimplemented!()
    }

    /// What keeps the host from taking payments, for the readiness probe; empty when nothing does.
    pub async fn impediments(&self) -> Vec<String> {
        unimplemented!()
    }
}
