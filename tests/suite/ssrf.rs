//! Every place where a URL comes in from outside, tried with every way to write an address that is
//! not public: nothing is connected to, as a listener that counts shows.

use http::Method;
use serde_json::{Value, json};
use simulators::{StripeOptions, StripeSimulator};

use crate::notifications::VAULT;
use crate::support::{ACCOUNT, Account, Client, Config, Ear, Host, charge};

/// `{}` is the port of the listener.
const HOSTS: &[&str] = &[
    "127.0.0.1:{}",
    "127.1:{}",
    "127.0.1:{}",
    "127.000.000.001:{}",
    "127.0.0.2:{}",
    "127.255.255.254:{}",
    "2130706433:{}",
    "0x7f000001:{}",
    "0x7f.0.0.1:{}",
    "0x7F.0x0.0x0.0x1:{}",
    "017700000001:{}",
    "0177.0.0.1:{}",
    "127.0.0.1.:{}",
    "0.0.0.0:{}",
    "0:{}",
    "[::1]:{}",
    "[::]:{}",
    "[0:0:0:0:0:0:0:1]:{}",
    "[::ffff:127.0.0.1]:{}",
    "[::ffff:7f00:1]:{}",
    "[::127.0.0.1]:{}",
    "[64:ff9b::7f00:1]:{}",
    "[64:ff9b::127.0.0.1]:{}",
    "[64:ff9b:1::7f00:1]:{}",
    "[2002:7f00:1::]:{}",
    "[2001:0:7f00:1::1]:{}",
    "[::1%25lo]:{}",
    "[fe80::1%25eth0]:{}",
    "localhost:{}",
    "LOCALHOST:{}",
    "localhost.:{}",
    "localhost.localdomain:{}",
    "ip6-localhost:{}",
    "hook.localhost:{}",
    "①②⑦.⓪.⓪.①:{}",
    "１２７.０.０.１:{}",
    "127。0。0。1:{}",
    "127．0．0．1:{}",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:{}",
    "%31%32%37.0.0.1:{}",
    "%6cocalhost:{}",
    "127.0.0.1%2e:{}",
    "hook.example@127.0.0.1:{}",
    "hook.example:443@127.0.0.1:{}",
    "127.0.0.1:{}@127.0.0.1:{}",
    "hook.example#@127.0.0.1:{}",
    "hook.example\\@127.0.0.1:{}",
    "127.0.0.1:{}\\.hook.example",
    "10.0.0.1:{}",
    "172.16.0.1:{}",
    "192.168.1.1:{}",
    "100.64.0.1:{}",
    "169.254.1.1:{}",
    "169.254.169.254",
    "169.254.169.254:{}",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[fd00:ec2::254]",
    "[fd20:ce::254]",
    "169.254.170.2",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "metadata.azure.internal",
    "instance-data.ec2.internal",
    "metadata.tencentyun.com",
    "kubernetes.default.svc",
    "192.0.2.1:{}",
    "198.51.100.1:{}",
    "203.0.113.1:{}",
    "198.18.0.1:{}",
    "224.0.0.1:{}",
    "240.0.0.1:{}",
    "255.255.255.255:{}",
    "[2001:db8::1]:{}",
    "[ff02::1]:{}",
    "[fe80::1]:{}",
    "[fc00::1]:{}",
];

fn urls(ear: &Ear) -> Vec<String> {
    let host = |host: &&str| host.replace("{}", &ear.port().to_string());
    let hosts: Vec<String> = HOSTS.iter().map(host).collect();
    let schemes = ["http", "https"];
    schemes.iter().flat_map(|by| hosts.iter().map(move |host| format!("{by}://{host}/"))).collect()
}

async fn started(more: &str) -> (StripeSimulator, Host) {
    let stripe = StripeSimulator::start(StripeOptions::default()).await.unwrap();
    let account = Account::stripe(ACCOUNT, &stripe.base_url());
    let more = format!("\n{VAULT}[notifications]\nallow_http = true\n{more}");
    let host = Host::start(&Config { more, ..Config::of([account]) }).await;
    (stripe, host)
}

async fn add(client: &Client, url: &str) -> crate::support::Reply {
    let body = json!({"url": url, "events": ["*"]});
    let draft = client.request(Method::POST, "/v1/endpoints");
    draft.header("content-type", "application/json").send(body.to_string()).await
}

#[tokio::test]
async fn no_endpoint_is_added_that_leads_off_the_public_internet() {
    assert!(HOSTS.len() >= 60, "{}", HOSTS.len());
    let ((_stripe, host), ear) = (started("").await, Ear::open().await);
    let client = host.client();
    for url in urls(&ear) {
        let refused = add(&client, &url).await;
        let problem = refused.with(422);
        let known = ["endpoint-refused", "fields-invalid"];
        assert!(known.contains(&problem["code"].as_str().unwrap()), "{url}: {problem:#}");
        // What a name of the operator's network resolves to is nothing an app may learn.
        let told = problem["detail"].as_str().unwrap().replace(&url, "");
        assert!(!told.contains("127.0.0.1") && !told.contains("169.254"), "{url}: {told}");
    }
    let none: Vec<Value> = Vec::new();
    assert_eq!(client.get("/v1/endpoints").await.with(200)["endpoints"], json!(none));
    client.pay("k", &charge("pm_card_visa", 900)).await.with(201);
    assert_eq!(ear.connections(), 0);
}

#[tokio::test]
async fn what_the_operator_allows_is_reached_and_so_the_listener_counts() {
    let ((_stripe, host), ear) =
        (started("allow_networks = [\"127.0.0.1/32\"]").await, Ear::open().await);
    add(&host.client(), &ear.url()).await.with(201);
    host.client().pay("k", &charge("pm_card_visa", 900)).await.with(201);
    ear.takes(1).await;
    assert!(ear.connections() > 0);
    let neighbour = format!("http://127.0.0.2:{}/", ear.port());
    add(&host.client(), &neighbour).await.problem(422, "endpoint-refused");
}

#[tokio::test]
async fn an_endpoint_that_was_allowed_once_is_not_connected_to_when_it_is_not_any_more() {
    let stripe = StripeSimulator::start(StripeOptions::default()).await.unwrap();
    let account = Account::stripe(ACCOUNT, &stripe.base_url());
    let text = |networks: &str| {
        let often = "retry = [\"5ms\"]\nfailures_max = 1000\n";
        format!(
            "\n{VAULT}[notifications]\nallow_http = true\n{often}allow_networks = [{networks}]\n"
        )
    };
    let config = Config { more: text("\"127.0.0.0/8\""), ..Config::of([account]) };
    let (mut host, ear) = (Host::start(&config).await, Ear::open().await);
    let added = add(&host.client(), &ear.url()).await.with(201);
    host.stop().await;
    host.configure(&Config { more: text(""), ..config });
    host.run().await;
    let client = host.client();
    client.pay("k", &charge("pm_card_visa", 900)).await.with(201);
    let path = format!("/v1/endpoints/{}/notifications?stage=dead", added["id"].as_str().unwrap());
    let dead = crate::support::eventually("it is given up", async || {
        client.get(&path).await.with(200)["notifications"].as_array().unwrap().first().cloned()
    })
    .await;
    assert_eq!((&dead["attempts"], ear.connections()), (&json!(2), 0));
}

#[tokio::test]
async fn no_return_url_is_ever_fetched() {
    let ((_stripe, host), ear) = (started("").await, Ear::open().await);
    let client = host.client();
    for (n, url) in urls(&ear).into_iter().enumerate() {
        let mut body = charge("pm_card_visa", 900);
        body["return_url"] = json!(url);
        // Refused for its form, or handed to the provider for the payer's browser.
        let status = client.pay(&format!("k{n}"), &body).await.status;
        assert!([201, 422].contains(&status), "{url}: {status}");
    }
    let mut body = charge("pm_card_visa", 900);
    body["return_url"] = json!(ear.url());
    client.pay("k", &body).await.with(201);
    assert_eq!(ear.connections(), 0);
}

#[tokio::test]
async fn no_setting_leads_a_plugin_to_a_host_that_its_account_does_not_name() {
    let (stripe, ear) =
        (StripeSimulator::start(StripeOptions::default()).await.unwrap(), Ear::open().await);
    let ports = ear.port().to_string();
    let accounts = HOSTS.iter().filter(|host| host.contains("{}")).enumerate().map(|(n, host)| {
        let mut account = Account::stripe(&format!("a{n}"), &stripe.base_url());
        let url = format!("http://{}", host.replace("{}", &ports));
        account.settings = vec![("base-url".to_owned(), url)];
        account
    });
    let accounts: Vec<Account> = accounts.collect();
    let host = Host::start(&Config::of(accounts.clone())).await;
    for account in &accounts {
        let mut body = charge("pm_card_visa", 900);
        body["account"] = json!(account.name);
        let reply = host.client().pay(&account.name, &body).await;
        let ended = reply.json();
        let nothing_left = reply.status >= 400 || ended["status"] == "not-sent";
        assert!(nothing_left, "{:?}: {ended:#}", account.settings);
    }
    assert_eq!(ear.connections(), 0);
}
