//! Logs: for people on a terminal, JSON lines otherwise; always to standard error.

use std::error::Error;
use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts logging at these levels.
///
/// # Errors
/// When the levels cannot be read; what is right is in the message.
pub fn start(levels: &str) -> Result<(), Box<dyn Error>> {
    let filter = EnvFilter::try_new(levels)
        .map_err(|error| format!("--log: {error}; write a level such as `info` or `warn`"))?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        subscriber.with_target(false).init();
    } else {
        subscriber.json().flatten_event(true).with_current_span(false).init();
    }
    Ok(())
}
