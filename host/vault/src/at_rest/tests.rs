use super::*;

/// A key made for these tests.
const NUMBER: &[u8] = b"4242424242424242";

fn master(id: &str) -> Master {
    let fresh = Master::fresh().unwrap();
    Master::read(id, &Secret::new(id, fresh.as_bytes().to_vec())).unwrap()
}

fn vault(masters: &[&Master]) -> AtRest {
    AtRest::new(masters.iter().map(|master| (*master).clone()).collect()).unwrap()
}

#[test]
fn what_is_sealed_opens_at_its_place_and_at_no_other() {
    let vault = vault(&[&master("1")]);
    let sealed = vault.seal("card/1/number", NUMBER).unwrap();
    assert_eq!(vault.open("card/1/number", &sealed).unwrap().expose(), NUMBER);
    for other in ["card/2/number", "card/1/holder", "card/1/numbe", "card/1/number ", ""] {
        let refused = vault.open(other, &sealed).map(drop);
        assert_eq!(refused, Err(Error::Rejected(other.to_owned())));
    }
}

#[test]
fn the_same_value_never_looks_the_same_twice() {
    let vault = vault(&[&master("1")]);
    let (one, two) = (vault.seal("a", NUMBER).unwrap(), vault.seal("a", NUMBER).unwrap());
    assert_ne!(one.sealed, two.sealed);
    assert_ne!(one.wrapped, two.wrapped);
    let mut spliced = one.clone();
    spliced.wrapped = two.wrapped;
    assert_eq!(vault.open("a", &spliced).map(drop), Err(Error::Rejected("a".into())));
}

#[test]
fn no_changed_bit_of_what_is_sealed_opens() {
    let vault = vault(&[&master("1")]);
    let good = vault.seal("a", NUMBER).unwrap();
    let of = |changed: &Vaulted| vault.open("a", changed).map(drop);
    for bit in 0..good.sealed.len() * 8 {
        let mut changed = good.clone();
        changed.sealed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(of(&changed), Err(Error::Rejected("a".into())), "sealed, bit {bit}");
    }
    for bit in 0..good.wrapped.len() * 8 {
        let mut changed = good.clone();
        changed.wrapped[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(of(&changed), Err(Error::Rejected("a".into())), "wrapped, bit {bit}");
    }
    for length in [0, 11, 12, 27] {
        let mut cut = good.clone();
        cut.sealed.truncate(length);
        assert_eq!(of(&cut), Err(Error::Rejected("a".into())), "{length} bytes");
    }
}

#[test]
fn a_new_master_wraps_the_data_key_anew_and_the_old_one_is_needed_no_more() {
    let (old, new) = (master("2025"), master("2026"));
    let sealed = vault(&[&old]).seal("a", NUMBER).unwrap();
    let both = vault(&[&new, &old]);
    assert_eq!(both.open("a", &sealed).unwrap().expose(), NUMBER);
    let resealed = both.reseal(&sealed).unwrap().unwrap();
    assert_eq!((resealed.key_id(), &resealed.sealed), ("2026", &sealed.sealed));
    assert_eq!(both.reseal(&resealed).unwrap(), None);
    let without_old = vault(&[&new]);
    assert_eq!(without_old.open("a", &resealed).unwrap().expose(), NUMBER);
    let gone = Err(Error::NoSuchMaster("2025".into()));
    assert_eq!(without_old.open("a", &sealed).map(drop), gone);
    assert_eq!(without_old.reseal(&sealed).map(drop), gone);
}

#[test]
fn another_key_under_the_same_name_opens_nothing() {
    let sealed = vault(&[&master("1")]).seal("a", NUMBER).unwrap();
    let other = vault(&[&master("1")]);
    assert_eq!(other.open("a", &sealed).map(drop), Err(Error::Rejected("a".into())));
}

#[test]
fn a_renamed_master_key_opens_nothing_that_names_the_other() {
    let key = Master::fresh().unwrap();
    let named = |id| Master::read(id, &Secret::new(id, key.as_bytes().to_vec())).unwrap();
    let mut sealed = vault(&[&named("1")]).seal("a", NUMBER).unwrap();
    sealed.key = "2".to_owned();
    let refused = vault(&[&named("2")]).open("a", &sealed).map(drop);
    assert_eq!(refused, Err(Error::Rejected("a".into())));
}

#[test]
fn a_closed_vault_refuses_and_says_how_to_open_it() {
    let sealed = vault(&[&master("1")]).seal("a", NUMBER).unwrap();
    let closed = AtRest::closed();
    assert_eq!(closed.current(), None);
    assert_eq!(closed.seal("a", NUMBER), Err(Error::Closed));
    assert_eq!(closed.open("a", &sealed).map(drop), Err(Error::Closed));
    assert_eq!(closed.reseal(&sealed), Err(Error::Closed));
    let said = Error::Closed.to_string();
    assert!(
        said.contains("tollgate vault key") && said.contains("[vault] master = [{ id"),
        "{said}"
    );
}

#[test]
fn a_master_key_is_thirty_two_bytes_in_base64_or_hexadecimal() {
    let read = |text: &str| Master::read("m", &Secret::new("m", text.as_bytes().to_vec()));
    let hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    let base64 = BASE64.encode(hex::decode(hex).unwrap());
    let sealed = vault(&[&read(hex).unwrap()]).seal("a", NUMBER).unwrap();
    for same in [hex.to_uppercase(), base64.clone(), base64.replace('=', ""), format!("{base64}\n")]
    {
        let opened = vault(&[&read(&same).unwrap()]).open("a", &sealed).unwrap();
        assert_eq!(opened.expose(), NUMBER);
    }
    let short = &hex[2..];
    for wrong in ["", "password", short, &"0".repeat(64), &format!("{hex}00")] {
        let error = read(wrong).map(drop).unwrap_err();
        assert!(matches!(error, Error::Unfit { .. }), "{wrong}");
        assert!(wrong.is_empty() || !error.to_string().contains(wrong), "{error}");
    }
    assert!(Master::read("", &Secret::new("", base64.clone().into_bytes())).is_err());
    assert!(Master::read("a b", &Secret::new("", base64.into_bytes())).is_err());
    assert!(AtRest::new(vec![master("1"), master("2"), master("1")]).is_err());
}

#[test]
fn a_record_survives_json_and_a_later_form_is_refused_by_its_number() {
    let vault = vault(&[&master("1")]);
    let sealed = vault.seal("a", NUMBER).unwrap();
    let mut json = serde_json::to_value(&sealed).unwrap();
    assert_eq!(serde_json::from_value::<Vaulted>(json.clone()).unwrap(), sealed);
    json["vaulted"] = 2.into();
    let later: Vaulted = serde_json::from_value(json).unwrap();
    assert_eq!(vault.open("a", &later).map(drop), Err(Error::Version(2)));
}

#[test]
fn neither_debug_nor_an_error_shows_a_value_or_a_key() {
    let key = Master::fresh().unwrap();
    let one = Master::read("one", &Secret::new("one", key.as_bytes().to_vec())).unwrap();
    let vault = vault(&[&one]);
    let sealed = vault.seal("a", NUMBER).unwrap();
    let wrong = vault.open("b", &sealed).map(drop).unwrap_err();
    let shown = format!("{one:?} {vault:?} {sealed:?} {wrong:?} {wrong}");
    assert!(!shown.contains(key.as_str()) && !shown.contains("4242"), "{shown}");
    assert!(shown.contains("Master(one)"), "{shown}");
}
