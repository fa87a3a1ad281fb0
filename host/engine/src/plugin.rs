//! What the engine asks of a plugin, whatever runs it: the sandbox, or a simulation of a provider
//! with its adapter beside it. Not here: what an answer means (`translate`).

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use sandbox::contract::{
    Delivery, Description, Event, Failure, HttpResponse, Operation, Page, Piece, Portion, Proof,
    Reply, Span, Step,
};
use sandbox::{Called, Fault, Generation, Surroundings};

/// The answer of a call to come.
pub type Calling<'a, T> = Pin<Box<dyn Future<Output = Result<Called<T>, Fault>> + Send + 'a>>;

/// A loaded adapter. Its functions are pure: all they may draw on comes with the call.
pub trait Plugin: Send + Sync + 'static {
    /// What it says it is and asks for; the same for ever.
    fn description(&self) -> &Description;

    /// The identity of its code, for the record of what it made.
    fn identity(&self) -> String;

    /// What the sandbox has loaded, where the sandbox runs it: that can be quarantined.
    fn loaded(&self) -> Option<&Generation> {
        None
    }

    /// The first step of an operation.
    fn start(
        &self,
        around: Surroundings,
        operation: Operation,
    ) -> Calling<'_, Result<Step, Failure>>;

    /// The step after a reply; `state` is what the exchange kept.
    fn resume(
        &self,
        around: Surroundings,
        operation: Operation,
        state: Vec<u8>,
        reply: Reply,
    ) -> Calling<'_, Result<Step, Failure>>;

    /// How to prove an unproven delivery.
    fn prove(
        &self,
        around: Surroundings,
        delivery: Delivery,
    ) -> Calling<'_, Result<Proof, Failure>>;

    /// What a proven delivery says. The caller has checked the proof.
    fn interpret(
        &self,
        around: Surroundings,
        delivery: Delivery,
    ) -> Calling<'_, Result<Vec<Event>, Failure>>;

    /// What the provider wants to hear back about a delivery.
    fn acknowledge(&self, accepted: bool) -> Calling<'_, HttpResponse>;

    /// The beginning of a report of what the provider has booked.
    fn begin(&self, around: Surroundings, span: Span) -> Calling<'_, Result<Page, Failure>> {
        drop((around, span));
        no_reports()
    }

    /// The report goes on after a reply.
    fn proceed(
        &self,
        around: Surroundings,
        span: Span,
        state: Vec<u8>,
        reply: Reply,
    ) -> Calling<'_, Result<Page, Failure>> {
        drop((around, span, state, reply));
        no_reports()
    }

    /// A piece of a report file.
    fn read(&self, around: Surroundings, piece: Piece) -> Calling<'_, Result<Portion, Failure>> {
        drop((around, piece));
        no_reports()
    }
}

/// The answer of an adapter that has no reports.
fn no_reports<T: Send + 'static>() -> Calling<'static, Result<T, Failure>> {
    let (remembered, derived, elapsed) = (Vec::new(), Vec::new(), Duration::ZERO);
    let answer = Err(Failure::Unsupported("reports".to_owned()));
    Box::pin(async move { Ok(Called { answer, remembered, derived, elapsed }) })
}

impl Plugin for Generation {
    fn description(&self) -> &Description {
        Generation::description(self)
    }

    fn identity(&self) -> String {
        self.digest().to_string()
    }

    fn loaded(&self) -> Option<&Generation> {
        Some(self)
    }

    fn start(
        &self,
        around: Surroundings,
        operation: Operation,
    ) -> Calling<'_, Result<Step, Failure>> {
        Box::pin(Generation::start(self, around, operation))
    }

    fn resume(
        &self,
        around: Surroundings,
        operation: Operation,
        state: Vec<u8>,
        reply: Reply,
    ) -> Calling<'_, Result<Step, Failure>> {
        Box::pin(Generation::resume(self, around, operation, state, reply))
    }

    fn prove(
        &self,
        around: Surroundings,
        delivery: Delivery,
    ) -> Calling<'_, Result<Proof, Failure>> {
        Box::pin(Generation::prove(self, around, delivery))
    }

    fn interpret(
        &self,
        around: Surroundings,
        delivery: Delivery,
    ) -> Calling<'_, Result<Vec<Event>, Failure>> {
        Box::pin(Generation::interpret(self, around, delivery))
    }

    fn acknowledge(&self, accepted: bool) -> Calling<'_, HttpResponse> {
        Box::pin(Generation::acknowledge(self, accepted))
    }

    fn begin(&self, around: Surroundings, span: Span) -> Calling<'_, Result<Page, Failure>> {
        Box::pin(Generation::begin(self, around, span))
    }

    fn proceed(
        &self,
        around: Surroundings,
        span: Span,
        state: Vec<u8>,
        reply: Reply,
    ) -> Calling<'_, Result<Page, Failure>> {
        Box::pin(Generation::proceed(self, around, span, state, reply))
    }

    fn read(&self, around: Surroundings, piece: Piece) -> Calling<'_, Result<Portion, Failure>> {
        Box::pin(Generation::read(self, around, piece))
    }
}
