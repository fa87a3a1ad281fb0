use std::sync::atomic::{AtomicU64, Ordering};

use ledger::{Currency, TimestampMs};
use store::Model;
use vault::{AtRest, Master, Secret};

use super::*;
use crate::app::{Rate, SpendingLimit};
use crate::clock::SystemEntropy;

/// A clock that stands until it is moved.
#[derive(Default)]
pub(crate) struct Hand(pub AtomicU64);

impl Clock for Hand {
    fn now_ms(&self) -> TimestampMs {
        self.0.load(Ordering::SeqCst)
    }
}

/// A P-256 public key, made for this test.
const P256: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEKIMlH6b1Z8Gm1MTHK4h9Zn0r5wHk
-----END PUBLIC KEY-----
";

fn masters(names: &[&str]) -> AtRest {
    let master = |name: &&str| {
        let written = Secret::new("master", Master::fresh().unwrap().as_bytes().to_vec());
        Master::read(name, &written).unwrap()
    };
    AtRest::new(names.iter().map(master).collect()).unwrap()
}

fn apps(at_rest: AtRest) -> (Apps, Arc<Hand>) {
    let clock = Arc::new(Hand(1_700_000_000_000.into()));
    let (store, entropy) = (Arc::new(Model::new()), Arc::new(SystemEntropy));
    (Apps { store, clock: clock.clone(), entropy, at_rest }, clock)
}

fn named(name: &str) -> AppChange {
    AppChange { name: Some(name.to_owned()), ..AppChange::default() }
}

#[tokio::test]
async fn an_app_is_read_back_as_it_was_added_and_changed() {
    let (apps, _) = apps(masters(&["m"]));
    let (app, shown) = apps.add(&named("shop"), Some(&NewKey::Bearer)).await.unwrap();
    assert!(shown.unwrap().secret.unwrap().starts_with("tgk_"));
    assert_eq!(apps.show(app.id.as_str()).await.unwrap(), app);
    let change = AppChange {
        scopes: Some([Scope::Read].into()),
        networks: Some(vec!["10.1.2.3/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap()]),
        protection: Some(Protection::Signature),
        accounts: Some(Some(["cards".to_owned()].into())),
        rate: Some(Some(Rate { per_second: 3, burst: 4 })),
        spending: Some(vec![SpendingLimit {
            currency: Currency::from_code("EUR").unwrap(),
            amount_minor_max: 5,
        }]),
        ..AppChange::default()
    };
    let changed = apps.set(app.id.as_str(), &change).await.unwrap();
    assert_eq!(changed.networks, ["10.0.0.0/8".parse().unwrap()], "each network once, in order");
    assert_eq!((changed.name.as_str(), changed.protection), ("shop", Protection::Signature));
    assert_eq!(apps.show(app.id.as_str()).await.unwrap(), changed);
    let reopened = AppChange {
        networks: Some(vec![]),
        accounts: Some(None),
        rate: Some(None),
        spending: Some(vec![]),
        scopes: Some(Scope::ALL.into()),
        protection: Some(Protection::Bearer),
        ..AppChange::default()
    };
    assert_eq!(apps.set(app.id.as_str(), &reopened).await.unwrap(), app);
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_field_and_changes_nothing() {
    let (apps, _) = apps(masters(&["m"]));
    let (app, _) = apps.add(&named("shop"), None).await.unwrap();
    let limit =
        SpendingLimit { currency: Currency::from_code("EUR").unwrap(), amount_minor_max: 5 };
    for (change, field) in [
        (named(""), "name"),
        (named(&"x".repeat(65)), "name"),
        (named("a\nb"), "name"),
        (AppChange { scopes: Some([].into()), ..AppChange::default() }, "scopes"),
        (
            AppChange {
                rate: Some(Some(Rate { per_second: 0, burst: 1 })),
                ..AppChange::default()
            },
            "rate",
        ),
        (AppChange { spending: Some(vec![limit, limit]), ..AppChange::default() }, "spending"),
    ] {
        let refused = apps.set(app.id.as_str(), &change).await.unwrap_err();
        assert!(matches!(&refused, Unchanged::Unfit { field: f, .. } if *f == field), "{refused}");
    }
    assert_eq!(apps.show(app.id.as_str()).await.unwrap(), app);
    let unnamed = apps.add(&AppChange::default(), None).await;
    assert!(matches!(unnamed, Err(Unchanged::Unfit { field: "name", .. })));
    let nobody = "app_01jd8ze5p2m3q4r5s6t7v8w9xa";
    assert!(matches!(apps.show(nobody).await, Err(Unchanged::NoSuchApp(_))));
}

#[tokio::test]
async fn a_rotated_key_is_good_until_the_overlap_ends_and_the_new_one_after() {
    let (apps, clock) = apps(masters(&["m"]));
    let (app, shown) = apps.add(&named("shop"), Some(&NewKey::Bearer)).await.unwrap();
    let (id, old) = (app.id.as_str(), shown.unwrap().id);
    let (rotated, new) = apps.rotate_key(id, &old, 1_000, None).await.unwrap();
    let now = clock.now_ms();
    let good = |app: &App, now| [&old, &new.id].map(|key| app.key(key, now).is_some());
    assert_eq!(good(&rotated, now), [true, true]);
    assert_eq!(good(&rotated, now + 999), [true, true]);
    assert_eq!(good(&rotated, now + 1_000), [false, true]);
    // A second rotation does not prolong the first.
    let (again, _) = apps.rotate_key(id, &old, 9_000, None).await.unwrap();
    assert!(again.key(&old, now + 1_000).is_none());
    clock.0.fetch_add(1_000, Ordering::SeqCst);
    let ended = apps.rotate_key(id, &old, 0, None).await;
    assert!(matches!(ended, Err(Unchanged::KeyEnded(_))));
}

#[tokio::test]
async fn a_revocation_is_final_and_may_be_repeated() {
    let (apps, clock) = apps(masters(&["m"]));
    let (app, shown) = apps.add(&named("shop"), Some(&NewKey::Bearer)).await.unwrap();
    let (id, key) = (app.id.as_str(), shown.unwrap().id);
    let first = apps.revoke_key(id, &key).await.unwrap();
    assert!(first.key(&key, clock.now_ms()).is_none());
    clock.0.fetch_add(5, Ordering::SeqCst);
    assert_eq!(apps.revoke_key(id, &key).await.unwrap(), first);
    let gone = apps.revoke(id).await.unwrap();
    assert!(!gone.is_good(clock.now_ms()));
    assert_eq!(apps.revoke(id).await.unwrap(), gone);
    assert!(matches!(apps.set(id, &named("x")).await, Err(Unchanged::AppRevoked)));
    let more = apps.add_key(id, None, &NewKey::Bearer).await;
    assert!(matches!(more, Err(Unchanged::AppRevoked)));
}

#[tokio::test]
async fn keys_that_both_sides_know_are_kept_sealed_and_bound_to_their_place() {
    let at_rest = masters(&["m"]);
    let (apps, _) = apps(at_rest.clone());
    let (app, _) = apps.add(&named("shop"), None).await.unwrap();
    for key in [NewKey::Hmac, NewKey::Aes] {
        let (app, shown) = apps.add_key(app.id.as_str(), None, &key).await.unwrap();
        let secret = shown.secret.unwrap();
        let kept = app.keys.iter().find(|known| known.id == shown.id).unwrap();
        let (KeyForm::Hmac(sealed) | KeyForm::Aes(sealed)) = &kept.form else { panic!() };
        let record = apps.store.read(record::APP, app.id.as_str().as_bytes()).await.unwrap();
        let record = String::from_utf8(record.unwrap().value).unwrap();
        assert!(!record.contains(&secret), "the secret stands in the store");
        let place = crate::key_place(&app.id, &shown.id);
        let opened = at_rest.open(&place, sealed).unwrap();
        use base64::Engine as _;
        assert_eq!(base64::engine::general_purpose::STANDARD.encode(opened.expose()), secret);
        assert!(at_rest.open(&crate::key_place(&app.id, "another"), sealed).is_err());
    }
}

#[tokio::test]
async fn without_a_master_key_only_what_needs_no_sealing_is_made() {
    let (apps, _) = apps(AtRest::closed());
    let (app, _) = apps.add(&named("shop"), Some(&NewKey::Bearer)).await.unwrap();
    let refused = apps.add_key(app.id.as_str(), None, &NewKey::Hmac).await.err().unwrap();
    assert!(refused.to_string().contains("tollgate vault key"), "{refused}");
    assert_eq!(apps.show(app.id.as_str()).await.unwrap(), app);
}

#[tokio::test]
async fn a_key_has_a_name_of_its_own_and_a_bad_one_is_refused() {
    let (apps, _) = apps(masters(&["m"]));
    let (app, _) = apps.add(&named("shop"), None).await.unwrap();
    let id = app.id.as_str();
    apps.add_key(id, Some("2026"), &NewKey::Bearer).await.unwrap();
    let twice = apps.add_key(id, Some("2026"), &NewKey::Hmac).await;
    assert!(matches!(twice, Err(Unchanged::KeyExists(_))));
    for name in ["", "a/b", "a b", "\u{e9}", &"x".repeat(65)] {
        let bad = apps.add_key(id, Some(name), &NewKey::Bearer).await;
        assert!(matches!(bad, Err(Unchanged::Unfit { field: "id", .. })), "{name}");
    }
    for pem in [P256, "", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----"] {
        let bad = apps.add_key(id, None, &NewKey::Verify(pem.to_owned())).await;
        assert!(matches!(bad, Err(Unchanged::Unfit { field: "public_key", .. })), "{pem}");
    }
}

#[tokio::test]
async fn so_many_keys_are_kept_and_the_oldest_ended_one_is_forgotten_first() {
    let (apps, _) = apps(masters(&["m"]));
    let (app, _) = apps.add(&named("shop"), None).await.unwrap();
    let id = app.id.as_str();
    for n in 0..KEYS_MAX {
        apps.add_key(id, Some(&format!("k{n}")), &NewKey::Bearer).await.unwrap();
    }
    let full = apps.add_key(id, None, &NewKey::Bearer).await;
    assert!(matches!(full, Err(Unchanged::Unfit { field: "key", .. })));
    apps.revoke_key(id, "k7").await.unwrap();
    let (app, _) = apps.add_key(id, Some("new"), &NewKey::Bearer).await.unwrap();
    assert_eq!(app.keys.len(), KEYS_MAX);
    assert!(app.keys.iter().all(|key| key.id != "k7"));
}

#[tokio::test]
async fn an_app_of_before_scopes_and_key_names_is_still_read() {
    let (apps, clock) = apps(masters(&["m"]));
    let (id, hash) = ("app_01jd8ze5p2m3q4r5s6t7v8w9xa", "ab".repeat(32));
    let old = format!(r#"{{"id":"{id}","name":"old","created_at_ms":5,"keys":["{hash}"]}}"#);
    let mut batch = Batch::at(0);
    batch.put(record::APP, id, old);
    apps.store.commit(batch).await.unwrap();
    let app = apps.show(id).await.unwrap();
    assert_eq!(app.scopes, Scope::ALL.into());
    assert_eq!(app.protection, Protection::Bearer);
    assert_eq!(app.keys[0].form, KeyForm::Bearer(hash));
    assert!(app.key(&app.keys[0].id, clock.now_ms()).is_some());
    let renamed = apps.set(id, &named("new")).await.unwrap();
    assert_eq!(renamed.keys, app.keys);
}

#[tokio::test]
async fn apps_are_listed_oldest_first_page_by_page() {
    let (apps, clock) = apps(masters(&["m"]));
    for n in 0..5 {
        clock.0.fetch_add(1, Ordering::SeqCst);
        apps.add(&named(&format!("app {n}")), None).await.unwrap();
    }
    let (mut names, mut after) = (Vec::new(), None);
    loop {
        let page = apps.list(after.as_ref(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.id.clone());
        names.extend(page.into_iter().map(|app| app.name));
    }
    assert_eq!(names, ["app 0", "app 1", "app 2", "app 3", "app 4"]);
}

#[test]
fn an_app_is_asked_from_its_networks_alone_however_an_address_is_written() {
    let (apps, clock) = apps(AtRest::closed());
    let mut app = App {
        id: Id::app(clock.now_ms(), apps.random()),
        name: String::new(),
        created_at_ms: 0,
        revoked_at_ms: None,
        scopes: Scope::ALL.into(),
        networks: Vec::new(),
        protection: Protection::Bearer,
        accounts: None,
        rate: None,
        spending: Vec::new(),
        keys: Vec::new(),
    };
    assert!(app.is_from("198.51.100.7".parse().unwrap()));
    app.networks = ["192.0.2.0/25", "2001:db8:1::/48"].map(|text| text.parse().unwrap()).into();
    for (address, fits) in [
        ("192.0.2.127", true),
        ("192.0.2.128", false),
        ("::ffff:192.0.2.1", true),
        ("::ffff:192.0.3.1", false),
        ("2001:db8:1:ffff::1", true),
        ("2001:db8:2::1", false),
        ("::", false),
    ] {
        assert_eq!(app.is_from(address.parse().unwrap()), fits, "{address}");
    }
}
