//! Each encoding against values made to break out of it.

use super::{bound, write};
use crate::request::Encoding;

const ALL: [Encoding; 8] = [
    Encoding::Raw,
    Encoding::Form,
    Encoding::Json,
    Encoding::Xml,
    Encoding::Base64,
    Encoding::Base64url,
    Encoding::Hex,
    Encoding::Bcd,
];

fn encode(encoding: Encoding, value: impl AsRef<[u8]>) -> Result<Vec<u8>, &'static str> {
    let mut out = b"kept".to_vec();
    write(encoding, value.as_ref(), &mut out)?;
    Ok(out.strip_prefix(b"kept").expect("what was there stays").to_vec())
}

fn text(encoding: Encoding, value: impl AsRef<[u8]>) -> String {
    String::from_utf8(encode(encoding, value).expect("encodes")).expect("is text")
}

const NASTY: &[&str] = &[
    "",
    "plain",
    "\"},{\"amount\":1",
    "\\",
    "\\\"",
    "a\u{0}b\u{1f}\u{8}\u{c}\n\r\t",
    "\u{7f}\u{80}\u{2028}\u{2029}",
    "&<>\"']]>",
    "--><x/>",
    "&amp;",
    "a=b&c=d+e f%20;#?/",
    "~.-_*!'()",
    "ü€😀",
    "\r\nx-injected: 1",
];

#[test]
fn raw_leaves_every_byte_as_it_is() {
    let all: Vec<u8> = (0..=255).collect();
    assert_eq!(encode(Encoding::Raw, &all), Ok(all));
}

#[test]
fn form_leaves_only_unreserved_characters_and_reads_back() {
    let all: Vec<u8> = (0..=255).collect();
    let written = text(Encoding::Form, &all);
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~%".contains(c);
    assert!(written.chars().all(plain), "{written}");
    assert!(written.starts_with("%00%01") && written.ends_with("%FE%FF"), "{written}");
    for value in NASTY {
        let pair = format!("k={}", text(Encoding::Form, value));
        let read: Vec<_> = url::form_urlencoded::parse(pair.as_bytes()).into_owned().collect();
        assert_eq!(read, [("k".to_owned(), (*value).to_owned())]);
    }
    assert_eq!(text(Encoding::Form, "a b+c"), "a%20b%2Bc");
}

#[test]
fn json_is_what_a_json_writer_writes() {
    for value in NASTY {
        let quoted = format!("\"{}\"", text(Encoding::Json, value));
        assert_eq!(quoted, serde_json::to_string(value).expect("JSON"));
        assert_eq!(serde_json::from_str::<String>(&quoted).expect("reads"), *value);
    }
}

#[test]
fn xml_holds_no_markup_and_reads_back() {
    for value in NASTY.iter().filter(|value| !value.contains(['\0', '\u{1f}'])) {
        let written = text(Encoding::Xml, value);
        assert!(!written.contains(['<', '>', '"', '\'', '\n', '\r', '\t']), "{written}");
        let read = ["&lt;<", "&gt;>", "&quot;\"", "&apos;'", "&#9;\t", "&#10;\n", "&#13;\r"];
        let read = read.iter().fold(written, |text, pair| {
            let (entity, c) = pair.split_at(pair.len() - 1);
            text.replace(entity, c)
        });
        assert_eq!(read.replace("&amp;", "&"), *value);
    }
    assert_eq!(text(Encoding::Xml, "a&b<c>'\"\n"), "a&amp;b&lt;c&gt;&apos;&quot;&#10;");
}

#[test]
fn xml_refuses_characters_it_does_not_have() {
    for value in ["\0", "\u{1}", "\u{b}", "\u{1f}", "\u{fffe}", "\u{ffff}"] {
        assert!(encode(Encoding::Xml, value).is_err(), "{value:?}");
    }
}

#[test]
fn json_and_xml_refuse_what_is_not_text() {
    for value in [&b"\xff"[..], b"\xc3", b"\xed\xa0\x80", b"ok\xf0\x9f\x98"] {
        assert!(encode(Encoding::Json, value).is_err(), "{value:?}");
        assert!(encode(Encoding::Xml, value).is_err(), "{value:?}");
    }
}

/// The vectors of RFC 4648 section 10, and bytes where the two alphabets differ.
#[test]
fn base64_and_base64url_follow_rfc_4648() {
    let vectors = [
        ("", "", ""),
        ("f", "Zg==", "Zg"),
        ("fo", "Zm8=", "Zm8"),
        ("foo", "Zm9v", "Zm9v"),
        ("foob", "Zm9vYg==", "Zm9vYg"),
        ("fooba", "Zm9vYmE=", "Zm9vYmE"),
        ("foobar", "Zm9vYmFy", "Zm9vYmFy"),
    ];
    for (value, padded, url_safe) in vectors {
        assert_eq!(text(Encoding::Base64, value), padded);
        assert_eq!(text(Encoding::Base64url, value), url_safe);
    }
    assert_eq!(text(Encoding::Base64, b"\xfb\xff\xfe"), "+//+");
    assert_eq!(text(Encoding::Base64url, b"\xfb\xff\xfe"), "-__-");
}

#[test]
fn hex_is_lower_case() {
    assert_eq!(text(Encoding::Hex, b"\x00\x0f\xa5\xff"), "000fa5ff");
}

#[test]
fn bcd_packs_two_digits_a_byte_and_pads_right_with_f() {
    assert_eq!(encode(Encoding::Bcd, ""), Ok(vec![]));
    assert_eq!(encode(Encoding::Bcd, "7"), Ok(vec![0x7f]));
    assert_eq!(
        encode(Encoding::Bcd, "4111111111111111"),
        Ok(b"\x41\x11\x11\x11\x11\x11\x11\x11".into())
    );
    assert_eq!(
        encode(Encoding::Bcd, "378282246310005"),
        Ok(b"\x37\x82\x82\x24\x63\x10\x00\x5f".into())
    );
    for value in ["12a4", " 1", "1 ", "-1", "1F", "\u{661}\u{662}", "12\n"] {
        assert!(encode(Encoding::Bcd, value).is_err(), "{value:?}");
    }
}

#[test]
fn no_encoding_outgrows_the_room_that_is_made_for_it() {
    for length in [0, 1, 2, 3, 4, 5, 100, 1000] {
        for byte in [b'1', b'"', 0x1f, 0xff, b'&', b'%'] {
            for encoding in ALL {
                let mut out = Vec::with_capacity(bound(encoding, length));
                let room = out.capacity();
                if write(encoding, &vec![byte; length], &mut out).is_ok() {
                    assert!(out.capacity() == room, "{encoding:?} of {length} times {byte}");
                    assert!(out.len() <= bound(encoding, length));
                }
            }
        }
    }
}

#[test]
fn a_refusal_never_repeats_the_value() {
    for encoding in [Encoding::Json, Encoding::Xml, Encoding::Bcd] {
        let why = encode(encoding, b"canary\xff").expect_err("refused");
        assert!(!why.contains("canary"), "{why}");
    }
}
