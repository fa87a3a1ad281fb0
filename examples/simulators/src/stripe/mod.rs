//! Stripe: payment intents, refunds and signed events, as of API version 2026-10-28.
//!
//! Follows docs.stripe.com/api and the parameter types of PyPI `stripe` 16.1.0. Not modelled:
//! customers and saved methods, Connect, multicapture, disputes, payouts, `livemode`. Stricter than
//! Stripe where the manual leaves room: a currency in upper case is refused, and so is a parameter
//! Stripe knows and the simulator does not.

mod balance;
mod cards;
mod confirmation;
mod currency;
mod dashboard;
mod events;
mod form;
mod idempotency;
mod intents;
mod lists;
mod methods;
mod params;
mod payer;
mod refunds;
mod refusal;
mod shape;
mod state;

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use serde_json::Value;
use subtle::ConstantTimeEq;

use crate::books::Books;
use crate::clock::Clock;
use crate::courier::{Courier, Retries, Terms};
use crate::delay::Delay;
use crate::exchange::{Answer, Asked};
use crate::payer::PayerAnswer;
use crate::server::{self, Provider, Running, StartError};

use events::Origin;
use idempotency::{Begun, Fingerprint, Keys};
use refusal::Refusal;
use state::{Call, Intent, State, new_id};

/// How the simulated Stripe is set up.
#[derive(Clone)]
pub struct StripeOptions {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The only secret key accepted.
    pub api_key: String,
    /// The secret events are signed with, as text, `whsec_…`.
    pub webhook_secret: String,
    /// Where events go; plain http. Without it they are only listed.
    pub webhook_url: Option<String>,
    /// The API version of an account that sends no `Stripe-Version`.
    pub api_version: String,
    /// The time between a request's effect and its answer.
    pub answer_delay: Delay,
    /// The simulator's time.
    pub clock: Clock,
    /// When an event that was not accepted is sent again.
    pub retries: Retries,
}

impl Default for StripeOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            api_key: "sk_test_simulator".into(),
            webhook_secret: "whsec_test_simulator".into(),
            webhook_url: None,
            api_version: "2026-10-28.endive".into(),
            answer_delay: Delay::None,
            clock: Clock::system(),
            // Stripe publishes no schedule, only that it grows and ends after three days.
            retries: Retries::after([5, 30, 300, 1800, 7200, 21_600].map(Duration::from_secs)),
        }
    }
}

/// A running Stripe. It stops when dropped.
pub struct StripeSimulator {
    running: Running,
    stripe: Arc<Stripe>,
}

impl StripeSimulator {
    /// Starts listening.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn start(options: StripeOptions) -> Result<Self, StartError> {
        let listener = server::listen(options.listen).await?;
        let base_url = format!("http://{}", server::local_address(&listener)?);
        let delay = options.answer_delay;
        let stripe = Arc::new(Stripe::new(options, base_url));
        let provider: Arc<dyn Provider> = Arc::clone(&stripe) as _;
        Ok(Self { running: Running::start(listener, provider, delay)?, stripe })
    }

    /// Sends events to another address from now on, or nowhere.
    pub fn point_webhook(&self, url: Option<String>) {
        self.stripe.point_webhook(url);
    }

    /// The payer answers the authentication of a payment intent.
    ///
    /// # Errors
    /// Stripe's message, when the intent does not wait for the payer.
    pub fn pay(&self, intent: &str, answer: PayerAnswer) -> Result<(), String> {
        self.stripe.pay(intent, answer)
    }

    /// Lets pending refunds succeed, and those fail that are to fail; returns how many moved.
    pub fn settle_refunds(&self) -> usize {
        self.stripe.settle_refunds()
    }

    /// Stops the simulator.
    pub async fn stop(self) {
        self.running.stop().await;
    }
}

impl Deref for StripeSimulator {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.running
    }
}

struct Stripe {
    options: StripeOptions,
    base_url: String,
    webhook_url: Mutex<Option<String>>,
    keys: Mutex<Keys>,
    state: Mutex<State>,
    events: Mutex<Vec<Value>>,
    courier: Arc<Courier>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stripe {
    fn new(options: StripeOptions, base_url: String) -> Self {
        let terms = Terms {
            accepted: |status| (200..300).contains(&status),
            time_limit: Duration::from_secs(20),
            retries: options.retries.clone(),
        };
        Self {
            webhook_url: Mutex::new(options.webhook_url.clone()),
            options,
            base_url,
            keys: Mutex::default(),
            state: Mutex::default(),
            events: Mutex::default(),
            courier: Courier::new(terms),
        }
    }

    fn point_webhook(&self, url: Option<String>) {
        *lock(&self.webhook_url) = url;
    }

    fn intent(&self, id: &str) -> Option<Intent> {
        lock(&self.state).intents.get(id).cloned()
    }

    fn pay(&self, id: &str, answer: PayerAnswer) -> Result<(), String> {
        let call = self.call("payer");
        let succeeded = answer == PayerAnswer::Succeeded;
        let paid = confirmation::authenticate(&mut lock(&self.state), id, succeeded, &call);
        self.emit(&Origin { request: None, key: None });
        paid.map_err(|refusal| refusal.error().to_string())
    }

    fn settle_refunds(&self) -> usize {
        let settled = refunds::settle(&mut lock(&self.state), self.options.clock.now_s());
        self.emit(&Origin { request: None, key: None });
        settled
    }

    fn call<'a>(&'a self, key: &'a str) -> Call<'a> {
        Call { now_s: self.options.clock.now_s(), key, base_url: &self.base_url }
    }

    /// Sends what happened.
    fn emit(&self, origin: &Origin<'_>) {
        let outbox = std::mem::take(&mut lock(&self.state).outbox);
        let url = lock(&self.webhook_url).clone();
        for pending in outbox {
            let (clock, version) = (&self.options.clock, &self.options.api_version);
            let event = events::event(pending, clock.now_s(), version, origin);
            if let Some(url) = &url {
                let secret = &self.options.webhook_secret;
                self.courier.send(events::letter(&event, url.clone(), secret, clock.clone()));
            }
            lock(&self.events).push(event);
        }
    }

    fn admit(&self, asked: &Asked) -> Result<(), Refusal> {
        let key = presented_key(asked)?;
        if !bool::from(key.as_bytes().ct_eq(self.options.api_key.as_bytes())) {
            let end = key.get(key.len().saturating_sub(4)..).unwrap_or_default();
            let why = format!("Invalid API Key provided: {}{end}", "*".repeat(12));
            return Err(Refusal::unauthorized(&why));
        }
        match asked.header("stripe-version") {
            Some(version) if !is_version(version) => {
                Err(Refusal::invalid(format!("Invalid Stripe API version: {version}")))
            }
            _ => Ok(()),
        }
    }

    fn route(&self, asked: &Asked, request: &str) -> Result<Answer, Refusal> {
        self.admit(asked)?;
        if asked.method == Method::POST {
            return self.post(asked, request);
        }
        let unknown = || unknown_url(asked);
        if asked.method != Method::GET {
            return Err(unknown());
        }
        let (state, events) = (lock(&self.state), lock(&self.events));
        let found = lists::read(&state, &events, asked).ok_or_else(unknown)??;
        Ok(Answer::json(StatusCode::OK, &found))
    }

    fn post(&self, asked: &Asked, request: &str) -> Result<Answer, Refusal> {
        let form_type = asked
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        if !form_type && !asked.body.is_empty() {
            let why = "Invalid request (check that your POST content type is \
                       application/x-www-form-urlencoded).";
            return Err(Refusal::invalid(why));
        }
        let Some(key) = asked.header("idempotency-key") else {
            return self.perform(asked, request, None);
        };
        let now_s = self.options.clock.now_s();
        let fingerprint = Fingerprint::of(asked);
        let begun = lock(&self.keys).begin(key, fingerprint, request, now_s)?;
        match begun {
            Begun::Again(answer, first) => {
                Ok(answer.with("idempotent-replayed", "true").with("original-request", &first))
            }
            Begun::First => self.perform(asked, request, Some(key)),
        }
    }

    fn perform(&self, asked: &Asked, request: &str, key: Option<&str>) -> Result<Answer, Refusal> {
        let done = self.change(asked, key.unwrap_or(request));
        self.emit(&Origin { request: Some(request), key });
        let mut answer = match done {
            Ok(body) => Answer::json(StatusCode::OK, &body),
            Err(refusal) if refusal.began => refusal.answer(),
            Err(refusal) => {
                if let Some(key) = key {
                    lock(&self.keys).forget(key);
                }
                return Err(refusal);
            }
        };
        if let Some(key) = key {
            answer = answer.with("idempotency-key", key).with("original-request", request);
        }
        answer.saves = key.map(str::to_owned);
        Ok(answer)
    }

    fn change(&self, asked: &Asked, key: &str) -> Result<Value, Refusal> {
        let form = form::parse(&asked.body)?;
        let call = self.call(key);
        let state = &mut lock(&self.state);
        match asked.segments().as_slice() {
            ["v1", "payment_intents"] => intents::create(state, &form, &call),
            ["v1", "payment_intents", id, "confirm"] => {
                confirmation::confirm(state, id, &form, &call)
            }
            ["v1", "payment_intents", id, "capture"] => intents::capture(state, id, &form, &call),
            ["v1", "payment_intents", id, "cancel"] => intents::cancel(state, id, &form, &call),
            ["v1", "payment_methods"] => methods::create(state, &form, &call),
            ["v1", "refunds"] => refunds::create(state, &form, &call),
            _ => Err(unknown_url(asked)),
        }
    }

    fn sealed(&self, answer: Answer, request: &str, asked: &Asked) -> Answer {
        let version = asked.header("stripe-version").unwrap_or(&self.options.api_version);
        answer.with("request-id", request).with("stripe-version", version)
    }
}

impl Provider for Stripe {
    fn execute(&self, asked: &Asked) -> Answer {
        let request = new_id("req_");
        let answer = self.route(asked, &request).unwrap_or_else(|refusal| refusal.answer());
        self.sealed(answer, &request, asked)
    }

    fn settle(&self, answer: &Answer) {
        if let Some(key) = &answer.saves {
            lock(&self.keys).keep(key, answer);
        }
    }

    fn broken(&self, status: StatusCode) -> Answer {
        Refusal::failed(status).answer().with("request-id", &new_id("req_"))
    }

    fn control(&self, asked: &Asked) -> Option<Answer> {
        payer::control(self, asked)
    }

    fn books(&self) -> Books {
        lock(&self.state).books.clone()
    }

    fn courier(&self) -> &Arc<Courier> {
        &self.courier
    }
}

/// The key of `Authorization: Bearer key`, or of Basic with the key as user name.
fn presented_key(asked: &Asked) -> Result<String, Refusal> {
    let header = asked.header("authorization").unwrap_or_default();
    let basic = |encoded: &str| {
        let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
        decoded.split_once(':').map(|(user, _)| user.to_owned())
    };
    let key = match header.split_once(' ') {
        Some(("Bearer", key)) => Some(key.to_owned()),
        Some(("Basic", encoded)) => basic(encoded),
        _ => None,
    };
    key.filter(|key| !key.is_empty()).ok_or_else(|| {
        Refusal::unauthorized(
            "You did not provide an API key. You need to provide your API key in the Authorization \
             header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
        )
    })
}

/// `2026-10-28` with or without a release name after a dot.
fn is_version(version: &str) -> bool {
    let (date, name) = version.split_once('.').unwrap_or((version, "none"));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = date.split('-').collect();
    let dated = matches!(parts.as_slice(), [y, m, d]
        if y.len() == 4 && m.len() == 2 && d.len() == 2 && digits(y) && digits(m) && digits(d));
    dated && !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase())
}

fn unknown_url(asked: &Asked) -> Refusal {
    let why = format!(
        "Unrecognized request URL ({}: {}). If you are trying to list objects, remove the trailing \
         slash. If you are trying to retrieve an object, make sure you passed a valid (non-empty) \
         identifier in your code.",
        asked.method, asked.path
    );
    Refusal::unrecognized(&why)
}
