//! Keeping apps: one set of functions for the command line, while the host is stopped, and for the
//! admin interface, while it runs.
//!
//! Whatever is changed holds from the next request on: a request reads its app when it comes, and
//! commits money against that very version of it. Not here: who may change apps.

use std::sync::Arc;

use ledger::Id;
use store::{Batch, Expected, Range, Store};
use subtle::ConstantTimeEq;
use vault::AtRest;

use crate::app::{App, AppKey, KeyForm, Proof, Protection, Scope, Sender};
use crate::clock::{Clock, Entropy};
use crate::record::{self, Read};
use crate::{Engine, Error};

mod change;
mod keys;

pub use change::AppChange;
use change::check_name;
pub use keys::{NewKey, Shown};
use keys::{hash, no_key};

/// How often a change is tried when somebody else changes the same app.
const TRIES_MAX: usize = 8;
/// Keys kept of one app, those that are no longer good included.
const KEYS_MAX: usize = 64;

/// The apps of a store.
#[derive(Clone)]
pub struct Apps {
    /// Where they are kept.
    pub store: Arc<dyn Store>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where identifiers and secrets come from.
    pub entropy: Arc<dyn Entropy>,
    /// What seals the keys that both sides know.
    pub at_rest: AtRest,
}

/// Why an app was not changed. Nothing was.
#[derive(Debug, thiserror::Error)]
pub enum Unchanged {
    /// There is no such app.
    #[error("there is no app {0}")]
    NoSuchApp(String),
    /// The app has no such key.
    #[error("the app has no key `{0}`")]
    NoSuchKey(String),
    /// The app is revoked, for good.
    #[error("the app is revoked, for good; add another")]
    AppRevoked,
    /// The key is revoked or has ended.
    #[error("the key `{0}` is no longer good; add another")]
    KeyEnded(String),
    /// The app has a key of this name.
    #[error("the app has a key `{0}` already; name the new one otherwise")]
    KeyExists(String),
    /// What is asked cannot be; which field, and what to write instead.
    #[error("{field}: {remedy}")]
    Unfit {
        /// The field.
        field: &'static str,
        /// What to write instead.
        remedy: String,
    },
    /// The key cannot be sealed.
    #[error(transparent)]
    Vault(#[from] vault::at_rest::Error),
    /// Others changed the app at the same time, several times over.
    #[error("the app is being changed by somebody else")]
    Busy,
    /// The store could not do it.
    #[error("the store did not answer")]
    Store(#[from] store::Error),
}

pub(crate) fn unfit(field: &'static str, remedy: impl Into<String>) -> Unchanged {
    Unchanged::Unfit { field, remedy: remedy.into() }
}

impl Apps {
    /// Adds an app that may do everything, changed by `change`, with this first key if one is
    /// wanted.
    ///
    /// # Errors
    /// See [`Unchanged`].
    pub async fn add(
        &self,
        change: &AppChange,
        key: Option<&NewKey>,
    ) -> Result<(App, Option<Shown>), Unchanged> {
        let now = self.clock.now_ms();
        let mut app = App {
            id: Id::app(now, self.random()),
            name: String::new(),
            created_at_ms: now,
            revoked_at_ms: None,
            scopes: Scope::ALL.into(),
            networks: Vec::new(),
            protection: Protection::Bearer,
            accounts: None,
            rate: None,
            spending: Vec::new(),
            keys: Vec::new(),
        };
        change.apply(&mut app)?;
        check_name(&app.name)?;
        let shown = key.map(|key| self.make_key(&mut app, None, key, now)).transpose()?;
        let mut batch = Batch::at(now);
        batch.expect(record::APP, app.id.as_str(), Expected::Absent);
        batch.put(record::APP, app.id.as_str(), record::encode(&app));
        self.store.commit(batch).await?;
        Ok((app, shown))
    }

    /// Every app, oldest first, after this one; `limit` is between 1 and 100.
    ///
    /// # Errors
    /// What the store says.
    pub async fn list(&self, after: Option<&Id>, limit: usize) -> Result<Vec<App>, Unchanged> {
        let range = Range::all(record::APP).limit(limit.clamp(1, 100));
        let range = after.into_iter().fold(range, |range, id| range.after(id.as_str()));
        let rows = self.store.scan(range).await?;
        let app = |row: &store::Row| record::decode(record::APP, &row.key, &row.value);
        Ok(rows.iter().map(app).collect::<Result<_, _>>()?)
    }

    /// One app.
    ///
    /// # Errors
    /// `NoSuchApp`, or what the store says.
    pub async fn show(&self, id: &str) -> Result<App, Unchanged> {
        Ok(self.read(id).await?.value)
    }

    /// Changes an app. A change of its spending limits counts what it spent today anew.
    ///
    /// # Errors
    /// See [`Unchanged`]; `AppRevoked` too.
    pub async fn set(&self, id: &str, change: &AppChange) -> Result<App, Unchanged> {
        let spent = match change.spending {
            Some(_) => self.spent(id).await?,
            None => Vec::new(),
        };
        let changed = self.change(id, |app, batch| {
            live(app)?;
            for key in &spent {
                batch.remove(record::SPENT, key.clone());
            }
            change.apply(app)
        });
        Ok(changed.await?.0)
    }

    /// Adds a key, of this name or of one drawn for it.
    ///
    /// # Errors
    /// See [`Unchanged`]; `AppRevoked` and `KeyExists` too.
    pub async fn add_key(
        &self,
        id: &str,
        name: Option<&str>,
        key: &NewKey,
    ) -> Result<(App, Shown), Unchanged> {
        let now = self.clock.now_ms();
        self.change(id, |app, _| {
            live(app)?;
            self.make_key(app, name, key, now)
        })
        .await
    }

    /// Adds a key of the same form as an older one, which is good for `overlap_ms` more. A public
    /// key is given by `pem`; any other is drawn.
    ///
    /// # Errors
    /// See [`Unchanged`]; `NoSuchKey` and `KeyEnded` too.
    pub async fn rotate_key(
        &self,
        id: &str,
        old: &str,
        overlap_ms: u64,
        pem: Option<&str>,
    ) -> Result<(App, Shown), Unchanged> {
        let now = self.clock.now_ms();
        self.change(id, |app, _| {
            live(app)?;
            let key = app.keys.iter_mut().find(|key| key.id == old).ok_or_else(|| no_key(old))?;
            if !key.is_good(now) {
                return Err(Unchanged::KeyEnded(old.to_owned()));
            }
            let end = now.saturating_add(overlap_ms);
            key.not_after_ms = Some(key.not_after_ms.map_or(end, |known| known.min(end)));
            let new = NewKey::like(&key.form, pem)?;
            self.make_key(app, None, &new, now)
        })
        .await
    }

    /// Revokes a key, at once and for good; again is no error.
    ///
    /// # Errors
    /// See [`Unchanged`]; `NoSuchKey` too.
    pub async fn revoke_key(&self, id: &str, key: &str) -> Result<App, Unchanged> {
        let now = self.clock.now_ms();
        let changed = self.change(id, |app, _| {
            let found = app.keys.iter_mut().find(|known| known.id == key);
            let found = found.ok_or_else(|| no_key(key))?;
            found.revoked_at_ms = found.revoked_at_ms.or(Some(now));
            Ok(())
        });
        Ok(changed.await?.0)
    }

    /// Revokes an app with all its keys, at once and for good; again is no error.
    ///
    /// # Errors
    /// `NoSuchApp`, `Busy`, or what the store says.
    pub async fn revoke(&self, id: &str) -> Result<App, Unchanged> {
        let now = self.clock.now_ms();
        let changed = self.change(id, |app, _| {
            app.revoked_at_ms = app.revoked_at_ms.or(Some(now));
            Ok(())
        });
        Ok(changed.await?.0)
    }

    async fn read(&self, id: &str) -> Result<Read<App>, Unchanged> {
        let read = record::read::<App>(&*self.store, record::APP, id.as_bytes()).await?;
        read.ok_or_else(|| Unchanged::NoSuchApp(id.chars().take(64).collect()))
    }

    /// Reads, changes and commits against the version that was read; again when overtaken.
    async fn change<T>(
        &self,
        id: &str,
        change: impl Fn(&mut App, &mut Batch) -> Result<T, Unchanged>,
    ) -> Result<(App, T), Unchanged> {
        for _ in 0..TRIES_MAX {
            let Read { value: mut app, version } = self.read(id).await?;
            let before = app.clone();
            let mut batch = Batch::at(self.clock.now_ms());
            let given = change(&mut app, &mut batch)?;
            if app == before {
                return Ok((app, given));
            }
            batch.expect(record::APP, id, Expected::Version(version));
            batch.put(record::APP, id, record::encode(&app));
            match self.store.commit(batch).await {
                Ok(_) => return Ok((app, given)),
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Unchanged::Busy)
    }

    /// The keys of the records of what the app has spent.
    async fn spent(&self, id: &str) -> Result<Vec<Vec<u8>>, Unchanged> {
        let rows = self.store.scan(Range::under(record::SPENT, format!("{id}/"))).await?;
        Ok(rows.into_iter().map(|row| row.key).collect())
    }

    fn random<const LENGTH: usize>(&self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        self.entropy.fill(&mut bytes);
        bytes
    }
}

fn live(app: &App) -> Result<(), Unchanged> {
    if app.revoked_at_ms.is_some() { Err(Unchanged::AppRevoked) } else { Ok(()) }
}

impl Engine {
    /// The apps, to change them while the host runs.
    pub fn apps(&self) -> Apps {
        Apps {
            store: self.0.store.clone(),
            clock: self.0.clock.clone(),
            entropy: self.0.entropy.clone(),
            at_rest: self.0.at_rest.clone(),
        }
    }

    /// The app of this identifier, as it is now, whatever its state.
    pub async fn app(&self, id: &Id) -> Result<Option<App>, Error> {
        let read = record::read::<App>(&*self.0.store, record::APP, id.as_str().as_bytes()).await?;
        Ok(read.map(|read| read.value))
    }

    /// Who sends this API key; none when the key is wrong, whatever is wrong with it.
    pub async fn sender_by_api_key(&self, key: &str) -> Result<Option<Sender>, Error> {
        let parts = key.strip_prefix("tgk_").and_then(|rest| rest.split_once('_'));
        let Some((app, secret)) = parts else { return Ok(None) };
        let Ok(id) = format!("app_{app}").parse::<Id>() else { return Ok(None) };
        let Some(app) = self.app(&id).await? else { return Ok(None) };
        let (now, given) = (self.0.clock.now_ms(), hash(secret));
        let key = app.keys.iter().find(|key| key.is_api_key(&given));
        let key = key.filter(|key| key.is_good(now) && app.is_good(now));
        let Some(key) = key.map(|key| key.id.clone()) else { return Ok(None) };
        Ok(Some(Sender { app: Arc::new(app), key, proof: Proof::Bearer }))
    }
}

impl AppKey {
    /// Whether it is the API key whose secret has this hash.
    fn is_api_key(&self, given: &str) -> bool {
        match &self.form {
            KeyForm::Bearer(kept) => bool::from(kept.as_bytes().ct_eq(given.as_bytes())),
            _ => false,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
