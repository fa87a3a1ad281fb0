//! Configurations that cannot be right: the host does not start, says what is wrong and on which
//! line, and what it holds is untouched.

use serde_json::Value;
use simulators::{StripeOptions, StripeSimulator};
use tokio::net::TcpListener;

use crate::support::{Account, Component, Config, Host, Key, charge, component, tollgate};

const NAME: &str = "shop-eu";

/// A host that has taken a payment and was stopped, and its good configuration.
struct Scene {
    host: Host,
    good: Config,
    payments: Vec<Value>,
    _stripe: StripeSimulator,
}

impl Scene {
    async fn set() -> Scene {
        let stripe = StripeSimulator::start(StripeOptions::default()).await.unwrap();
        let good = Config::of([Account::stripe(NAME, &stripe.base_url())]);
        let mut host = Host::start(&good).await;
        host.client().pay("k", &charge("pm_card_visa", 1999)).await.with(201);
        let payments = host.client().payments().await;
        host.stop().await;
        Scene { host, good, payments, _stripe: stripe }
    }

    /// Holds that neither starting nor checking takes this text, and that both say these words
    /// about the line in which `at` stands.
    async fn refuses(&self, text: &str, at: &str, words: &[&str]) {
        let file = self.host.folder().join("tollgate.toml");
        std::fs::write(&file, text).unwrap();
        let line = text.lines().position(|line| line.starts_with(at));
        let place = match (at, line) {
            ("", _) => "tollgate.toml: ".to_owned(),
            (_, Some(line)) => format!("tollgate.toml:{}: ", line + 1),
            (_, None) => panic!("`{at}` is in no line of:\n{text}"),
        };
        for command in [&["serve"][..], &["config", "check"]] {
            let ended = self.host.command(command).await;
            ended.refused(&[words, &[&place]].concat());
        }
    }

    /// Holds that what the host held is still there.
    async fn recovers(mut self) {
        self.host.configure(&self.good);
        let checked = self.host.command(&["config", "check"]).await;
        assert!(checked.answered().contains("1 accounts are fit"), "{checked:?}");
        self.host.run().await;
        assert_eq!(self.host.client().payments().await, self.payments);
    }
}

#[tokio::test]
async fn what_is_misspelt_is_named_with_its_line() {
    let scene = Scene::set().await;
    let good = scene.good.text("http://127.0.0.1");
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replacen(from, to, 1)
    };
    for (text, at, words) in [
        (with("listen =", "lisen ="), "lisen", &["`lisen`", "`listen`"][..]),
        (with("hosts =", "host ="), "host ", &["`host`", "`hosts`"]),
        (with("[account.", "[acount."), "[acount", &["`acount`", "`account`"]),
        (with("[store]", "[store"), "[store", &[]),
        (with("\"127.0.0.1:0\"", "\"nowhere\""), "listen", &["address"]),
        (with("path = \"store\"", "path = 5"), "path", &["string"]),
        (with("form = \"text\"", "form = \"words\""), "form", &["`words`", "`text`", "`pem`"]),
        (with("header:authorization", "cookie"), "places", &["cookie", "header:authorization"]),
        (with("hosts = [\"http://", "hosts = [\"gopher://"), "hosts", &["allowed host"]),
    ] {
        scene.refuses(&text, at, words).await;
    }
    scene.recovers().await;
}

#[tokio::test]
async fn an_account_that_does_not_fit_its_plugin_is_refused_with_what_is_missing() {
    let scene = Scene::set().await;
    let account = format!("[account.{NAME}]");
    let refuse = async |change: &dyn Fn(&mut Account), words: &[&str]| {
        let mut config = scene.good.clone();
        change(&mut config.accounts[0]);
        config.write(scene.host.folder(), "http://127.0.0.1");
        let named = format!("account `{NAME}`");
        let words = [words, &[&named]].concat();
        scene.refuses(&config.text("http://127.0.0.1"), &account, &words).await;
    };
    refuse(&|it| it.keys.clear(), &["the key `webhook` is missing: signing secret"]).await;
    refuse(&|it| it.secrets.clear(), &["the secret `api-key` is missing: secret or"]).await;
    refuse(&|it| it.plugin = "strype".into(), &["no plugin `strype`", "[plugin.strype]"]).await;
    refuse(&|it| it.settings.push(("colour".into(), "red".into())), &["no setting `colour`"]).await;
    let body = |it: &mut Account| it.secrets[0].places = vec!["body".to_owned()];
    refuse(&body, &["\"header:authorization\", which is not granted", "\"body\" is granted"]).await;
    let pem = |it: &mut Account| it.keys[0].form = "pem".to_owned();
    refuse(&pem, &["key `webhook`", "PEM"]).await;
    let empty = |it: &mut Account| it.keys = vec![Key::text("webhook", "\n")];
    refuse(&empty, &["`webhook` is empty"]).await;
    let two = |it: &mut Account| {
        it.settings.push(("colour".into(), "red".into()));
        it.keys.clear();
    };
    refuse(&two, &["no setting `colour`", "the key `webhook` is missing"]).await;
    scene.recovers().await;
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_is_named_and_never_shown() {
    let scene = Scene::set().await;
    let good = scene.good.text("http://127.0.0.1");
    let account = format!("[account.{NAME}]");
    let file = format!("file = \"{NAME}-api-key\"");
    let gone = good.replace(&file, "file = \"nowhere\"");
    scene.refuses(&gone, &account, &["`api-key`: cannot read", "nowhere"]).await;
    let unset = good.replace(&file, "env = \"NOBODY_SETS_THIS\"");
    let words = ["`api-key`: the environment variable NOBODY_SETS_THIS is not set"];
    scene.refuses(&unset, &account, &words).await;
    let both = good.replace(&file, &format!("{file}\nenv = \"NOBODY_SETS_THIS\""));
    scene.refuses(&both, &account, &["`api-key` needs either `env", "or `file"]).await;
    let inline = good.replace(&file, "value = \"sk_live_oops\"");
    let path = scene.host.folder().join("tollgate.toml");
    std::fs::write(path, &inline).unwrap();
    let ended = scene.host.command(&["serve"]).await;
    ended.refused(&["`value`"]);
    assert!(!ended.err.contains("sk_live_oops"), "{}", ended.err);
    scene.recovers().await;
}

#[tokio::test]
async fn a_component_that_is_not_the_pinned_one_or_not_a_plugin_is_refused() {
    let scene = Scene::set().await;
    let stripe = component("stripe");
    let refuse = async |path: &str, digest: &str, words: &[&str]| {
        let mut config = scene.good.clone();
        config.plugins = vec![("stripe".to_owned(), path.to_owned(), digest.to_owned())];
        let text = config.text("http://127.0.0.1");
        scene.refuses(&text, "[plugin.stripe]", &[words, &["plugin `stripe`"]].concat()).await;
    };
    let good = stripe.path.display().to_string();
    let missing = ["cannot read /nowhere/x.wasm", "`tollgate plugin build` makes it"];
    refuse("/nowhere/x.wasm", &stripe.digest, &missing).await;
    let other = format!("sha256:{}", "0".repeat(64));
    refuse(&good, &other, &[&stripe.digest, &other, "is pinned"]).await;
    refuse(&good, "latest", &["`latest`", "sha256:"]).await;
    for (name, bytes, words) in [
        ("text.wasm", b"hello".to_vec(), &["is not WebAssembly"][..]),
        ("core.wasm", b"\0asm\x01\0\0\0".to_vec(), &["core module", "not a component"]),
        ("torn.wasm", torn(stripe), &["no component that can run here"]),
        ("wasi.wasm", importing("wasi:cli/environment@0.2.0"), &["imports `wasi:cli", "no WASI"]),
        ("net.wasm", importing("acme:net/socket"), &["imports `acme:net/socket`", "nothing else"]),
        ("bare.wasm", b"\0asm\x0d\0\x01\0".to_vec(), &["does not export `tollgate:adapter"]),
    ] {
        let path = scene.host.folder().join(name);
        std::fs::write(&path, bytes).unwrap();
        let path = path.display().to_string();
        let inspected = tollgate(&["plugin", "inspect", &path], scene.host.folder()).await;
        inspected.refused(words);
        refuse(&path, &digest_of(&scene, &path).await, words).await;
    }
    scene.recovers().await;
}

/// The digest of a file, as the refusal of a wrong pin tells the operator.
async fn digest_of(scene: &Scene, path: &str) -> String {
    let mut config = scene.good.clone();
    let pinned = format!("sha256:{}", "0".repeat(64));
    config.plugins = vec![("stripe".to_owned(), path.to_owned(), pinned)];
    config.write(scene.host.folder(), "http://127.0.0.1");
    let ended = scene.host.command(&["config", "check"]).await;
    ended.refused(&["is pinned"]);
    let start = ended.err.find("sha256:").unwrap();
    ended.err[start..start + "sha256:".len() + 64].to_owned()
}

fn torn(component: &Component) -> Vec<u8> {
    let whole = std::fs::read(&component.path).unwrap();
    whole[..whole.len() / 2].to_vec()
}

/// A component that imports one empty instance: preamble, one type, one import.
fn importing(name: &str) -> Vec<u8> {
    let length = u8::try_from(name.len()).unwrap();
    let import = [&[1, 0, length], name.as_bytes(), &[5, 0]].concat();
    let section = [&[0x0a, u8::try_from(import.len()).unwrap()][..], &import].concat();
    [b"\0asm\x0d\0\x01\0".as_slice(), &[7, 3, 1, 0x42, 0], &section].concat()
}

#[tokio::test]
async fn a_place_that_is_taken_is_named() {
    let scene = Scene::set().await;
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let text = scene.good.text("http://127.0.0.1").replace("127.0.0.1:0", &address);
    std::fs::write(scene.host.folder().join("tollgate.toml"), text).unwrap();
    scene.host.command(&["serve"]).await.refused(&["cannot listen on", &address, "in use"]);
    let nowhere = scene.host.command(&["serve", "nowhere.toml"]).await;
    nowhere.refused(&["nowhere.toml", "cannot be read"]);
    let loud = scene.host.command(&["--log", "shout=very", "states"]).await;
    loud.refused(&["--log"]);
    scene.recovers().await;
}

#[tokio::test]
async fn a_store_has_one_host_at_a_time() {
    let mut scene = Scene::set().await;
    scene.host.configure(&scene.good);
    scene.host.run().await;
    for command in [&["serve"][..], &["app", "add", "late"]] {
        let ended = tollgate(command, scene.host.folder()).await;
        ended.refused(&["store is open in process", "stop that one"]);
    }
    let paid = scene.host.client().pay("k2", &charge("pm_card_visa", 7)).await;
    paid.with(201);
    scene.host.stop().await;
    let verified = scene.host.command(&["store", "verify"]).await;
    assert_eq!(verified.code, Some(0), "{verified:?}");
}

#[tokio::test]
async fn keys_are_not_forgotten_sooner_than_the_provider_forgets_them() {
    let scene = Scene::set().await;
    let text = scene.good.text(&scene.host.url());
    let (short, long) = (1, 2);
    let with = |days: u32| format!("{text}\n[limits]\nidempotency_keep_days = {days}\n");
    let account = format!("[account.{NAME}]");
    scene.refuses(&with(short), &account, &["idempotency_keep_days", "86400 s"]).await;
    std::fs::write(scene.host.folder().join("tollgate.toml"), with(long)).unwrap();
    scene.host.command(&["config", "check"]).await.answered();
    scene.recovers().await;
}
