//! The operator's configuration, as text in a file with its secrets beside it.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use simulators::WechatpayKeys;

use super::paths::built;
use super::plugins::{Component, component};

/// What stands in `tollgate.toml`.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The folder of the store, from that of the file.
    pub store: PathBuf,
    /// Plugins by name.
    pub plugins: Vec<(String, String, String)>,
    /// Accounts.
    pub accounts: Vec<Account>,
    /// Lines of `[server]`.
    pub server: String,
    /// Lines of `[store]`.
    pub store_lines: String,
    /// Lines of `[sandbox]`.
    pub sandbox_lines: String,
    /// Lines at the end of the file.
    pub more: String,
}

/// `[account.NAME]`
#[derive(Clone, Debug)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Its plugin.
    pub plugin: String,
    /// The hosts it may reach.
    pub hosts: Vec<String>,
    /// Settings.
    pub settings: Vec<(String, String)>,
    /// Secrets.
    pub secrets: Vec<Secret>,
    /// Keys.
    pub keys: Vec<Key>,
    /// Milliseconds for connecting, until the first byte, and in all.
    pub timeouts_ms: Option<(u64, u64, u64)>,
}

/// A secret in a file of its own.
#[derive(Clone, Debug)]
pub struct Secret {
    /// Its name.
    pub name: String,
    /// What stands in the file; without it there is no file.
    pub value: Option<String>,
    /// Where it may travel.
    pub places: Vec<String>,
}

/// A key in a file of its own.
#[derive(Clone, Debug)]
pub struct Key {
    /// The slot.
    pub slot: String,
    /// The id within the slot.
    pub id: Option<String>,
    /// `pem` or `text`.
    pub form: String,
    /// What stands in the file.
    pub value: String,
}

impl Config {
    /// These accounts, and the plugins they need.
    pub fn of(accounts: impl IntoIterator<Item = Account>) -> Config {
        let accounts: Vec<Account> = accounts.into_iter().collect();
        let mut names: Vec<&str> = accounts.iter().map(|account| account.plugin.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let plugin = |name: &str| {
            let Component { path, digest } = component(name);
            (name.to_owned(), path.display().to_string(), digest.clone())
        };
        let plugins = names.into_iter().map(plugin).collect();
        Config { store: PathBuf::from("store"), plugins, accounts, ..Config::default() }
    }

    /// Writes `tollgate.toml` and its secrets.
    pub fn write(&self, folder: &Path, public_url: &str) {
        std::fs::write(folder.join("tollgate.toml"), self.text(public_url)).unwrap();
        for account in &self.accounts {
            let file = |name: &str| folder.join(format!("{}-{name}", account.name));
            for secret in &account.secrets {
                if let Some(value) = &secret.value {
                    std::fs::write(file(&secret.name), format!("{value}\n")).unwrap();
                }
            }
            for (n, key) in account.keys.iter().enumerate() {
                std::fs::write(file(&format!("{}-{n}", key.slot)), &key.value).unwrap();
            }
        }
    }

    /// The text of `tollgate.toml`.
    pub fn text(&self, public_url: &str) -> String {
        let cache = built().join("suite-compiled");
        let mut text = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\npublic_url = \"{public_url}\"\n\
             {}\n[store]\npath = {:?}\n{}\n[sandbox]\ncache = {cache:?}\n{}",
            self.server, self.store, self.store_lines, self.sandbox_lines
        );
        for (name, path, digest) in &self.plugins {
            let at = format!("component = {path:?}\ndigest = {digest:?}");
            write!(text, "\n[plugin.{name}]\n{at}\n").unwrap();
        }
        for account in &self.accounts {
            account.write(&mut text).unwrap();
        }
        text + &self.more
    }
}

impl Account {
    /// A Stripe account at a simulator.
    pub fn stripe(name: &str, url: &str) -> Account {
        Account {
            name: name.to_owned(),
            plugin: "stripe".to_owned(),
            hosts: vec![url.to_owned()],
            settings: vec![("base-url".to_owned(), url.to_owned())],
            secrets: vec![Secret {
                name: "api-key".to_owned(),
                value: Some("sk_test_simulator".to_owned()),
                places: vec!["header:authorization".to_owned()],
            }],
            keys: vec![Key::text("webhook", "whsec_test_simulator")],
            timeouts_ms: None,
        }
    }

    /// A WeChat Pay account at a simulator that has these keys.
    pub fn wechatpay(name: &str, url: &str, keys: &WechatpayKeys) -> Account {
        let setting = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let key = |slot: &str, id: Option<&String>, form: &str, value: &str| Key {
            slot: slot.to_owned(),
            id: id.cloned(),
            form: form.to_owned(),
            value: value.to_owned(),
        };
        Account {
            name: name.to_owned(),
            plugin: "wechatpay".to_owned(),
            hosts: vec![url.to_owned()],
            settings: vec![
                setting("base-url", url),
                setting("mchid", &keys.mchid),
                setting("appid", "wx0000000000000001"),
                setting("transfer-scene-id", "1005"),
            ],
            secrets: Vec::new(),
            keys: vec![
                key("merchant", Some(&keys.merchant_serial), "pem", &keys.merchant_key),
                key("platform", Some(&keys.public_key_id), "pem", &keys.public_key),
                key("api-v3-key", None, "text", &keys.api_v3_key),
            ],
            timeouts_ms: None,
        }
    }

    /// The test provider, which is reached without a network.
    pub fn test_provider(name: &str) -> Account {
        Account {
            name: name.to_owned(),
            plugin: "sandbox".to_owned(),
            hosts: Vec::new(),
            settings: Vec::new(),
            secrets: Vec::new(),
            keys: vec![Key::text("payer", "made-for-tests-only")],
            timeouts_ms: None,
        }
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let Account { name, plugin, hosts, .. } = self;
        write!(text, "\n[account.{name}]\nplugin = {plugin:?}\nhosts = {hosts:?}\n")?;
        if let Some((connect, first_byte, total)) = self.timeouts_ms {
            writeln!(
                text,
                "timeouts = {{ connect-ms-max = {connect}, first-byte-ms-max = {first_byte}, \
                 total-ms-max = {total} }}"
            )?;
        }
        if ["stripe", "sandbox"].contains(&plugin.as_str()) {
            writeln!(text, "card = {{ places = [\"body\"] }}")?;
        }
        writeln!(text, "[account.{name}.settings]")?;
        for (setting, value) in &self.settings {
            writeln!(text, "{setting} = {value:?}")?;
        }
        for Secret { name: secret, places, .. } in &self.secrets {
            writeln!(text, "[account.{name}.secret.{secret}]")?;
            writeln!(text, "file = \"{name}-{secret}\"\nplaces = {places:?}")?;
        }
        for (n, Key { slot, id, form, .. }) in self.keys.iter().enumerate() {
            writeln!(text, "[[account.{name}.key]]\nslot = {slot:?}\nform = {form:?}")?;
            writeln!(text, "file = \"{name}-{slot}-{n}\"")?;
            if let Some(id) = id {
                writeln!(text, "id = {id:?}")?;
            }
        }
        Ok(())
    }
}

impl Key {
    /// A key that is a text.
    pub fn text(slot: &str, value: &str) -> Key {
        let (slot, value) = (slot.to_owned(), value.to_owned());
        Key { slot, id: None, form: "text".to_owned(), value }
    }
}
