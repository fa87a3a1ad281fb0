//! The interface `payments`, called as a guest would.

use std::sync::Arc;

use super::world::{around, decimals, limits};
use crate::Remembered;
use crate::call::{Call, Plugin, View};
use crate::contract::Money;
use crate::contract::bindings::tollgate::adapter::payments::Host;
use crate::description::Asked;
use crate::lane::Lane;

fn call() -> Call {
    let asked = Asked { settings: ["merchant".to_owned()].into(), ..Asked::default() };
    let plugin = Plugin {
        name: "acme".to_owned(),
        asked,
        limits: limits(),
        decimals,
        witness: Default::default(),
        lane: Arc::new(Lane::new(1)),
    };
    let mut call = Call::blank(Arc::new(plugin));
    call.surround(around(), "start").expect("a seed");
    call
}

#[test]
fn a_setting_is_given_only_if_the_description_asks_for_it() {
    let mut call = call();
    let mut setting = |name: &str| View(&mut call).setting(name.to_owned()).expect("no trap");
    assert_eq!(setting("merchant").as_deref(), Some("M1"));
    assert_eq!(setting("unasked"), None);
    assert_eq!(setting("absent"), None);
}

#[test]
fn while_a_plugin_describes_itself_there_is_no_account() {
    let plugin = Plugin {
        name: "acme".to_owned(),
        asked: Asked::default(),
        limits: limits(),
        decimals,
        witness: Default::default(),
        lane: Arc::new(Lane::new(1)),
    };
    let mut call = Call::blank(Arc::new(plugin));
    let mut view = View(&mut call);
    assert_eq!(view.setting("merchant".to_owned()).expect("no trap"), None);
    assert_eq!(view.recall("token".to_owned()).expect("no trap"), None);
    assert_eq!(view.now().expect("no trap"), (0, 0));
}

#[test]
fn the_time_stands_still_during_a_call() {
    let mut call = call();
    assert_eq!(View(&mut call).now().expect("no trap"), (1_700_000_000, 5));
    assert_eq!(View(&mut call).now().expect("no trap"), (1_700_000_000, 5));
}

#[test]
fn what_is_remembered_is_recalled_and_handed_over_once_a_name() {
    let mut call = call();
    let mut remember = |name: &str, value: &[u8], seconds| {
        View(&mut call).remember(name.to_owned(), value.to_vec(), seconds).expect("no trap");
    };
    remember("token", b"T2", Some(60));
    remember("other", b"O", None);
    remember("token", b"T3", Some(90));
    let mut recall = |name: &str| View(&mut call).recall(name.to_owned()).expect("no trap");
    assert_eq!(recall("token"), Some(b"T3".to_vec()));
    assert_eq!(recall("absent"), None);
    let kept = |name: &str, value: &[u8], seconds| Remembered {
        name: name.to_owned(),
        value: value.to_vec(),
        seconds,
    };
    assert_eq!(call.remembered, [kept("other", b"O", None), kept("token", b"T3", Some(90))]);
}

#[test]
fn what_the_account_kept_is_recalled() {
    let token = View(&mut call()).recall("token".to_owned()).expect("no trap");
    assert_eq!(token, Some(b"T1".to_vec()));
}

#[test]
fn remembering_too_much_ends_the_call() {
    let mut call = call();
    let mut remember =
        |name: String, bytes: usize| View(&mut call).remember(name, vec![0; bytes], None).is_ok();
    assert!(!remember(String::new(), 1));
    assert!(!remember("n".repeat(65), 1));
    assert!(!remember("value".to_owned(), (16 << 10) + 1));
    for place in 0..8 {
        assert!(remember(format!("value {place}"), 16 << 10));
    }
    assert!(!remember("one more".to_owned(), 1), "128 KiB in all");
    assert!(remember("value 0".to_owned(), 16 << 10), "in the place of its namesake");
}

#[test]
fn amounts_are_written_in_the_places_of_their_currency() {
    let mut call = call();
    let mut text = |minor, currency: &str| {
        let amount = Money { minor, currency: currency.to_owned() };
        View(&mut call).to_decimal(amount).expect("no trap")
    };
    assert_eq!(text(1999, "EUR"), Ok("19.99".to_owned()));
    assert_eq!(text(1999, "JPY"), Ok("1999".to_owned()));
    assert!(text(1999, "XXX").expect_err("no currency").contains("XXX"));
}

#[test]
fn amounts_are_read_back_and_a_place_too_many_is_refused() {
    let mut call = call();
    let mut read = |text: &str, currency: &str| {
        View(&mut call).from_decimal(text.to_owned(), currency.to_owned()).expect("no trap")
    };
    assert_eq!(read("19.99", "EUR"), Ok(Money { minor: 1999, currency: "EUR".to_owned() }));
    assert!(read("19.999", "EUR").is_err());
    assert!(read("19.9", "JPY").is_err());
    assert!(read("19.9", "XXX").is_err());
}
