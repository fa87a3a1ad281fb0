//! The contract with plugins in Rust: every type of `wit/`, generated, under one roof.
//!
//! Not here: any meaning. What a type says is written in the WIT file it comes from; the engine
//! translates these types to the ledger's in one file of its own.

/// What `bindgen!` makes of `wit/`. Only this crate sees it whole.
#[allow(missing_docs, clippy::all, clippy::pedantic, clippy::indexing_slicing)]
pub(crate) mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "provider",
        imports: { default: trappable },
        with: { "tollgate:adapter/crypto.key": crate::crypto::HeldKey },
        trappable_error_type: { "tollgate:adapter/crypto.crypto-error" => crate::crypto::Refusal },
        additional_derives: [Clone, PartialEq],
    });
}

pub use bindings::exports::tollgate::adapter::adapter::{
    Action, Card, Decline, DeclineCode, Delivery, Description, Event, Exchange, Failure, Form,
    Instrument, KeyKind, KeySlot, NextAction, Operation, Order, Outcome, Place, Proof, Recovery,
    Reply, Request, RetryAdvice, Scheme, SecretSlot, Setting, Settled, Step,
};
pub use bindings::exports::tollgate::adapter::settlement::{
    Movement, MovementKind, MovementState, Page, Piece, Portion, Span,
};
pub use bindings::tollgate::adapter::crypto::{
    Cipher, CryptoError, DigestAlgorithm, KeyTransport, MacAlgorithm, SignatureAlgorithm,
};
pub use bindings::tollgate::adapter::payments::{
    Entry, EntryState, Level, OperationKind, Payment, References, Reports,
};
pub use bindings::tollgate::adapter::types::{
    CardField, Encoding, FrameRequest, Framing, Header, HttpRequest, HttpResponse, Method, Money,
    Part, Sensitive, Source,
};
