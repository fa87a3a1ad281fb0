//! Apps: the integrations of developers, and their API keys.
//!
//! A key is `tgk_<app>_<secret>`: which app, and 32 random bytes in hexadecimal. Only the SHA-256
//! of the secret is kept; 256 random bits need no slower hash.

use ledger::{Id, TimestampMs};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::{Batch, Expected, Store};
use subtle::ConstantTimeEq;

use crate::clock::{Clock, Entropy};
use crate::record;
use crate::{Engine, Error};

/// A developer's integration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// Its identifier.
    pub id: Id,
    /// The name the operator gave.
    pub name: String,
    /// When it was added.
    pub created_at_ms: TimestampMs,
}

/// An app and the hashes of its keys.
#[derive(Serialize, Deserialize)]
struct Keyed {
    #[serde(flatten)]
    app: App,
    /// SHA-256 of each key's secret, in hexadecimal.
    keys: Vec<String>,
}

/// An API key, shown once.
pub struct ApiKey(String);

impl ApiKey {
    /// The key as the developer sends it. It is not kept and cannot be shown again.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Adds an app with one key.
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
    let app = App { id: Id::app(now, random), name: name.to_owned(), created_at_ms: now };
    let secret = hex::encode(secret);
    let keyed = Keyed { app: app.clone(), keys: vec![hash(&secret)] };
    let mut batch = Batch::at(now);
    batch.expect(record::APP, app.id.as_str(), Expected::Absent);
    batch.put(record::APP, app.id.as_str(), record::encode(&keyed));
    store.commit(batch).await?;
    let key = ApiKey(format!("tgk_{}_{secret}", app.id.as_str().trim_start_matches("app_")));
    Ok((app, key))
}

impl Engine {
    /// The app of this API key; none when the key is wrong, whatever is wrong with it.
    pub async fn app_by_key(&self, key: &str) -> Result<Option<App>, Error> {
        let parts = key.strip_prefix("tgk_").and_then(|rest| rest.split_once('_'));
        let Some((app, secret)) = parts else { return Ok(None) };
        let Ok(id) = format!("app_{app}").parse::<Id>() else { return Ok(None) };
        let id = id.as_str().as_bytes();
        let Some(read) = record::read::<Keyed>(&*self.0.store, record::APP, id).await? else {
            return Ok(None);
        };
        let given = hash(secret);
        let fits = |kept: &String| bool::from(kept.as_bytes().ct_eq(given.as_bytes()));
        Ok(read.value.keys.iter().any(fits).then_some(read.value.app))
    }
}

fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret))
}
