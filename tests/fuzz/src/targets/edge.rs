//! A connection to the open platform: any bytes, as they come, into the real edge with a real
//! engine over the store in memory.
//!
//! Holds: every connection ends, within the time-outs; whatever is answered is HTTP, and a problem
//! of the catalogue where it is one; nothing is ever answered 500; there are no more answers than
//! requests could stand in the bytes; no secret of the host is in an answer; and the sums of every
//! payment hold afterwards.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use api::fuzzing::Door;
use api::signature::Authority;
use api::{AdminAccess, CATALOGUE, Limits, Options, Platform, PlatformKey, Usage};
use egress::{Egress, Gate, Outside};
use engine::{AccountParts, AppChange, Apps, Engine, Mode, NewKey, Notifying, Parts};
use ledger::Id;
use serde_json::Value;
use store::Model;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, timeout};
use vault::{Keyring, Legacy};

use crate::fixed::{self, API_KEY, Counted, Standing};
use crate::memory::{Provider, Saying};
use crate::obliging::{Obliging, PROVIDER};

/// Of the admin interface; it stands in kept inputs.
const ADMIN_TOKEN: &[u8] = b"admin-token-of-the-fuzz-target";
/// Longer than all time-outs of one request together, with some for a second one.
const SILENCE_MAX: Duration = Duration::from_secs(300);
/// The longest a connection lives on the bytes of one input.
const LIFE_MAX: Duration = Duration::from_secs(3600);
/// The largest page there is, the API's document, is smaller.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// See the module.
pub fn edge(bytes: &[u8]) {
    let runtime = &mut tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let (engine, app, key) = host().await;
        let bytes = &with_key(bytes, &key);
        let door = Door::new(options(), Arc::new(engine.clone()));
        let (near, far) = tokio::io::duplex(64 * 1024);
        let peer = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 1));
        let began = Instant::now();
        let answer = tokio::select! {
            biased;
            answer = client(far, bytes) => answer,
            () = async { door.serve(near, peer).await; std::future::pending().await } => Vec::new(),
        };
        assert!(began.elapsed() <= LIFE_MAX, "the connection lived for {:?}", began.elapsed());
        answers(bytes, &answer);
        books(&engine, &app).await;
    });
}

/// Writes and reads at the same time; after a long silence it leaves.
async fn client(far: DuplexStream, bytes: &[u8]) -> Vec<u8> {
    let (mut reading, mut writing) = tokio::io::split(far);
    let write = async {
        // The host may hang up at any time.
        let _ = writing.write_all(bytes).await;
        std::future::pending::<()>().await;
    };
    let read = async {
        let mut all = Vec::new();
        let (began, mut buffer) = (Instant::now(), vec![0; 16 * 1024]);
        // A stream of events is never over: it tells that it is there.
        while began.elapsed() < LIFE_MAX / 2 {
            let count = timeout(SILENCE_MAX, reading.read(&mut buffer)).await;
            match count.expect("the host holds on to a silent connection") {
                Ok(0) | Err(_) => break,
                Ok(count) => all.extend_from_slice(&buffer[..count]),
            }
        }
        all
    };
    tokio::select! {
        () = write => Vec::new(),
        all = read => all,
    }
}

/// The bytes with the app's API key, where they say `{key}`.
fn with_key(bytes: &[u8], key: &str) -> Vec<u8> {
    let (mut out, mark) = (bytes.to_vec(), b"{key}");
    while let Some(at) = out.windows(mark.len()).position(|part| part == mark) {
        out.splice(at..at + mark.len(), key.bytes());
    }
    out
}

async fn host() -> (Engine, Id, String) {
    let (store, clock, entropy) = (Arc::new(Model::new()), Arc::new(Standing), Counted::default());
    let (entropy, at_rest) = (Arc::new(entropy), fixed::at_rest());
    let apps = Apps {
        store: store.clone(),
        clock: clock.clone(),
        entropy: entropy.clone(),
        at_rest: at_rest.clone(),
    };
    let named = AppChange { name: Some("shop".to_owned()), ..AppChange::default() };
    let (app, shown) = apps.add(&named, Some(&NewKey::Bearer)).await.unwrap();
    let provider = Provider::default();
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec();
    provider.says(Saying { answer, piece_bytes: 4096, hangs_up: false });
    let connector = Arc::new(provider);
    let ways = egress::Options { connector, ..egress::Options::default() };
    let way_out = || Egress::new(ways.clone()).unwrap();
    let parts = Parts {
        store,
        egress: way_out(),
        at_rest,
        card_keys: Arc::new(store::Slots::in_memory()),
        clock,
        entropy,
        accounts: vec![account()],
        notifying: Notifying {
            egress: way_out(),
            outside: Outside::default(),
            render: api::event_body,
            options: engine::NotifyOptions::default(),
        },
        options: engine::Options::default(),
    };
    (Engine::new(parts).unwrap(), app.id, shown.unwrap().secret.unwrap())
}

fn account() -> AccountParts {
    AccountParts {
        name: "cards".to_owned(),
        mode: Mode::Live,
        plugin: Arc::new(Obliging::default()),
        keyring: Keyring::new(Legacy::none()),
        settings: Default::default(),
        secrets: Default::default(),
        gate: Gate { hosts: vec![PROVIDER.parse().unwrap()], ..Gate::default() },
        notify_url: "https://pay.example.com/webhooks/cards".to_owned(),
        delivery_age_seconds_max: 300,
    }
}

fn options() -> Options {
    let key = fixed::asymmetric("pair", fixed::PRIVATE_PEM);
    let platform = Platform {
        public: Some(Authority::new("https", "pay.example.com")),
        keys: Arc::new([PlatformKey { id: "pair".to_owned(), usage: Usage::Decrypt, key }]),
        clock: Arc::new(Standing),
        entropy: Arc::new(Counted::default()),
        ..Platform::default()
    };
    let anywhere = vec!["0.0.0.0/0".parse().unwrap()];
    Options {
        listen: ([127, 0, 0, 1], 8080).into(),
        limits: Limits::default(),
        proxies: Vec::new(),
        admin: Some(AdminAccess::new(ADMIN_TOKEN, anywhere)),
        platform,
    }
}

/// What is answered, one after the other.
fn answers(asked: &[u8], mut rest: &[u8]) {
    for secret in [API_KEY.as_bytes(), b"PRIVATE KEY", b"canary"] {
        let given = fixed::holds(asked, secret);
        assert!(given || !fixed::holds(rest, secret), "a secret is in an answer");
    }
    // Who asks for heads alone is answered with lengths of what does not follow.
    let heads_alone = fixed::holds(asked, b"HEAD");
    let requests = 1 + asked.iter().filter(|byte| **byte == b'\n').count() / 2;
    let mut count = 0;
    while !rest.is_empty() && !heads_alone {
        let (status, headers, after) = head(rest);
        rest = after;
        if status == 100 {
            continue;
        }
        count += 1;
        assert!(count <= requests, "{count} answers to {requests} requests");
        assert_ne!(status, 500, "{}", String::from_utf8_lossy(asked));
        let header = |name: &str| headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        if header("transfer-encoding").is_some() {
            return;
        }
        if header("content-type") == Some("text/event-stream") {
            // To a client of HTTP/1.0: until the connection ends.
            return;
        }
        let length = header("content-length").map_or(0, |length| length.parse().unwrap());
        assert!(length <= ANSWER_BYTES_MAX, "{length} bytes of answer");
        let (body, after) = rest.split_at_checked(length).expect("a whole body");
        rest = after;
        if header("content-type") == Some("application/problem+json") {
            problem(status, body);
        }
    }
}

fn head(bytes: &[u8]) -> (u16, Vec<(String, String)>, &[u8]) {
    let shown = || String::from_utf8_lossy(&bytes[..bytes.len().min(300)]);
    let end = bytes.windows(4).position(|part| part == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| panic!("no whole head: {}", shown()));
    let text = std::str::from_utf8(&bytes[..end]).expect("a head is text");
    let mut lines = text.split("\r\n");
    let first = lines.next().unwrap();
    let status = first.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5));
    let status = status.and_then(|status| status.parse().ok());
    let status = status.unwrap_or_else(|| panic!("no status: {first:?}"));
    let header = |line: &str| {
        let (name, value) = line.split_once(':').expect("a header has a colon");
        (name.to_ascii_lowercase(), value.trim().to_owned())
    };
    (status, lines.map(header).collect(), &bytes[end + 4..])
}

fn problem(status: u16, body: &[u8]) {
    let problem: Value = serde_json::from_slice(body).expect("a problem is JSON");
    let code = problem["code"].as_str().expect("a problem has a code");
    let known = CATALOGUE.iter().find(|known| known.code == code);
    let known = known.unwrap_or_else(|| panic!("`{code}` is not in the catalogue"));
    assert_eq!(status, known.status, "{problem}");
    assert!(body.len() <= 64 * 1024, "{} bytes of a problem", body.len());
}

async fn books(engine: &Engine, app: &Id) {
    for payment in engine.payments(app, None, 100).await.unwrap().payments {
        let captured = payment.captured_minor();
        assert!(payment.refunded_minor() <= captured, "{payment:?}");
        assert!(captured <= payment.authorized_minor(), "{payment:?}");
    }
}
