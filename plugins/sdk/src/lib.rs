//! What a provider adapter is written with: the contract's types with friendly constructors, the
//! `Adapter` an author writes, the `Host` it may ask, and builders for requests.
//!
//! Not here: sockets, clocks, keys, retries. A plugin decides, the host does.
//!
//! ```text
//! use sdk::prelude::*;
//!
//! struct Acme;
//! impl Adapter for Acme { /* describe, start, resume, prove, interpret, acknowledge */ }
//! sdk::export!(Acme);
//! ```

mod adapter;
#[cfg(target_arch = "wasm32")]
mod arena;
mod call;
mod content;
mod description;
mod failure;
mod form;
#[cfg(target_arch = "wasm32")]
mod host;
mod json;
mod outcome;
mod proof;
mod reply;
mod report;
mod text;
#[cfg(target_arch = "wasm32")]
mod wasm;

#[cfg(all(feature = "test", not(target_arch = "wasm32")))]
pub mod test;

/// The code generated from the contract; the friendly names are re-exported beside it.
#[allow(missing_docs, unsafe_code, clippy::all, clippy::pedantic)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#[doc(hidden)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "provider",
        additional_derives: [PartialEq],
        pub_export_macro: true,
        export_macro_name: "export_provider",
        default_bindings_module: "sdk::bindings",
    });
}

pub use adapter::{Adapter, Host, Key};
pub use bindings::exports::tollgate::adapter::adapter::{
    Action, Card, Decline, DeclineCode, Delivery, Description, Event, Exchange, Failure,
    Form as PayerForm, Instrument, KeyKind, KeySlot, NextAction, Operation, Order, Outcome, Place,
    Proof, Recovery, Reply, Request, RetryAdvice, Scheme, SecretSlot, Setting, Settled, Step,
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
pub use call::{Call, Frame, delete, frame, get, patch, post, put};
pub use content::{Content, card, derived, secret};
pub use description::{key, secret_slot, setting};
pub use form::Form;
pub use json::Hidden;
pub use outcome::{decline, done};
pub use proof::{event, proof};
pub use text::{base64, form_encoded, hex, unbase64, unhex};

/// Everything an adapter usually names.
pub mod prelude {
    pub use crate::{
        Adapter, Call, CardField, Cipher, Content, Decline, DeclineCode, Delivery, Description,
        DigestAlgorithm, Encoding, Entry, EntryState, Event, Failure, Form, Hidden, Host,
        HttpResponse, Instrument, Key, KeyKind, KeyTransport, Level, MacAlgorithm, Money, Movement,
        MovementKind, MovementState, NextAction, Operation, OperationKind, Order, Outcome, Page,
        Payment, Piece, Place, Portion, Proof, Recovery, References, Reply, RetryAdvice, Scheme,
        SignatureAlgorithm, Span, Step, base64, card, decline, delete, derived, done, event,
        form_encoded, frame, get, hex, key, patch, post, proof, put, secret, secret_slot, setting,
        unbase64, unhex,
    };
}

/// Makes this crate a plugin: on wasm32 exports the adapter as a component, natively does nothing.
#[macro_export]
macro_rules! export {
    ($adapter:ty) => {
        #[cfg(target_arch = "wasm32")]
        #[allow(missing_docs, unsafe_code, unused_imports)]
        mod tollgate_component {
            use super::*;
            type Component = $crate::Exported<$adapter>;
            $crate::bindings::export_provider!(Component with_types_in $crate::bindings);
        }
    };
}

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub use wasm::Exported;

#[cfg(test)]
mod tests;
