//! What can be said of an app and of a key on the command line.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use engine::{AppChange, IpNet, NewKey, Protection, Rate, Scope, SpendingLimit};
use ledger::Currency;

/// What an app may do. Each list may be given several times over.
#[derive(Args)]
pub struct Settings {
    /// What it may do: pay, refund, payout, read.
    #[arg(long = "scope", value_parser = scope)]
    scopes: Vec<Scope>,
    /// Where its requests may come from, as 192.0.2.0/24, or `any`.
    #[arg(long = "network", value_parser = network)]
    networks: Vec<Bound<IpNet>>,
    /// The least each request has to prove: bearer, signature, encryption.
    #[arg(long, value_parser = protection)]
    protection: Option<Protection>,
    /// The accounts open to it, or `any`.
    #[arg(long = "account")]
    accounts: Vec<String>,
    /// Requests a second and at once, as 20/40, or `any`.
    #[arg(long, value_parser = rate)]
    rate: Option<Bound<Rate>>,
    /// What it may spend in a UTC day in minor units, as EUR:100000, or `any`.
    #[arg(long = "spend", value_parser = spend)]
    spending: Vec<Bound<SpendingLimit>>,
}

/// A bound, or `any` for none.
#[derive(Clone, Copy)]
enum Bound<T> {
    Any,
    Given(T),
}

impl<T> Bound<T> {
    fn given(self) -> Option<T> {
        match self {
            Bound::Any => None,
            Bound::Given(value) => Some(value),
        }
    }
}

/// A key to make.
#[derive(Args)]
pub struct KeyArguments {
    /// What kind of key.
    #[arg(long, value_enum, default_value_t = KeyKind::Bearer)]
    key: KeyKind,
    /// The public key or certificate, in PEM.
    #[arg(long)]
    public: Option<PathBuf>,
}

/// Kinds of keys.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum KeyKind {
    /// An API key.
    Bearer,
    /// An HMAC-SHA256 key for signatures.
    Hmac,
    /// A public key that verifies signatures.
    Verify,
    /// An AES-256 key for bodies.
    Aes,
    /// A public RSA key to encrypt answers to.
    Encrypt,
    /// No key yet.
    None,
}

impl Settings {
    /// What to change.
    pub fn change(self, name: Option<String>) -> Result<AppChange, String> {
        let listed = |given: bool, any: bool, what: &str| match given && any {
            true => Err(format!("--{what}: `any` stands alone")),
            false => Ok(()),
        };
        let (networks, any) = lone(self.networks);
        listed(!networks.is_empty(), any, "network")?;
        let (spending, no_limit) = lone(self.spending);
        listed(!spending.is_empty(), no_limit, "spend")?;
        let open: BTreeSet<String> = self.accounts.into_iter().collect();
        let all = open.contains("any");
        listed(open.len() > 1, all, "account")?;
        Ok(AppChange {
            name,
            scopes: (!self.scopes.is_empty()).then(|| self.scopes.into_iter().collect()),
            networks: (any || !networks.is_empty()).then_some(networks),
            protection: self.protection,
            accounts: (!open.is_empty()).then(|| (!all).then_some(open)),
            rate: self.rate.map(Bound::given),
            spending: (no_limit || !spending.is_empty()).then_some(spending),
        })
    }
}

/// The values, and whether one of them was `any`.
fn lone<T>(values: Vec<Bound<T>>) -> (Vec<T>, bool) {
    let any = values.iter().any(|value| matches!(value, Bound::Any));
    (values.into_iter().filter_map(Bound::given).collect(), any)
}

impl KeyArguments {
    /// The key, if one is wanted.
    pub fn read(self) -> Result<Option<NewKey>, String> {
        let pem = self.public.as_deref().map(pem).transpose()?;
        let needed = || "name the public key by --public FILE".to_owned();
        let key = match (self.key, pem) {
            (KeyKind::Verify, pem) => NewKey::Verify(pem.ok_or_else(needed)?),
            (KeyKind::Encrypt, pem) => NewKey::Encrypt(pem.ok_or_else(needed)?),
            (_, Some(_)) => return Err("--public goes with --key verify or encrypt".to_owned()),
            (KeyKind::Bearer, None) => NewKey::Bearer,
            (KeyKind::Hmac, None) => NewKey::Hmac,
            (KeyKind::Aes, None) => NewKey::Aes,
            (KeyKind::None, None) => return Ok(None),
        };
        Ok(Some(key))
    }
}

/// The text of a file.
pub fn pem(file: &Path) -> Result<String, String> {
    std::fs::read_to_string(file)
        .map_err(|error| format!("cannot read {}: {error}", file.display()))
}

fn scope(text: &str) -> Result<Scope, String> {
    let found = Scope::ALL.into_iter().find(|scope| scope.word() == text);
    found.ok_or_else(|| "one of pay, refund, payout, read".to_owned())
}

fn protection(text: &str) -> Result<Protection, String> {
    let found = Protection::ALL.into_iter().find(|known| known.word() == text);
    found.ok_or_else(|| "one of bearer, signature, encryption".to_owned())
}

fn network(text: &str) -> Result<Bound<IpNet>, String> {
    match (text, engine::network(text)) {
        ("any", _) => Ok(Bound::Any),
        (_, Some(network)) => Ok(Bound::Given(network)),
        _ => Err("a network as 192.0.2.0/24 or 2001:db8::/32, an address, or `any`".to_owned()),
    }
}

fn rate(text: &str) -> Result<Bound<Rate>, String> {
    let wrong = || "requests a second and at once, as 20/40, or `any`".to_owned();
    if text == "any" {
        return Ok(Bound::Any);
    }
    let (per_second, burst) = text.split_once('/').ok_or_else(wrong)?;
    let number = |text: &str| text.parse::<u32>().map_err(|_| wrong());
    Ok(Bound::Given(Rate { per_second: number(per_second)?, burst: number(burst)? }))
}

fn spend(text: &str) -> Result<Bound<SpendingLimit>, String> {
    let wrong = || "a currency and minor units, as EUR:100000, or `any`".to_owned();
    if text == "any" {
        return Ok(Bound::Any);
    }
    let (code, amount) = text.split_once(':').ok_or_else(wrong)?;
    let currency = Currency::from_code(code).map_err(|error| error.to_string())?;
    let amount_minor_max = amount.parse().map_err(|_| wrong())?;
    Ok(Bound::Given(SpendingLimit { currency, amount_minor_max }))
}
