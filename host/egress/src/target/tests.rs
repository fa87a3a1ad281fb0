//! Which URLs and endpoints are understood, and which of them an account may reach.

use super::Target;
use crate::allowed::{AllowedHost, Channel};
use crate::error::Kind;

fn allowed(hosts: &[&str]) -> Vec<AllowedHost> {
    hosts.iter().map(|host| host.parse().expect(host)).collect()
}

const HOSTS: &[&str] = &[
    "api.example",
    "bücher.example",
    "api.example:8443",
    "http://plain.example",
    "http://127.0.0.1:8081",
    "203.0.113.9",
    "[2001:db8::1]:8443",
    "tcp://acquirer.example:5000",
    "acquirer.example:5001",
];

#[test]
fn an_allowed_url_is_taken_apart() {
    let cases = [
        ("https://api.example", "api.example", "/"),
        ("https://api.example/", "api.example", "/"),
        ("https://API.Example/V1?a=B&c=%20", "api.example", "/V1?a=B&c=%20"),
        ("https://api.example:443/x", "api.example", "/x"),
        ("https://api.example:8443/x//y", "api.example:8443", "/x//y"),
        ("https://bücher.example/", "xn--bcher-kva.example", "/"),
        ("https://BÜCHER.example/", "xn--bcher-kva.example", "/"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", "/"),
        ("http://plain.example/p", "plain.example", "/p"),
        ("http://127.0.0.1:8081/p", "127.0.0.1:8081", "/p"),
        ("https://203.0.113.9/p", "203.0.113.9", "/p"),
        ("https://[2001:db8::1]:8443/p", "[2001:db8::1]:8443", "/p"),
        ("https://api.example/a|b^c~d!e$f'g(h)*+,;=:@", "api.example", "/a|b^c~d!e$f'g(h)*+,;=:@"),
    ];
    for (url, authority, path) in cases {
        let (target, got) = Target::of_url(url, &allowed(HOSTS)).expect(url);
        assert_eq!((target.authority().as_str(), got.as_str()), (authority, path), "{url}");
    }
}

#[test]
fn odd_urls_are_refused_instead_of_understood() {
    let urls = [
        "",
        "/",
        "api.example",
        "//api.example/",
        "ftp://api.example/",
        "HTTPS://api.example/",
        "https:api.example",
        "https:/api.example/",
        "https:///api.example/",
        "https://",
        "https://user@api.example/",
        "https://user:pw@api.example/",
        "https://@api.example/",
        "https://api.example/#f",
        "https://api.example#",
        "https://api.example\\@evil.example/",
        "https://api.example\\x",
        "https://api.example/\\x",
        "https://api.example/a b",
        " https://api.example/",
        "https://api.example/ ",
        "https://api.example/\r\nx: y",
        "https://api.ex\tample/",
        "https://api.example/\u{7f}",
        "https://api.example/\0",
        "https://api.example?x",
        "https://api.example/a/../b",
        "https://api.example/./a",
        "https://api.example/%2e%2e/a",
        "https://api.example/ü",
        "https://api.example/\"",
        "https://api.example/?'",
        "https://api.example:/",
        "https://api.example:0/",
        "https://api.example:00443/",
        "https://api.example:+443/",
        "https://api.example:65536/",
        "https://api.example:443:443/",
        "https://api.example./",
        "https://.api.example/",
        "https://api..example/",
        "https://api%2eexample/",
        "https://%61pi.example/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://127.0.0.1./",
        "https://[::1/",
        "https://::1/",
        "https://[::1]x/",
        "https://[0:0::1]/",
        "https://[::ffff:7f00:1]/",
        "https://[fe80::1%25eth0]/",
        "https://api.example,evil.example/",
        "https://*.example/",
    ];
    for url in urls {
        let error = Target::of_url(url, &allowed(HOSTS)).expect_err(url);
        assert_eq!(error.kind, Kind::Target, "{url:?}: {error}");
        assert!(!error.what.contains(['\r', '\n', '\0']), "{url:?}");
    }
}

#[test]
fn only_the_very_host_port_and_channel_that_were_named_are_reached() {
    let urls = [
        "https://evil.example/",
        "https://api.example.evil.example/",
        "https://sub.api.example/",
        "https://example/",
        "https://api.example:444/",
        "http://api.example/",
        "http://api.example:443/",
        "https://plain.example/",
        "http://127.0.0.1/",
        "https://127.0.0.1:8081/",
        "http://acquirer.example:5000/",
        "https://ａpi.exаmple/",
    ];
    for url in urls {
        let error = Target::of_url(url, &allowed(HOSTS)).expect_err(url);
        assert_eq!(error.kind, Kind::HostNotAllowed, "{url}");
        assert!(error.what.contains("add \""), "no remedy: {error}");
    }
}

#[test]
fn full_width_letters_mean_the_same_host_as_plain_ones() {
    let (target, _) = Target::of_url("https://ａｐｉ.example/", &allowed(HOSTS)).expect("IDNA");
    assert_eq!(target.authority(), "api.example");
}

#[test]
fn a_frame_goes_by_tls_unless_the_operator_named_it_with_tcp() {
    let channel = |endpoint| Target::of_endpoint(endpoint, &allowed(HOSTS)).map(|t| t.channel);
    assert_eq!(channel("acquirer.example:5000").expect("named"), Channel::Tcp);
    assert_eq!(channel("Acquirer.example:5001").expect("named"), Channel::Tls);
    for (endpoint, kind) in [
        ("acquirer.example", Kind::Target),
        ("acquirer.example:5000/x", Kind::Target),
        ("tcp://acquirer.example:5000", Kind::Target),
        ("acquirer.example:5002", Kind::HostNotAllowed),
        ("plain.example:80", Kind::HostNotAllowed),
    ] {
        assert_eq!(channel(endpoint).expect_err(endpoint).kind, kind, "{endpoint}");
    }
}

#[test]
fn an_allowed_host_reads_back_as_it_was_written() {
    for text in HOSTS.iter().filter(|text| text.is_ascii()) {
        assert_eq!(text.parse::<AllowedHost>().expect(text).to_string(), *text);
    }
    let same = |one: &str, other: &str| {
        assert_eq!(one.parse::<AllowedHost>().expect(one), other.parse().expect(other));
    };
    same("https://api.example", "api.example:443");
    same("tls://api.example:5001", "api.example:5001");
    same("http://Plain.example:80", "http://plain.example");
}

#[test]
fn what_is_no_host_is_not_allowed_to_be_one() {
    for text in [
        "",
        "*",
        "*.example",
        "api.example/",
        "https://api.example/v1",
        "tcp://api.example",
        "user@api.example",
        "api.example.",
        "0.0.0.0",
        "http://[::]:80",
        "224.0.0.1",
        "255.255.255.255",
        "ff02::1",
        "[ff02::1]",
        "0x7f.1",
        "api.example:0",
        "ftp://api.example",
    ] {
        let error = text.parse::<AllowedHost>().expect_err(text);
        assert_eq!(error.kind, Kind::Settings, "{text}");
    }
}

#[test]
fn a_configuration_names_hosts_by_text_or_table() {
    let read = |json: &str| serde_json::from_str::<AllowedHost>(json);
    assert_eq!(read(r#""api.example""#).expect("text"), allowed(&["api.example"])[0]);
    let table = read(r#"{"host": "pos.lan:5000", "private": true}"#).expect("table");
    assert_eq!(table, "pos.lan:5000".parse::<AllowedHost>().expect("host").private());
    assert!(read(r#"{"host": "pos.lan", "privat": true}"#).is_err());
    assert!(read(r#""no host""#).is_err());
}
