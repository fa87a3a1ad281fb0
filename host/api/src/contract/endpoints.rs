//! What the HTTP edge asks of the engine about endpoints, notifications and the feed's changes.

use engine::{Endpoint, Engine, Error, NewEndpoint, NotificationPage, Replay, ShownSecret, Stage};
use ledger::Id;
use tokio::sync::watch;

use super::Soon;

/// An endpoint and its secret, shown once.
pub type Shown = (Endpoint, ShownSecret);

/// The endpoints of apps as the HTTP edge sees them.
#[allow(missing_docs)]
pub trait Endpoints: Send + Sync + 'static {
    fn add_endpoint<'a>(&'a self, app: &'a Id, new: NewEndpoint) -> Soon<'a, Result<Shown, Error>>;
    fn endpoints<'a>(&'a self, app: &'a Id) -> Soon<'a, Result<Vec<Endpoint>, Error>>;
    fn endpoint<'a>(&'a self, app: &'a Id, id: &'a Id) -> Soon<'a, Result<Endpoint, Error>>;
    fn remove_endpoint<'a>(&'a self, app: &'a Id, id: &'a Id) -> Soon<'a, Result<(), Error>>;
    fn enable_endpoint<'a>(&'a self, app: &'a Id, id: &'a Id) -> Soon<'a, Result<Endpoint, Error>>;
    fn rotate_endpoint_secret<'a>(
        &'a self,
        app: &'a Id,
        id: &'a Id,
        overlap_ms: u64,
    ) -> Soon<'a, Result<Shown, Error>>;
    fn notifications<'a>(
        &'a self,
        app: &'a Id,
        id: &'a Id,
        stage: Option<Stage>,
        page: (Option<&'a str>, usize),
    ) -> Soon<'a, Result<NotificationPage, Error>>;
    fn replay<'a>(
        &'a self,
        app: &'a Id,
        id: &'a Id,
        replay: &'a Replay,
    ) -> Soon<'a, Result<usize, Error>>;
    fn changes(&self) -> watch::Receiver<u64>;
}

// The inherent methods of `Engine` go before those of the trait, so none of these calls itself.
impl Endpoints for Engine {
    fn add_endpoint<'a>(&'a self, app: &'a Id, new: NewEndpoint) -> Soon<'a, Result<Shown, Error>> {
        Box::pin(Engine::add_endpoint(self, app, new))
    }

    fn endpoints<'a>(&'a self, app: &'a Id) -> Soon<'a, Result<Vec<Endpoint>, Error>> {
        Box::pin(Engine::endpoints(self, app))
    }

    fn endpoint<'a>(&'a self, app: &'a Id, id: &'a Id) -> Soon<'a, Result<Endpoint, Error>> {
        Box::pin(Engine::endpoint(self, app, id))
    }

    fn remove_endpoint<'a>(&'a self, app: &'a Id, id: &'a Id) -> Soon<'a, Result<(), Error>> {
        Box::pin(Engine::remove_endpoint(self, app, id))
    }

    fn enable_endpoint<'a>(&'a self, app: &'a Id, id: &'a Id) -> Soon<'a, Result<Endpoint, Error>> {
        Box::pin(Engine::enable_endpoint(self, app, id))
    }

    fn rotate_endpoint_secret<'a>(
        &'a self,
        app: &'a Id,
        id: &'a Id,
        overlap_ms: u64,
    ) -> Soon<'a, Result<Shown, Error>> {
        Box::pin(Engine::rotate_endpoint_secret(self, app, id, overlap_ms))
    }

    fn notifications<'a>(
        &'a self,
        app: &'a Id,
        id: &'a Id,
        stage: Option<Stage>,
        page: (Option<&'a str>, usize),
    ) -> Soon<'a, Result<NotificationPage, Error>> {
        Box::pin(Engine::notifications(self, app, id, stage, page))
    }

    fn replay<'a>(
        &'a self,
        app: &'a Id,
        id: &'a Id,
        replay: &'a Replay,
    ) -> Soon<'a, Result<usize, Error>> {
        Box::pin(Engine::replay(self, app, id, replay))
    }

    fn changes(&self) -> watch::Receiver<u64> {
        Engine::changes(self)
    }
}
