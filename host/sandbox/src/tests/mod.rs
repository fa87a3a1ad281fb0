//! The sandbox against guests that mean harm, files that are wrong, and the contract's own rules.

mod cache;
mod campaign;
mod compile;
mod crypto;
mod guest;
mod hostile;
mod lines;
mod loading;
mod payments;
mod quarantine;
mod rogues;
mod settlement;
mod world;
