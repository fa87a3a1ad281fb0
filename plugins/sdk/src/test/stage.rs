//! An adapter played natively.

use std::marker::PhantomData;

use transcript::{
    Answer, Delivery, Event, Failure, Operation, Page, Piece, Portion, Proof, Reply, Set, Span,
    Stage, Verdict,
};

use super::TestHost;
use super::to_contract::{delivery, operation, piece, reply, span};
use super::to_plain::{answer, event, failure, page, portion, proof};
use crate::Adapter;

/// A stage on which `A` plays, with a host of its own.
#[derive(Debug)]
pub struct NativeStage<A> {
    host: TestHost,
    /// The proof as the adapter gave it, for the host's check.
    given: Option<crate::Proof>,
    adapter: PhantomData<A>,
}

impl<A> NativeStage<A> {
    /// With nothing configured.
    #[allow(clippy::new_without_default)]
    pub fn new() -> NativeStage<A> {
        NativeStage { host: TestHost::new(), given: None, adapter: PhantomData }
    }
}

impl<A: Adapter> Stage for NativeStage<A> {
    fn set(&mut self, set: &Set) -> Result<(), String> {
        self.host.set(set)
    }

    fn start(&mut self, asked: &Operation) -> Answer {
        self.host.next_step();
        answer(A::start(&self.host, &operation(asked)))
    }

    fn resume(&mut self, asked: &Operation, state: &[u8], replied: &Reply) -> Answer {
        self.host.next_step();
        answer(A::resume(&self.host, &operation(asked), state, &reply(replied)))
    }

    fn prove(&mut self, arrived: &Delivery) -> Result<Proof, Failure> {
        self.host.next_step();
        let given = A::prove(&self.host, &delivery(arrived)).map_err(failure)?;
        self.given = Some(given.clone());
        Ok(proof(given))
    }

    fn check(&mut self, _: &Proof) -> Verdict {
        self.given.take().map_or(Verdict::Refused, |given| self.host.check(&given))
    }

    fn interpret(&mut self, arrived: &Delivery) -> Result<Vec<Event>, Failure> {
        self.host.next_step();
        let events = A::interpret(&self.host, &delivery(arrived)).map_err(failure)?;
        Ok(events.into_iter().map(event).collect())
    }

    fn begin(&mut self, asked: Span) -> Result<Page, Failure> {
        self.host.next_step();
        A::begin_report(&self.host, &span(asked)).map(page).map_err(failure)
    }

    fn proceed(&mut self, asked: Span, state: &[u8], replied: &Reply) -> Result<Page, Failure> {
        self.host.next_step();
        let (asked, replied) = (span(asked), reply(replied));
        A::proceed_with_report(&self.host, &asked, state, &replied).map(page).map_err(failure)
    }

    fn read(&mut self, given: &Piece) -> Result<Portion, Failure> {
        self.host.next_step();
        A::read_report(&self.host, &piece(given)).map(portion).map_err(failure)
    }
}
