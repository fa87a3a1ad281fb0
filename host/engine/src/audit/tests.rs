use std::sync::Arc;

use ledger::TimestampMs;
use store::{Batch, Model, Store};

use super::*;
use crate::clock::Clock;
use crate::record;

/// A clock that moves by a second with each look.
struct Ticking(std::sync::atomic::AtomicU64);

impl Clock for Ticking {
    fn now_ms(&self) -> TimestampMs {
        self.0.fetch_add(1_000, std::sync::atomic::Ordering::SeqCst)
    }
}

fn act(n: u64) -> Act {
    Act {
        actor: Actor::App("app_01jd8ze5p2m3q4r5s6t7v8w9xa".to_owned()),
        key: Some("key-1".to_owned()),
        action: "createPayment".to_owned(),
        object: format!("\u{1}\"{n}\" \u{e9}\u{2028}"),
        request: Some(format!("req_{n:024}")),
        digest: [n as u8; 32],
    }
}

/// A trail of so many lines.
async fn trail(lines: u64) -> Arc<Model> {
    let store = Arc::new(Model::new());
    let audit = Audit::new(store.clone(), Arc::new(Ticking(10_000.into())));
    for n in 1..=lines {
        assert_eq!(audit.append(act(n)).await.unwrap().seq, n);
    }
    store
}

async fn export(store: &dyn Store, export: Export) -> Vec<String> {
    let mut out = Vec::new();
    export.write(store, &mut out, None).await.unwrap();
    String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
}

fn verify(lines: &[String]) -> Result<Sound, Bad> {
    let text = lines.join("\n") + "\n";
    verify_export(&mut text.as_bytes(), None).map_err(|error| match error {
        export::Error::Bad(bad) => bad,
        other => panic!("{other}"),
    })
}

#[tokio::test]
async fn a_trail_and_its_export_are_sound() {
    let store = trail(5).await;
    let sound = verify_store(&*store).await.unwrap();
    assert_eq!((sound.count, sound.first), (5, Some(1)));
    let lines = export(&*store, Export::default()).await;
    assert_eq!(lines.len(), 6);
    assert_eq!(verify(&lines).unwrap(), sound);
}

#[tokio::test]
async fn an_empty_trail_is_sound_and_so_is_its_export() {
    let store = trail(0).await;
    let sound = verify_store(&*store).await.unwrap();
    assert_eq!((sound.count, sound.first), (0, None));
    let lines = export(&*store, Export::default()).await;
    assert_eq!(verify(&lines).unwrap(), sound);
}

#[tokio::test]
async fn a_part_of_a_trail_is_exported_by_time_and_is_sound() {
    let store = trail(5).await;
    let part = Export { from_ms: Some(11_000), to_ms: Some(13_000) };
    let lines = export(&*store, part).await;
    let sound = verify(&lines).unwrap();
    assert_eq!((sound.count, sound.first), (2, Some(2)));
}

#[tokio::test]
async fn the_hash_is_that_of_the_canonical_json_without_it() {
    let line = Line::after(&chain::Head::default(), act(7), 5);
    let canonical = format!(
        "{{\"action\":\"createPayment\",\
         \"actor\":\"app_01jd8ze5p2m3q4r5s6t7v8w9xa\",\"at_ms\":5,\
         \"digest\":\"{}\",\"key\":\"key-1\",\"object\":\"\\u0001\\\"7\\\" \u{e9}\u{2028}\",\
         \"prev\":\"{}\",\"request\":\"req_000000000000000000000007\",\"seq\":1}}",
        "07".repeat(32),
        "0".repeat(64),
    );
    use sha2::Digest;
    assert_eq!(line.hash, hex::encode(sha2::Sha256::digest(canonical)));
}

/// A way to falsify an export of five lines and a closing one, and where it is found.
type Falsified = (&'static str, fn(&mut Vec<String>), u64, fn(&Wrong) -> bool);

const FALSIFIED: &[Falsified] = &[
    (
        "a word is changed",
        |l| l[2] = l[2].replace("createPayment", "refundPayment"),
        3,
        |why| *why == Wrong::Changed,
    ),
    (
        "a time is changed",
        |l| l[0] = l[0].replace("\"at_ms\":10000", "\"at_ms\":10001"),
        1,
        |why| *why == Wrong::Changed,
    ),
    (
        "a field is added",
        |l| l[1] = l[1].replacen('{', "{\"note\":1,", 1),
        2,
        |why| matches!(why, Wrong::Unreadable(_)),
    ),
    (
        "a field twice",
        |l| l[1] = l[1].replacen('{', "{\"seq\":2,", 1),
        2,
        |why| matches!(why, Wrong::Unreadable(_)),
    ),
    ("nonsense", |l| l[3] = "nonsense".to_owned(), 4, |why| matches!(why, Wrong::Unreadable(_))),
    ("the first taken out", |l| drop(l.remove(0)), 5, |why| matches!(why, Wrong::CutOff(_))),
    ("one taken out", |l| drop(l.remove(2)), 3, |why| *why == Wrong::Missing { due: 3 }),
    ("two swapped", |l| l.swap(1, 2), 2, |why| *why == Wrong::Missing { due: 2 }),
    ("one moved back", |l| l.swap(3, 4), 4, |why| *why == Wrong::Missing { due: 4 }),
    ("one twice", |l| l.insert(2, l[1].clone()), 3, |why| *why == Wrong::OutOfOrder { due: 3 }),
    ("the last cut off", |l| drop(l.remove(4)), 5, |why| matches!(why, Wrong::CutOff(_))),
    ("the end cut off", |l| l.truncate(4), 5, |why| matches!(why, Wrong::CutOff(_))),
    ("the closing line cut off", |l| l.truncate(5), 6, |why| matches!(why, Wrong::CutOff(_))),
    ("all cut off", |l| l.clear(), 1, |why| matches!(why, Wrong::Unreadable(_))),
    ("something after the end", |l| l.push(l[0].clone()), 7, |why| *why == Wrong::AfterTheEnd),
    (
        "another count",
        |l| l[5] = l[5].replace("\"count\":5", "\"count\":6"),
        6,
        |why| matches!(why, Wrong::CutOff(_)),
    ),
    ("one rewritten with its hash", |l| l[2] = rewritten(&l[2]), 4, |why| *why == Wrong::Unchained),
    (
        "the last rewritten with its hash",
        |l| l[4] = rewritten(&l[4]),
        6,
        |why| matches!(why, Wrong::CutOff(_)),
    ),
];

/// The line with another object, and a hash that fits.
fn rewritten(line: &str) -> String {
    let mut line: Line = serde_json::from_str(line).unwrap();
    line.object = "another".to_owned();
    line.hash = line.computed_hash();
    serde_json::to_string(&line).unwrap()
}

#[tokio::test]
async fn every_way_to_falsify_an_export_is_found_and_the_first_bad_line_named() {
    let store = trail(5).await;
    let lines = export(&*store, Export::default()).await;
    for (name, falsify, at, fits) in FALSIFIED {
        let mut lines = lines.clone();
        falsify(&mut lines);
        let bad = verify(&lines).expect_err(name);
        assert!(bad.line == *at && fits(&bad.why), "{name}: {bad:?}");
    }
}

#[tokio::test]
async fn every_changed_byte_of_an_export_is_found() {
    let store = trail(3).await;
    let lines = export(&*store, Export::default()).await;
    let text = lines.join("\n") + "\n";
    for place in 0..text.len() {
        let mut changed = text.clone().into_bytes();
        changed[place] ^= 1;
        assert!(
            verify_export(&mut changed.as_slice(), None).is_err(),
            "byte {place} is not looked at"
        );
    }
}

#[tokio::test]
async fn a_trail_falsified_in_its_store_is_found_and_the_first_bad_line_named() {
    for (what, line, seq) in [
        ("changed", 3, Some(3)),
        ("removed", 3, Some(4)),
        ("moved", 3, Some(4)),
        ("cut off", 5, None),
    ] {
        let store = trail(5).await;
        let value = async |n| {
            let read = store.read(record::AUDIT, &record::audit_key(n)).await;
            read.unwrap().unwrap().value
        };
        let mut batch = Batch::at(0);
        match what {
            "changed" => {
                let text = String::from_utf8(value(3).await).unwrap().replace("key-1", "key-2");
                batch.put(record::AUDIT, record::audit_key(3), text)
            }
            "removed" => batch.remove(record::AUDIT, record::audit_key(3)),
            "moved" => batch.put(record::AUDIT, record::audit_key(3), value(4).await),
            _ => batch.remove(record::AUDIT, record::audit_key(5)),
        };
        store.commit(batch).await.unwrap();
        let Err(export::Error::Bad(bad)) = verify_store(&*store).await else { panic!("{what}") };
        assert_eq!((bad.line, bad.seq), (line, seq), "{what}: {bad}");
    }
}

#[tokio::test]
async fn what_was_cut_off_is_missed_though_the_trail_goes_on() {
    let store = trail(5).await;
    let mut batch = Batch::at(0);
    batch.remove(record::AUDIT, record::audit_key(5));
    store.commit(batch).await.unwrap();
    let audit = Audit::new(store.clone(), Arc::new(Ticking(0.into())));
    assert_eq!(audit.append(act(6)).await.unwrap().seq, 6);
    let Err(export::Error::Bad(bad)) = verify_store(&*store).await else { panic!() };
    assert_eq!((bad.line, bad.seq, bad.why), (5, Some(6), Wrong::Missing { due: 5 }));
}

#[tokio::test]
async fn lines_are_read_page_by_page_while_the_trail_is_written() {
    let store = trail(5).await;
    let audit = Audit::new(store.clone(), Arc::new(Ticking(0.into())));
    let mut seen = Vec::new();
    loop {
        let page = audit.lines(seen.len() as u64, 2).await.unwrap();
        if page.is_empty() {
            break;
        }
        seen.extend(page.into_iter().map(|line| line.seq));
    }
    assert_eq!(seen, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn many_writers_make_one_chain_without_a_gap() {
    let store = trail(3).await;
    let audit = Audit::new(store.clone(), Arc::new(Ticking(0.into())));
    let writers: Vec<_> = (0..64)
        .map(|n| {
            let audit = audit.clone();
            tokio::spawn(async move { audit.append(act(n)).await.unwrap() })
        })
        .collect();
    for writer in writers {
        let line = writer.await.unwrap();
        let kept = store.read(record::AUDIT, &record::audit_key(line.seq)).await.unwrap();
        assert_eq!(kept.unwrap().value, serde_json::to_vec(&line).unwrap());
    }
    assert_eq!(verify_store(&*store).await.unwrap().count, 67);
}

#[tokio::test]
async fn a_line_is_written_though_whoever_asked_goes_away() {
    let store = trail(0).await;
    let audit = Audit::new(store.clone(), Arc::new(Ticking(0.into())));
    let mut asked = Box::pin(audit.append(act(1)));
    assert!(poll_once(asked.as_mut()).await);
    drop(asked);
    assert_eq!(audit.append(act(2)).await.unwrap().seq, 2);
    assert_eq!(verify_store(&*store).await.unwrap().count, 2);
}

/// Whether it is still on its way after one look.
async fn poll_once<T>(mut soon: std::pin::Pin<&mut impl Future<Output = T>>) -> bool {
    std::future::poll_fn(|context| std::task::Poll::Ready(soon.as_mut().poll(context).is_pending()))
        .await
}

#[tokio::test]
async fn a_signed_export_is_told_from_one_that_was_written_anew_or_stripped() {
    use vault::{Key, PairKind, private_pem};
    let store = trail(3).await;
    for kind in [PairKind::Ed25519, PairKind::P256, PairKind::Rsa3072] {
        let [key, other] =
            [(); 2].map(|()| Key::from_pem("t", None, &private_pem("t", kind).unwrap()).unwrap());
        let public = Key::of_published("t", None, &key.published().unwrap()).unwrap();
        let mut out = Vec::new();
        let notary = Some(Notary { id: "s1", key: &key });
        Export::default().write(&*store, &mut out, notary).await.unwrap();
        let verify = |text: &[u8], key: &Key| verify_export(&mut &text[..], Some(key));
        assert_eq!(verify(&out, &public).unwrap().count, 3);
        verify_export(&mut out.as_slice(), None).unwrap();
        let why = |text: &[u8], key: &Key| match verify(text, key) {
            Err(export::Error::Bad(Bad { line: 4, why, .. })) => why,
            other => panic!("{other:?}"),
        };
        let forged = Wrong::Forged { key: "s1".to_owned() };
        let another = Key::of_published("t", None, &other.published().unwrap()).unwrap();
        assert_eq!(why(&out, &another), forged);

        // Written anew as a whole, by somebody without the key: chain and closing line agree.
        let text = String::from_utf8(out).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let signature = lines[3].split_once(",\"signature\"").unwrap().1.to_owned();
        lines[2] = rewritten(&lines[2]);
        let head = serde_json::from_str::<Line>(&lines[2]).unwrap().hash;
        let signed = format!("{{\"count\":3,\"head\":\"{head}\",\"signature\"{signature}");
        lines[3] = signed;
        assert_eq!(why(format!("{}\n", lines.join("\n")).as_bytes(), &public), forged);
        lines[3] = format!("{{\"count\":3,\"head\":\"{head}\"}}");
        let stripped = format!("{}\n", lines.join("\n"));
        assert_eq!(verify_export(&mut stripped.as_bytes(), None).unwrap().count, 3);
        assert_eq!(why(stripped.as_bytes(), &public), Wrong::Unsigned);
    }
}
