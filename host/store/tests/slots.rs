//! Slots: what was answered for is there after a power cut at any operation, and of what was erased
//! no byte is.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use common::faulty::{Fault, Faulty};
use common::{Seeded, scratch};
use store::{Error, Kind, RealDisk, SlotOptions, Slots};

const NAMES: u64 = 6;

/// What somebody does with slots.
#[derive(Clone, Debug)]
enum Deed {
    Put(String, Vec<u8>),
    Renew(Vec<(String, Vec<u8>)>),
    Erase(String),
}

/// What was answered: the values of a name that it may have, and every value that it may not.
#[derive(Default)]
struct Answered {
    may: BTreeMap<String, BTreeSet<Option<Vec<u8>>>>,
    gone: Vec<Vec<u8>>,
}

fn deeds(seed: u64, count: usize) -> Vec<Deed> {
    let mut seeded = Seeded(seed);
    (0..count).map(|_| deed(&mut seeded)).collect()
}

fn deed(seeded: &mut Seeded) -> Deed {
    let mut named = || (format!("card_{}", seeded.below(NAMES)), seeded.bytes(60));
    let (name, value) = named();
    let more = [named(), named()];
    match seeded.below(5) {
        0 | 1 => Deed::Put(name, value),
        2 => {
            let named: BTreeMap<_, _> = [(name, value)].into_iter().chain(more).collect();
            Deed::Renew(named.into_iter().collect())
        }
        _ => Deed::Erase(name),
    }
}

impl Deed {
    fn on(&self, slots: &Slots) -> Result<(), Error> {
        match self {
            Deed::Put(name, value) => slots.put(name, value),
            Deed::Renew(values) => slots.renew(values).map(drop),
            Deed::Erase(name) => slots.erase(&[name]).map(drop),
        }
    }

    /// What each name has afterwards.
    fn after(&self, before: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
        let mut after = before.clone();
        match self {
            Deed::Put(name, value) => drop(after.insert(name.clone(), value.clone())),
            Deed::Renew(values) => {
                for (name, value) in values.iter().filter(|(name, _)| before.contains_key(name)) {
                    after.insert(name.clone(), value.clone());
                }
            }
            Deed::Erase(name) => drop(after.remove(name)),
        }
        after
    }
}

impl Answered {
    fn is(&mut self, before: &BTreeMap<String, Vec<u8>>, after: &BTreeMap<String, Vec<u8>>) {
        self.gone.extend(before.values().filter(|old| !after.values().any(|v| v == *old)).cloned());
        self.may = names().map(|name| (name.clone(), [after.get(&name).cloned()].into())).collect();
    }

    fn may_be(&mut self, after: &BTreeMap<String, Vec<u8>>) {
        for name in names() {
            self.may.entry(name.clone()).or_default().insert(after.get(&name).cloned());
        }
    }

    fn check(&self, slots: &Slots, case: &str) {
        for (name, may) in &self.may {
            let found = slots.read(name).unwrap();
            assert!(may.contains(&found), "{case}: {name} has {found:?}, not one of {may:?}");
            assert_eq!(slots.holds(name), found.is_some(), "{case}");
        }
        let bytes = std::fs::read(slots.path()).unwrap();
        for gone in &self.gone {
            let left = gone.windows(12).find(|part| holds(&bytes, part));
            assert!(left.is_none(), "{case}: of an erased value {left:?} is left");
        }
    }
}

fn names() -> impl Iterator<Item = String> {
    (0..NAMES).map(|n| format!("card_{n}"))
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn options(dir: &Path, disk: &Faulty) -> SlotOptions {
    SlotOptions { disk: Arc::new(disk.clone()), ..SlotOptions::new(dir) }
}

/// Does the deeds until one fails; what was answered, and whether all was done.
fn live(slots: &Slots, deeds: &[Deed]) -> (Answered, bool) {
    let (mut now, mut answered) = (BTreeMap::new(), Answered::default());
    answered.is(&now, &now.clone());
    for deed in deeds {
        let after = deed.after(&now);
        match deed.on(slots) {
            Ok(()) => answered.is(&now, &after),
            Err(_) => {
                answered.may_be(&after);
                return (answered, false);
            }
        }
        now = after;
    }
    (answered, true)
}

#[test]
fn a_power_cut_at_any_operation_loses_no_value_and_brings_none_back() {
    let (mut cuts, mut seen_torn) = (0, 0);
    for seed in 0..3 {
        let deeds = deeds(seed, 30);
        for fault_at in 1.. {
            let (dir, disk) = (scratch(), Faulty::new(seed + fault_at, fault_at, Fault::PowerCut));
            let lived = Slots::open(&options(dir.path(), &disk)).map(|slots| live(&slots, &deeds));
            disk.lose_power();
            let case = format!("seed {seed}, cut at {fault_at}");
            // Cut before there was a file, there is nothing to be lost.
            let (answered, done) = lived.unwrap_or_default();
            let slots = Slots::open(&SlotOptions::new(dir.path()))
                .unwrap_or_else(|error| panic!("{case}: {error}"));
            answered.check(&slots, &case);
            seen_torn += slots.torn();
            if done {
                break;
            }
            cuts += 1;
        }
    }
    assert!(cuts > 150 && seen_torn > 0, "{cuts} cuts, {seen_torn} torn");
}

#[test]
fn after_a_write_that_failed_a_value_can_still_be_erased_to_its_last_copy() {
    for fault_at in 1..80 {
        let (dir, disk) = (scratch(), Faulty::new(fault_at, u64::MAX, Fault::Broken));
        let slots = Slots::open(&options(dir.path(), &disk)).unwrap();
        disk.fail_at(disk.operations() + fault_at);
        let (mut seeded, mut values) = (Seeded(fault_at), Vec::new());
        for _ in 0..12 {
            let (name, value) = (format!("card_{}", seeded.below(NAMES)), seeded.bytes(60));
            values.push(value.clone());
            // It may fail, and the host goes on.
            let _ = slots.put(&name, &value);
            let _ = slots.renew(&[(name, value)]);
        }
        for name in names() {
            if slots.erase(&[&name]).is_err() {
                slots.erase(&[&name]).unwrap();
            }
        }
        let answered = Answered { gone: values, may: BTreeMap::new() };
        answered.check(&slots, &format!("broken at {fault_at}"));
        assert_eq!(slots.count(), 0);
    }
}

#[test]
fn slots_are_used_again_and_values_are_found_after_opening_again() {
    let dir = scratch();
    let open = || Slots::open(&SlotOptions::new(dir.path())).unwrap();
    let slots = open();
    for round in 0..20u8 {
        for name in names() {
            slots.put(&name, &[round; 60]).unwrap();
        }
    }
    let length = std::fs::metadata(slots.path()).unwrap().len();
    assert!(length <= 256 * (NAMES + 2), "{length} bytes for {NAMES} values");
    let id = slots.id();
    drop(slots);
    let slots = open();
    assert_eq!((slots.id(), slots.count(), slots.torn()), (id, 6, 0));
    assert_eq!(slots.read("card_3").unwrap(), Some(vec![19; 60]));
    let page = slots.page(0).unwrap();
    assert_eq!(page.held.len(), 6);
    assert!(slots.page(page.next.unwrap()).unwrap().next.is_none());
    assert_eq!(slots.erase(&["card_3", "card_4", "nobody"]).unwrap(), 2);
    assert_eq!(slots.renew(&[("card_3".to_owned(), vec![1])]).unwrap(), 0);
    assert_eq!(slots.read("card_3").unwrap(), None);
    let refused = slots.put("card_1", &[0; 177]).unwrap_err();
    assert_eq!(refused.kind(), &Kind::TooLarge);
}

#[test]
fn one_process_has_them_at_a_time_and_nothing_else_is_taken_for_them() {
    let dir = scratch();
    let slots = Slots::open(&SlotOptions::new(dir.path())).unwrap();
    let second = Slots::open(&SlotOptions::new(dir.path())).unwrap_err();
    assert_eq!(second.kind(), &Kind::Locked);
    let path = slots.path().to_owned();
    drop(slots);
    std::fs::write(path, b"something else").unwrap();
    let foreign = Slots::open(&SlotOptions::new(dir.path())).unwrap_err();
    assert_eq!(foreign.kind(), &Kind::Foreign);
}

#[test]
fn damage_that_no_power_cut_explains_is_refused_and_left_as_it_is() {
    let dir = scratch();
    let slots = Slots::open(&SlotOptions::new(dir.path())).unwrap();
    for n in 0..300 {
        slots.put(&format!("card_{n}"), &[7; 60]).unwrap();
    }
    let path = slots.path().to_owned();
    drop(slots);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.iter_mut().skip(256).step_by(256).for_each(|byte| *byte ^= 1);
    std::fs::write(&path, &bytes).unwrap();
    let refused = Slots::open(&SlotOptions::new(dir.path())).unwrap_err();
    assert_eq!(refused.kind(), &Kind::Damaged);
    assert!(refused.to_string().contains("300 slots are unreadable"), "{refused}");
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    assert_eq!(store::verify_slots(dir.path()).unwrap().torn, 300);
}

#[test]
fn an_export_beside_a_writer_has_every_value_and_is_restored_whole_or_refused() {
    let dir = scratch();
    let slots = Slots::open(&SlotOptions::new(dir.path().join("keys"))).unwrap();
    let value =
        |n: u64, round: u8| (format!("card_{n}"), [&[round; 52][..], &n.to_be_bytes()].concat());
    (0..400).for_each(|n| slots.put(&value(n, 1).0, &value(n, 1).1).unwrap());
    let out = |n: u64| dir.path().join(format!("export-{n}"));
    std::thread::scope(|scope| {
        // Each value is moved once, as re-sealing does it.
        scope.spawn(|| (0..400).for_each(|n| assert_eq!(slots.renew(&[value(n, 2)]).unwrap(), 1)));
        for n in 0..8 {
            let exported = store::export_slots(&dir.path().join("keys"), &out(n)).unwrap();
            assert_eq!(exported.count, 400);
        }
    });
    let twice = store::export_slots(&dir.path().join("keys"), &out(0)).unwrap_err();
    assert!(twice.to_string().contains("is there already"), "{twice}");
    let to = SlotOptions { dir: dir.path().join("restored"), disk: Arc::new(RealDisk) };
    let good = std::fs::read(out(7)).unwrap();
    for place in (0..36).chain((256..256 * 401).step_by(97)) {
        let mut bad = good.clone();
        bad[place] ^= 1;
        std::fs::write(out(99), &bad).unwrap();
        // What stands after the value of a slot is under its checksum, too.
        assert!(store::import_slots(&out(99), &to).is_err(), "byte {place}");
    }
    let restored = store::import_slots(&out(7), &to).unwrap();
    assert_eq!((restored.count, restored.id), (400, slots.id()));
    let again = Slots::open(&to).unwrap();
    for n in 0..400 {
        let found = again.read(&format!("card_{n}")).unwrap().unwrap();
        assert!(found == value(n, 1).1 || found == value(n, 2).1);
    }
    drop(again);
    let second = store::import_slots(&out(7), &to).unwrap_err();
    assert!(second.to_string().contains("is there already"), "{second}");
}
