//! The edge over raw HTTP on a loopback socket, with a [double](double::Double) for the engine.
//!
//! Every answer that comes through [`wire`] is held to the routes' own account of it: its status
//! and code must be documented for the operation, and its body must have the documented shape.

mod admission;
mod audited;
mod deadlines;
mod docs;
mod document;
mod double;
mod framing;
mod money;
mod overload;
mod refused;
mod streams;
mod told;
mod wire;
