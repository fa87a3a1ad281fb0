//! What the HTTP edge asks of the engine, as a trait, so that it can be tested over a double.
//!
//! Each method mirrors the one of [`engine::Engine`] and says nothing more than it.

mod endpoints;
mod plugins;

use std::future::Future;
use std::pin::Pin;

use engine::audit::{Act, Line};
use engine::{
    Acknowledgement, App, AppKey, Apps, Ask, Books, Card, Delivery, Done, Engine, Error, EventPage,
    NewCard, NewPayment, NewPayout, Nonce, Offer, PaymentPage, Sender,
};
use ledger::{Id, Money, Payment};

pub use endpoints::{Endpoints, Shown};
pub use plugins::Plugins;

/// An answer of the engine that is on its way.
pub type Soon<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The engine as the HTTP edge sees it.
#[allow(missing_docs)]
pub trait Payments: Endpoints + Plugins {
    fn pay(&self, ask: Ask, payment: NewPayment) -> Soon<'_, Result<Done, Error>>;
    fn pay_out(&self, ask: Ask, payout: NewPayout) -> Soon<'_, Result<Done, Error>>;
    fn capture(
        &self,
        ask: Ask,
        payment: Id,
        amount: Option<Money>,
    ) -> Soon<'_, Result<Done, Error>>;
    fn cancel(&self, ask: Ask, payment: Id) -> Soon<'_, Result<Done, Error>>;
    fn refund(&self, ask: Ask, payment: Id, amount: Option<Money>)
    -> Soon<'_, Result<Done, Error>>;
    fn sync<'a>(&'a self, app: &'a Id, payment: &'a Id) -> Soon<'a, Result<Payment, Error>>;
    fn payment<'a>(&'a self, app: &'a Id, payment: &'a Id) -> Soon<'a, Result<Payment, Error>>;
    fn payments<'a>(
        &'a self,
        app: &'a Id,
        cursor: Option<&'a str>,
        limit: usize,
    ) -> Soon<'a, Result<PaymentPage, Error>>;
    fn events<'a>(
        &'a self,
        app: &'a Id,
        cursor: Option<&'a str>,
        limit: usize,
    ) -> Soon<'a, Result<EventPage, Error>>;
    fn tokenise<'a>(&'a self, app: &'a Id, card: NewCard) -> Soon<'a, Result<Card, Error>>;
    fn card<'a>(&'a self, app: &'a Id, card: &'a Id) -> Soon<'a, Result<Card, Error>>;
    fn erase_card<'a>(&'a self, app: &'a Id, card: &'a Id) -> Soon<'a, Result<Card, Error>>;
    fn deliver<'a>(
        &'a self,
        account: &'a str,
        delivery: Delivery,
    ) -> Soon<'a, Result<Acknowledgement, Error>>;
    fn sender_by_api_key<'a>(&'a self, key: &'a str) -> Soon<'a, Result<Option<Sender>, Error>>;
    fn app<'a>(&'a self, id: &'a Id) -> Soon<'a, Result<Option<App>, Error>>;
    fn app_key(&self, app: &App, key: &AppKey) -> Result<Option<vault::Key>, Error>;
    fn take_nonce<'a>(&'a self, nonce: Nonce<'a>) -> Soon<'a, Result<bool, Error>>;
    fn offers(&self, app: &App) -> Vec<Offer>;
    fn impediments(&self) -> Soon<'_, Vec<String>>;
    /// Durable once it answers.
    fn audit(&self, act: Act) -> Soon<'_, Result<(), Error>>;
    fn audit_lines(&self, after: u64, limit: usize) -> Soon<'_, Result<Vec<Line>, Error>>;
    /// None where the double has none.
    fn apps(&self) -> Option<Apps>;
    /// None where the double has none.
    fn books(&self) -> Option<Books>;
}

// The inherent methods of `Engine` go before those of the trait, so none of these calls itself.
impl Payments for Engine {
    fn pay(&self, ask: Ask, payment: NewPayment) -> Soon<'_, Result<Done, Error>> {
        Box::pin(Engine::pay(self, ask, payment))
    }

    fn pay_out(&self, ask: Ask, payout: NewPayout) -> Soon<'_, Result<Done, Error>> {
        Box::pin(Engine::pay_out(self, ask, payout))
    }

    fn capture(
        &self,
        ask: Ask,
        payment: Id,
        amount: Option<Money>,
    ) -> Soon<'_, Result<Done, Error>> {
        Box::pin(Engine::capture(self, ask, payment, amount))
    }

    fn cancel(&self, ask: Ask, payment: Id) -> Soon<'_, Result<Done, Error>> {
        Box::pin(Engine::cancel(self, ask, payment))
    }

    fn refund(
        &self,
        ask: Ask,
        payment: Id,
        amount: Option<Money>,
    ) -> Soon<'_, Result<Done, Error>> {
        Box::pin(Engine::refund(self, ask, payment, amount))
    }

    fn sync<'a>(&'a self, app: &'a Id, payment: &'a Id) -> Soon<'a, Result<Payment, Error>> {
        Box::pin(Engine::sync(self, app, payment))
    }

    fn payment<'a>(&'a self, app: &'a Id, payment: &'a Id) -> Soon<'a, Result<Payment, Error>> {
        Box::pin(Engine::payment(self, app, payment))
    }

    fn payments<'a>(
        &'a self,
        app: &'a Id,
        cursor: Option<&'a str>,
        limit: usize,
    ) -> Soon<'a, Result<PaymentPage, Error>> {
        Box::pin(Engine::payments(self, app, cursor, limit))
    }

    fn events<'a>(
        &'a self,
        app: &'a Id,
        cursor: Option<&'a str>,
        limit: usize,
    ) -> Soon<'a, Result<EventPage, Error>> {
        Box::pin(Engine::events(self, app, cursor, limit))
    }

    fn tokenise<'a>(&'a self, app: &'a Id, card: NewCard) -> Soon<'a, Result<Card, Error>> {
        Box::pin(Engine::tokenise(self, app, card))
    }

    fn card<'a>(&'a self, app: &'a Id, card: &'a Id) -> Soon<'a, Result<Card, Error>> {
        Box::pin(Engine::card(self, app, card))
    }

    fn erase_card<'a>(&'a self, app: &'a Id, card: &'a Id) -> Soon<'a, Result<Card, Error>> {
        Box::pin(Engine::erase_card(self, app, card))
    }

    fn deliver<'a>(
        &'a self,
        account: &'a str,
        delivery: Delivery,
    ) -> Soon<'a, Result<Acknowledgement, Error>> {
        Box::pin(Engine::deliver(self, account, delivery))
    }

    fn sender_by_api_key<'a>(&'a self, key: &'a str) -> Soon<'a, Result<Option<Sender>, Error>> {
        Box::pin(Engine::sender_by_api_key(self, key))
    }

    fn app<'a>(&'a self, id: &'a Id) -> Soon<'a, Result<Option<App>, Error>> {
        Box::pin(Engine::app(self, id))
    }

    fn app_key(&self, app: &App, key: &AppKey) -> Result<Option<vault::Key>, Error> {
        Engine::app_key(self, app, key)
    }

    fn take_nonce<'a>(&'a self, nonce: Nonce<'a>) -> Soon<'a, Result<bool, Error>> {
        Box::pin(Engine::take_nonce(self, nonce))
    }

    fn offers(&self, app: &App) -> Vec<Offer> {
        Engine::offers(self, app)
    }

    fn impediments(&self) -> Soon<'_, Vec<String>> {
        Box::pin(Engine::impediments(self))
    }

    fn audit(&self, act: Act) -> Soon<'_, Result<(), Error>> {
        Box::pin(async move { Ok(Engine::audit(self).append(act).await.map(drop)?) })
    }

    fn audit_lines(&self, after: u64, limit: usize) -> Soon<'_, Result<Vec<Line>, Error>> {
        Box::pin(async move { Ok(Engine::audit(self).lines(after, limit).await?) })
    }

    fn apps(&self) -> Option<Apps> {
        Some(Engine::apps(self))
    }

    fn books(&self) -> Option<Books> {
        Some(Books::of(self))
    }
}
