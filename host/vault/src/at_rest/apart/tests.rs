use super::*;

/// A number made for these tests.
const NUMBER: &[u8] = b"4242424242424242";

fn master(id: &str) -> Master {
    let fresh = Master::fresh().unwrap();
    Master::read(id, &Secret::new(id, fresh.as_bytes().to_vec())).unwrap()
}

fn vault(masters: &[&Master]) -> AtRest {
    AtRest::new(masters.iter().map(|master| (*master).clone()).collect()).unwrap()
}

#[test]
fn a_value_opens_by_its_own_key_and_by_no_other_however_it_is_wrapped() {
    let vault = vault(&[&master("1")]);
    let (key, wrapped) = vault.fresh_key("card/1").unwrap();
    let value = key.seal("card/1", NUMBER).unwrap();
    let same = vault.unwrap_key("card/1", &wrapped).unwrap();
    assert_eq!(same.open("card/1", &value).unwrap().expose(), NUMBER);
    assert_eq!(same.open("card/2", &value).map(drop), Err(Error::Rejected("card/2".into())));
    let other = vault.unwrap_key("card/2", &wrapped).map(drop);
    assert_eq!(other, Err(Error::Rejected("card/2".into())));
    // Another key of the same vault, for the same place: what is left once the key is destroyed.
    let (another, _) = vault.fresh_key("card/1").unwrap();
    assert_eq!(another.open("card/1", &value).map(drop), Err(Error::Rejected("card/1".into())));
}

#[test]
fn no_changed_bit_of_a_value_or_of_its_key_opens() {
    let vault = vault(&[&master("1")]);
    let (key, wrapped) = vault.fresh_key("a").unwrap();
    let value = key.seal("a", NUMBER).unwrap();
    for bit in 0..value.len() * 8 {
        let mut changed = value.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(key.open("a", &changed).is_err(), "value, bit {bit}");
    }
    let bytes = wrapped.to_bytes();
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let opened = WrappedKey::from_bytes(&changed).map(|key| vault.unwrap_key("a", &key));
        assert!(opened.is_none_or(|key| key.is_err()), "key, bit {bit}");
    }
    assert_eq!(WrappedKey::from_bytes(&bytes), Some(wrapped));
    assert!(bytes.len() <= 126);
    for length in [0, 1, 2] {
        assert_eq!(WrappedKey::from_bytes(&bytes[..length]), None, "{length} bytes");
    }
}

#[test]
fn a_key_comes_under_a_new_master_and_needs_the_old_one_no_more() {
    let (old, new) = (master("2025"), master("2026"));
    let (key, wrapped) = vault(&[&old]).fresh_key("a").unwrap();
    let value = key.seal("a", NUMBER).unwrap();
    let both = vault(&[&new, &old]);
    let anew = both.rewrap("a", &wrapped).unwrap().unwrap();
    assert_eq!(anew.key_id(), "2026");
    assert_eq!(both.rewrap("a", &anew).unwrap(), None);
    let alone = vault(&[&new]);
    let opened = alone.unwrap_key("a", &anew).unwrap().open("a", &value).unwrap();
    assert_eq!(opened.expose(), NUMBER);
    let gone = alone.rewrap("a", &wrapped).map(drop);
    assert_eq!(gone, Err(Error::NoSuchMaster("2025".into())));
    let closed = AtRest::closed();
    assert_eq!(closed.fresh_key("a").map(drop), Err(Error::Closed));
    assert_eq!(closed.unwrap_key("a", &anew).map(drop), Err(Error::Closed));
    assert_eq!(closed.rewrap("a", &anew).map(drop), Err(Error::Closed));
    assert_eq!(format!("{key:?} {anew:?}"), "ValueKey WrappedKey(under 2026)");
}
