//! `[admin]` and the networks of `[server]`: who may change apps while the host runs.

use std::path::{Path, PathBuf};

use engine::IpNet;
use serde::Deserialize;

use super::secrets;

/// Bytes an admin token has at least.
const TOKEN_BYTES_MIN: usize = 16;

/// `[admin]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admin {
    /// Where the token stands: at least 16 bytes that nobody can guess.
    pub token: Token,
    /// Where requests may come from; the machine itself when left out.
    #[serde(default = "loopback")]
    pub networks: Vec<Network>,
}

/// `token = { file = "..." }` or `{ env = "..." }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    env: Option<String>,
    file: Option<PathBuf>,
}

/// A network: in CIDR notation, or one address.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Network(pub IpNet);

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Network, String> {
        engine::network(&text).map(Network).ok_or_else(|| {
            format!("`{text}` is no network; write 192.0.2.0/24, 2001:db8::/32, or one address")
        })
    }
}

fn loopback() -> Vec<Network> {
    ["127.0.0.0/8", "::1"].into_iter().filter_map(engine::network).map(Network).collect()
}

impl Admin {
    /// Reads the token. The error names it and never shows it.
    pub fn open(&self, folder: &Path) -> Result<api::AdminAccess, String> {
        let token = secrets::read("admin token", &self.token.env, &self.token.file, folder)?;
        let networks = self.networks.iter().map(|network| network.0).collect();
        match token.expose().len() >= TOKEN_BYTES_MIN {
            true => Ok(api::AdminAccess::new(token.expose(), networks)),
            false => Err(format!("the admin token has fewer than {TOKEN_BYTES_MIN} bytes")),
        }
    }
}
