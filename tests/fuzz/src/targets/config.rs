//! Configurations: TOML, as an operator may write it.
//!
//! Holds: whatever is wrong is told in a bounded text, with a line that the file has; whatever is
//! taken gives limits that are what was written, or the largest there is.

use tollgate::config as read;

use crate::fixed;

/// See the module.
pub fn config(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.bytes().filter(|byte| *byte == b'\n').count() + 1;
    match fixed::scratch(bytes, read::Loaded::read) {
        Ok(loaded) => taken(&loaded),
        Err(wrong) => {
            let told = wrong.to_string();
            assert!(told.len() <= 1024 + 8 * bytes.len(), "{} bytes of error", told.len());
            for (line, what) in &wrong.faults {
                assert!(line.is_none_or(|line| (1..=lines).contains(&line)), "{line:?}: {what}");
            }
        }
    }
}

fn taken(loaded: &read::Loaded) {
    let config = &loaded.config;
    let server = &config.server;
    let limits = server.limits();
    if let Some(kib) = server.body_kib_max {
        assert_eq!(limits.body_bytes_max, kib.saturating_mul(1024), "{kib} KiB");
    }
    let _ = (config.recovery.options(), config.notifications.options());
    let _ = (config.sandbox.limits(), config.notifications.outside());
    for plugin in config.plugin.values() {
        assert!(loaded.line(plugin) >= 1);
    }
    for account in config.account.values() {
        let account = account.get_ref();
        let _ = account.card.as_ref().map(read::CardEntry::grants);
        for host in &account.hosts {
            let again = host.to_string().parse::<egress::AllowedHost>();
            assert_eq!(again.unwrap().to_string(), host.to_string());
        }
    }
}
