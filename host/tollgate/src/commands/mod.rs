//! The commands, one file each.

mod app;
mod audit;
mod config;
mod currencies;
mod desk;
mod entry;
mod notifications;
mod platform;
mod plugin;
mod reconcile;
mod serve;
mod sign;
mod states;
mod store;
mod vault;

use std::error::Error;
use std::path::PathBuf;

use clap::Subcommand;

/// Why a command did not do what was asked.
pub type Failure = Box<dyn Error>;
/// The ledger and a provider's report differ: a command did what was asked, and found this.
#[derive(Debug)]
pub struct Differing(pub u64);

impl std::fmt::Display for Differing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the ledger and the provider differ in {}", self.0)
    }
}

impl Error for Differing {}

/// How a command ends.
pub type Outcome = Result<(), Failure>;

/// What to do.
#[derive(Subcommand)]
pub enum Command {
    /// Take payments until interrupted; what is in hand is finished first.
    Serve {
        /// The configuration.
        #[arg(default_value = "tollgate.toml")]
        config: PathBuf,
    },
    /// Make and look at plugins.
    #[command(subcommand)]
    Plugin(plugin::PluginCommand),
    /// Developers' integrations and their API keys.
    #[command(subcommand)]
    App(app::AppCommand),
    /// What contradicts the ledger: list it, and close what was looked into.
    #[command(subcommand)]
    Anomaly(entry::AnomalyCommand),
    /// Take out and check the trail of what was asked and changed, and by whom.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Look at the configuration.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Entries whose end is not known: list, show, and settle them.
    #[command(subcommand)]
    Entry(entry::EntryCommand),
    /// What apps' endpoints were told: dead letters, and sending again.
    #[command(subcommand)]
    Notifications(notifications::NotificationsCommand),
    /// Look at the store, back it up, restore it, repair it.
    #[command(subcommand)]
    Store(store::StoreCommand),
    /// Master keys, and what is sealed under them.
    #[command(subcommand)]
    Vault(vault::VaultCommand),
    /// Print the currencies a payment can be begun in, and their decimal places, as JSON.
    Currencies,
    /// The keys that the platform proves itself with.
    #[command(subcommand)]
    Platform(platform::PlatformCommand),
    /// Compare the ledger with what a provider says it has booked.
    Reconcile(Box<reconcile::ReconcileCommand>),
    /// Sign a request as an app does, and print or send it.
    Sign(Box<sign::SignCommand>),
    /// Print the state table of ledger entries as JSON.
    States,
}

impl Command {
    /// Does it.
    pub fn run(self) -> Outcome {
        match self {
            Command::Serve { config } => serve::serve(&config),
            Command::Plugin(command) => command.run(),
            Command::App(command) => command.run(),
            Command::Anomaly(command) => command.run(),
            Command::Audit(command) => command.run(),
            Command::Config(command) => command.run(),
            Command::Entry(command) => command.run(),
            Command::Notifications(command) => command.run(),
            Command::Store(command) => command.run(),
            Command::Vault(command) => command.run(),
            Command::Currencies => currencies::print(),
            Command::Platform(command) => command.run(),
            Command::Reconcile(command) => command.run(),
            Command::Sign(command) => command.run(),
            Command::States => states::print(),
        }
    }
}
