//! Apps as the admin interface answers them: nothing of a key but what is public of it.

use engine::{App, AppKey, KeyForm};
use serde_json::{Value, json};

use crate::time::rfc3339;

/// An app.
pub(crate) fn app(app: &App) -> Value {
    json!({
        "id": app.id,
        "name": app.name,
        "state": if app.revoked_at_ms.is_none() { "active" } else { "revoked" },
        "created_at": rfc3339(app.created_at_ms),
        "revoked_at": app.revoked_at_ms.map(rfc3339),
        "scopes": app.scopes,
        "networks": app.networks,
        "protection": app.protection,
        "accounts": app.accounts,
        "rate": app.rate,
        "spending": app.spending,
        "keys": app.keys.iter().map(key).collect::<Vec<_>>(),
    })
}

fn key(key: &AppKey) -> Value {
    let (form, public_key) = match &key.form {
        KeyForm::Bearer(_) => ("api-key", None),
        KeyForm::Verify(pem) | KeyForm::Encrypt(pem) => ("public-key", Some(pem)),
        KeyForm::Hmac(_) => ("hmac-sha256", None),
        KeyForm::Aes(_) => ("aes-256", None),
    };
    json!({
        "id": key.id,
        "use": key.form.used_to(),
        "form": form,
        "public_key": public_key,
        "created_at": rfc3339(key.created_at_ms),
        "not_after": key.not_after_ms.map(rfc3339),
        "revoked_at": key.revoked_at_ms.map(rfc3339),
    })
}
