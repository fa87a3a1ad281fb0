//! What a plugin asks for, checked once when it is loaded, and then held against each call.

use std::collections::BTreeSet;

use crate::algorithm::LEGACY;
use crate::contract::Description;

/// The names a plugin may use, from its description. A name it did not ask for does not exist.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) settings: BTreeSet<String>,
    pub(crate) keys: BTreeSet<String>,
    pub(crate) secrets: BTreeSet<String>,
    pub(crate) legacy: BTreeSet<String>,
}

impl Asked {
    /// What `description` asks for; the error says what in it makes no sense.
    pub(crate) fn of(description: &Description) -> Result<Asked, String> {
        plain("name", &description.name)?;
        if description.version.is_empty() || description.version.len() > 64 {
            return Err("`version` is to have 1 to 64 bytes".to_owned());
        }
        if description.operations.is_empty() {
            return Err("`operations` is empty: the plugin could never be called".to_owned());
        }
        for method in &description.methods {
            one_of("methods", method, &["card", "token", "wallet", "bank", "qr"])?;
        }
        for name in &description.legacy {
            one_of("legacy", name, &LEGACY)?;
        }
        for code in &description.currencies {
            if code.len() != 3 || !code.bytes().all(|byte| byte.is_ascii_uppercase()) {
                return Err(format!("`currencies`: `{code}` is no ISO 4217 code"));
            }
        }
        Ok(Asked {
            settings: unique("settings", description.settings.iter().map(|it| &it.name))?,
            keys: unique("keys", description.keys.iter().map(|it| &it.name))?,
            secrets: unique("secrets", description.secrets.iter().map(|it| &it.name))?,
            legacy: unique("legacy", description.legacy.iter())?,
        })
    }
}

fn unique<'a>(
    field: &str,
    names: impl Iterator<Item = &'a String>,
) -> Result<BTreeSet<String>, String> {
    let mut set = BTreeSet::new();
    for name in names {
        plain(field, name)?;
        if !set.insert(name.clone()) {
            return Err(format!("`{field}` has `{name}` twice"));
        }
    }
    Ok(set)
}

/// Names end up in configuration files, logs and metrics.
fn plain(field: &str, name: &str) -> Result<(), String> {
    let allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    if name.is_empty() || name.len() > 64 || !name.bytes().all(allowed) {
        let rule = "1 to 64 characters of a-z, 0-9, - and _";
        return Err(format!("`{field}`: `{}` is not {rule}", name.escape_debug()));
    }
    Ok(())
}

fn one_of(field: &str, name: &str, known: &[&str]) -> Result<(), String> {
    if known.contains(&name) {
        return Ok(());
    }
    Err(format!("`{field}`: `{}` is none of {}", name.escape_debug(), known.join(", ")))
}
