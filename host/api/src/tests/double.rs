//! An engine in memory: the ledger's own rules, idempotency as promised, and outcomes by token.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use engine::audit::{Act, Line};
use engine::{
    Acknowledgement, App, AppKey, Apps, Ask, Card, CardState, Delivery, Done, Endpoint, Error,
    Event, EventPage, Instrument, LoadedPlugin, NewCard, NewEndpoint, NewPayment, NewPayout, Nonce,
    NotificationPage, Offer, PaymentPage, Proof, Protection, Quarantine, Replay, Scope, Sender,
    Stage, Until,
};
use ledger::{
    Decline, DeclineCode, Entry, Id, Kind, Money, NextAction, Payment, References, RetryAdvice,
    Settled, State, Verdict,
};
use tokio::sync::Semaphore;

use crate::contract::{Endpoints, Payments, Plugins, Shown, Soon};

pub(super) const KEY: &str = "tgk_shop_0123456789abcdef";
pub(super) const OTHER_KEY: &str = "tgk_rival_0123456789abcdef";
pub(super) const READING_KEY: &str = "tgk_reader_0123456789abcdef";
pub(super) const ACCOUNT: &str = "acme-eu";
const EPOCH_MS: u64 = 1_767_225_600_123;

#[derive(Default)]
struct Books {
    drawn: u64,
    payments: Vec<Payment>,
    cards: Vec<Card>,
    events: Vec<(Id, Event)>,
    answered: HashMap<(Id, String), ([u8; 32], Done)>,
}

pub(super) struct Double {
    books: Mutex<Books>,
    /// Answered by the next call, whatever it is.
    pub(super) fail: Mutex<Option<Error>>,
    pub(super) asked: Mutex<Vec<NewPayment>>,
    pub(super) paid_out: Mutex<Vec<NewPayout>>,
    pub(super) deliveries: Mutex<Vec<Delivery>>,
    pub(super) acknowledgement: Mutex<Acknowledgement>,
    pub(super) impediments: Mutex<Vec<String>>,
    pub(super) acts: Mutex<Vec<Act>>,
    /// Whether no line can be written to the trail.
    pub(super) unwritable: AtomicBool,
    /// Whether the plugin was cleared.
    cleared: AtomicBool,
    /// `tok_slow` waits here.
    pub(super) gate: Semaphore,
    /// Has a permit for each payment that was begun.
    began: Semaphore,
    pub(super) ended: AtomicUsize,
    /// Told of every new event.
    changes: tokio::sync::watch::Sender<u64>,
}

fn sender_of(key: &str) -> Option<Sender> {
    let random = match key {
        KEY => [1; 10],
        OTHER_KEY => [2; 10],
        READING_KEY => [3; 10],
        _ => return None,
    };
    let app = App {
        id: Id::app(EPOCH_MS, random),
        name: "shop".to_owned(),
        created_at_ms: EPOCH_MS,
        revoked_at_ms: None,
        networks: Vec::new(),
        rate: None,
        spending: Vec::new(),
        scopes: if key == READING_KEY { [Scope::Read].into() } else { Scope::ALL.into() },
        protection: Protection::Bearer,
        accounts: None,
        keys: Vec::new(),
    };
    Some(Sender { app: Arc::new(app), key: "key-1".to_owned(), proof: Proof::Bearer })
}

impl Books {
    fn draw(&mut self) -> (u64, [u8; 10]) {
        self.drawn += 1;
        let mut random = [0; 10];
        random[2..].copy_from_slice(&self.drawn.to_be_bytes());
        (EPOCH_MS + self.drawn, random)
    }

    fn find(&mut self, app: &Id, id: &Id) -> Result<&mut Payment, Error> {
        let found = self.payments.iter_mut().find(|one| one.id == *id && one.app == *app);
        found.ok_or_else(|| Error::NoSuchPayment(id.clone()))
    }

    /// The entry's whole life in one go, with an event for each change.
    fn run(
        &mut self,
        mut payment: Payment,
        (kind, amount, capture): (Kind, Money, bool),
        verdict: Verdict,
    ) -> Result<(Payment, Id), Error> {
        let (now, random) = self.draw();
        let id = Id::entry(now, random);
        let entry = Entry {
            id: id.clone(),
            kind,
            amount,
            capture,
            state: State::Created,
            references: None,
            next: None,
            decline: None,
            why: None,
            resolution: None,
            created_at_ms: now,
            changed_at_ms: now,
        };
        payment.begin(entry)?;
        for told in [Verdict::Sending, verdict] {
            let (now, random) = self.draw();
            payment.tell(&id, &told, now);
            let entry = payment.entry(&id).unwrap().clone();
            let word = |value| serde_json::to_value(value).unwrap().as_str().unwrap().to_owned();
            let state = serde_json::to_value(entry.state).unwrap();
            let name = format!("{}.{}", word(kind), state.as_str().unwrap());
            let id = Id::event(now, random);
            let event = Event { id, name, at_ms: now, payment: payment.clone(), entry };
            self.events.push((payment.app.clone(), event));
        }
        Ok((payment, id))
    }
}

fn references() -> References {
    References { provider: "prv_1".to_owned(), secondary: None }
}

fn verdict(instrument: &Instrument, amount: Money) -> Verdict {
    let next = |next| Verdict::NeedsAction { references: references(), next };
    match instrument {
        Instrument::Token(token) if token == "tok_declined" => Verdict::Declined {
            decline: Decline {
                code: DeclineCode::InsufficientFunds,
                retry: RetryAdvice::OtherProvider,
                provider_code: "51".to_owned(),
                provider_message: "NO FUNDS\u{1}".to_owned(),
            },
            references: None,
        },
        Instrument::Token(token) if token == "tok_lost" => {
            Verdict::Lost { why: "connection reset".to_owned() }
        }
        Instrument::Token(token) if token == "tok_form" => next(NextAction::Form {
            url: "https://acs.example/".to_owned(),
            fields: vec![("PaReq".to_owned(), "x".to_owned())],
        }),
        Instrument::Wallet(_) => {
            next(NextAction::Redirect { url: "https://wallet.example/".to_owned() })
        }
        Instrument::Qr => next(NextAction::Qr { text: "000201".to_owned() }),
        Instrument::Token(_) | Instrument::Bank(_) | Instrument::Card(_) => {
            Verdict::Succeeded(Settled { references: references(), amount })
        }
    }
}

impl Double {
    pub(super) fn new() -> Double {
        let acknowledgement = Acknowledgement { status: 200, headers: vec![], body: vec![] };
        Double {
            books: Mutex::default(),
            fail: Mutex::default(),
            asked: Mutex::default(),
            paid_out: Mutex::default(),
            deliveries: Mutex::default(),
            acknowledgement: Mutex::new(acknowledgement),
            impediments: Mutex::default(),
            acts: Mutex::default(),
            unwritable: AtomicBool::default(),
            cleared: AtomicBool::default(),
            gate: Semaphore::new(0),
            began: Semaphore::new(0),
            ended: AtomicUsize::new(0),
            changes: tokio::sync::watch::Sender::new(0),
        }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap()
    }

    /// Waits until an operation has begun.
    pub(super) async fn has_begun(&self) {
        let _ = self.began.acquire().await.unwrap();
    }

    fn failure(&self) -> Result<(), Error> {
        self.fail.lock().unwrap().take().map_or(Ok(()), Err)
    }

    /// Answers a repetition, or does it and remembers.
    fn once(
        &self,
        ask: Ask,
        work: impl FnOnce(&mut Books, &Id) -> Result<(Payment, Id), Error>,
    ) -> Result<Done, Error> {
        self.failure()?;
        let mut state = self.books();
        let key = (ask.app.clone(), ask.idempotency_key.clone());
        if let Some((digest, done)) = state.answered.get(&key) {
            let done = Done { replayed: true, ..done.clone() };
            return if *digest == ask.digest { Ok(done) } else { Err(Error::KeyReused) };
        }
        let (payment, entry) = work(&mut state, &ask.app)?;
        let known = state.payments.iter_mut().find(|one| one.id == payment.id);
        match known {
            Some(known) => *known = payment.clone(),
            None => state.payments.push(payment.clone()),
        }
        let done = Done { payment, entry, replayed: false };
        state.answered.insert(key, (ask.digest, done.clone()));
        self.changes.send_modify(|count| *count += 1);
        Ok(done)
    }

    fn begin(
        &self,
        ask: Ask,
        (account, reference, amount): (String, String, Money),
        (kind, capture, verdict): (Kind, bool, Verdict),
    ) -> Result<Done, Error> {
        self.once(ask, |state, app| {
            if account != ACCOUNT {
                return Err(Error::NoSuchAccount(account));
            }
            let (now, random) = state.draw();
            let payment = Payment {
                id: Id::payment(now, random),
                app: app.clone(),
                account,
                merchant_reference: reference,
                amount,
                entries: vec![],
                created_at_ms: now,
            };
            state.run(payment, (kind, amount, capture), verdict)
        })
    }

    fn follow(
        &self,
        ask: Ask,
        (payment, kind): (Id, Kind),
        amount: impl FnOnce(&Payment) -> u64,
    ) -> Result<Done, Error> {
        self.once(ask, |state, app| {
            let payment = state.find(app, &payment)?.clone();
            let left = amount(&payment).clamp(1, payment.amount.minor().max(1));
            let amount = Money::new(left, payment.amount.currency()).unwrap();
            let verdict = Verdict::Succeeded(Settled { references: references(), amount });
            state.run(payment, (kind, amount, false), verdict)
        })
    }

    fn part(&self, ask: Ask, (payment, kind): (Id, Kind), amount: Money) -> Result<Done, Error> {
        self.once(ask, |state, app| {
            let payment = state.find(app, &payment)?.clone();
            let verdict = Verdict::Succeeded(Settled { references: references(), amount });
            state.run(payment, (kind, amount, false), verdict)
        })
    }

    async fn slow(&self, instrument: &Instrument) {
        match instrument {
            Instrument::Token(token) if token == "tok_slow" => {
                self.gate.acquire().await.unwrap().forget();
            }
            Instrument::Token(token) if token == "tok_panic" => panic!("as the test asked"),
            _ => {}
        }
    }
}

fn place(cursor: Option<&str>, length: usize) -> Result<usize, Error> {
    let Some(text) = cursor else { return Ok(0) };
    let place = text.strip_prefix('c').and_then(|text| text.parse().ok());
    place.filter(|n| *n <= length).ok_or_else(|| Error::NotACursor(text.to_owned()))
}

impl Payments for Double {
    fn pay(&self, ask: Ask, payment: NewPayment) -> Soon<'_, Result<Done, Error>> {
        Box::pin(async move {
            self.began.add_permits(1);
            self.slow(&payment.instrument).await;
            self.asked.lock().unwrap().push(payment.clone());
            let verdict = verdict(&payment.instrument, payment.amount);
            let what = (payment.account, payment.merchant_reference, payment.amount);
            let done = self.begin(ask, what, (Kind::Authorize, payment.capture, verdict));
            self.ended.fetch_add(1, Ordering::SeqCst);
            done
        })
    }

    fn pay_out(&self, ask: Ask, payout: NewPayout) -> Soon<'_, Result<Done, Error>> {
        Box::pin(async move {
            self.paid_out.lock().unwrap().push(payout.clone());
            let verdict = verdict(&payout.instrument, payout.amount);
            let what = (payout.account, payout.merchant_reference, payout.amount);
            self.begin(ask, what, (Kind::Payout, false, verdict))
        })
    }

    fn capture(&self, ask: Ask, id: Id, amount: Option<Money>) -> Soon<'_, Result<Done, Error>> {
        Box::pin(async move {
            match amount {
                Some(amount) => self.part(ask, (id, Kind::Capture), amount),
                None => self.follow(ask, (id, Kind::Capture), |payment| {
                    payment.authorized_minor() - payment.captured_minor()
                }),
            }
        })
    }

    fn cancel(&self, ask: Ask, id: Id) -> Soon<'_, Result<Done, Error>> {
        Box::pin(async move { self.follow(ask, (id, Kind::Cancel), |one| one.amount.minor()) })
    }

    fn refund(&self, ask: Ask, id: Id, amount: Option<Money>) -> Soon<'_, Result<Done, Error>> {
        Box::pin(async move {
            match amount {
                Some(amount) => self.part(ask, (id, Kind::Refund), amount),
                None => self.follow(ask, (id, Kind::Refund), |payment| {
                    payment.captured_minor() - payment.refunded_minor()
                }),
            }
        })
    }

    fn sync<'a>(&'a self, app: &'a Id, payment: &'a Id) -> Soon<'a, Result<Payment, Error>> {
        self.payment(app, payment)
    }

    fn payment<'a>(&'a self, app: &'a Id, payment: &'a Id) -> Soon<'a, Result<Payment, Error>> {
        Box::pin(async move {
            self.failure()?;
            self.books().find(app, payment).cloned()
        })
    }

    fn payments<'a>(
        &'a self,
        app: &'a Id,
        cursor: Option<&'a str>,
        limit: usize,
    ) -> Soon<'a, Result<PaymentPage, Error>> {
        Box::pin(async move {
            self.failure()?;
            let state = self.books();
            let own: Vec<&Payment> =
                state.payments.iter().rev().filter(|one| one.app == *app).collect();
            let from = place(cursor, own.len())?;
            let payments: Vec<Payment> =
                own.iter().skip(from).take(limit).map(|one| (*one).clone()).collect();
            let next = from + payments.len();
            let cursor = (next < own.len()).then(|| format!("c{next}"));
            Ok(PaymentPage { payments, cursor })
        })
    }

    fn events<'a>(
        &'a self,
        app: &'a Id,
        cursor: Option<&'a str>,
        limit: usize,
    ) -> Soon<'a, Result<EventPage, Error>> {
        Box::pin(async move {
            self.failure()?;
            let state = self.books();
            let own: Vec<&Event> =
                state.events.iter().filter(|one| one.0 == *app).map(|one| &one.1).collect();
            let from = place(cursor, own.len())?;
            let events: Vec<Event> =
                own.iter().skip(from).take(limit).map(|one| (*one).clone()).collect();
            let cursor = format!("c{}", from + events.len());
            let places = (0..events.len()).map(|n| format!("c{}", from + n + 1)).collect();
            Ok(EventPage { events, places, cursor })
        })
    }

    fn tokenise<'a>(&'a self, app: &'a Id, card: NewCard) -> Soon<'a, Result<Card, Error>> {
        Box::pin(async move {
            self.failure()?;
            let mut state = self.books();
            let (now, random) = state.draw();
            let digits = String::from_utf8(card.number.expose().to_vec()).unwrap();
            let card = Card {
                id: Id::card(now, random),
                app: app.clone(),
                brand: "visa".to_owned(),
                last4: digits[digits.len() - 4..].to_owned(),
                expiry_month: card.expiry_month,
                expiry_year: card.expiry_year,
                fingerprint: Some("00".to_owned()),
                holder: card.holder.is_some(),
                security_code: card.security_code.is_some(),
                state: CardState::Active,
                created_at_ms: now,
                keep_until_ms: now + 1,
            };
            state.cards.push(card.clone());
            Ok(card)
        })
    }

    fn card<'a>(&'a self, app: &'a Id, card: &'a Id) -> Soon<'a, Result<Card, Error>> {
        Box::pin(async move {
            self.failure()?;
            let state = self.books();
            let found = state.cards.iter().find(|one| one.id == *card && one.app == *app);
            found.cloned().ok_or_else(|| Error::NoSuchCard(card.clone()))
        })
    }

    fn erase_card<'a>(&'a self, app: &'a Id, card: &'a Id) -> Soon<'a, Result<Card, Error>> {
        Box::pin(async move {
            self.failure()?;
            let mut state = self.books();
            let found = state.cards.iter_mut().find(|one| one.id == *card && one.app == *app);
            let found = found.ok_or_else(|| Error::NoSuchCard(card.clone()))?;
            found.state = CardState::Erased;
            Ok(found.clone())
        })
    }

    fn deliver<'a>(
        &'a self,
        account: &'a str,
        delivery: Delivery,
    ) -> Soon<'a, Result<Acknowledgement, Error>> {
        Box::pin(async move {
            self.failure()?;
            if account != ACCOUNT {
                return Err(Error::NoSuchAccount(account.to_owned()));
            }
            self.deliveries.lock().unwrap().push(delivery);
            Ok(self.acknowledgement.lock().unwrap().clone())
        })
    }

    fn app<'a>(&'a self, _: &'a Id) -> Soon<'a, Result<Option<App>, Error>> {
        Box::pin(async { Ok(None) })
    }

    fn app_key(&self, _: &App, _: &AppKey) -> Result<Option<vault::Key>, Error> {
        Ok(None)
    }

    fn take_nonce<'a>(&'a self, _: Nonce<'a>) -> Soon<'a, Result<bool, Error>> {
        Box::pin(async { Ok(true) })
    }

    fn offers(&self, _: &App) -> Vec<Offer> {
        Vec::new()
    }

    fn sender_by_api_key<'a>(&'a self, key: &'a str) -> Soon<'a, Result<Option<Sender>, Error>> {
        Box::pin(async move { Ok(sender_of(key)) })
    }

    fn audit(&self, act: Act) -> Soon<'_, Result<(), Error>> {
        Box::pin(async move {
            if self.unwritable.load(Ordering::SeqCst) {
                let full = engine::audit::Unwritten::because("the disk is full");
                return Err(Error::Audit(full));
            }
            self.acts.lock().unwrap().push(act);
            Ok(())
        })
    }

    fn audit_lines(&self, _: u64, _: usize) -> Soon<'_, Result<Vec<Line>, Error>> {
        Box::pin(async move { Ok(Vec::new()) })
    }

    fn apps(&self) -> Option<Apps> {
        None
    }

    fn books(&self) -> Option<engine::Books> {
        None
    }

    fn impediments(&self) -> Soon<'_, Vec<String>> {
        Box::pin(async move { self.impediments.lock().unwrap().clone() })
    }
}

/// It has one plugin, which is quarantined until it is cleared.
impl Plugins for Double {
    fn plugins(&self) -> Vec<LoadedPlugin> {
        let quarantine = Quarantine { reason: "it trapped".to_owned(), until: Until::Cleared };
        let cleared = self.cleared.load(Ordering::SeqCst);
        vec![LoadedPlugin {
            name: "acme".to_owned(),
            digest: "sha256:00".to_owned(),
            provider: "Acme".to_owned(),
            version: "1.0.0".to_owned(),
            accounts: vec![ACCOUNT.to_owned()],
            calls: 9,
            faults: 8,
            quarantine: (!cleared).then_some(quarantine),
        }]
    }

    fn clear_plugin<'a>(&'a self, name: &'a str) -> Soon<'a, Result<LoadedPlugin, Error>> {
        Box::pin(async move {
            let known = self.plugins().into_iter().find(|plugin| plugin.name == name);
            let known = known.ok_or_else(|| Error::NoSuchPlugin(name.to_owned()))?;
            self.cleared.store(true, Ordering::SeqCst);
            Ok(LoadedPlugin { quarantine: None, ..known })
        })
    }
}

/// It has no endpoints: they are the engine's, and tried over the real host.
impl Endpoints for Double {
    fn add_endpoint<'a>(&'a self, _: &'a Id, _: NewEndpoint) -> Soon<'a, Result<Shown, Error>> {
        Box::pin(async { Err(self.failure().err().unwrap_or(Error::NoVault)) })
    }

    fn endpoints<'a>(&'a self, _: &'a Id) -> Soon<'a, Result<Vec<Endpoint>, Error>> {
        Box::pin(async { self.failure().map(|()| Vec::new()) })
    }

    fn endpoint<'a>(&'a self, _: &'a Id, id: &'a Id) -> Soon<'a, Result<Endpoint, Error>> {
        Box::pin(async { Err(self.none(id)) })
    }

    fn remove_endpoint<'a>(&'a self, _: &'a Id, id: &'a Id) -> Soon<'a, Result<(), Error>> {
        Box::pin(async { Err(self.none(id)) })
    }

    fn enable_endpoint<'a>(&'a self, _: &'a Id, id: &'a Id) -> Soon<'a, Result<Endpoint, Error>> {
        Box::pin(async { Err(self.failure().err().unwrap_or(Error::NoSuchEndpoint(id.clone()))) })
    }

    fn rotate_endpoint_secret<'a>(
        &'a self,
        _: &'a Id,
        id: &'a Id,
        _: u64,
    ) -> Soon<'a, Result<Shown, Error>> {
        Box::pin(async { Err(self.none(id)) })
    }

    fn notifications<'a>(
        &'a self,
        _: &'a Id,
        id: &'a Id,
        _: Option<Stage>,
        _: (Option<&'a str>, usize),
    ) -> Soon<'a, Result<NotificationPage, Error>> {
        Box::pin(async { Err(self.none(id)) })
    }

    fn replay<'a>(
        &'a self,
        _: &'a Id,
        id: &'a Id,
        _: &'a Replay,
    ) -> Soon<'a, Result<usize, Error>> {
        Box::pin(async { Err(self.none(id)) })
    }

    fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.changes.subscribe()
    }
}

impl Double {
    /// Makes of the events there are so many more.
    pub(super) fn flood(&self, count: usize) {
        let mut books = self.books();
        let known = books.events.clone();
        books.events.extend(known.into_iter().cycle().take(count));
        self.changes.send_modify(|count| *count += 1);
    }

    fn none(&self, id: &Id) -> Error {
        self.failure().err().unwrap_or_else(|| Error::NoSuchEndpoint(id.clone()))
    }
}
