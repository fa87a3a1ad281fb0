//! A plugin that begins to fail, at a real host: it is no longer called and everybody is told why,
//! its neighbours go on, and the operator ends it, also over a restart.

use http::Method;
use serde_json::{Value, json};
use simulators::{MovementKind, StripeOptions, StripeSimulator};

use crate::support::{ACCOUNT, Account, Client, Config, Host, Reply, charge, eventually};

const TOKEN: &str = "admin-token-of-quarantines-0123456789";
const BROKEN: &str = "broken";
/// Rests that no test waits for.
const RESTING: &str = "faults = 3\nrest_ms = 3600000\nrest_ms_max = 3600000\n";
/// Rests that are over at once, and two trials.
const TRIED: &str = "faults = 3\nrest_ms = 1\nrest_ms_max = 1\ntrials_max = 2\n";

struct Ward {
    stripe: StripeSimulator,
    host: Host,
}

impl Ward {
    async fn set(thresholds: &str) -> Ward {
        Ward::with(thresholds, "").await
    }

    async fn with(thresholds: &str, sandbox: &str) -> Ward {
        let stripe = StripeSimulator::start(StripeOptions::default()).await.unwrap();
        let mut config = Config::of([Account::stripe(ACCOUNT, &stripe.base_url())]);
        config.sandbox_lines = sandbox.to_owned();
        let mut host = Host::prepare(&config).await;
        let path = host.folder().join("guest.wasm");
        let digest = guest::write(&path);
        config.plugins.push(("guest".to_owned(), path.display().to_string(), digest));
        config.accounts.push(Account {
            name: BROKEN.to_owned(),
            plugin: "guest".to_owned(),
            hosts: vec![stripe.base_url()],
            settings: Vec::new(),
            secrets: Vec::new(),
            keys: Vec::new(),
            timeouts_ms: None,
        });
        config.more = format!(
            "\n[admin]\ntoken = {{ file = \"admin-token\" }}\n\n[sandbox.quarantine]\n{thresholds}"
        );
        host.configure(&config);
        std::fs::write(host.folder().join("admin-token"), TOKEN).unwrap();
        host.run().await;
        Ward { stripe, host }
    }

    fn admin(&self) -> Client {
        self.host.client().with_key(TOKEN)
    }

    /// A payment at the plugin, with this reference.
    async fn order(&self, key: &str, reference: &str) -> Reply {
        let mut body = charge("t", 100);
        body["account"] = json!(BROKEN);
        body["merchant_reference"] = json!(reference);
        self.host.client().pay(key, &body).await
    }

    async fn plugin(&self) -> Value {
        let all = self.admin().get("/admin/v1/plugins").await.with(200);
        let mut named = all["plugins"].as_array().unwrap().iter();
        named.find(|plugin| plugin["name"] == "guest").unwrap().clone()
    }

    async fn clear(&self) -> Value {
        self.admin().post("/admin/v1/plugins/guest/clear", "-", &json!({})).await.with(200)
    }

    /// The lines of the audit trail with this action.
    async fn audited(&self, action: &str) -> Vec<Value> {
        let page = self.admin().get("/admin/v1/audit?limit=100").await.with(200);
        let lines = page["lines"].as_array().unwrap().iter();
        lines.filter(|line| line["action"] == action).cloned().collect()
    }

    async fn metric(&self, line: &str) -> bool {
        let page = self.admin().get("/admin/v1/metrics").await;
        assert_eq!(page.status, 200);
        String::from_utf8_lossy(&page.body).lines().any(|one| one == line)
    }

    async fn restart(&mut self) {
        self.host.stop().await;
        self.host.run().await;
    }
}

#[tokio::test]
async fn a_plugin_that_begins_to_trap_is_no_longer_called_until_the_operator_clears_it() {
    let mut ward = Ward::set(RESTING).await;
    ward.order("k0", "order").await.problem(422, "unsupported-by-provider");
    assert_eq!(ward.plugin().await["standing"], json!({ "type": "called" }));
    for n in 1..=3 {
        ward.order(&format!("k{n}"), "trap").await.problem(503, "plugin-failed");
    }
    let refused = ward.order("k4", "order").await;
    refused.problem(503, "plugin-quarantined");
    assert!(!refused.header("retry-after").is_empty());

    let plugin = ward.plugin().await;
    assert_eq!((&plugin["calls"], &plugin["faults"]), (&json!(4), &json!(3)), "{plugin:#}");
    assert_eq!(plugin["accounts"], json!([BROKEN]));
    assert_eq!(plugin["standing"]["type"], "resting");
    let reason = plugin["standing"]["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("3 of 4 calls"), "{reason}");
    ward.host.log_line(0, &["quarantined: 3 of 4 calls", "guest"]).await;
    assert!(ward.metric("tollgate_plugin_quarantined{plugin=\"guest\"} 1").await);
    assert!(ward.metric("tollgate_plugin_quarantined{plugin=\"stripe\"} 0").await);
    assert!(ward.metric("tollgate_ready 1").await, "one plugin is not the host");

    let client = ward.host.client();
    client.pay("n", &charge("pm_card_visa", 100)).await.with(201);
    assert_eq!(client.payments().await.len(), 1, "the others left no trace");
    let charged = ward.stripe.books();
    let charged = charged.of(MovementKind::Capture).count();
    assert_eq!(charged, 1, "and no byte of them left");
    let delivery = client.nameless(Method::POST, &format!("/webhooks/{BROKEN}")).send("{}").await;
    delivery.problem(503, "plugin-quarantined");
    eventually("it is in the audit trail", async || {
        let lines = ward.audited("quarantinePlugin").await;
        let [line] = lines.as_slice() else { return None };
        assert_eq!((&line["actor"], &line["object"]), (&json!("host"), &json!("guest")));
        Some(())
    })
    .await;

    ward.restart().await;
    ward.order("k4", "order").await.problem(503, "plugin-quarantined");
    assert_eq!(ward.plugin().await["standing"]["reason"], json!(reason), "it is kept");

    assert_eq!(ward.clear().await["standing"], json!({ "type": "called" }));
    ward.order("k4", "order").await.problem(422, "unsupported-by-provider");
    let [line] = ward.audited("clearPlugin").await.try_into().unwrap();
    assert_eq!((&line["actor"], &line["object"]), (&json!("admin"), &json!("guest")));
    ward.restart().await;
    ward.order("k5", "order").await.problem(422, "unsupported-by-provider");
}

#[tokio::test]
async fn a_plugin_that_fails_each_time_it_is_tried_is_shut_also_over_a_restart() {
    let mut ward = Ward::set(TRIED).await;
    let mut asked = 0;
    eventually("it was tried often enough", async || {
        asked += 1;
        assert_eq!(ward.order(&format!("k{asked}"), "trap").await.status, 503);
        (ward.plugin().await["standing"]["type"] == "shut").then_some(())
    })
    .await;
    ward.restart().await;
    assert_eq!(ward.plugin().await["standing"]["type"], "shut");
    ward.order("late", "order").await.problem(503, "plugin-quarantined");
    let unknown = ward.admin().post("/admin/v1/plugins/other/clear", "-", &json!({})).await;
    unknown.problem(404, "no-such-plugin");
    ward.clear().await;
    ward.order("late", "order").await.problem(422, "unsupported-by-provider");
    let stranger = ward.host.client().get("/admin/v1/plugins").await;
    stranger.problem(401, "admin-token-wrong");
}

#[tokio::test]
async fn a_call_without_end_does_not_keep_a_host_that_stops() {
    // The call would be stopped in an hour; its caller is refused long before.
    let refused_soon = format!("{RESTING}\n[limits]\nqueue_ms_max = 1000\n");
    let mut ward = Ward::with(&refused_soon, "call_ms_max = 3600000\n").await;
    ward.order("k1", "loop").await.problem(503, "overloaded");
    ward.host.terminate();
    let (code, log) = ward.host.ended().await;
    assert_eq!(code, Some(0), "{log}");
}
