//! What the HTTP edge needs of an app's keys: each as one of the vault, opened where it is sealed.

use vault::{Key, Secret};

use crate::app::{App, AppKey, KeyForm, place};
use crate::{Engine, Error, Nonce};

impl Engine {
    /// The key itself, for verifying, sealing and opening; none of an API key, of which only a
    /// digest is kept.
    ///
    /// # Errors
    /// The vault's, of a key that is sealed; a public key was checked when it was added.
    pub fn app_key(&self, app: &App, key: &AppKey) -> Result<Option<Key>, Error> {
        let read = match &key.form {
            KeyForm::Bearer(_) => return Ok(None),
            KeyForm::Verify(pem) | KeyForm::Encrypt(pem) => {
                let pem = Secret::new("public key", pem.as_bytes().to_vec());
                Key::from_pem("app", Some(&key.id), &pem)
            }
            KeyForm::Hmac(sealed) | KeyForm::Aes(sealed) => {
                let bytes = self.0.at_rest.open(&place(&app.id, &key.id), sealed)?;
                Key::symmetric("app", Some(&key.id), &bytes)
            }
        };
        let unfit = |error: vault::Error| Error::Misconfigured(format!("{}: {error}", key.id));
        read.map(Some).map_err(unfit)
    }

    /// Takes the nonce of a signed request; false when it was taken before.
    ///
    /// # Errors
    /// The store's.
    pub async fn take_nonce(&self, nonce: Nonce<'_>) -> Result<bool, Error> {
        Ok(self.0.nonces.take(nonce).await?)
    }
}
