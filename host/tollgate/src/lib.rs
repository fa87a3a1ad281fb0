//! The part of the program that others may want to read with: its configuration. The rest is the
//! program itself, `main`.

pub mod config;
