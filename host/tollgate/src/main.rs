//! `tollgate`: the command line. Each command is one file in `commands`.

mod commands;
mod compose;
mod logging;
mod panics;
mod plugin_build;

use std::process::ExitCode;

use clap::Parser;

use commands::{Command, Differing};
use tollgate::config;

/// The exit code of a comparison that found differences.
const DIFFERING: u8 = 2;

/// A payment integration host: one open-platform API towards developers, and every provider's own
/// protocol through sandboxed plugins.
///
/// A first run:
///
///   tollgate plugin build plugins/stripe --out built   makes the component and prints its digest
///   tollgate config check tollgate.toml                says what is wrong, and on which line
///   tollgate app add --config tollgate.toml shop       prints the app's API key, once
///   tollgate serve tollgate.toml                       takes payments
#[derive(Parser)]
#[command(version, verbatim_doc_comment)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// How much is logged: error, warn, info, debug, or per module as in `info,engine=debug`.
    #[arg(long, global = true, env = "TOLLGATE_LOG", default_value = "info")]
    log: String,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Err(error) = logging::start(&arguments.log) {
        return fail(&*error);
    }
    panics::tell();
    match arguments.command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<Differing>() => {
            fail(&*error);
            ExitCode::from(DIFFERING)
        }
        Err(error) => fail(&*error),
    }
}

/// Prints an error and what caused it, once.
#[allow(clippy::print_stderr, reason = "this is where a command line speaks")]
fn fail(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("tollgate: {error}");
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let text = next.to_string();
        if !said.contains(&text) {
            eprintln!("  because: {text}");
            said = text;
        }
        cause = next.source();
    }
    ExitCode::FAILURE
}
