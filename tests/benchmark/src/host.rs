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

/// What is said in the configuration about a plugin that means harm: its account, and that it is
/// never quarantined, however often it fails.
const ROGUE: &str = r#"
    [plugin.guest]
    component = "guest.wasm"
    digest = "DIGEST"
    [account.rogue]
    plugin = "guest"
    hosts = ["PROVIDER"]
    [sandbox.quarantine]
    faults = 4294967295
"#;

impl Host {
    /// With the account `cards`, at the provider by this component.
    pub fn start(root: &Path, component: &Path, provider: &str) -> Host {
        Host::of(root, component, provider, false)
    }

    /// With another account, `rogue`, at a plugin that does the harm it is asked for.
    pub fn with_rogue(root: &Path, component: &Path, provider: &str) -> Host {
        Host::of(root, component, provider, true)
    }

    /// What it holds of the memory, in KiB.
    pub fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    fn of(root: &Path, component: &Path, provider: &str, rogue: bool) -> Host {
        let folder = tempfile::tempdir_in(root.join("target")).unwrap();
        let digest = sandbox::Digest::of(&std::fs::read(component).unwrap());
        let config = folder.path().join("tollgate.toml");
        std::fs::write(folder.path().join("api-key"), "sk_test_simulator").unwrap();
        std::fs::write(folder.path().join("webhook"), "whsec_test_simulator").unwrap();
        let component = component.display();
        let digest_of_guest = guest::write(&folder.path().join("guest.wasm"));
        let more = ROGUE.replace("DIGEST", &digest_of_guest).replace("PROVIDER", provider);
        let more = if rogue { &*more } else { "" };
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
            {more}
            "#
        );
        std::fs::write(&config, text).unwrap();
        // Beside this program: compiled as it is.
        let binary = std::env::current_exe().unwrap().with_file_name("tollgate");
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
