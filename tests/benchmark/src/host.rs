//! The release binary on a fresh store, stopped when dropped.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

pub struct Host {
    child: Child,
    pub address: String,
    pub key: String,
    _folder: tempfile::TempDir,
}

impl Host {
    pub fn start(root: &Path, component: &Path, provider: &str) -> Host {
        let folder = tempfile::tempdir_in(root.join("target")).unwrap();
        let digest = sandbox::Digest::of(&std::fs::read(component).unwrap());
        let config = folder.path().join("tollgate.toml");
        std::fs::write(folder.path().join("api-key"), "sk_test_simulator").unwrap();
        std::fs::write(folder.path().join("webhook"), "whsec_test_simulator").unwrap();
        let component = component.display();
        let text = format!(
            r#"
            server = {{ listen = "127.0.0.1:0", public_url = "http://127.0.0.1" }}
            store.path = "store"
            plugin.stripe = {{ component = "{component}", digest = "{digest}" }}
            [account.cards]
            plugin = "stripe"
            hosts = ["{provider}"]
            settings.base-url = "{provider}"
            secret.api-key = {{ file = "api-key", places = ["header:authorization"] }}
            key = [{{ slot = "webhook", form = "text", file = "webhook" }}]
            "#
        );
        std::fs::write(&config, text).unwrap();
        let binary = root.join("target/release/tollgate");
        let added =
            Command::new(&binary).args(["app", "add", "bench", "--config"]).arg(&config).output();
        let key = String::from_utf8(added.unwrap().stdout).unwrap().trim().to_owned();
        let mut child =
            Command::new(&binary).arg("serve").arg(&config).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let taking = lines.by_ref().map(Result::unwrap).find(|line| line.contains("taking"));
        let line: serde_json::Value = serde_json::from_str(&taking.unwrap()).unwrap();
        let address = line["address"].as_str().unwrap().to_owned();
        // Nobody reads the rest: a full pipe would stop the host.
        std::thread::spawn(move || lines.for_each(drop));
        Host { child, address, key, _folder: folder }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
