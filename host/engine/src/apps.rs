//! Keeping apps, and finding the one that an API key belongs to.
//!
//! An API key is `tgk_<app>_<secret>`: which app, and 32 random bytes in hexadecimal. Only the
//! SHA-256 of the secret is kept; 256 random bits need no slower hash.

use std::sync::Arc;

use ledger::Id;
use sha2::{Digest, Sha256};
use store::{Batch, Expected, Store};
use subtle::ConstantTimeEq;

use crate::app::{App, AppKey, KeyForm, Proof, Protection, Scope, Sender};
use crate::clock::{Clock, Entropy};
use crate::record;
use crate::{Engine, Error};

/// An API key, shown once.
pub struct ApiKey(String);

impl ApiKey {
    /// The key as the developer sends it. It is not kept and cannot be shown again.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Adds an app that may do everything, with one API key.
///
/// # Errors
/// Whatever the store answers.
pub async fn add_app(
    store: &dyn Store,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    name: &str,
) -> Result<(App, ApiKey), store::Error> {
    let (mut random, mut secret) = ([0; 10], [0; 32]);
    entropy.fill(&mut random);
    entropy.fill(&mut secret);
    let now = clock.now_ms();
    let secret = hex::encode(secret);
    let key = AppKey {
        id: "key-1".to_owned(),
        form: KeyForm::Bearer(hash(&secret)),
        created_at_ms: now,
        not_after_ms: None,
        revoked_at_ms: None,
    };
    let app = App {
        id: Id::app(now, random),
        name: name.to_owned(),
        created_at_ms: now,
        revoked_at_ms: None,
        scopes: Scope::ALL.into(),
        protection: Protection::Bearer,
        accounts: None,
        keys: vec![key],
    };
    let mut batch = Batch::at(now);
    batch.expect(record::APP, app.id.as_str(), Expected::Absent);
    batch.put(record::APP, app.id.as_str(), record::encode(&app));
    store.commit(batch).await?;
    let key = ApiKey(format!("tgk_{}_{secret}", app.id.as_str().trim_start_matches("app_")));
    Ok((app, key))
}

impl Engine {
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
        let fits = |key: &&AppKey| match &key.form {
            KeyForm::Bearer(kept) => bool::from(kept.as_bytes().ct_eq(given.as_bytes())),
            KeyForm::Verify(_) | KeyForm::Encrypt(_) => false,
        };
        let key = app.keys.iter().find(fits).filter(|key| key.is_good(now) && app.is_good(now));
        let Some(key) = key.map(|key| key.id.clone()) else { return Ok(None) };
        Ok(Some(Sender { app: Arc::new(app), key, proof: Proof::Bearer }))
    }
}

fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret))
}
