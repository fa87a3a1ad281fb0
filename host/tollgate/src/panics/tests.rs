use std::sync::{Arc, Mutex};

use super::*;

/// What is said of the panic of this thread.
fn said(panics: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let (heard, own) = (Arc::new(Mutex::new(String::new())), std::thread::current().id());
    let kept = heard.clone();
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() == own {
            *kept.lock().unwrap() = text(info).to_owned();
        }
    }));
    assert!(std::panic::catch_unwind(panics).is_err());
    let _ = std::panic::take_hook();
    heard.lock().unwrap().clone()
}

#[test]
fn the_text_of_a_panic_is_said_only_where_the_source_says_it() {
    let number = String::from("4539148803436467é");
    assert_eq!(said(|| panic!("a literal")), "a literal");
    let cut = number.clone();
    let within = said(move || drop(cut[..17].to_owned()));
    let failed = said(move || _ = serde_json::from_str::<u8>(&format!("{number:?}")).unwrap());
    for said in [within, failed] {
        assert_eq!(said, "its text is not said");
    }
}
