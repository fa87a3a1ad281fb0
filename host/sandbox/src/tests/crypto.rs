//! The interface `crypto`, called as a guest would: what a guest may learn, and what it may not.

use std::sync::{Arc, OnceLock};

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use vault::{Key, Keyring, Legacy, Secret};
use wasmtime::component::Resource;

use super::world::{API_KEY, CARD_NUMBER, around, decimals, limits, surrounded};
use crate::Surroundings;
use crate::call::{Call, Plugin, View};
use crate::contract::bindings::tollgate::adapter::crypto::{Host, HostKey};
use crate::contract::{
    CardField, Cipher, CryptoError, DigestAlgorithm, Encoding, KeyTransport, MacAlgorithm, Part,
    Sensitive, SignatureAlgorithm, Source,
};
use crate::crypto::{HeldKey, Refusal};
use crate::description::Asked;
use crate::lane::Lane;

fn call(around: Surroundings) -> Call {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let asked = Asked {
        keys: names(&["signing", "merchant", "provider"]),
        secrets: names(&["api-key", "absent"]),
        legacy: names(&["md5"]),
        ..Asked::default()
    };
    let plugin = Plugin {
        name: "acme".to_owned(),
        asked,
        limits: limits(),
        decimals,
        witness: Default::default(),
        lane: Arc::new(Lane::new(1)),
    };
    let mut call = Call::blank(Arc::new(plugin));
    call.surround(around, "start").expect("a seed");
    call
}

fn key(call: &mut Call, slot: &str) -> Resource<HeldKey> {
    HostKey::open(&mut View(call), slot.to_owned()).expect("the slot is filled")
}

/// What a guest would see.
fn seen<T: std::fmt::Debug>(answer: Result<T, Refusal>) -> CryptoError {
    match answer.expect_err("it is refused") {
        Refusal::Seen(error) => error,
        Refusal::Ended(error) => panic!("a trap: {error:?}"),
    }
}

fn bad_input<T: std::fmt::Debug>(answer: Result<T, Refusal>) -> String {
    match seen(answer) {
        CryptoError::BadInput(what) => what,
        other => panic!("another error: {other:?}"),
    }
}

fn sensitive(source: Source) -> Part {
    Part::Sensitive(Sensitive { source, encoding: Encoding::Raw })
}

fn api_key() -> Part {
    sensitive(Source::Secret("api-key".to_owned()))
}

fn card() -> Part {
    sensitive(Source::Card(CardField::Number))
}

fn text(text: &str) -> Part {
    Part::Text(text.to_owned())
}

const HMAC: MacAlgorithm = MacAlgorithm::HmacSha256;

/// A pair made for this run alone.
fn pair() -> &'static (String, String) {
    static PAIR: OnceLock<(String, String)> = OnceLock::new();
    PAIR.get_or_init(|| {
        let pair = KeyPair::generate(KeySize::Rsa2048).expect("a pair");
        let private = pair.as_der().expect("PKCS#8");
        let public = pair.public_key();
        (pem("PRIVATE KEY", private.as_ref()), pem("RSA PUBLIC KEY", public.as_ref()))
    })
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn add(keyring: &mut Keyring, slot: &str, pem: &str) {
    let secret = Secret::new(slot, pem.as_bytes().to_vec());
    keyring.add(Key::from_pem(slot, Some("K1"), &secret).expect("a key"));
}

/// The private key, when asked for, and the public one of the same pair.
fn with_pair(private: bool) -> Surroundings {
    let mut keyring = Keyring::new(Legacy::none());
    add(&mut keyring, "provider", &pair().1);
    if private {
        add(&mut keyring, "merchant", &pair().0);
    }
    surrounded(keyring)
}

#[test]
fn a_mac_over_parts_is_the_mac_of_their_bytes_with_the_secret_filled_in() {
    let mut call = call(around());
    let key = key(&mut call, "signing");
    let parts = vec![text("a="), api_key(), Part::Bytes(b"&b".to_vec())];
    let rep = key.rep();
    let tag = HostKey::mac(&mut View(&mut call), key, HMAC, parts).expect("a tag");
    let whole = format!("a={API_KEY}&b").into_bytes();
    let again = Resource::new_borrow(rep);
    View(&mut call).verify_mac(again, HMAC, whole, tag.clone()).expect("it holds");
    let again = Resource::new_borrow(rep);
    let other = View(&mut call).verify_mac(again, HMAC, b"a=&b".to_vec(), tag);
    assert_eq!(seen(other), CryptoError::Rejected);
}

#[test]
fn a_mac_over_a_card_field_stays_with_the_host() {
    let mut call = call(around());
    let key = key(&mut call, "signing");
    let borrowed = || Resource::new_borrow(key.rep());
    let refused = HostKey::mac(&mut View(&mut call), borrowed(), HMAC, vec![card()]);
    assert!(bad_input(refused).contains("derive-mac"));
    let number = View(&mut call).derive_mac(borrowed(), HMAC, vec![card()]).expect("a number");
    assert_eq!(number, 0);
    let guess = HostKey::mac(&mut View(&mut call), borrowed(), HMAC, vec![text(CARD_NUMBER)]);
    assert_eq!(call.derived[0].value.expose(), guess.expect("a tag"));
    // Nor does the detour over what was derived lead to bytes.
    let derived = sensitive(Source::Derived(0));
    let detour = HostKey::mac(&mut View(&mut call), borrowed(), HMAC, vec![derived.clone()]);
    assert!(bad_input(detour).contains("card"));
    let twice = View(&mut call).derive(DigestAlgorithm::Sha256, vec![derived]).expect("a number");
    let detour = vec![sensitive(Source::Derived(twice))];
    let detour = HostKey::mac(&mut View(&mut call), borrowed(), HMAC, detour);
    assert!(bad_input(detour).contains("card"));
}

#[test]
fn a_cmac_over_a_secret_stays_with_the_host() {
    let mut call = call(around());
    let key = key(&mut call, "signing");
    let cmac = MacAlgorithm::AesCmac;
    let borrowed = || Resource::new_borrow(key.rep());
    let refused = HostKey::mac(&mut View(&mut call), borrowed(), cmac, vec![api_key()]);
    assert!(bad_input(refused).contains("derive-mac"));
    View(&mut call).derive_mac(borrowed(), cmac, vec![api_key()]).expect("a number");
    HostKey::mac(&mut View(&mut call), borrowed(), cmac, vec![text("open")]).expect("a tag");
}

#[test]
fn a_digest_over_a_secret_gives_a_number_and_no_byte() {
    let mut call = call(around());
    let parts = vec![text("salt"), api_key()];
    let number = View(&mut call).derive(DigestAlgorithm::Sha256, parts).expect("a number");
    let open = format!("salt{API_KEY}").into_bytes();
    let open = View(&mut call).digest(DigestAlgorithm::Sha256, open).expect("a digest");
    assert_eq!((number, call.derived[0].value.expose()), (0, open.as_slice()));
    let source = Source::Derived(1);
    let wrong = View(&mut call).derive(DigestAlgorithm::Sha256, vec![sensitive(source)]);
    assert!(bad_input(wrong).contains("nothing derived as 1"));
}

#[test]
fn a_derived_value_is_written_in_the_encoding_asked_for() {
    let mut call = call(around());
    View(&mut call).derive(DigestAlgorithm::Sha256, vec![api_key()]).expect("a number");
    let part = Part::Sensitive(Sensitive { source: Source::Derived(0), encoding: Encoding::Hex });
    View(&mut call).derive(DigestAlgorithm::Sha256, vec![part]).expect("a number");
    let inner = hex::encode(call.derived[0].value.expose()).into_bytes();
    let outer = View(&mut call).digest(DigestAlgorithm::Sha256, inner).expect("a digest");
    assert_eq!(call.derived[1].value.expose(), outer);
}

#[test]
fn sealing_refuses_what_is_sensitive_since_the_guest_could_open_it() {
    let mut call = call(around());
    let key = key(&mut call, "signing");
    let borrowed = || Resource::new_borrow(key.rep());
    let nonce = || vec![0; 12];
    View(&mut call).derive(DigestAlgorithm::Sha256, vec![api_key()]).expect("a number");
    for part in [api_key(), card(), sensitive(Source::Derived(0))] {
        let parts = vec![text("open"), part];
        let sealed = View(&mut call).seal(borrowed(), Cipher::AesGcm, nonce(), Vec::new(), parts);
        assert!(bad_input(sealed).contains("wrap"));
    }
    let sealed = View(&mut call)
        .seal(borrowed(), Cipher::AesGcm, nonce(), b"a".to_vec(), vec![text("open")])
        .expect("it seals what is open");
    let opened = View(&mut call)
        .open_sealed(borrowed(), Cipher::AesGcm, nonce(), b"a".to_vec(), sealed)
        .expect("and opens it");
    assert_eq!(opened, b"open");
}

#[test]
fn a_secret_is_wrapped_to_the_provider_alone() {
    let mut call = call(with_pair(false));
    let provider = key(&mut call, "provider");
    let by = KeyTransport::RsaOaepSha256;
    let wrapped = View(&mut call).wrap(provider, by, vec![card()]).expect("wrapped");
    let private = Secret::new("private", pair().0.as_bytes().to_vec());
    let private = Key::from_pem("private", None, &private).expect("a key");
    let opened = private.unwrap(vault::KeyTransport::RsaOaepSha256, &wrapped).expect("it opens");
    assert_eq!(opened, CARD_NUMBER.as_bytes());
}

#[test]
fn a_secret_is_not_wrapped_to_a_key_whose_other_half_the_account_holds() {
    let mut call = call(with_pair(true));
    let provider = key(&mut call, "provider");
    let by = KeyTransport::RsaOaepSha256;
    for part in [card(), api_key()] {
        let borrowed = Resource::new_borrow(provider.rep());
        let refused = View(&mut call).wrap(borrowed, by, vec![part]);
        assert!(bad_input(refused).contains("private key of this account"));
    }
    let open = View(&mut call).wrap(provider, by, vec![text("open")]).expect("wrapped");
    let merchant = key(&mut call, "merchant");
    let opened = View(&mut call).unwrap(merchant, by, open).expect("it opens");
    assert_eq!(opened, b"open");
}

#[test]
fn a_ciphertext_of_a_guess_never_equals_that_of_the_secret() {
    let wrapped = |part: Part| {
        let mut call = call(with_pair(false));
        let provider = key(&mut call, "provider");
        View(&mut call).wrap(provider, KeyTransport::RsaOaepSha256, vec![part]).expect("wrapped")
    };
    assert_eq!(wrapped(card()), wrapped(card()), "a step run again gives the same bytes");
    assert_ne!(wrapped(card()), wrapped(text(CARD_NUMBER)));
}

#[test]
fn a_signature_over_a_secret_holds_and_one_over_a_card_field_is_refused() {
    let mut call = call(with_pair(true));
    let merchant = key(&mut call, "merchant");
    let by = SignatureAlgorithm::RsaPkcs1Sha256;
    let borrowed = Resource::new_borrow(merchant.rep());
    let parts = vec![text("k="), api_key()];
    let signature = View(&mut call).sign(borrowed, by, parts).expect("signed");
    let provider = key(&mut call, "provider");
    let whole = format!("k={API_KEY}").into_bytes();
    View(&mut call).verify(provider, by, whole, signature).expect("it holds");
    assert!(bad_input(View(&mut call).sign(merchant, by, vec![card()])).contains("guessed"));
}

#[test]
fn a_slot_or_secret_the_description_does_not_ask_for_does_not_exist() {
    let mut keyring = Keyring::new(Legacy::none());
    let bytes = Secret::new("other", b"sixteen bytes!!!".to_vec());
    keyring.add(Key::symmetric("other", None, &bytes).expect("a key"));
    let mut call = call(surrounded(keyring));
    let open = HostKey::open(&mut View(&mut call), "other".to_owned());
    assert!(matches!(seen(open), CryptoError::NoSuchKey(what) if what.contains("description")));
    let open = HostKey::open(&mut View(&mut call), "signing".to_owned());
    assert!(matches!(seen(open), CryptoError::NoSuchKey(_)));
    let part = sensitive(Source::Secret("other".to_owned()));
    let derived = View(&mut call).derive(DigestAlgorithm::Sha256, vec![part]);
    assert!(bad_input(derived).contains("not one the description asks for"));
    let part = sensitive(Source::Secret("absent".to_owned()));
    let derived = View(&mut call).derive(DigestAlgorithm::Sha256, vec![part]);
    assert!(bad_input(derived).contains("has no secret `absent`"));
    let part = sensitive(Source::Card(CardField::Holder));
    let derived = View(&mut call).derive(DigestAlgorithm::Sha256, vec![part]);
    assert!(bad_input(derived).contains("no card"));
}

#[test]
fn a_legacy_primitive_takes_both_the_description_and_the_grant() {
    let legacy = |name: &str| CryptoError::LegacyRefused(name.to_owned());
    let granting = |names: &[&'static str]| {
        let granted = Legacy::granting(names.iter().copied()).expect("known names");
        call(surrounded(Keyring::new(granted)))
    };
    let md5 = |call: &mut Call| View(call).digest(DigestAlgorithm::Md5, b"a".to_vec());
    let sha1 = |call: &mut Call| View(call).digest(DigestAlgorithm::Sha1, b"a".to_vec());
    assert_eq!(seen(md5(&mut granting(&[]))), legacy("md5"), "asked for, not granted");
    assert_eq!(seen(sha1(&mut granting(&["sha1"]))), legacy("sha1"), "granted, not asked for");
    assert_eq!(
        hex::encode(md5(&mut granting(&["md5"])).expect("both")),
        "0cc175b9c0f1b6a831c399e269772661"
    );
}

#[test]
fn a_key_is_found_by_its_id_and_tells_it() {
    let mut call = call(with_pair(false));
    let mut view = View(&mut call);
    let key = view.open_version("provider".to_owned(), "K1".to_owned()).expect("it is there");
    assert_eq!(view.id(key).expect("no trap").as_deref(), Some("K1"));
    let other = view.open_version("provider".to_owned(), "K2".to_owned());
    assert!(matches!(seen(other), CryptoError::NoSuchKey(what) if what.contains("K2")));
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_gives_others() {
    let random = |seed: u8, lengths: &[u32]| {
        let mut call = call(Surroundings { seed: [seed; 32], ..around() });
        let draw = |length: &u32| View(&mut call).random(*length).expect("bytes");
        lengths.iter().map(draw).collect::<Vec<_>>()
    };
    assert_eq!(random(1, &[32, 5, 1024]), random(1, &[32, 5, 1024]));
    assert_ne!(random(1, &[32]), random(2, &[32]));
    let two = random(1, &[32, 32]);
    assert_ne!(two[0], two[1]);
    assert_eq!(random(1, &[0, 1, 1024]).iter().map(Vec::len).collect::<Vec<_>>(), [0, 1, 1024]);
}

#[test]
fn at_most_1024_random_bytes_come_at_once() {
    let mut call = call(around());
    assert!(bad_input(View(&mut call).random(1025)).contains("1024"));
    assert!(bad_input(View(&mut call).random(u32::MAX)).contains("1024"));
}

#[test]
fn while_a_plugin_describes_itself_there_are_no_keys_and_no_randomness() {
    let asked = Asked { keys: ["signing".to_owned()].into(), ..Asked::default() };
    let plugin = Plugin {
        name: "acme".to_owned(),
        asked,
        limits: limits(),
        decimals,
        witness: Default::default(),
        lane: Arc::new(Lane::new(1)),
    };
    let mut call = Call::blank(Arc::new(plugin));
    let open = HostKey::open(&mut View(&mut call), "signing".to_owned());
    assert!(matches!(seen(open), CryptoError::NoSuchKey(_)));
    assert!(bad_input(View(&mut call).random(1)).contains("describe"));
    let derived = View(&mut call).derive(DigestAlgorithm::Sha256, vec![api_key()]);
    assert!(bad_input(derived).contains("describe"));
}

#[test]
fn a_dropped_handle_is_gone_and_using_it_ends_the_call() {
    let mut call = call(around());
    let key = key(&mut call, "signing");
    let rep = key.rep();
    HostKey::drop(&mut View(&mut call), key).expect("dropped");
    let used = HostKey::mac(&mut View(&mut call), Resource::new_borrow(rep), HMAC, Vec::new());
    assert!(matches!(used, Err(Refusal::Ended(_))));
}

#[test]
fn no_error_a_guest_can_see_holds_a_secret() {
    let mut call = call(around());
    let signing = key(&mut call, "signing");
    let borrowed = || Resource::new_borrow(signing.rep());
    let encoded = |encoding| {
        Part::Sensitive(Sensitive { source: Source::Secret("api-key".to_owned()), encoding })
    };
    let mut view = View(&mut call);
    let answers = [
        format!("{:?}", HostKey::mac(&mut view, borrowed(), HMAC, vec![encoded(Encoding::Bcd)])),
        format!("{:?}", view.wrap(borrowed(), KeyTransport::RsaOaepSha256, vec![api_key()])),
        format!("{:?}", view.sign(borrowed(), SignatureAlgorithm::Ed25519, vec![api_key()])),
        format!(
            "{:?}",
            view.seal(borrowed(), Cipher::AesGcm, Vec::new(), Vec::new(), vec![api_key()])
        ),
    ];
    for answer in answers {
        assert!(answer.starts_with("Err("), "{answer}");
        assert!(!answer.contains(API_KEY), "{answer}");
    }
}

#[test]
fn checksums_are_those_of_their_catalogue_names() {
    let mut call = call(around());
    let crc = View(&mut call).crc("CRC-16/IBM-3740".to_owned(), b"123456789".to_vec());
    assert_eq!(crc.expect("a known model"), 0x29b1);
    let unknown = View(&mut call).crc("CRC-16/NOBODY".to_owned(), Vec::new());
    assert!(matches!(seen(unknown), CryptoError::BadInput(_)));
    assert_eq!(View(&mut call).lrc(0x7f, vec![1, 2, 4]).expect("no trap"), 0x7f ^ 7);
}
