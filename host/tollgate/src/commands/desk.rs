//! The desk of an operator at a host that is stopped: its store, its books, its audit trail.

use std::path::Path;
use std::sync::Arc;

use engine::audit::{Act, Actor, Audit};
use engine::{Books, Engine, SystemClock};
use sha2::{Digest, Sha256};
use store::{JournalStore, Slots};

use super::Outcome;
use super::store::{open, runtime};
use crate::compose;
use crate::config::{Loaded, Wrong};

/// A store that is open, and what is kept in it.
pub struct Desk {
    engine: Engine,
    audit: Audit,
}

impl Desk {
    /// Opens the store of this configuration, does something, and closes it again.
    pub fn at(config: &Path, work: impl AsyncFnOnce(&Desk) -> Outcome) -> Outcome {
        Desk::over(config, compose::books, work)
    }

    /// The same with the accounts, whose providers can be asked.
    pub fn with_accounts(config: &Path, work: impl AsyncFnOnce(&Desk) -> Outcome) -> Outcome {
        Desk::over(config, |loaded, store, keys| compose::engine(loaded, store, keys), work)
    }

    fn over(
        config: &Path,
        compose: impl FnOnce(&Loaded, Arc<JournalStore>, Arc<Slots>) -> Result<Engine, Wrong>,
        work: impl AsyncFnOnce(&Desk) -> Outcome,
    ) -> Outcome {
        let loaded = Loaded::read(config)?;
        runtime()?.block_on(async {
            let store = Arc::new(open(&loaded)?);
            let keys = engine::open_card_keys(&*store, &compose::card_key_slots(&loaded)).await?;
            let engine = compose(&loaded, store.clone(), Arc::new(keys))?;
            let audit = Audit::new(store.clone(), Arc::new(SystemClock));
            let done = work(&Desk { engine, audit }).await;
            store.close().await?;
            done
        })
    }

    /// What an operator sees and settles.
    pub fn books(&self) -> Books {
        Books::of(&self.engine)
    }

    /// As the function of this name.
    pub async fn note(&self, action: &str, object: &str, asked: &str) -> Outcome {
        note(&self.audit, action, object, asked).await
    }
}

/// Writes into the audit trail what an operator is about to do at the command line.
pub async fn note(audit: &Audit, action: &str, object: &str, asked: &str) -> Outcome {
    let act = Act {
        actor: Actor::Operator,
        key: None,
        action: action.to_owned(),
        object: object.to_owned(),
        request: None,
        digest: Sha256::digest(format!("{action}\n{object}\n{asked}")).into(),
    };
    audit.append(act).await?;
    Ok(())
}
