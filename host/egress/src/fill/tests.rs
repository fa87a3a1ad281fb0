//! What may be filled in where. The values are canaries: no error may hold one.

use std::collections::HashMap;

use vault::Secret;

use super::{Fill, Filling};
use crate::error::{Error, Kind};
use crate::gate::{Grant, Granted, Place};
use crate::request::{CardField, Encoding, Part, Source};
use crate::target::Target;

struct Values(HashMap<Source, Secret>);

impl Fill for Values {
    fn secret(&self, name: &str) -> Option<&Secret> {
        self.0.get(&Source::Secret(name.to_owned()))
    }
    fn card(&self, field: CardField) -> Option<&Secret> {
        self.0.get(&Source::Card(field))
    }
    fn derived(&self, number: u32) -> Option<&Secret> {
        self.0.get(&Source::Derived(number))
    }
}

fn secret(name: &str) -> Source {
    Source::Secret(name.to_owned())
}

fn header(name: &str) -> Place {
    Place::Header(name.to_owned())
}

fn values() -> Values {
    let value = |name: &str, value: &str| Secret::new(name, value.as_bytes().to_vec());
    Values(HashMap::from([
        (secret("api-key"), value("api-key", "canary-key")),
        (secret("other"), value("other", "canary-other")),
        (Source::Card(CardField::Number), value("number", "4111111111111111")),
        (Source::Derived(7), value("derived", "canary-derived")),
    ]))
}

fn grants() -> Vec<Grant> {
    let grant = |value, places: Vec<Place>, hosts: Option<&str>| {
        let hosts = hosts.map(|host| vec![host.parse().expect(host)]);
        Grant { value, places, hosts }
    };
    vec![
        grant(Granted::Secret("api-key".to_owned()), vec![header("Authorization")], None),
        grant(Granted::Secret("missing".to_owned()), vec![Place::Body], None),
        grant(Granted::Secret("other".to_owned()), vec![Place::Body], Some("api.example:8443")),
        grant(Granted::Card, vec![Place::Body], Some("api.example")),
        grant(Granted::Derived, vec![header("x-sign")], None),
    ]
}

fn fill_at(url: &str, source: Source, place: &Place) -> Result<Vec<u8>, Error> {
    let hosts = ["api.example", "api.example:8443"].map(|host| host.parse().expect(host));
    let (target, _) = Target::of_url(url, &hosts).expect(url);
    let (grants, values) = (grants(), values());
    let filling = Filling { grants: &grants, target: &target, values: &values };
    let sensitive = Part::Sensitive { source, encoding: Encoding::Raw };
    let parts = [Part::Text("<".to_owned()), sensitive, Part::Bytes(b">".to_vec())];
    filling.fill(&parts, place).map(|bytes| bytes.to_vec())
}

fn fill(source: Source, place: &Place) -> Result<Vec<u8>, Error> {
    fill_at("https://api.example/", source, place)
}

#[test]
fn a_granted_value_is_filled_in_where_it_may_stand() {
    let authorization = header("authorization");
    assert_eq!(fill(secret("api-key"), &authorization).expect("granted"), b"<canary-key>");
    let number = Source::Card(CardField::Number);
    assert_eq!(fill(number, &Place::Body).expect("granted"), b"<4111111111111111>");
    let derived = fill(Source::Derived(7), &header("x-sign")).expect("granted");
    assert_eq!(derived, b"<canary-derived>");
    let elsewhere = fill_at("https://api.example:8443/", secret("other"), &Place::Body);
    assert_eq!(elsewhere.expect("granted"), b"<canary-other>");
}

#[test]
fn a_refusal_names_value_place_host_and_remedy_and_never_the_value() {
    let cases = [
        (secret("api-key"), Place::Body, Kind::NotGranted, "secret `api-key`"),
        (secret("api-key"), header("x-other"), Kind::NotGranted, "header `x-other`"),
        (secret("unknown"), Place::Body, Kind::NotGranted, "secret `unknown`"),
        (secret("other"), Place::Body, Kind::NotGranted, "towards api.example:"),
        (secret("missing"), Place::Body, Kind::MissingValue, "among the account's secrets"),
        (Source::Card(CardField::Number), header("x-pan"), Kind::NotGranted, "card field"),
        (Source::Card(CardField::Holder), Place::Body, Kind::MissingValue, "field of the card"),
        (Source::Derived(7), Place::Body, Kind::NotGranted, "derived value 7"),
        (Source::Derived(8), header("x-sign"), Kind::MissingValue, "derive it"),
    ];
    for (source, place, kind, words) in cases {
        let error = fill(source, &place).expect_err(words);
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.what.contains(words), "{error}");
        assert!(error.what.contains(&place.to_string()), "{error}");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("canary") && !shown.contains("4111"), "{shown}");
    }
}

#[test]
fn a_grant_for_one_host_does_not_reach_another_port_of_it() {
    let number = Source::Card(CardField::Number);
    let error = fill_at("https://api.example:8443/", number, &Place::Body).expect_err("8443");
    assert_eq!(error.kind, Kind::NotGranted);
}
