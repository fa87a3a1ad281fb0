//! Deliveries of webhooks: what the plugins make of them, and whether the host takes it for proven.
//!
//! Holds: a delivery that nobody signed is never proven; one that was signed by the provider's key
//! is, and after a change of any one byte of its body or of the signed headers it is not, nor when
//! it is too old; what a plugin reads in a delivery ends in events or a refusal. The first byte
//! says which plugin, and whether the rest is signed for it.

use std::sync::LazyLock;

use sandbox::contract as wit;
use sdk::test::TestHost;
use sdk::{Adapter, Delivery, Host};
use stripe::Stripe;
use transcript::{Material, Set};
use vault::{Key, Keyring, Legacy, MacAlgorithm, Secret, SignatureAlgorithm};
use wechatpay::WechatPay;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::fixed::{self, API_V3_KEY, NOW_S, PUBLIC_PEM, WEBHOOK_SECRET};
use crate::given::Given;

const AGE_SECONDS_MAX: u64 = 300;
const EVENTS_MAX: usize = 16;

static KEYRING: LazyLock<Keyring> = LazyLock::new(|| {
    let mut keyring = Keyring::new(Legacy::none());
    keyring.add(symmetric("webhook", WEBHOOK_SECRET.as_bytes()));
    keyring.add(Key::from_pem("platform", Some("PLATFORM"), &secret(PUBLIC_PEM)).unwrap());
    keyring
});
static PLATFORM: LazyLock<Key> =
    LazyLock::new(|| fixed::asymmetric("platform", fixed::PRIVATE_PEM));

fn symmetric(slot: &str, bytes: &[u8]) -> Key {
    Key::symmetric(slot, None, &Secret::new(slot, bytes.to_vec())).unwrap()
}

fn secret(text: &str) -> Secret {
    Secret::new("test", text.as_bytes().to_vec())
}

/// See the module.
pub fn webhook(bytes: &[u8]) {
    let mut given = Given::new(bytes);
    match given.byte() % 4 {
        0 => unsigned::<Stripe>(given),
        1 => unsigned::<WechatPay>(given),
        2 => signed::<Stripe>(given, of_stripe),
        _ => signed::<WechatPay>(given, of_wechat),
    }
}

fn host() -> TestHost {
    let host = TestHost::new();
    let pem = Material::Pem(PUBLIC_PEM.to_owned());
    let aes = Material::Symmetric(API_V3_KEY.to_vec());
    let key = |slot: &str, id: Option<&str>, material| Set::Key {
        slot: slot.to_owned(),
        id: id.map(str::to_owned),
        material,
    };
    host.set(&key("platform", Some("PLATFORM"), pem)).unwrap();
    host.set(&key("api-v3-key", None, aes)).unwrap();
    host
}

fn unsigned<A: Adapter>(mut given: Given<'_>) {
    let headers = given.headers();
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let host = host();
    let delivery = delivery(headers, given.rest().to_vec());
    if let Some(why) = proven::<A>(&host, &delivery, NOW_S) {
        assert!(why.len() <= 1024 + 4 * delivery.body.len(), "{} bytes of error", why.len());
        read::<A>(&host, &delivery);
    } else {
        panic!("a delivery is proven that nobody signed");
    }
}

/// Headers for a body, signed at a time.
type Sign = fn(&[u8], u64) -> Vec<(String, String)>;

fn signed<A: Adapter>(mut given: Given<'_>, sign: Sign) {
    let (age, at, by) = (given.short(), given.short(), given.byte());
    let host = host();
    let genuine = delivery(sign(given.rest(), NOW_S - u64::from(age)), given.rest().to_vec());
    let why = proven::<A>(&host, &genuine, NOW_S);
    match u64::from(age) <= AGE_SECONDS_MAX {
        true => assert_eq!(why, None, "what the provider signed is refused"),
        false => assert!(why.is_some(), "a delivery is proven that is {age} s old"),
    }
    read::<A>(&host, &genuine);
    let mut altered = genuine.clone();
    if let Some(at) = usize::from(at).checked_rem(altered.body.len()).filter(|_| by != 0) {
        altered.body[at] ^= by;
        assert!(proven::<A>(&host, &altered, NOW_S).is_some(), "an altered body is proven");
        read::<A>(&host, &altered);
    }
    let mut longer = genuine;
    longer.body.push(by);
    assert!(proven::<A>(&host, &longer, NOW_S).is_some(), "a longer body is proven");
}

fn delivery(headers: Vec<(String, String)>, body: Vec<u8>) -> Delivery {
    Delivery { method: "POST".to_owned(), path: "/webhooks/a".to_owned(), headers, body }
}

/// Why the host would not take it for proven.
fn proven<A: Adapter>(host: &dyn Host, delivery: &Delivery, now: u64) -> Option<String> {
    let proof = match A::prove(host, delivery) {
        Ok(proof) => proof,
        Err(failure) => return Some(format!("{failure:?}")),
    };
    let sdk::Proof { slot, key_id, scheme, message, evidence, signed_at } = proof;
    let scheme = match scheme {
        sdk::Scheme::Mac(sdk::MacAlgorithm::HmacSha256) => {
            wit::Scheme::Mac(wit::MacAlgorithm::HmacSha256)
        }
        sdk::Scheme::Signature(sdk::SignatureAlgorithm::RsaPkcs1Sha256) => {
            wit::Scheme::Signature(wit::SignatureAlgorithm::RsaPkcs1Sha256)
        }
        other => panic!("neither provider signs by {other:?}"),
    };
    let proof = wit::Proof { slot, key_id, scheme, message, evidence, signed_at };
    engine::fuzzing::proven(&KEYRING, AGE_SECONDS_MAX, &proof, now).err()
}

fn read<A: Adapter>(host: &dyn Host, delivery: &Delivery) {
    match A::interpret(host, delivery) {
        Ok(events) => assert!(events.len() <= EVENTS_MAX, "{} events", events.len()),
        Err(failure) => {
            let most = 1024 + 4 * delivery.body.len();
            assert!(format!("{failure:?}").len() <= most, "{failure:?}");
        }
    }
}

fn of_stripe(body: &[u8], at: u64) -> Vec<(String, String)> {
    let key = symmetric("webhook", WEBHOOK_SECRET.as_bytes());
    let message = [at.to_string().as_bytes(), b".", body].concat();
    let tag = key.mac(MacAlgorithm::HmacSha256, &message, &Legacy::none()).unwrap();
    vec![("stripe-signature".to_owned(), format!("t={at},v1={}", hex::encode(tag)))]
}

pub(super) fn of_wechat(body: &[u8], at: u64) -> Vec<(String, String)> {
    let message = [format!("{at}\nnonce\n").as_bytes(), body, b"\n"].concat();
    let signature = PLATFORM.sign(SignatureAlgorithm::RsaPkcs1Sha256, &message).unwrap();
    [
        ("wechatpay-timestamp", at.to_string()),
        ("wechatpay-nonce", "nonce".to_owned()),
        ("wechatpay-serial", "PLATFORM".to_owned()),
        ("wechatpay-signature", STANDARD.encode(signature)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}
