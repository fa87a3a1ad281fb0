//! What is refused before any key is asked for.

use http::{HeaderMap, HeaderValue};

use crate::signature::{
    Authority, Claim, Component, Error, Message, Parameters, Policy, Request, Stale,
};

fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(*name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn of(input: &str, signature: &str) -> Result<Claim, Error> {
    let headers = headers(&[("signature-input", input), ("signature", signature)]);
    Claim::find(&headers, |tag| tag.is_none_or(|tag| tag == "tollgate"))
}

#[test]
fn a_claim_that_could_be_read_in_two_ways_is_refused() {
    let cases = [
        (r#"a=("@method");created=1, a=("@path");created=1"#, "a=:AA==:", "`a` stands twice"),
        (r#"a=("@method");created=1"#, "a=:AA==:, a=:AQ==:", "`a` stands twice"),
        (r#"a=("@method");created=1;created=2"#, "a=:AA==:", "`created` stands twice"),
        (r#"a=("x";req;req);created=1"#, "a=:AA==:", "`req` stands twice"),
        (r#"a=(), b=()"#, "a=:AA==:, b=:AA==:", "two signatures"),
        (r#"a=();tag="tollgate", b=()"#, "a=:AA==:, b=:AA==:", "two signatures"),
        (r#"a=("@method")"#, "b=:AA==:", "no bytes under the label `a`"),
        (r#"a=("@method")"#, r#"a="AA""#, "no bytes under the label `a`"),
        (r#"a="@method""#, "a=:AA==:", "not a list"),
        (r#"a=(@method)"#, "a=:AA==:", "`signature-input`"),
        (r#"a=("@method";tr)"#, "a=:AA==:", "`tr` is not taken"),
        (r#"a=("@method" 1)"#, "a=:AA==:", "not a string"),
        (r#"a=("Date")"#, "a=:AA==:", "no component's name"),
        (r#"a=("@signature-params")"#, "a=:AA==:", "no component's name"),
        (r#"a=();created=1.5"#, "a=:AA==:", "`created` is a number"),
        (r#"a=();created=-1"#, "a=:AA==:", "`created` is a number"),
        (r#"a=();nonce=:AA==:"#, "a=:AA==:", "`nonce` is a string"),
        (r#"a=();keyid=tok"#, "a=:AA==:", "`keyid` is a string"),
        (r#"a=();hint="x""#, "a=:AA==:", "`hint` is not known"),
        (r#"a=("#, "a=:AA==:", "`signature-input`"),
    ];
    for (input, signature, why) in cases {
        let refused = of(input, signature).unwrap_err().to_string();
        assert!(refused.contains(why), "{input} {signature}: {refused}");
    }
}

#[test]
fn a_signature_for_something_else_is_no_signature_of_a_request() {
    let other = of(r#"a=("@method");tag="tollgate-response""#, "a=:AA==:");
    assert!(matches!(other, Err(Error::Missing(_))));
    let beside = of(r#"p=();tag="proxy", a=();tag="tollgate""#, "p=:AA==:, a=:AQ==:");
    assert_eq!(beside.unwrap().label, "a");
}

fn value(component: &str, query: Option<&str>) -> Result<String, Error> {
    let fields = headers(&[
        ("x", " one "),
        ("x", "two"),
        ("content-digest", "sha-256=:AA==:,  sha-512=:AQ==:;a"),
        ("signature", "l=:AA==:"),
    ]);
    let authority = Authority::new("HTTPS", "Pay.Example:443");
    let request =
        Request { method: "GET", authority: &authority, path: "/a%20b", query, headers: &fields };
    let input = format!("a=({component})");
    let claim = of(&input, "a=:AA==:")?;
    let base = claim.base(&Message::Request(request))?;
    let line = base.lines().next().unwrap();
    Ok(line.strip_prefix(&format!("{component}: ")).unwrap().to_owned())
}

#[test]
fn components_have_the_values_that_the_rfc_gives_them() {
    let cases = [
        (r#""@method""#, "GET"),
        (r#""@scheme""#, "https"),
        (r#""@authority""#, "pay.example"),
        (r#""@path""#, "/a%20b"),
        (r#""@query""#, "?q=a+b&q2=%C3%A4&empty="),
        (r#""@request-target""#, "/a%20b?q=a+b&q2=%C3%A4&empty="),
        (r#""@target-uri""#, "https://pay.example/a%20b?q=a+b&q2=%C3%A4&empty="),
        (r#""@query-param";name="q""#, "a%20b"),
        (r#""@query-param";name="q2""#, "%C3%A4"),
        (r#""@query-param";name="empty""#, ""),
        (r#""x""#, "one, two"),
        (r#""x";bs"#, ":b25l:, :dHdv:"),
        (r#""content-digest";key="sha-512""#, ":AQ==:;a"),
        (r#""content-digest";sf"#, "sha-256=:AA==:, sha-512=:AQ==:;a"),
        (r#""signature";key="l""#, ":AA==:"),
    ];
    for (component, expected) in cases {
        let found = value(component, Some("q=a+b&q2=%C3%A4&empty="));
        assert_eq!(found.as_deref(), Ok(expected), "{component}");
    }
    assert_eq!(value(r#""@query""#, None).as_deref(), Ok("?"));
    assert_eq!(value(r#""@target-uri""#, None).as_deref(), Ok("https://pay.example/a%20b"));
}

#[test]
fn a_component_without_exactly_one_value_is_refused() {
    let cases = [
        r#""y""#,
        r#""@status""#,
        r#""@strange""#,
        r#""@method";req"#,
        r#""@method";key="a""#,
        r#""@query-param";name="twice""#,
        r#""@query-param";name="absent""#,
        r#""@query-param""#,
        r#""x";sf"#,
        r#""x";key="a""#,
        r#""x";bs;sf"#,
        r#""content-digest";key="md5""#,
        r#""x";bs=?0"#,
        r#""x";key=1"#,
        r#""x" "x""#,
        r#""content-digest";key="sha-512";sf "content-digest";sf;key="sha-512""#,
    ];
    for component in cases {
        assert!(value(component, Some("twice=1&twice=2")).is_err(), "{component}");
    }
}

#[test]
fn a_time_counts_within_its_window_alone() {
    let policy = Policy::default();
    let cases = [
        (1000, None, 1000, Ok(())),
        (1000, None, 1300, Ok(())),
        (1000, None, 1301, Err(Stale::Old(301))),
        (1000, None, 940, Ok(())),
        (1000, None, 939, Err(Stale::Ahead(61))),
        (1000, Some(1100), 1099, Ok(())),
        (1000, Some(1100), 1100, Err(Stale::Expired)),
        (1000, Some(1000), 990, Err(Stale::Expired)),
        (i64::MAX, None, 0, Err(Stale::Ahead(i64::MAX))),
    ];
    for (created, expires, now, expected) in cases {
        let parameters = Parameters { created: Some(created), expires, ..Parameters::default() };
        assert_eq!(policy.check_time(&parameters, now), expected, "{created} {expires:?} {now}");
    }
}

#[test]
fn a_nonce_has_a_length_that_cannot_be_guessed_and_no_end() {
    let with = |nonce: &str| Parameters {
        created: Some(1),
        nonce: Some(nonce.to_owned()),
        keyid: Some("k".to_owned()),
        ..Parameters::default()
    };
    assert!(Policy::parts(&with(&"n".repeat(16))).is_ok());
    assert!(Policy::parts(&with(&"n/+=".repeat(32))).is_ok());
    for wrong in ["n".repeat(15), "n".repeat(129), "n n".repeat(8), String::new()] {
        assert!(Policy::parts(&with(&wrong)).is_err(), "{wrong}");
    }
    assert!(Policy::parts(&Parameters { nonce: None, ..with("") }).is_err());
}

#[test]
fn identifiers_are_written_as_they_are_read() {
    let request =
        Component::named("signature").unwrap().of_request().unwrap().member("sig1").unwrap();
    assert_eq!(request.identifier(), r#""signature";req;key="sig1""#);
    assert!(Component::named("Date").is_err());
}
