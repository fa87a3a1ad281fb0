//! The endpoints of apps: what they are told, and how badly they answer. Not here: the order and
//! the schedule of notifications, which are the host's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::chance::Chance;
use crate::http::{Request, answer};
use crate::net::{End, Parcel};
use crate::world::{Due, State};

/// One app's endpoint.
#[derive(Debug, Default)]
pub struct Endpoint {
    /// The secret it was shown, and nothing before it was.
    pub secret: Option<String>,
    /// Identifiers of the events it was told, each once, in the order of their first coming.
    pub told: Vec<String>,
    /// What came that was not signed as it should be.
    pub unsigned: u64,
    pub repeated: u64,
}

/// Every endpoint.
pub struct Inbox {
    chance: Chance,
    pub endpoints: Vec<Endpoint>,
}

/// How an endpoint takes a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Takes,
    TakesSlowly,
    /// It has it, and nobody learns so.
    Silent,
    Cut,
    Refuses,
    Redirects,
    Garbage,
}

const MANNERS: &[(u64, (Manner, &str))] = &[
    (700, (Manner::Takes, "")),
    (60, (Manner::TakesSlowly, "endpoint slow")),
    (50, (Manner::Silent, "endpoint never answers")),
    (60, (Manner::Cut, "endpoint cuts the line")),
    (80, (Manner::Refuses, "endpoint answers 5xx")),
    (20, (Manner::Redirects, "endpoint redirects")),
    (30, (Manner::Garbage, "endpoint answers garbage")),
];

impl Inbox {
    pub fn new(chance: Chance) -> Inbox {
        Inbox { chance, endpoints: Vec::new() }
    }
}

/// Whether a notification is signed by this secret (Standard Webhooks 1.0.0).
fn signed(secret: &str, request: &Request) -> bool {
    let header = |name: &str| request.headers.get(name).map(String::as_str).unwrap_or_default();
    let key = BASE64.decode(secret.trim_start_matches("whsec_")).unwrap_or_default();
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else { return false };
    mac.update(format!("{}.{}.", header("webhook-id"), header("webhook-timestamp")).as_bytes());
    mac.update(&request.body);
    let due = format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()));
    header("webhook-signature").split(' ').any(|one| one == due)
}

impl State {
    /// An endpoint is told something.
    pub fn told(&mut self, app: usize, line: u64, request: Request) {
        self.tell("told", &request.body);
        let endpoint = &mut self.inbox.endpoints[app];
        let id = request.headers.get("webhook-id").cloned().unwrap_or_default();
        let genuine = endpoint.secret.as_ref().is_some_and(|secret| signed(secret, &request));
        match genuine {
            false => endpoint.unsigned += 1,
            true if endpoint.told.contains(&id) => endpoint.repeated += 1,
            true => endpoint.told.push(id),
        }
        let manner = match self.faulty() {
            true => {
                let (manner, what) = self.inbox.chance.weighed(MANNERS);
                if manner != Manner::Takes {
                    self.tally.fault(what);
                }
                manner
            }
            false => Manner::Takes,
        };
        let chance = &mut self.inbox.chance;
        let wait = match manner {
            Manner::TakesSlowly => chance.between(500, 3_000),
            _ => chance.scaled(100),
        };
        let (bytes, end) = match manner {
            Manner::Silent => return,
            Manner::Takes | Manner::TakesSlowly => (answer(204, b""), None),
            Manner::Cut => (Vec::new(), Some(End::Reset)),
            Manner::Refuses => (answer(503, b"later"), None),
            Manner::Redirects => (answer(302, b""), None),
            Manner::Garbage => (b"no HTTP at all\r\n\r\n".to_vec(), Some(End::Closed)),
        };
        self.after(wait, Due::Say(Parcel { line, bytes, end }));
    }
}
