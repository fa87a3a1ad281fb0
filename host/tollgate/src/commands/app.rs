//! `tollgate app`: developers' integrations and their keys, while the host is stopped.
//!
//! While it runs, the admin interface does the same. Each act leaves a line in the audit trail
//! before it is done. Only a secret goes to standard output where one is made; the rest is logged.

mod arguments;
mod show;

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use engine::audit::Audit;
use engine::{App, Apps, Shown, SystemClock};
use store::JournalStore;

use super::Outcome;
use super::desk::note;
use super::store::{open, runtime};
use crate::compose;
use crate::config::Loaded;
use arguments::{KeyArguments, Settings};

/// Developers' integrations and their keys. The host must not be running on the same store.
#[derive(Subcommand)]
pub enum AppCommand {
    /// Add an app and print its first key, which is not kept and cannot be shown again.
    Add {
        /// A name for people.
        name: String,
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        key: KeyArguments,
        #[command(flatten)]
        place: Place,
    },
    /// List all apps.
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Show an app and its keys.
    Show {
        /// The app.
        app: String,
        #[command(flatten)]
        place: Place,
    },
    /// Change what an app may do. What is not given stays as it is.
    Set {
        /// The app.
        app: String,
        /// A name for people.
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        place: Place,
    },
    /// Add, rotate and revoke keys.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Revoke an app with all its keys, for good.
    Revoke {
        /// The app.
        app: String,
        #[command(flatten)]
        place: Place,
    },
}

/// Keys of an app.
#[derive(Subcommand)]
pub enum KeyCommand {
    /// Add a key and print it, unless it is a public one.
    Add {
        /// The app.
        app: String,
        /// A name for the key; drawn when left out.
        #[arg(long)]
        id: Option<String>,
        #[command(flatten)]
        key: KeyArguments,
        #[command(flatten)]
        place: Place,
    },
    /// Add a key of the same form as this one, which stays good for a while, and print it.
    Rotate {
        /// The app.
        app: String,
        /// The key.
        key: String,
        /// How long the old key stays good, in hours.
        #[arg(long, default_value_t = 24)]
        overlap_hours: u32,
        /// The new public key, in PEM, where the old one is one.
        #[arg(long)]
        public: Option<PathBuf>,
        #[command(flatten)]
        place: Place,
    },
    /// Revoke a key, for good.
    Revoke {
        /// The app.
        app: String,
        /// The key.
        key: String,
        #[command(flatten)]
        place: Place,
    },
}

/// Which store.
#[derive(Args)]
pub struct Place {
    /// The configuration.
    #[arg(long, default_value = "tollgate.toml")]
    config: PathBuf,
}

/// The apps of a store, and its audit trail.
struct Desk {
    store: Arc<JournalStore>,
    apps: Apps,
    audit: Audit,
}

impl AppCommand {
    /// Does it.
    pub fn run(self) -> Outcome {
        let place = match &self {
            AppCommand::Key(command) => command.place(),
            AppCommand::Add { place, .. }
            | AppCommand::List { place }
            | AppCommand::Show { place, .. }
            | AppCommand::Set { place, .. }
            | AppCommand::Revoke { place, .. } => place,
        };
        let loaded = Loaded::read(&place.config)?;
        runtime()?.block_on(async {
            let store = Arc::new(open(&loaded)?);
            let apps = compose::apps(&loaded, store.clone())?;
            let audit = Audit::new(store.clone(), Arc::new(SystemClock));
            let desk = Desk { store, apps, audit };
            let done = self.at(&desk).await;
            desk.store.close().await?;
            done
        })
    }

    async fn at(self, desk: &Desk) -> Outcome {
        match self {
            AppCommand::Add { name, settings, key, .. } => {
                let change = settings.change(Some(name))?;
                let key = key.read()?;
                let name = change.name.as_deref().unwrap_or_default();
                desk.note("addApp", name, &format!("{change:?} {key:?}")).await?;
                let (app, shown) = desk.apps.add(&change, key.as_ref()).await?;
                tracing::info!(app = %app.id, name = app.name, "added");
                print(shown.as_ref())
            }
            AppCommand::List { .. } => desk.list().await,
            AppCommand::Show { app, .. } => show::whole(&desk.apps.show(&app).await?),
            AppCommand::Set { app, name, settings, .. } => {
                let change = settings.change(name)?;
                desk.note("changeApp", &app, &format!("{change:?}")).await?;
                show::whole(&desk.apps.set(&app, &change).await?)
            }
            AppCommand::Key(command) => command.at(desk).await,
            AppCommand::Revoke { app, .. } => {
                desk.note("revokeApp", &app, "").await?;
                show::whole(&desk.apps.revoke(&app).await?)
            }
        }
    }
}

impl KeyCommand {
    fn place(&self) -> &Place {
        match self {
            KeyCommand::Add { place, .. }
            | KeyCommand::Rotate { place, .. }
            | KeyCommand::Revoke { place, .. } => place,
        }
    }

    async fn at(self, desk: &Desk) -> Outcome {
        match self {
            KeyCommand::Add { app, id, key, .. } => {
                let key = key.read()?.ok_or("name a key to add")?;
                desk.note("addAppKey", &app, &format!("{id:?} {key:?}")).await?;
                let (app, shown) = desk.apps.add_key(&app, id.as_deref(), &key).await?;
                made(&app, &shown)
            }
            KeyCommand::Rotate { app, key, overlap_hours, public, .. } => {
                let pem = public.map(|file| arguments::pem(&file)).transpose()?;
                let object = format!("{app}/{key}");
                desk.note("rotateAppKey", &object, &format!("{overlap_hours} {pem:?}")).await?;
                let overlap_ms = u64::from(overlap_hours) * 3_600_000;
                let rotated = desk.apps.rotate_key(&app, &key, overlap_ms, pem.as_deref());
                let (app, shown) = rotated.await?;
                made(&app, &shown)
            }
            KeyCommand::Revoke { app, key, .. } => {
                desk.note("revokeAppKey", &format!("{app}/{key}"), "").await?;
                show::whole(&desk.apps.revoke_key(&app, &key).await?)
            }
        }
    }
}

impl Desk {
    async fn note(&self, action: &str, object: &str, asked: &str) -> Outcome {
        note(&self.audit, action, object, asked).await
    }

    async fn list(&self) -> Outcome {
        let mut out = std::io::stdout().lock();
        let mut after = None;
        loop {
            let page = self.apps.list(after.as_ref(), 100).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.id.clone());
            for app in &page {
                writeln!(out, "{}", show::line(app))?;
            }
        }
    }
}

fn made(app: &App, shown: &Shown) -> Outcome {
    tracing::info!(app = %app.id, key = shown.id, "added");
    print(Some(shown))
}

fn print(shown: Option<&Shown>) -> Outcome {
    match shown.and_then(|shown| shown.secret.as_ref()) {
        Some(secret) => Ok(writeln!(std::io::stdout(), "{secret}")?),
        None => Ok(()),
    }
}
