//! The component side: an `Adapter` as the contract's exports, and the host through its imports.

use std::marker::PhantomData;

use crate::bindings::exports::tollgate::adapter::adapter::Guest;
use crate::bindings::exports::tollgate::adapter::settlement;
use crate::bindings::tollgate::adapter::payments;
use crate::host::Imports;
use crate::{
    Adapter, Delivery, Description, Event, Failure, HttpResponse, Operation, Page, Piece, Portion,
    Proof, Reply, Span, Step,
};

#[doc(hidden)]
pub struct Exported<A>(PhantomData<A>);

impl<A: Adapter> Guest for Exported<A> {
    fn describe() -> Description {
        report_panics();
        A::describe()
    }
    fn start(operation: Operation) -> Result<Step, Failure> {
        report_panics();
        A::start(&Imports, &operation)
    }
    fn resume(operation: Operation, state: Vec<u8>, reply: Reply) -> Result<Step, Failure> {
        report_panics();
        A::resume(&Imports, &operation, &state, &reply)
    }
    fn prove(delivery: Delivery) -> Result<Proof, Failure> {
        report_panics();
        A::prove(&Imports, &delivery)
    }
    fn interpret(delivery: Delivery) -> Result<Vec<Event>, Failure> {
        report_panics();
        A::interpret(&Imports, &delivery)
    }
    fn acknowledge(accepted: bool) -> HttpResponse {
        report_panics();
        A::acknowledge(accepted)
    }
}

impl<A: Adapter> settlement::Guest for Exported<A> {
    fn begin(span: Span) -> Result<Page, Failure> {
        report_panics();
        A::begin_report(&Imports, &span)
    }
    fn proceed(span: Span, state: Vec<u8>, reply: Reply) -> Result<Page, Failure> {
        report_panics();
        A::proceed_with_report(&Imports, &span, &state, &reply)
    }
    fn read(piece: Piece) -> Result<Portion, Failure> {
        report_panics();
        A::read_report(&Imports, &piece)
    }
}

/// A panic traps, and a trap has no message: so the message goes to the operator's log first.
fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("no message");
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        payments::log(payments::Level::Error, &format!("panicked at {place}: {message}"));
    }));
}
