//! The provider: its books, how it answers, and its webhooks. It believes whatever it is asked to
//! do, sums included, so that nothing but the host keeps the two books together.
//!
//! Four accounts differ in what it offers when an answer is lost: see [`ACCOUNTS`]. Not here: the
//! adapter that speaks to it (`adapter`).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::chance::Chance;
use crate::http::{Request, answer};
use crate::net::{End, Parcel};
use crate::tally::CHARGED_TWICE;
use crate::webhook::Webhook;
use crate::world::{Due, State};

/// What the provider of an account offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    pub name: &'static str,
    /// For so long the same key moves money once.
    pub idempotent_ms: Option<u64>,
    /// It can be asked about an entry.
    pub query: bool,
}

/// Every account there is: the grades A, B and C, and one that can be repeated but not asked.
pub const ACCOUNTS: [Account; 4] = [
    Account { name: "alpha", idempotent_ms: Some(45_000), query: true },
    Account { name: "beta", idempotent_ms: None, query: true },
    Account { name: "gamma", idempotent_ms: None, query: false },
    Account { name: "delta", idempotent_ms: Some(50_000), query: false },
];

/// Where something stands at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Pending,
    NeedsAction,
    Done,
    Refused,
    Closed,
}

impl Standing {
    pub fn word(self) -> &'static str {
        match self {
            Standing::Pending => "pending",
            Standing::NeedsAction => "needs-action",
            Standing::Done => "done",
            Standing::Refused => "refused",
            Standing::Closed => "closed",
        }
    }

    fn is_open(self) -> bool {
        matches!(self, Standing::Pending | Standing::NeedsAction)
    }
}

/// Something the provider did, or was asked to do.
#[derive(Clone, Debug)]
pub struct Object {
    pub number: u64,
    pub account: usize,
    /// The host's name of it.
    pub entry: String,
    pub kind: String,
    pub minor: u64,
    pub currency: String,
    pub standing: Standing,
    /// Whether an authorisation takes the money at once.
    pub capture: bool,
    /// What it acts on.
    of: Option<u64>,
    /// An authorisation that holds nothing any more.
    pub released: bool,
    /// Questions do not find it before.
    visible_at_ms: u64,
    /// The key it was asked with, and until when a repeat is known as one.
    key: Option<(String, u64)>,
    /// What came of it is certain to be told by a webhook.
    pub must_tell: bool,
}

impl Object {
    pub fn reference(&self) -> String {
        format!("obj_{}", self.number)
    }
}

/// A request on its way to the provider, and what befalls it.
#[derive(Debug)]
pub struct Letter {
    pub account: usize,
    pub line: u64,
    pub request: Request,
    manner: Manner,
}

/// What befalls a request that came through whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Prompt,
    Slow,
    /// The answer comes when nobody waits any more.
    Late,
    /// Heard, and never answered.
    Silent,
    /// Never heard.
    Vanishes,
    /// Heard late.
    Delayed,
    /// Heard when the host has long given up.
    Forgotten,
    CutBefore,
    CutWithin,
    /// A server error, of something that was done.
    Error,
    /// A server error, of something that was not done.
    ErrorUnheard,
    Garbage,
    Twice,
    /// The answer is not true.
    Lie,
}

const MANNERS: &[(u64, Manner, &str)] = &[
    (620, Manner::Prompt, ""),
    (60, Manner::Slow, "answer slow"),
    (30, Manner::Late, "answer after the time-out"),
    (30, Manner::Silent, "never answered"),
    (30, Manner::Vanishes, "request vanishes"),
    (30, Manner::Delayed, "request arrives late"),
    (6, Manner::Forgotten, "request arrives when given up"),
    (35, Manner::CutBefore, "cut before the first byte"),
    (35, Manner::CutWithin, "cut within the answer"),
    (30, Manner::Error, "5xx though done"),
    (30, Manner::ErrorUnheard, "5xx and not done"),
    (25, Manner::Garbage, "garbage answered"),
    (25, Manner::Twice, "answered twice"),
    (14, Manner::Lie, LIE),
];

const LIE: &str = "answer contradicts the books";

const OUTAGE: &[Manner] = &[
    Manner::Silent,
    Manner::Late,
    Manner::Vanishes,
    Manner::Delayed,
    Manner::CutBefore,
    Manner::Error,
    Manner::ErrorUnheard,
];

/// The provider, all accounts.
pub struct Provider {
    pub chance: Chance,
    pub objects: Vec<Object>,
    pub webhooks: Vec<Webhook>,
    /// The account that gives no answer for a while, though it does what it is asked.
    pub outage: Option<(usize, std::ops::Range<u64>)>,
    /// How often an entry has been done.
    done: BTreeMap<(usize, String), u64>,
}

impl Provider {
    pub fn new(chance: Chance) -> Provider {
        let (objects, webhooks, done) = (Vec::new(), Vec::new(), BTreeMap::new());
        Provider { chance, objects, webhooks, outage: None, done }
    }

    /// What was done for an entry.
    pub fn done_for(&self, entry: &str) -> Vec<&Object> {
        let of = |object: &&Object| object.entry == entry && object.standing == Standing::Done;
        self.objects.iter().filter(of).collect()
    }

    fn newest(&self, account: usize, entry: &str) -> Option<&Object> {
        let of = |object: &&Object| object.account == account && object.entry == entry;
        self.objects.iter().rev().find(of)
    }
}

impl State {
    /// A whole request has come through to the provider's network.
    pub fn request(&mut self, account: usize, line: u64, request: Request) {
        self.tell("request", &request.body);
        let manner = self.manner(account, &request);
        let arrives = match manner {
            Manner::Delayed => self.provider.chance.between(1_000, 8_000),
            Manner::Forgotten => self.provider.chance.between(50_000, 70_000),
            _ => self.net_delay(),
        };
        if request.method == "POST" {
            let body = serde_json::from_slice::<Value>(&request.body).unwrap_or_default();
            let entry = body["entry"].as_str().unwrap_or_default().to_owned();
            if let Some(wrong) = self.monitor.unrecorded(&entry) {
                self.wrong(wrong);
            }
        }
        if manner != Manner::Vanishes {
            self.after(arrives, Due::Hear(Letter { account, line, request, manner }));
        }
    }

    fn net_delay(&mut self) -> u64 {
        if self.faulty() { self.provider.chance.scaled(60) } else { 1 }
    }

    fn manner(&mut self, account: usize, request: &Request) -> Manner {
        if !self.faulty() {
            return Manner::Prompt;
        }
        let now = self.now_ms();
        let outage = self.provider.outage.as_ref();
        if outage.is_some_and(|(whose, when)| *whose == account && when.contains(&now)) {
            self.tally.fault("no answers for a while");
            return *self.provider.chance.pick(OUTAGE);
        }
        let weighed: Vec<_> = MANNERS.iter().map(|one| (one.0, (one.1, one.2))).collect();
        let (manner, what) = self.provider.chance.weighed(&weighed);
        // Where the same key moves money once, it does so for a while: later is another promise.
        let promised = ACCOUNTS[account].idempotent_ms.is_some() || request.method != "POST";
        let manner = match manner {
            Manner::Forgotten if promised => Manner::Prompt,
            Manner::Lie if request.method != "POST" => Manner::Prompt,
            other => other,
        };
        // What is not told yet is no lie yet.
        if !matches!(manner, Manner::Prompt | Manner::Lie) {
            self.tally.fault(what);
        }
        manner
    }

    /// A request has come to the provider itself.
    pub fn hear(&mut self, letter: Letter) {
        let Letter { account, line, request, manner } = letter;
        self.tell("hear", request.path.as_bytes());
        let (status, body) = match manner {
            Manner::ErrorUnheard => (503, json!({"error": "come again"})),
            _ => self.handle(account, &request, manner == Manner::Forgotten),
        };
        let body = match manner {
            Manner::Lie => self.lie(body),
            _ => body,
        };
        let bytes = match manner {
            Manner::Error => answer(500, b"oops"),
            Manner::Garbage if self.provider.chance.permille(500) => b"SSH-2.0-no\r\n\r\n".to_vec(),
            Manner::Garbage => answer(200, b"<html>maintenance</html>"),
            _ => answer(status, body.to_string().as_bytes()),
        };
        self.reply(line, manner, bytes);
    }

    fn reply(&mut self, line: u64, manner: Manner, mut bytes: Vec<u8>) {
        let chance = &mut self.provider.chance;
        let wait = match manner {
            Manner::Slow => chance.between(200, 1_300),
            Manner::Late => chance.between(1_600, 4_000),
            _ => chance.scaled(150),
        };
        let end = match manner {
            Manner::Silent => return,
            Manner::CutBefore | Manner::CutWithin => {
                let keep = if manner == Manner::CutBefore { 0 } else { bytes.len() as u64 };
                bytes.truncate(chance.below(keep.max(1)) as usize);
                Some(*chance.pick(&[End::Closed, End::Reset]))
            }
            _ => None,
        };
        if manner == Manner::Twice {
            let again = chance.scaled(2_000);
            let parcel = Parcel { line, bytes: bytes.clone(), end: None };
            self.after(wait + again, Due::Say(parcel));
        }
        self.after(wait, Due::Say(Parcel { line, bytes, end }));
    }

    fn handle(&mut self, account: usize, request: &Request, given_up: bool) -> (u16, Value) {
        if request.method == "GET" {
            return match request.path.strip_prefix("/entries/") {
                Some(entry) => self.asked_about(account, entry),
                None => (200, json!({"token": "tok"})),
            };
        }
        let Ok(asked) = serde_json::from_slice::<Value>(&request.body) else {
            return (400, json!({"error": "no JSON"}));
        };
        let key = request.headers.get("idempotency-key").cloned();
        let now = self.now_ms();
        if let (Some(key), Some(_)) = (&key, ACCOUNTS[account].idempotent_ms) {
            let is = |object: &&Object| {
                let known = object.key.as_ref();
                object.account == account
                    && known.is_some_and(|(of, until)| of == key && now < *until)
            };
            if let Some(known) = self.provider.objects.iter().find(is) {
                let told = told(known);
                // Which says nothing about the first time.
                return match self.fault("repeat refused for its rate", 150) {
                    true => (429, json!({"error": "too many", "entry": asked["entry"]})),
                    false => (200, told),
                };
            }
        }
        if self.fault("refused before it is in the books", 15) {
            return (422, json!({"error": "no", "entry": asked["entry"]}));
        }
        let number = self.make(account, &asked, key, given_up);
        (200, told(&self.provider.objects[number as usize]))
    }

    fn asked_about(&mut self, account: usize, entry: &str) -> (u16, Value) {
        let now = self.now_ms();
        match self.provider.newest(account, entry) {
            Some(object) if object.visible_at_ms <= now => (200, told(object)),
            _ => (404, json!({"error": "no such entry", "entry": entry})),
        }
    }

    fn make(&mut self, account: usize, asked: &Value, key: Option<String>, late: bool) -> u64 {
        let text = |name: &str| asked[name].as_str().unwrap_or_default().to_owned();
        let number = self.provider.objects.len() as u64;
        let of = asked["of"].as_str().and_then(|text| text.strip_prefix("obj_")?.parse().ok());
        let now = self.now_ms();
        let lag = if self.faulty() { self.provider.chance.scaled(1_200) } else { 0 };
        let promised = ACCOUNTS[account].idempotent_ms;
        self.provider.objects.push(Object {
            number,
            account,
            entry: text("entry"),
            kind: text("kind"),
            minor: asked["minor"].as_u64().unwrap_or_default(),
            currency: text("currency"),
            standing: Standing::Pending,
            capture: asked["capture"].as_bool().unwrap_or_default(),
            of,
            released: false,
            visible_at_ms: now + lag,
            key: key.zip(promised.map(|ms| now + ms)),
            must_tell: late,
        });
        let standing = self.decided(number, &text("of-entry"));
        self.stand(number, standing);
        if standing.is_open() {
            let wait = self.provider.chance.between(200, 20_000);
            self.after(wait, Due::Decide(number));
        }
        number
    }

    /// What the provider makes of what it is asked, at once.
    fn decided(&mut self, number: u64, of_entry: &str) -> Standing {
        let object = self.provider.objects[number as usize].clone();
        let target = object.of.and_then(|of| self.provider.objects.get(of as usize)).cloned();
        let drawn = self.provider.chance.weighed(&[
            (74, Standing::Done),
            (8, Standing::Refused),
            (18, Standing::Pending),
        ]);
        match (object.kind.as_str(), target) {
            ("authorize", _) if self.provider.chance.permille(80) => Standing::NeedsAction,
            ("authorize" | "payout", _) => drawn,
            ("cancel", _) => self.cancelled(object.account, of_entry),
            ("capture", Some(of)) if of.standing == Standing::Done && !of.released => drawn,
            ("refund", Some(of)) if of.standing == Standing::Done => drawn,
            _ => Standing::Refused,
        }
    }

    fn cancelled(&mut self, account: usize, entry: &str) -> Standing {
        let Some(number) = self.provider.newest(account, entry).map(|object| object.number) else {
            return Standing::Refused;
        };
        let taken = self.provider.objects.iter().any(|object| {
            let lives = object.standing == Standing::Done || object.standing.is_open();
            object.of == Some(number) && object.kind == "capture" && lives
        });
        let object = &mut self.provider.objects[number as usize];
        match object.standing {
            Standing::Pending | Standing::NeedsAction => {
                object.released = true;
                self.stand(number, Standing::Closed);
                Standing::Done
            }
            Standing::Done if !object.capture && !taken && !object.released => {
                object.released = true;
                Standing::Done
            }
            _ => Standing::Refused,
        }
    }

    /// Something is so now: it is entered in the books and told by webhooks.
    fn stand(&mut self, number: u64, standing: Standing) {
        let object = &mut self.provider.objects[number as usize];
        object.standing = standing;
        let (what, entry) = (object.clone(), object.entry.clone());
        let text = format!("{} {} {}", what.reference(), entry, standing.word());
        self.tell("books", text.as_bytes());
        if standing == Standing::Done {
            let done = self.provider.done.entry((what.account, entry.clone())).or_default();
            *done += 1;
            if *done > 1 {
                let name = ACCOUNTS[what.account].name;
                self.tally.add(CHARGED_TWICE, 1);
                self.wrong(format!("{name}: {} of {entry} was done twice", what.kind));
            }
        }
        self.announce(number);
    }

    /// What was pending is decided.
    pub fn decide(&mut self, number: u64) {
        let standing = self.provider.objects[number as usize].standing;
        if !standing.is_open() {
            return;
        }
        let standing = self.provider.chance.weighed(&[
            (70, Standing::Done),
            (15, Standing::Refused),
            (15, Standing::Closed),
        ]);
        self.stand(number, standing);
    }

    /// An answer that is not true; the truth comes by a webhook.
    fn lie(&mut self, told: Value) -> Value {
        let mut lie = told;
        let number = lie["reference"].as_str().and_then(|text| text.strip_prefix("obj_"));
        let Some(number) = number.and_then(|text| text.parse::<u64>().ok()) else { return lie };
        match lie["state"].as_str() {
            Some("done") if self.provider.chance.permille(500) => {
                lie["minor"] = json!(lie["minor"].as_u64().unwrap_or_default() + 1);
            }
            Some("done") => lie["state"] = json!("refused"),
            Some("refused") => lie["state"] = json!("done"),
            _ => return lie,
        }
        self.tally.fault(LIE);
        self.tell("lie", lie.to_string().as_bytes());
        self.provider.objects[number as usize].must_tell = true;
        self.announce(number);
        lie
    }
}

/// Something as the provider tells of it.
pub fn told(object: &Object) -> Value {
    json!({
        "reference": object.reference(),
        "entry": object.entry,
        "kind": object.kind,
        "state": object.standing.word(),
        "minor": object.minor,
        "currency": object.currency,
    })
}
