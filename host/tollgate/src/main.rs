//! The binary.

// Wired into the command line where that is written.
#[allow(dead_code)]
mod plugin_build;

fn main() {}
