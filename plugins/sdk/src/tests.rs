//! What the builders make, and what they refuse.

use serde::Serialize;

use crate::prelude::*;
use crate::{CryptoError, Part, Request, Sensitive};

fn body(step: Step) -> Vec<Part> {
    let Step::Send(exchange) = step else { panic!("a request was expected") };
    let Request::Http(request) = exchange.request else { panic!("HTTP was expected") };
    request.body
}

fn text(part: &str) -> Part {
    Part::Text(part.to_owned())
}

fn hidden(name: &str, encoding: Encoding) -> Part {
    Part::Sensitive(Sensitive { source: secret(name), encoding })
}

#[derive(Serialize)]
struct Login {
    user: String,
    password: Hidden,
    again: Hidden,
}

fn login(user: &str) -> Login {
    let user = user.to_owned();
    Login { user, password: Hidden(secret("password")), again: Hidden(secret("old")) }
}

#[test]
fn a_hidden_field_of_json_becomes_a_sensitive_part() {
    let call = post("https://acme.test").json(&login("ann")).unwrap();
    let expected = vec![
        text("{\"user\":\"ann\",\"password\":\""),
        hidden("password", Encoding::Json),
        text("\",\"again\":\""),
        hidden("old", Encoding::Json),
        text("\"}"),
    ];
    assert_eq!(body(call.send()), expected);
}

#[test]
fn an_apps_text_cannot_name_a_secret() {
    let error = post("https://acme.test").json(&login("\u{E000}")).unwrap_err();
    assert!(matches!(error, Failure::Invalid(_)), "{error:?}");
}

#[test]
fn a_refused_body_leaves_nothing_for_the_next() {
    struct Broken;
    impl Serialize for Broken {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            Hidden(secret("api-key")).serialize(serializer)?;
            Err(serde::ser::Error::custom("broken"))
        }
    }
    assert!(post("https://acme.test").json(&Broken).is_err());
    let call = post("https://acme.test").json(&"plain").unwrap();
    assert_eq!(body(call.send()), vec![text("\"plain\"")]);
}

#[test]
fn a_form_cannot_be_broken_out_of() {
    let form = Form::new()
        .field("a[b]", "x&y=z +é")
        .optional("none", None::<&str>)
        .field("key", secret("api-key"))
        .field("n", 12);
    let expected = vec![
        text("a[b]=x%26y%3Dz%20%2B%C3%A9&key="),
        hidden("api-key", Encoding::Form),
        text("&n=12"),
    ];
    assert_eq!(body(post("https://acme.test").form(form).send()), expected);
}

#[test]
fn a_bearer_token_is_one_header_with_a_place_in_it() {
    let Step::Send(exchange) = get("https://acme.test").bearer(secret("k")).state("s").ask() else {
        panic!("a request was expected")
    };
    let Request::Http(request) = exchange.request else { panic!("HTTP was expected") };
    assert!(!exchange.moves_money);
    assert_eq!(exchange.state, b"s");
    assert_eq!(request.headers[0].name, "authorization");
    assert_eq!(request.headers[0].value, [text("Bearer "), hidden("k", Encoding::Raw)]);
}

#[test]
fn hexadecimal_and_base64_refuse_what_is_neither() {
    assert_eq!(hex([0, 0xAB]), "00ab");
    assert_eq!(unhex("00aB").unwrap(), [0, 0xAB]);
    assert_eq!(base64("foob"), "Zm9vYg==");
    assert_eq!(unbase64("Zm9vYg==").unwrap(), b"foob");
    for wrong in ["0", "0g", "é0", "+1"] {
        assert!(unhex(wrong).is_err(), "{wrong}");
    }
    for wrong in ["Zm9vYg", "Zm9v Yg==", "Zm9vYh=="] {
        assert!(unbase64(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_missing_key_is_the_operators_affair_and_a_bad_tag_the_providers() {
    let missing = Failure::from(CryptoError::NoSuchKey("slot `a`".to_owned()));
    assert!(matches!(missing, Failure::Misconfigured(_)));
    assert!(matches!(Failure::from(CryptoError::Rejected), Failure::Malformed(_)));
}

fn entry(kind: OperationKind, state: EntryState, reference: &str) -> Entry {
    Entry {
        id: reference.to_owned(),
        kind,
        amount: Money::new(1, "EUR"),
        capture: false,
        state,
        references: Some(reference.into()),
        created_at: 0,
    }
}

#[test]
fn a_payment_is_known_by_its_newest_authorization_that_was_not_refused() {
    let entries = vec![
        entry(OperationKind::Authorize, EntryState::Declined, "first"),
        entry(OperationKind::Authorize, EntryState::Succeeded, "second"),
        entry(OperationKind::Authorize, EntryState::Declined, "third"),
        entry(OperationKind::Capture, EntryState::Succeeded, "capture"),
    ];
    let amount = Money::new(1, "EUR");
    let (id, merchant_reference) = ("P".to_owned(), "o".to_owned());
    let payment = Payment { id, merchant_reference, amount, entries };
    assert_eq!(payment.reference().unwrap().provider, "second");
    assert_eq!(payment.succeeded(OperationKind::Capture).unwrap().id, "capture");
    assert_eq!(payment.succeeded(OperationKind::Refund), None);
}

#[cfg(feature = "test")]
mod host {
    use transcript::{Material, Set, Verdict};

    use crate::CryptoError;
    use crate::prelude::*;
    use crate::test::TestHost;

    fn host() -> TestHost {
        let material = Material::Symmetric(b"Jefe".to_vec());
        TestHost::new().with(Set::Key { slot: "k".to_owned(), id: None, material })
    }

    /// RFC 4231, test case 2.
    const TAG: &str = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";

    #[test]
    fn a_mac_is_the_standards_and_may_run_over_secrets() {
        let host = host().with(Set::Secret("want".to_owned(), "want".to_owned()));
        let message = Content::from("what do ya ").then(secret("want")).then(" for nothing?");
        let tag = host.key("k").unwrap().mac(MacAlgorithm::HmacSha256, &message).unwrap();
        assert_eq!(hex(tag), TAG);
    }

    #[test]
    fn a_proof_is_checked_by_the_host_in_tag_and_time() {
        let message = "what do ya want for nothing?";
        let good = || proof("k", MacAlgorithm::HmacSha256, message).evidence(unhex(TAG).unwrap());
        let host = host();
        assert_eq!(host.check(&good()), Verdict::Holds);
        assert_eq!(host.check(&good().signed_at(1_700_000_300)), Verdict::Holds);
        assert_eq!(host.check(&good().signed_at(1_700_000_301)), Verdict::Stale);
        assert_eq!(host.check(&good().key_id("other")), Verdict::NoKey);
        let tampered = proof("k", MacAlgorithm::HmacSha256, "other").evidence(unhex(TAG).unwrap());
        assert_eq!(host.check(&tampered), Verdict::Refused);
    }

    #[test]
    fn decimals_have_as_many_places_as_the_currency() {
        let host = host();
        for (minor, currency, decimal) in
            [(1999, "EUR", "19.99"), (5, "EUR", "0.05"), (1999, "JPY", "1999"), (5, "KWD", "0.005")]
        {
            let amount = Money::new(minor, currency);
            assert_eq!(host.to_decimal(&amount).unwrap(), decimal);
            assert_eq!(host.from_decimal(decimal, currency).unwrap(), amount);
        }
        assert_eq!(host.from_decimal("19.9", "EUR").unwrap(), Money::new(1990, "EUR"));
        for (wrong, currency) in [("1.999", "EUR"), ("1.0", "JPY"), ("-1", "EUR"), (".5", "EUR")] {
            assert!(host.from_decimal(wrong, currency).is_err(), "{wrong} {currency}");
        }
    }

    #[test]
    fn a_step_has_randomness_of_its_own_and_the_same_again() {
        let (one, other) = (host(), host());
        assert_eq!(one.random(20).unwrap(), other.random(20).unwrap());
        one.next_step();
        assert_ne!(one.random(20).unwrap(), other.random(20).unwrap());
        assert!(one.random(1025).is_err());
    }

    #[test]
    fn what_is_remembered_expires() {
        let host = host();
        host.remember("token", b"abc", Some(60));
        host.remember("root", b"xyz", None);
        assert_eq!(host.recall("token").unwrap(), b"abc");
        let host = host.with(Set::Now(1_700_000_060));
        assert_eq!(host.recall("token"), None);
        assert_eq!(host.recall("root").unwrap(), b"xyz");
    }

    #[test]
    fn a_derived_value_is_used_by_its_number() {
        let host = host().with(Set::Secret("pin".to_owned(), "1234".to_owned()));
        let number = host.derive(DigestAlgorithm::Sha256, &Content::from(secret("pin"))).unwrap();
        let key = host.key("k").unwrap();
        let over = |content: Content| key.mac(MacAlgorithm::HmacSha256, &content);
        let digest = host.digest(DigestAlgorithm::Sha256, b"1234").unwrap();
        assert_eq!(over(derived(number).into()).unwrap(), over(digest.into()).unwrap());
        host.next_step();
        assert!(over(derived(number).into()).is_err(), "a number is valid for one step");
    }

    fn with_card() -> TestHost {
        host()
            .with(Set::Card("number".to_owned(), "4242424242424242".to_owned()))
            .with(Set::Secret("pin".to_owned(), "1234".to_owned()))
    }

    fn number() -> Content {
        Content::from(card(CardField::Number))
    }

    #[test]
    fn a_tag_over_a_card_stays_with_the_host() {
        let host = with_card();
        let key = host.key("k").unwrap();
        let refused = key.mac(MacAlgorithm::HmacSha256, &number());
        assert!(matches!(refused, Err(CryptoError::BadInput(_))), "{refused:?}");
        let tag = key.derive_mac(MacAlgorithm::HmacSha256, &number()).unwrap();
        let over_tag = key.mac(MacAlgorithm::HmacSha256, &Content::from(derived(tag)));
        assert!(matches!(over_tag, Err(CryptoError::BadInput(_))), "it is still of a card");
        let digest = host.derive(DigestAlgorithm::Sha256, &number()).unwrap();
        let over_digest = key.mac(MacAlgorithm::HmacSha256, &Content::from(derived(digest)));
        assert!(matches!(over_digest, Err(CryptoError::BadInput(_))), "and so is its digest");
    }

    #[test]
    fn what_could_be_opened_again_takes_nothing_sensitive() {
        let material = Material::Symmetric(vec![7; 16]);
        let aes = Set::Key { slot: "aes".to_owned(), id: None, material };
        let host = with_card().with(aes);
        let key = host.key("aes").unwrap();
        let pin = Content::from(secret("pin"));
        assert!(matches!(key.mac(MacAlgorithm::AesCmac, &pin), Err(CryptoError::BadInput(_))));
        assert!(key.derive_mac(MacAlgorithm::AesCmac, &pin).is_ok());
        let seal = |text: &Content| key.seal(Cipher::AesGcm, &[0; 12], b"", text);
        assert!(matches!(seal(&pin), Err(CryptoError::BadInput(_))));
        assert!(seal(&Content::from("1234")).is_ok());
    }
}

/// A plugin that writes nothing of reports.
#[cfg(feature = "test")]
struct Silent;

#[cfg(feature = "test")]
impl Adapter for Silent {
    fn describe() -> Description {
        Description::new("silent", "1", &[])
    }
    fn start(_: &dyn Host, operation: &Operation) -> Result<Step, Failure> {
        Err(Failure::unsupported(operation))
    }
    fn resume(_: &dyn Host, operation: &Operation, _: &[u8], _: &Reply) -> Result<Step, Failure> {
        Err(Failure::unsupported(operation))
    }
    fn prove(_: &dyn Host, _: &Delivery) -> Result<Proof, Failure> {
        Err(Failure::malformed("none"))
    }
    fn interpret(_: &dyn Host, _: &Delivery) -> Result<Vec<Event>, Failure> {
        Ok(Vec::new())
    }
    fn acknowledge(_: bool) -> HttpResponse {
        HttpResponse::new(200, "")
    }
}

#[cfg(feature = "test")]
#[test]
fn a_plugin_that_writes_nothing_of_reports_says_that_it_has_none() {
    let host = crate::test::TestHost::new();
    let (span, piece) =
        (Span { since: 1, until: 2 }, Piece { state: Vec::new(), bytes: Vec::new(), last: true });
    let reports = Silent::describe().reports;
    assert!(!reports.fetched && !reports.read);
    let unsupported = |failure: Failure| matches!(failure, Failure::Unsupported(_));
    assert!(unsupported(Silent::begin_report(&host, &span).unwrap_err()));
    let reply = Reply::Frame(Vec::new());
    assert!(unsupported(Silent::proceed_with_report(&host, &span, b"", &reply).unwrap_err()));
    assert!(unsupported(Silent::read_report(&host, &piece).unwrap_err()));
}

#[test]
fn a_page_asks_for_what_moves_no_money() {
    let page = Page::of([]).then(get("https://acme.test/report").state("2"));
    let next = page.next.expect("a request");
    assert!(!next.moves_money && next.state == b"2" && !page.is_file);
    let file = Page { next: None, ..Page::file() };
    assert!(file.is_file && file.movements.is_empty());
    assert_eq!(Page::of([]).then(None).next, None);
}
