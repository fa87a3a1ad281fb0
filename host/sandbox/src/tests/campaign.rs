//! Random guests without end: loading answers, calling answers, and nothing stays behind.
//!
//! `tests/hostile 2000` tries two thousand. The seed is printed; `TOLLGATE_SEED` repeats all
//! choices. wasm-smith makes what is valid and strange; what is nearly valid is made of a good
//! guest by changing bytes; what lies is a good guest with random answers and arguments.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use arbitrary::Unstructured;
use wasm_smith::{Component, Config, Module};

use super::guest::{Guest, component, starting};
use super::world::{around, authorize, limits, sandbox};
use crate::{Error, ErrorKind, Fault, InUse, Kind, Limits, Sandbox};

/// Tried in the tests; `TOLLGATE_GUESTS` says otherwise.
const GUESTS: u64 = 250;
/// How long one guest may hold us up before we call it a hang: far more than all its deadlines.
const HANG: Duration = Duration::from_secs(300);

/// Splitmix64 (Steele, Lea and Flood, 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).expect("below a usize")
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next().to_le_bytes()[0]).collect()
    }

    /// A number that is likely to be on an edge.
    fn edge(&mut self) -> i32 {
        let edges = [0, 1, 2, 7, 8, 255, 4096, 8192, 4_194_300, i32::MAX, i32::MIN, -1, -8];
        match self.below(3) {
            0 => self.next().to_le_bytes()[0].into(),
            1 => edges[self.below(edges.len())],
            _ => i32::from_le_bytes(self.bytes(4).try_into().expect("four bytes")),
        }
    }
}

/// What is made, in turn.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kinship {
    /// Any component at all.
    Stranger,
    /// A random module with our imports and exports, as a component of our world.
    Twin,
    /// A good component with some bytes changed, cut out or doubled.
    Mutant,
    /// A good guest whose answer is random.
    Liar,
    /// A good guest that calls the host with random arguments.
    Asker,
}

const ALL: [Kinship; 5] =
    [Kinship::Stranger, Kinship::Twin, Kinship::Mutant, Kinship::Liar, Kinship::Asker];

/// The guest of this seed; none where the dice of wasm-smith run out.
fn guest(kinship: Kinship, random: &mut Random) -> Option<Vec<u8>> {
    match kinship {
        Kinship::Stranger => {
            let dice = random.bytes(8_192);
            let made = Component::new(plain(), &mut Unstructured::new(&dice)).ok()?;
            Some(made.to_bytes())
        }
        Kinship::Twin => twin(&random.bytes(16_384)),
        Kinship::Mutant => Some(mutant(random)),
        Kinship::Liar => Some(liar(random)),
        Kinship::Asker => Some(asker(random)),
    }
}

/// What the sandbox has turned on: with more, all would be refused unread.
fn plain() -> Config {
    Config {
        gc_enabled: false,
        reference_types_enabled: false,
        exceptions_enabled: false,
        threads_enabled: false,
        memory64_enabled: false,
        custom_page_sizes_enabled: false,
        shared_everything_threads_enabled: false,
        wide_arithmetic_enabled: false,
        tail_call_enabled: false,
        max_memories: 1,
        ..Config::default()
    }
}

fn twin(dice: &[u8]) -> Option<Vec<u8>> {
    let shape = wat::parse_str(Guest::default().text()).expect("the text is right");
    let config = Config { module_shape: Some(shape), ..plain() };
    let module = Module::new(config, &mut Unstructured::new(dice)).ok()?;
    super::guest::encoded(module.to_bytes()).ok()
}

fn mutant(random: &mut Random) -> Vec<u8> {
    let mut bytes = starting("", "");
    // The code and the data of the guest stand before this; what follows is structure.
    let data = bytes.windows(7).position(|seven| seven == b"signing").expect("the last of it");
    for _ in 0..=random.below(2) {
        let at = match random.below(4) {
            0 => random.below(bytes.len()),
            _ => (data - random.below(220)).min(bytes.len() - 1),
        };
        match random.below(12) {
            0..8 => bytes[at] ^= 1 << random.below(8),
            8 | 9 => bytes[at] = random.next().to_le_bytes()[0],
            10 => drop(bytes.drain(at..(at + random.below(8)).min(bytes.len()))),
            _ => bytes.splice(at..at, random.bytes(1)).for_each(drop),
        }
    }
    bytes
}

/// Writes a few random numbers over the place of its answer, and may answer with an odd address.
fn liar(random: &mut Random) -> Vec<u8> {
    let mut body = String::new();
    for _ in 0..=random.below(6) {
        // The case of the answer is at 4096, that of what it holds at 4104; the rest follows.
        let (at, number) = match random.below(4) {
            0 => (4096 + 8 * random.below(3), random.below(5) as i32),
            1 => (4104 + 4 * random.below(40), 8192 + random.below(64) as i32),
            2 => (4104 + 4 * random.below(40), random.below(40) as i32),
            _ => (4096 + 4 * random.below(40), random.edge()),
        };
        write!(body, "(i32.store (i32.const {at}) (i32.const {number}))").expect("a string");
    }
    if random.below(16) == 0 {
        write!(body, "(return (i32.const {}))", random.edge()).expect("a string");
    }
    starting(&body, r#"(data (i32.const 8192) "plausible enough to be text")"#)
}

/// Interface, function, and what each parameter is: a handle, a case, a pointer, or a length.
const IMPORTS: &[(&str, &str, &str)] = &[
    ("crypto", "digest", "case pointer length pointer"),
    ("crypto", "derive", "case pointer length pointer"),
    ("crypto", "crc", "pointer length pointer length pointer"),
    ("crypto", "[method]key.mac", "handle case pointer length pointer"),
    ("crypto", "[method]key.sign", "handle case pointer length pointer"),
    ("crypto", "[method]key.verify", "handle case pointer length pointer length pointer"),
    ("crypto", "[method]key.id", "handle pointer"),
    ("crypto", "[resource-drop]key", "handle"),
    ("payments", "setting", "pointer length pointer"),
    ("payments", "recall", "pointer length pointer"),
    ("payments", "remember", "pointer length pointer length case case"),
    ("payments", "from-decimal", "pointer length pointer length pointer"),
];

fn asker(random: &mut Random) -> Vec<u8> {
    let (mut imports, mut body) = (String::new(), String::new());
    for (n, (interface, name, parameters)) in IMPORTS.iter().enumerate() {
        let module = format!("tollgate:adapter/{interface}@0.1.0");
        let parameters = "i32 ".repeat(parameters.split(' ').count());
        write!(imports, r#"(import "{module}" "{name}" (func $f{n} (param {parameters})))"#)
            .expect("a string");
    }
    // Handles are given from 1 on.
    body.push_str("(call $open (i32.const 2368) (i32.const 7) (i32.const 8192))");
    for _ in 0..=random.below(4) {
        let n = random.below(IMPORTS.len());
        write!(body, "(call $f{n}").expect("a string");
        for parameter in IMPORTS[n].2.split(' ') {
            write!(body, " (i32.const {})", argument(parameter, random)).expect("a string");
        }
        body.push(')');
    }
    let more = r#"(data (i32.const 9000) "plausible enough to be text")"#;
    Guest { imports: &imports, body: &body, more, ..Guest::default() }.component()
}

/// Mostly one that could be meant.
fn argument(parameter: &str, random: &mut Random) -> i32 {
    if random.below(16) == 0 {
        return random.edge();
    }
    match parameter {
        "handle" => 1,
        "case" => random.below(3) as i32,
        "pointer" => 9000 + 4 * random.below(256) as i32,
        _ => random.below(24) as i32,
    }
}

/// How often each end was met, by what was tried.
type Ends = BTreeMap<String, u64>;

/// Loads and calls one, and names its end; or says what is wrong.
fn tried(sandbox: &Sandbox, component: &[u8]) -> Result<String, String> {
    let generation = match sandbox.load("random", component, None) {
        Ok(generation) => generation,
        Err(error) => return refused(&error),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    match runtime.block_on(generation.start(around(), authorize())) {
        Ok(_) => Ok("answered".to_owned()),
        Err(fault) if matches!(fault.kind, Kind::Host | Kind::Quarantined) => {
            Err(format!("start: {fault:?}"))
        }
        Err(fault) => Ok(format!("faulted: {:?}", fault.kind)),
    }
}

fn refused(error: &Error) -> Result<String, String> {
    let fault = error.source.as_ref().and_then(|source| source.downcast_ref::<Fault>());
    match (error.kind, fault.map(|fault| &fault.kind)) {
        // None of these is a reason that a guest can bring about.
        (ErrorKind::Engine | ErrorKind::Cache | ErrorKind::Digest | ErrorKind::Compilation, _)
        | (_, Some(Kind::Host | Kind::Quarantined)) => Err(format!("load: {error:?}")),
        (kind, None) => Ok(format!("refused: {kind:?}")),
        (kind, Some(fault)) => Ok(format!("refused: {kind:?} by {fault:?}")),
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect(name))
}

#[test]
fn random_guests_are_refused_fault_or_answer_and_leave_nothing_behind() {
    let guests = number("TOLLGATE_GUESTS").unwrap_or(GUESTS);
    let seed = number("TOLLGATE_SEED").unwrap_or_else(drawn);
    println!("seed {seed}, {guests} guests");
    let (send, receive) = channel();
    let campaign = std::thread::spawn(move || {
        let sandbox = sandbox(Limits { call_ms_max: 500, ..limits() }, None);
        let mut ends = Ends::default();
        for n in 0..guests {
            // Each can be made again by itself.
            let mut random = Random(seed.wrapping_add(n));
            let kinship = ALL[usize::try_from(n % 5).expect("below five")];
            send.send(format!("guest {n}, a {kinship:?} of seed {seed}")).expect("listened to");
            let component = guest(kinship, &mut random);
            let end = component.map_or(Ok("never made".to_owned()), |it| tried(&sandbox, &it));
            let end = end
                .unwrap_or_else(|what| panic!("guest {n}, a {kinship:?} of seed {seed}: {what}"));
            *ends.entry(format!("{kinship:?} {end}")).or_default() += 1;
            assert_eq!(sandbox.in_use(), InUse::default(), "guest {n} of seed {seed}");
        }
        ends
    });
    let mut last = String::new();
    loop {
        match receive.recv_timeout(HANG) {
            Ok(guest) => last = guest,
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => panic!("{last} hangs"),
        }
    }
    let ends = campaign.join().unwrap_or_else(|_| panic!("{last} brought the host down"));
    println!("{ends:#?}");
    let mut kinds = BTreeMap::<String, u64>::new();
    for (end, count) in &ends {
        let kind = ["refused", "faulted", "answered"].into_iter().find(|kind| end.contains(kind));
        *kinds.entry(kind.unwrap_or("never-made").to_owned()).or_default() += count;
    }
    tell("guests", &kinds, &format!(" seed={seed}"));
    if guests >= 100 {
        for end in ["refused", "faulted", "answered"] {
            assert!(ends.keys().any(|name| name.contains(end)), "none {end}: {ends:#?}");
        }
        let unmade = ends.iter().filter(|(name, _)| name.contains("never made"));
        assert!(unmade.map(|(_, count)| count).sum::<u64>() < guests / 5, "{ends:#?}");
    }
}

/// The line that `tests/campaign` makes its table of.
pub(super) fn tell(name: &str, kinds: &BTreeMap<String, u64>, more: &str) {
    let runs: u64 = kinds.values().sum();
    let kinds: Vec<_> = kinds.iter().map(|(kind, count)| format!("{kind}:{count}")).collect();
    println!("campaign name={name} runs={runs} faults={}{more}", kinds.join(","));
}

/// A seed nobody chose.
fn drawn() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    RandomState::new().build_hasher().finish()
}

#[test]
fn one_seed_makes_the_same_guests_again() {
    for kinship in ALL {
        let made = guest(kinship, &mut Random(7));
        assert_eq!(made, guest(kinship, &mut Random(7)), "{kinship:?}");
        assert_ne!(made, guest(kinship, &mut Random(8)), "{kinship:?}");
    }
    assert_eq!(component(&Guest::default().text()), starting("", ""));
}
