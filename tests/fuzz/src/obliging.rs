//! A plugin, natively, of a provider that does what the payer's token says: `declined`, `pending`,
//! `action`, `lost`, `absent`, and anything else is paid.

use std::time::Duration;

use engine::{Calling, Plugin};
use sandbox::contract as wit;
use sandbox::{Called, Surroundings};

/// Where its requests go.
pub const PROVIDER: &str = "http://203.0.113.9:8081";

/// The plugin.
pub struct Obliging(wit::Description);

impl Default for Obliging {
    fn default() -> Obliging {
        use wit::OperationKind::{Authorize, Cancel, Capture, Payout, Refund, Sync};
        Obliging(wit::Description {
            name: "obliging".to_owned(),
            version: "1.0.0".to_owned(),
            operations: vec![Authorize, Capture, Cancel, Refund, Payout, Sync],
            methods: ["token", "bank", "wallet", "qr"].map(str::to_owned).to_vec(),
            currencies: Vec::new(),
            hosts: Vec::new(),
            settings: Vec::new(),
            secrets: Vec::new(),
            keys: Vec::new(),
            legacy: Vec::new(),
            recovery: wit::Recovery { idempotent_seconds: None, query: true, close: false },
            reports: wit::Reports { fetched: false, read: false, operations: Vec::new() },
        })
    }
}

fn called<T: Send + 'static>(answer: T) -> Calling<'static, T> {
    let (remembered, derived, elapsed) = (Vec::new(), Vec::new(), Duration::ZERO);
    let called = Called { answer, remembered, derived, elapsed };
    Box::pin(async { Ok(called) })
}

fn order(operation: &wit::Operation) -> &wit::Order {
    match operation {
        wit::Operation::Authorize(order)
        | wit::Operation::Capture(order)
        | wit::Operation::Cancel(order)
        | wit::Operation::Refund(order)
        | wit::Operation::Payout(order)
        | wit::Operation::Sync(order) => order,
    }
}

fn outcome(order: &wit::Order) -> wit::Outcome {
    let references =
        wit::References { provider: format!("ref-{}", order.entry.id), secondary: None };
    let word = match &order.instrument {
        wit::Instrument::Token(token) => token.as_str(),
        _ => "",
    };
    match word {
        "declined" => wit::Outcome::Declined(wit::Decline {
            code: wit::DeclineCode::Generic,
            retry: wit::RetryAdvice::Never,
            provider_code: "51".to_owned(),
            provider_message: "no".to_owned(),
            references: None,
        }),
        "pending" => wit::Outcome::Pending(references),
        "lost" => wit::Outcome::Unknown("the provider mumbles".to_owned()),
        "absent" => wit::Outcome::Absent,
        "action" => wit::Outcome::NeedsAction(wit::Action {
            references,
            next: wit::NextAction::Redirect("https://bank.example/3ds".to_owned()),
        }),
        _ => {
            wit::Outcome::Succeeded(wit::Settled { references, amount: order.entry.amount.clone() })
        }
    }
}

impl Plugin for Obliging {
    fn description(&self) -> &wit::Description {
        &self.0
    }

    fn identity(&self) -> String {
        "obliging".to_owned()
    }

    fn start(
        &self,
        _: Surroundings,
        operation: wit::Operation,
    ) -> Calling<'_, Result<wit::Step, wit::Failure>> {
        let request = wit::Request::Http(wit::HttpRequest {
            method: wit::Method::Post,
            url: format!("{PROVIDER}/do"),
            headers: Vec::new(),
            body: vec![wit::Part::Text(order(&operation).entry.id.clone())],
        });
        let exchange = wit::Exchange { request, moves_money: true, state: Vec::new() };
        called(Ok(wit::Step::Send(exchange)))
    }

    fn resume(
        &self,
        _: Surroundings,
        operation: wit::Operation,
        _: Vec<u8>,
        _: wit::Reply,
    ) -> Calling<'_, Result<wit::Step, wit::Failure>> {
        called(Ok(wit::Step::Done(outcome(order(&operation)))))
    }

    fn prove(
        &self,
        _: Surroundings,
        _: wit::Delivery,
    ) -> Calling<'_, Result<wit::Proof, wit::Failure>> {
        called(Err(wit::Failure::Malformed("it sends no webhooks".to_owned())))
    }

    fn interpret(
        &self,
        _: Surroundings,
        _: wit::Delivery,
    ) -> Calling<'_, Result<Vec<wit::Event>, wit::Failure>> {
        called(Ok(Vec::new()))
    }

    fn acknowledge(&self, accepted: bool) -> Calling<'_, wit::HttpResponse> {
        let status = if accepted { 200 } else { 400 };
        called(wit::HttpResponse { status, headers: Vec::new(), body: Vec::new() })
    }
}
