//! What a provider answers: HTTP and frames, over a connection in memory.
//!
//! Holds: an answer is no larger than the account takes; a frame is exactly what stood in its
//! framing; what the request was filled with is not in the answer, however the provider wrote it;
//! a failure is short, shows no secret, and never counts as not sent; every exchange ends. The
//! first bytes say which framing, how the bytes arrive, and how the connection ends.

use std::convert::Infallible;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use egress::{
    Egress, Encoding, Failed, FrameRequest, Framing, Gate, Grant, Granted, Header, HttpRequest,
    Method, Options, Part, Place, PoolLimits, Reply, Request, Source,
};

use crate::fixed::{self, API_KEY};
use crate::given::Given;
use crate::memory::{Provider, Saying};
use crate::targets::requests::Values;

const ANSWER_BYTES_MAX: usize = 2048;
/// What stands for the secret in an input, and how it is written there.
const ECHOES: [(&str, Encoding); 4] = [
    ("{raw}", Encoding::Raw),
    ("{base64}", Encoding::Base64),
    ("{hex}", Encoding::Hex),
    ("{json}", Encoding::Json),
];

/// See the module.
pub fn replies(bytes: &[u8]) {
    let mut given = Given::new(bytes);
    let framing = match given.byte() {
        few @ 0..=127 => few % 8,
        most => most % 2 * 7,
    };
    let (piece, initial) = (given.byte(), given.byte());
    let answer = echoed(given.rest());
    let (piece_bytes, hangs_up) = (usize::from(piece >> 1) * 8 + 1, piece & 1 == 0);
    let saying = Saying { answer, piece_bytes, hangs_up };
    let framing = match framing {
        0..=3 => None,
        4 => Some(Framing::LengthPrefix(1)),
        5 => Some(Framing::LengthPrefix(2)),
        6 => Some(Framing::LengthPrefix(4)),
        _ => Some(Framing::StxEtxLrc(initial)),
    };
    let error = match (run(&request(framing), &saying), framing) {
        (Ok(Reply::Http { status, headers, body }), None) => {
            return http(status, &headers, &body);
        }
        (Ok(Reply::Frame(body)), Some(framing)) => return frame(framing, &saying.answer, &body),
        (Ok(reply), _) => panic!("{reply:?} to {framing:?}"),
        (Err(Failed::NoReply(error)), _) => error,
        (Err(other), _) => panic!("bytes left, and it is told as {other:?}"),
    };
    let text = error.to_string();
    assert!(text.len() <= 512, "{} bytes of error", text.len());
    assert!(!text.contains(API_KEY) && !format!("{error:?}").contains(API_KEY), "{text}");
}

fn echoed(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let secret = vault::Secret::new("api-key", API_KEY.as_bytes().to_vec());
    for (mark, encoding) in ECHOES {
        let written = encoding.apply(&secret).unwrap();
        while let Some(at) = out.windows(mark.len()).position(|part| part == mark.as_bytes()) {
            out.splice(at..at + mark.len(), written.expose().iter().copied());
        }
    }
    out
}

fn request(framing: Option<Framing>) -> Request {
    let secret = |encoding| Part::Sensitive { source: Source::Secret("api-key".into()), encoding };
    match framing {
        None => Request::Http(HttpRequest {
            method: Method::Post,
            url: "http://203.0.113.9:8081/pay".to_owned(),
            headers: vec![Header {
                name: "authorization".to_owned(),
                value: vec![Part::Text("Bearer ".to_owned()), secret(Encoding::Raw)],
            }],
            body: vec![Part::Text("{}".to_owned())],
        }),
        Some(framing) => Request::Frame(FrameRequest {
            endpoint: "203.0.113.9:5000".to_owned(),
            framing,
            body: vec![Part::Text("pay ".to_owned()), secret(Encoding::Raw)],
        }),
    }
}

/// One way out for all runs, which keeps no connection, and the provider it leads to.
static WAY: LazyLock<Mutex<(Egress, Provider)>> = LazyLock::new(|| {
    let provider = Provider::default();
    let pool = PoolLimits { idle_per_host_max: 0, idle_max: 0, ..PoolLimits::default() };
    let connector = Arc::new(provider.clone());
    let egress = Egress::new(Options { pool, connector, ..Options::default() });
    Mutex::new((egress.unwrap(), provider))
});

fn run(request: &Request, saying: &Saying) -> Result<Reply, Failed<Infallible>> {
    let api_key = Granted::Secret("api-key".to_owned());
    let places = vec![Place::Header("authorization".to_owned()), Place::Body];
    let hosts = ["http://203.0.113.9:8081", "tcp://203.0.113.9:5000"];
    let gate = Gate {
        hosts: hosts.iter().map(|host| host.parse().unwrap()).collect(),
        grants: vec![Grant { value: api_key, places, hosts: None }],
        response_bytes_max: ANSWER_BYTES_MAX,
        ..Gate::default()
    };
    let builder = &mut tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build().unwrap();
    let way = WAY.lock().unwrap_or_else(PoisonError::into_inner);
    let (egress, provider) = &*way;
    provider.says(saying.clone());
    let values = Values::default();
    let intent = std::future::ready(Ok::<(), Infallible>(()));
    let told = runtime.block_on(egress.send(&gate, &values, request, intent));
    assert!(provider.heard() > 0, "nothing was sent");
    told
}

fn http(status: u16, headers: &[(String, String)], body: &[u8]) {
    assert!((200..=999).contains(&status), "{status}");
    let head: usize = headers.iter().map(|(name, _)| name.len()).sum();
    assert!(head + body.len() <= ANSWER_BYTES_MAX, "{} bytes", head + body.len());
    for (name, value) in headers {
        assert!(!name.is_empty() && !name.bytes().any(|byte| byte.is_ascii_uppercase()), "{name}");
        assert!(!value.contains(['\r', '\n', '\0']), "{name}: {value:?}");
        struck(value.as_bytes());
    }
    struck(body);
}

fn struck(bytes: &[u8]) {
    for echo in ECHOES {
        let echo = echoed(echo.0.as_bytes());
        assert!(!fixed::holds(bytes, &echo), "the answer repeats a secret");
    }
}

fn frame(framing: Framing, answer: &[u8], body: &[u8]) {
    assert!(body.len() <= ANSWER_BYTES_MAX);
    struck(body);
    let from = match framing {
        Framing::LengthPrefix(width) => {
            let (prefix, _) = answer.split_at(width.into());
            let length = prefix.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            assert_eq!(length, body.len(), "another length than it says");
            usize::from(width)
        }
        Framing::StxEtxLrc(initial) => {
            let end = 1 + body.len();
            let enclosed = answer.get(1..=end).expect("ETX and LRC");
            let lrc = enclosed.iter().fold(initial, |sum, byte| sum ^ byte);
            assert_eq!((answer[0], answer[end], answer[end + 1]), (2, 3, lrc));
            1
        }
    };
    let sent = &answer[from..from + body.len()];
    let same = sent.iter().zip(body).all(|(sent, read)| sent == read || *read == b'*');
    assert!(same, "a frame is read as something else");
}
