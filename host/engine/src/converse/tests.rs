//! A plugin that always wants another request, at a provider that answers every one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use egress::Gate;
use ledger::{Currency, Money, State};
use sandbox::Surroundings;
use store::Model;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use vault::{AtRest, Keyring, Legacy};

use super::*;
use crate::apps::tests::Hand;
use crate::clock::SystemEntropy;
use crate::plugin::Calling;
use crate::reconcile::tests::{answered, described, nothing};
use crate::{AccountParts, AppChange, Ask, Instrument, Mode, NewPayment, Options, Parts, Plugin};

struct Insatiable {
    description: wit::Description,
    url: String,
}

impl Insatiable {
    fn another(&self, moves_money: bool) -> Calling<'static, Result<wit::Step, wit::Failure>> {
        let request = wit::Request::Http(wit::HttpRequest {
            method: wit::Method::Post,
            url: self.url.clone(),
            headers: Vec::new(),
            body: Vec::new(),
        });
        answered(Ok(wit::Step::Send(wit::Exchange { request, moves_money, state: Vec::new() })))
    }
}

impl Plugin for Insatiable {
    fn description(&self) -> &wit::Description {
        &self.description
    }
    fn identity(&self) -> String {
        "insatiable".to_owned()
    }
    fn start(
        &self,
        _: Surroundings,
        _: wit::Operation,
    ) -> Calling<'_, Result<wit::Step, wit::Failure>> {
        self.another(true)
    }
    fn resume(
        &self,
        _: Surroundings,
        _: wit::Operation,
        _: Vec<u8>,
        _: wit::Reply,
    ) -> Calling<'_, Result<wit::Step, wit::Failure>> {
        self.another(false)
    }
    fn prove(
        &self,
        _: Surroundings,
        _: wit::Delivery,
    ) -> Calling<'_, Result<wit::Proof, wit::Failure>> {
        nothing()
    }
    fn interpret(
        &self,
        _: Surroundings,
        _: wit::Delivery,
    ) -> Calling<'_, Result<Vec<wit::Event>, wit::Failure>> {
        nothing()
    }
    fn acknowledge(&self, _: bool) -> Calling<'_, wit::HttpResponse> {
        answered(wit::HttpResponse { status: 200, headers: Vec::new(), body: Vec::new() })
    }
}

/// Answers one request a connection, with nothing in it.
async fn provider() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            stream.write_all(answer).await.ok();
        }
    });
    format!("http://{address}")
}

fn engine(host: &str) -> Engine {
    let mut description = described();
    description.operations = vec![wit::OperationKind::Authorize];
    description.methods = vec!["token".to_owned()];
    let account = AccountParts {
        name: "shop".to_owned(),
        mode: Mode::Test,
        plugin: Arc::new(Insatiable { description, url: format!("{host}/more") }),
        keyring: Keyring::new(Legacy::none()),
        settings: BTreeMap::new(),
        secrets: BTreeMap::new(),
        gate: Gate { hosts: vec![host.parse().unwrap()], ..Gate::default() },
        notify_url: "https://pay.example/webhooks/shop".to_owned(),
        delivery_age_seconds_max: 300,
    };
    let engine = Engine::new(Parts {
        store: Arc::new(Model::new()),
        egress: egress::Egress::new(egress::Options::default()).unwrap(),
        notifying: crate::notify::tests::notifying(),
        at_rest: AtRest::closed(),
        card_keys: Arc::new(store::Slots::in_memory()),
        clock: Arc::new(Hand(1_700_000_000_000.into())),
        entropy: Arc::new(SystemEntropy),
        accounts: vec![account],
        options: Options { steps_max: 5, ..Options::default() },
    });
    engine.unwrap()
}

#[tokio::test]
async fn a_plugin_that_wants_one_request_after_the_other_is_stopped_and_its_entry_is_unknown() {
    let engine = engine(&provider().await);
    let named = AppChange { name: Some("app".to_owned()), ..AppChange::default() };
    let (app, _) = engine.apps().add(&named, None).await.unwrap();
    let ask = Ask {
        app: app.id,
        key: "key".to_owned(),
        idempotency_key: "k1".to_owned(),
        digest: [1; 32],
    };
    let new = NewPayment {
        account: "shop".to_owned(),
        amount: Money::new(900, Currency::from_code("EUR").unwrap()).unwrap(),
        merchant_reference: "order".to_owned(),
        instrument: Instrument::Token("tok".to_owned()),
        capture: true,
        description: String::new(),
        return_url: None,
        customer_ip: None,
        extra: BTreeMap::new(),
    };
    // Without the limit it would go on for ever.
    let paying = tokio::time::timeout(Duration::from_secs(60), engine.pay(ask, new));
    let done = paying.await.expect("it is stopped").unwrap();
    let entry = &done.payment.entries[0];
    assert_eq!(entry.state, State::Unknown, "money was asked for");
    let why = entry.why.as_deref().unwrap_or_default();
    assert!(why.contains("the plugin wants more than 5 requests"), "{entry:?}");
    let sent = engine.0.store.scan(store::Range::under(record::EXCHANGE, b"")).await.unwrap();
    assert_eq!(sent.len(), 5, "each that was sent is recorded, and no other");
}
