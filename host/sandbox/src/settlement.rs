//! The adapter's reports of what its provider has booked: the interface `settlement`, each call in
//! a fresh instance like any other. Faults here do not count towards a quarantine: a report that
//! cannot be read keeps nobody from paying.

use wasmtime::Store;

use crate::call::Call;
use crate::contract::bindings::Provider;
use crate::contract::{Failure, Page, Piece, Portion, Reply, Span};
use crate::fault::Fault;
use crate::generation::bound;
use crate::{Called, Generation, Surroundings};

impl Generation {
    /// The beginning of a report.
    ///
    /// # Errors
    /// A `Fault` when the plugin gave no answer; the same holds for the functions below.
    pub async fn begin(
        &self,
        around: Surroundings,
        span: Span,
    ) -> Result<Called<Result<Page, Failure>>, Fault> {
        let task = move |plugin: &Provider, store: &mut Store<Call>| {
            bounded(plugin.tollgate_adapter_settlement().call_begin(&mut *store, span)?, store)
        };
        self.call("begin", Some(around), Box::new(task)).await
    }

    /// The report goes on after a reply; `state` is what the exchange kept.
    pub async fn proceed(
        &self,
        around: Surroundings,
        span: Span,
        state: Vec<u8>,
        reply: Reply,
    ) -> Result<Called<Result<Page, Failure>>, Fault> {
        let task = move |plugin: &Provider, store: &mut Store<Call>| {
            let settlement = plugin.tollgate_adapter_settlement();
            bounded(settlement.call_proceed(&mut *store, span, &state, &reply)?, store)
        };
        self.call("proceed", Some(around), Box::new(task)).await
    }

    /// A piece of a report file.
    pub async fn read(
        &self,
        around: Surroundings,
        piece: Piece,
    ) -> Result<Called<Result<Portion, Failure>>, Fault> {
        let task = move |plugin: &Provider, store: &mut Store<Call>| {
            let portion = plugin.tollgate_adapter_settlement().call_read(&mut *store, &piece)?;
            if let Ok(portion) = &portion {
                bound(&portion.state, store)?;
            }
            Ok(portion)
        };
        self.call("read", Some(around), Box::new(task)).await
    }
}

fn bounded(
    page: Result<Page, Failure>,
    store: &mut Store<Call>,
) -> wasmtime::Result<Result<Page, Failure>> {
    if let Ok(Page { next: Some(next), .. }) = &page {
        bound(&next.state, store)?;
    }
    Ok(page)
}
