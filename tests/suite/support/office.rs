//! The operator of a host: its command line while it is stopped, its admin interface while it runs.

use http::Method;
use serde_json::{Value, json};
use simulators::{StripeOptions, StripeSimulator};

use super::client::{Client, Reply};
use super::config::{Account, Config};
use super::host::Host;
use super::stage::ACCOUNT;

/// The admin token of every office.
const TOKEN: &str = "admin-token-of-the-suite-0123456789";
/// What stands at the end of the configuration.
const TABLES: &str = "\n[admin]\ntoken = { file = \"admin-token\" }\n\
    \n[vault]\nmaster = [{ id = \"suite\", file = \"master\" }]\n";

/// A host whose admin interface is on, and a provider.
pub struct Office {
    /// The provider.
    pub stripe: StripeSimulator,
    /// The host.
    pub host: Host,
}

impl Office {
    /// Both started.
    pub async fn open() -> Office {
        let mut office = Office::closed().await;
        office.host.run().await;
        office
    }

    /// The provider started, the host not yet.
    pub async fn closed() -> Office {
        let stripe = StripeSimulator::start(StripeOptions::default()).await.unwrap();
        let mut config = Config::of([Account::stripe(ACCOUNT, &stripe.base_url())]);
        let host = Host::prepare(&config).await;
        config.more = TABLES.to_owned();
        host.configure(&config);
        let master = host.command(&["vault", "key"]).await;
        std::fs::write(host.folder().join("master"), master.answered()).unwrap();
        std::fs::write(host.folder().join("admin-token"), TOKEN).unwrap();
        Office { stripe, host }
    }

    /// The first app.
    pub fn client(&self) -> Client {
        self.host.client()
    }

    /// The operator.
    pub fn admin(&self) -> Client {
        self.host.client().with_key(TOKEN)
    }

    /// The identifier of the first app.
    pub async fn first_app(&self) -> String {
        let page = self.admin().get("/admin/v1/apps").await.with(200);
        page["apps"][0]["id"].as_str().unwrap().to_owned()
    }

    /// Adds an app; its identifier, and a client of it.
    pub async fn add(&self, app: &Value) -> (String, Client) {
        let added = self.admin().post("/admin/v1/apps", "-", app).await.with(201);
        let id = added["app"]["id"].as_str().unwrap().to_owned();
        (id, self.client().with_key(added["key"]["secret"].as_str().unwrap()))
    }

    /// Changes an app.
    pub async fn set(&self, app: &str, change: &Value) -> Value {
        self.change(app, change).await.with(200)
    }

    /// The same, where it may be refused.
    pub async fn change(&self, app: &str, change: &Value) -> Reply {
        let draft = self.admin().request(Method::PATCH, &format!("/admin/v1/apps/{app}"));
        draft.header("content-type", "application/json").send(change.to_string()).await
    }

    /// Asks something of an app: `revocation`, `keys`, `keys/NAME/rotation`.
    pub async fn on(&self, app: &str, what: &str, body: &Value) -> Reply {
        self.admin().post(&format!("/admin/v1/apps/{app}/{what}"), "-", body).await
    }

    /// Adds an app of this name that may do everything.
    pub async fn add_named(&self, name: &str) -> (String, Client) {
        self.add(&json!({ "name": name })).await
    }
}
