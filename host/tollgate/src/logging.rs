//! Logs: for people on a terminal, JSON lines otherwise; always to standard error.
//!
//! The compiler of plugins is never heard below a warning: at `trace` it says gigabytes about each
//! instruction, which would bury what the host says, and nobody could look through it for secrets.

use std::error::Error;
use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// The crates that compile plugins.
const COMPILER: [&str; 4] =
    ["cranelift_codegen", "cranelift_frontend", "regalloc2", "wasmtime_internal_cranelift"];

/// Starts logging at these levels.
///
/// # Errors
/// When the levels cannot be read; what is right is in the message.
pub fn start(levels: &str) -> Result<(), Box<dyn Error>> {
    let filter = EnvFilter::try_new(levels)
        .map_err(|error| format!("--log: {error}; write a level such as `info` or `warn`"))?;
    let quiet = COMPILER.iter().filter_map(|target| format!("{target}=warn").parse().ok());
    let filter = quiet.fold(filter, EnvFilter::add_directive);
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        subscriber.with_target(false).init();
    } else {
        subscriber.json().flatten_event(true).with_current_span(false).init();
    }
    Ok(())
}
