//! What the platform says about itself: its public keys to anybody, and to an app what it can do
//! here.

use http::StatusCode;
use ledger::AMOUNT_MINOR_MAX;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::catalogue as known;
use crate::jose::{self, KeyWrap};
use crate::limits::Limits;
use crate::platform::{PlatformKey, Usage};
use crate::problem::Problem;
use crate::route::Visit;
use crate::shape::Alphabet::{Any, Name, Printable};
use crate::shape::{Field, Shape, field, optional};
use crate::signature::Algorithm;
use crate::time::rfc3339;

/// The version of the interface: the prefix of its paths.
const API_VERSION: &str = "v1";

/// `GET /.well-known/jwks.json` (RFC 7517, section 5): every key, the current one of a use first.
pub(crate) async fn keys(visit: Visit) -> Result<Answer, Problem> {
    let keys: Vec<Value> = visit.platform.keys.iter().filter_map(published).collect();
    Ok(Answer::json(StatusCode::OK, &json!({"keys": keys})))
}

fn published(key: &PlatformKey) -> Option<Value> {
    match key.usage {
        Usage::Sign => jose::jwk(&key.key, &key.id, "sig", None),
        Usage::Decrypt => jose::jwk(&key.key, &key.id, "enc", Some(KeyWrap::RsaOaep256.name())),
    }
}

/// `GET /v1/platform`.
pub(crate) async fn platform(visit: Visit) -> Result<Answer, Problem> {
    let Some(sender) = &visit.sender else {
        return Err(Problem::new(&known::INTERNAL, known::INTERNAL.cause));
    };
    let platform = &visit.platform;
    let body = json!({
        "name": platform.name,
        "time": rfc3339(platform.clock.now_ms()),
        "api_version": API_VERSION,
        "app": {
            "id": sender.app.id,
            "name": sender.app.name,
            "key": sender.key,
            "protection": sender.app.protection,
            "scopes": sender.app.scopes,
        },
        "keys": {
            "url": "/.well-known/jwks.json",
            "sign": platform.current(Usage::Sign).map(|key| &key.id),
            "decrypt": platform.current(Usage::Decrypt).map(|key| &key.id),
        },
        "signatures": {
            "algorithms": Algorithm::ALL.map(Algorithm::name),
            "digests": ["sha-256", "sha-512"],
            "age_seconds_max": platform.policy.age_max.as_secs(),
            "ahead_seconds_max": platform.policy.ahead_max.as_secs(),
        },
        "limits": {
            "body_bytes_max": visit.load.limits.body_bytes_max,
            "amount_minor_max": AMOUNT_MINOR_MAX,
            "in_hand": in_hand(&visit.load.limits),
            "requests": sender.app.rate,
            "spending": sender.app.spending,
        },
        "encryption": {
            "alg": [KeyWrap::RsaOaep256.name(), KeyWrap::Dir.name()],
            "enc": [jose::ENC],
        },
        "accounts": visit.payments.offers(&sender.app),
    });
    Ok(Answer::json(StatusCode::OK, &body))
}

/// What one app may have in hand of each kind.
fn in_hand(limits: &Limits) -> Value {
    json!({
        "payments": limits.of_app(limits.payments_max),
        "operations": limits.of_app(limits.operations_max),
        "reads": limits.of_app(limits.reads_max),
        "streams": limits.streams_per_app_max,
    })
}

const ANY: Shape = Shape::Text { min: 0, max: usize::MAX, of: Any };
const KEY_ID: Shape = Shape::Text { min: 1, max: 128, of: Printable };
const SECONDS: Shape = Shape::Integer { min: 0, max: 86_400 };

const APP: &[Field] = &[
    field("id", Shape::Id("app_"), "The app that asks."),
    field("name", ANY, "Its name."),
    field("key", ANY, "The name of the key it has proven itself by."),
    field(
        "protection",
        Shape::Choice(&["bearer", "signature", "encryption"]),
        "The least it has to prove.",
    ),
    field(
        "scopes",
        Shape::List(&Shape::Choice(&["pay", "refund", "payout", "read"])),
        "What it may do.",
    ),
];
const LIMITS: &[Field] = &[
    field("body_bytes_max", COUNT, "Bytes of a request's body."),
    field("amount_minor_max", COUNT, "Minor units of an amount."),
    field(
        "in_hand",
        Shape::Object(&[&[
            field("payments", COUNT, "New payments, payouts and cards."),
            field("operations", COUNT, "Captures, refunds, cancellations, syncs and changes."),
            field("reads", COUNT, "Reads."),
            field("streams", COUNT, "Streams of events."),
        ]]),
        "How many requests of the app may be unanswered at the same time.",
    ),
    field(
        "requests",
        Shape::Nullable(&Shape::Object(&[&[
            field("per_second", COUNT, "Requests a second, in the long run."),
            field("burst", COUNT, "Requests at once."),
        ]])),
        "How often the app may ask; null where it is not limited.",
    ),
    field(
        "spending",
        Shape::List(&Shape::Object(&[&[
            field("currency", Shape::Currency, "Of which currency."),
            field("amount_minor_max", COUNT, "How much, in minor units."),
        ]])),
        "What the app may spend in a UTC day; a currency that is not listed has no limit.",
    ),
];
const COUNT: Shape = Shape::Integer { min: 0, max: u64::MAX };
const KEYS: &[Field] = &[
    field("url", ANY, "Where the public keys stand, as a JWK set."),
    field("sign", Shape::Nullable(&KEY_ID), "The key that signs answers; null where none does."),
    field("decrypt", Shape::Nullable(&KEY_ID), "The key to encrypt to; null where there is none."),
];
const SIGNATURES: &[Field] = &[
    field("algorithms", Shape::List(&ANY), "Algorithms of RFC 9421."),
    field("digests", Shape::List(&ANY), "Algorithms of `Content-Digest`."),
    field("age_seconds_max", SECONDS, "How old `created` may be."),
    field("ahead_seconds_max", SECONDS, "How far ahead `created` may be."),
];
const ENCRYPTION: &[Field] = &[
    field("alg", Shape::List(&ANY), "Ways to the content's key."),
    field("enc", Shape::List(&ANY), "Ways of encrypting the content."),
];
static OFFER: Shape = Shape::Object(&[&[
    field("account", Shape::Text { min: 1, max: 64, of: Name }, "The name to ask it by."),
    field("provider", ANY, "The provider."),
    field(
        "mode",
        Shape::Choice(&["live", "test"]),
        "Whether it moves money (live) or none (test).",
    ),
    field("version", ANY, "The version of the provider's plugin."),
    field("methods", Shape::List(&ANY), "The instruments it takes."),
    field("currencies", Shape::List(&ANY), "ISO 4217; empty means every currency."),
    field("operations", Shape::List(&ANY), "What it can do."),
    field(
        "grade",
        Shape::Choice(&["A", "B", "C"]),
        "How a lost answer is found out: by asking again (A), by asking about it (B), by neither.",
    ),
]]);

pub(crate) static PLATFORM: Shape = Shape::Object(&[&[
    field("name", ANY, "A name for people."),
    field("time", Shape::Time, "The host's clock: set yours by it."),
    field("api_version", ANY, "The version of this interface."),
    field("app", Shape::Object(&[APP]), "Who asks."),
    field("keys", Shape::Object(&[KEYS]), "The platform's keys."),
    field("limits", Shape::Object(&[LIMITS]), "What is refused beyond."),
    field("signatures", Shape::Object(&[SIGNATURES]), "What is taken as a signature."),
    field("encryption", Shape::Object(&[ENCRYPTION]), "What is taken as an encrypted body."),
    field("accounts", Shape::List(&OFFER), "The accounts open to the app."),
]]);

static JWK: Shape = Shape::Object(&[&[
    field("kty", Shape::Choice(&["RSA", "EC", "OKP"]), "RFC 7518, section 6.1, and RFC 8037."),
    field("kid", KEY_ID, "Its name: `keyid` of a signature, `kid` of a JWE."),
    field("use", Shape::Choice(&["sig", "enc"]), "What it is for."),
    optional("alg", ANY, "The algorithm it is used with, where there is only one."),
    optional("crv", ANY, "The curve."),
    optional("n", ANY, "The modulus."),
    optional("e", ANY, "The exponent."),
    optional("x", ANY, "A coordinate, or the key."),
    optional("y", ANY, "A coordinate."),
]]);

pub(crate) static KEY_SET: Shape = Shape::Object(&[&[field(
    "keys",
    Shape::List(&JWK),
    "RFC 7517; of a use, the first is current.",
)]]);
