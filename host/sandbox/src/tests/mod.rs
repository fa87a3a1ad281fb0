//! The sandbox against guests that mean harm, files that are wrong, and the contract's own rules.

mod cache;
mod crypto;
mod guest;
mod hostile;
mod loading;
mod payments;
mod world;
