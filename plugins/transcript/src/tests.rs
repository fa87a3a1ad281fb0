//! The format and its replay, on a stage that says what it was told to.

use std::collections::VecDeque;
use std::path::Path;

use crate::words::{quote, split};
use crate::*;

/// Answers from a list, and keeps what it was asked.
#[derive(Default)]
struct Parrot {
    answers: VecDeque<Answer>,
    asked: Vec<Operation>,
    replies: Vec<(Vec<u8>, Reply)>,
    set: Vec<Set>,
    verdict: Option<Verdict>,
    events: Vec<Event>,
    pages: VecDeque<Result<Page, Failure>>,
    pieces: usize,
}

impl Parrot {
    fn saying(answers: impl IntoIterator<Item = Answer>) -> Parrot {
        Parrot { answers: answers.into_iter().collect(), ..Parrot::default() }
    }

    fn next(&mut self) -> Answer {
        self.answers.pop_front().expect("no answer left")
    }
}

impl Stage for Parrot {
    fn set(&mut self, set: &Set) -> Result<(), String> {
        self.set.push(set.clone());
        Ok(())
    }
    fn start(&mut self, operation: &Operation) -> Answer {
        self.asked.push(operation.clone());
        self.next()
    }
    fn resume(&mut self, _: &Operation, state: &[u8], reply: &Reply) -> Answer {
        self.replies.push((state.to_vec(), reply.clone()));
        self.next()
    }
    fn prove(&mut self, delivery: &Delivery) -> Result<Proof, Failure> {
        Ok(Proof {
            slot: "webhook".to_owned(),
            key_id: None,
            scheme: "mac hmac-sha256".to_owned(),
            message: delivery.body.clone(),
            evidence: vec![vec![1]],
            signed_at: Some(7),
        })
    }
    fn check(&mut self, _: &Proof) -> Verdict {
        self.verdict.unwrap_or(Verdict::Holds)
    }
    fn interpret(&mut self, _: &Delivery) -> Result<Vec<Event>, Failure> {
        Ok(self.events.clone())
    }
    fn begin(&mut self, _: Span) -> Result<Page, Failure> {
        self.pages.pop_front().expect("no page left")
    }
    fn proceed(&mut self, _: Span, state: &[u8], reply: &Reply) -> Result<Page, Failure> {
        self.replies.push((state.to_vec(), reply.clone()));
        self.pages.pop_front().expect("no page left")
    }
    /// A movement for each letter, once the next one comes.
    fn read(&mut self, piece: &Piece) -> Result<Portion, Failure> {
        self.pieces += 1;
        let mut text = [&piece.state[..], &piece.bytes].concat();
        let kept = if piece.last { Vec::new() } else { text.split_off(text.len() - 1) };
        let movements = text.iter().map(|byte| booked(char::from(*byte))).collect();
        Ok(Portion { movements, state: kept })
    }
}

fn booked(id: char) -> Movement {
    Movement {
        id: id.to_string(),
        kind: "payment".to_owned(),
        state: "booked".to_owned(),
        entry: Some("P1_1".to_owned()),
        references: Some(named("pi_1")),
        amount: Money { minor: 1234, currency: "EUR".to_owned() },
        fee: Some(Money { minor: 43, currency: "EUR".to_owned() }),
        booked_at: 7,
    }
}

fn named(provider: &str) -> References {
    References { provider: provider.to_owned(), secondary: None }
}

fn succeeded(provider: &str) -> Outcome {
    let amount = Money { minor: 1234, currency: "EUR".to_owned() };
    Outcome::Succeeded { references: named(provider), amount }
}

fn sale(body: Vec<Part>) -> Answer {
    let secret =
        Part::Sensitive { source: "secret:api-key".to_owned(), encoding: "raw".to_owned() };
    let bearer = vec![Part::Text("Bearer ".to_owned()), secret];
    let headers = vec![("authorization".to_owned(), bearer)];
    let (method, url) = ("POST".to_owned(), "https://acme.test/sales".to_owned());
    let request = Request::Http { method, url, headers, body };
    Answer::Send(Exchange { request, moves_money: true, state: b"kept".to_vec() })
}

fn play(script: &str, stage: &mut Parrot) -> Play {
    replay(script, Path::new("."), stage).unwrap()
}

const SALE: &str = "\
# A sale.
set base-url https://acme.test

charge P1 EUR 1234 token t_1 return=https://shop.test extra.note=\"two words\"

> POST https://acme.test/sales
> authorization: Bearer {secret:api-key}
> {\"ref\":\"P1\"}

< 200
< server: acme
< {\"id\":\"S1\"}

= succeeded S1 EUR 1234
";

fn sale_and_success() -> Parrot {
    let body = vec![Part::Text("{\"ref\":\"P1\"}".to_owned())];
    Parrot::saying([sale(body), Answer::Done(succeeded("S1"))])
}

#[test]
fn a_transcript_that_holds_comes_back_to_the_letter() {
    let mut stage = sale_and_success();
    assert_eq!(check(SALE, Path::new("."), &mut stage), Ok(()));
    let order = &stage.asked[0].order;
    assert!(order.entry.capture);
    assert_eq!(order.entry.id, "P1_1");
    assert_eq!(order.instrument, Instrument::Token("t_1".to_owned()));
    assert_eq!(order.extra, [("note".to_owned(), "two words".to_owned())]);
    let (state, reply) = &stage.replies[0];
    assert_eq!(state, b"kept");
    let headers = vec![("server".to_owned(), "acme".to_owned())];
    let body = b"{\"id\":\"S1\"}".to_vec();
    assert_eq!(*reply, Reply::Http(Response { status: 200, headers, body }));
}

#[test]
fn what_the_plugin_says_is_filled_in_and_what_the_provider_says_is_left() {
    let given: Vec<&str> =
        SALE.lines().filter(|line| !line.starts_with('>') && !line.starts_with('=')).collect();
    let play = play(&given.join("\n"), &mut sale_and_success());
    assert_eq!(play.text, SALE);
    assert_eq!(play.problems, [""; 0]);
}

#[test]
fn a_difference_shows_both_sides() {
    let changed = SALE.replace("succeeded S1 EUR 1234", "pending S1");
    let why = check(&changed, Path::new("."), &mut sale_and_success()).unwrap_err();
    assert!(why.contains("- = pending S1\n+ = succeeded S1 EUR 1234"), "{why}");
    assert!(!why.contains("POST"), "only what is near the change: {why}");
}

#[test]
fn a_reply_too_many_or_too_few_is_a_problem() {
    let extra = format!("{SALE}\n< 200\n");
    assert_eq!(
        play(&extra, &mut sale_and_success()).problems,
        ["line 16: a reply that nothing asked for"]
    );
    let (short, _) = SALE.split_once("\n< 200").unwrap();
    let why = check(short, Path::new("."), &mut sale_and_success()).unwrap_err();
    assert!(why.contains("waits for its reply"), "{why}");
}

#[test]
fn a_later_operation_sees_what_went_before() {
    let outcomes = [
        succeeded("S1"),
        Outcome::Unknown("lost".to_owned()),
        Outcome::Pending(named("R1")),
        Outcome::Absent,
    ];
    let mut stage = Parrot::saying(outcomes.map(Answer::Done));
    play("authorize P1 EUR 1234 wallet w\nrefund P1 EUR 5\nsync P1_2\nsync P1_2\n", &mut stage);
    let refund = &stage.asked[1].order;
    assert_eq!(refund.instrument, Instrument::Wallet("w".to_owned()));
    assert_eq!(refund.payment.entries[0].references, Some(named("S1")));
    assert_eq!(refund.payment.entries[0].state, State::Succeeded);
    let first = &stage.asked[2].order;
    assert_eq!((first.entry.kind, first.entry.state), (Kind::Refund, State::Unknown));
    assert_eq!(first.entry.amount.minor, 5);
    assert_eq!(first.payment.entries.len(), 1, "the entry asked about is not among them");
    let second = &stage.asked[3].order;
    assert_eq!(second.entry.state, State::Pending);
    assert_eq!(second.entry.references, Some(named("R1")));
}

#[test]
fn an_event_of_a_proven_delivery_moves_the_entry_and_of_a_refused_one_does_not() {
    let delivery = "! POST /hook\n! {}\n\n";
    let script = format!("charge P1 EUR 1234 qr\n\n{delivery}sync P1_1\n");
    for (verdict, state) in [(Verdict::Holds, State::Succeeded), (Verdict::Refused, State::Pending)]
    {
        let mut stage =
            Parrot::saying([Outcome::Pending(named("S1")), Outcome::Absent].map(Answer::Done));
        stage.verdict = Some(verdict);
        stage.events = vec![Event {
            id: "e".to_owned(),
            kind: Kind::Authorize,
            entry: Some("P1_1".to_owned()),
            merchant_reference: None,
            references: None,
            outcome: succeeded("S1"),
        }];
        let play = play(&script, &mut stage);
        assert_eq!(stage.asked[1].order.entry.state, state);
        let told = play.text.contains("= event e authorize entry=P1_1 succeeded S1 EUR 1234");
        assert_eq!(told, verdict == Verdict::Holds);
    }
}

#[test]
fn a_body_that_looks_like_a_header_or_is_no_text_keeps_its_bytes() {
    let show = |body: Vec<Part>| {
        let Answer::Send(exchange) = sale(body) else { unreachable!() };
        exchange_text(&exchange)
    };
    let card = Part::Sensitive { source: "card:number".to_owned(), encoding: "bcd".to_owned() };
    assert!(show(vec![Part::Text("a: b".to_owned())]).ends_with("}\n>\n> a: b"));
    assert!(show(vec![Part::Bytes(vec![0, 255]), card]).ends_with("\n> hex 00ff{card:number|bcd}"));
    let reply = |lines: &str| {
        let mut stage = sale_and_success();
        play(&format!("charge P1 EUR 1 qr\n\n{lines}\n"), &mut stage);
        let Reply::Http(response) = stage.replies.remove(0).1 else { panic!("HTTP") };
        response.body
    };
    assert_eq!(reply("< 200\n<\n< a: b"), b"a: b");
    assert_eq!(reply("< 200\n< hex 00ff"), [0, 255]);
    assert_eq!(reply("< 200\n< two\n< lines\n<"), b"two\nlines\n");
}

#[test]
fn a_line_that_cannot_be_read_is_named() {
    for (script, line, what) in [
        ("\nsell P1 EUR 1\n", 2, "unknown command `sell`"),
        ("charge P1\n", 1, "currency"),
        ("charge P1 EUR 1 gold\n", 1, "`gold` is no instrument"),
        ("sync P1_1\n", 1, "no entry P1_1"),
        ("set a \"b\n", 1, "quote"),
        ("key a base64 x\n", 1, "text, hex or pem"),
        ("key a hex 0g\n", 1, "not hexadecimal"),
        ("include missing.inc\n", 1, "missing.inc"),
    ] {
        let error = replay(script, Path::new("."), &mut Parrot::default()).unwrap_err();
        assert_eq!(error.line, line, "{script}");
        assert!(error.what.contains(what), "{error}");
    }
}

#[test]
fn words_are_quoted_and_split_alike() {
    for word in ["plain", "", "two words", "a\"b", "back\\slash", "new\nline", "é"] {
        let line = format!("first {} last", quote(word));
        assert_eq!(split(&line).unwrap(), ["first", word, "last"]);
    }
}

#[test]
fn the_randomness_of_a_step_is_the_published_sequence() {
    // SplitMix64 seeded with 0, as Vigna's reference code prints it.
    let bytes = random(0, 16);
    assert_eq!(bytes[..8], 0xE220_A839_7B1D_CDAF_u64.to_be_bytes());
    assert_eq!(bytes[8..], 0x6E78_9E6A_A1B9_65F4_u64.to_be_bytes());
    assert_eq!(random(1, 3).len(), 3);
}

#[test]
fn outcomes_are_told_with_all_they_hold() {
    let url = "https://bank.test".to_owned();
    let fields = vec![("PaReq".to_owned(), "a b".to_owned())];
    let secondary = Some("B 2".to_owned());
    let references = References { provider: "A".to_owned(), secondary };
    let next = NextAction::Form { url, fields };
    let form = Outcome::NeedsAction { references, next };
    assert_eq!(outcome_text(&form), "needs-action A+\"B 2\" form https://bank.test \"PaReq=a b\"");
    let decline = Outcome::Declined(Decline {
        code: "generic".to_owned(),
        retry: "never".to_owned(),
        provider_code: String::new(),
        provider_message: "No.".to_owned(),
        references: Some(named("A")),
    });
    assert_eq!(outcome_text(&decline), "declined generic never \"\" No. A");
}

#[test]
fn a_report_is_fetched_page_by_page_and_a_file_read_in_pieces() {
    let Answer::Send(exchange) = sale(Vec::new()) else { panic!("a sale is sent") };
    let next = Some(Exchange { moves_money: false, ..exchange });
    let page = |movements: &str, is_file, next| Page {
        movements: movements.chars().map(booked).collect(),
        is_file,
        next,
    };
    let pages = [page("", false, next.clone()), page("a", false, next), page("", true, None)];
    let mut parrot = Parrot { pages: pages.into_iter().map(Ok).collect(), ..Parrot::default() };
    let line = |id: char| format!("= {}", movement_text(&booked(id)));
    let script = "report 1 9\n\n< 200\n< one\n\n< 200\n< bc\n";
    let play = replay(script, Path::new("."), &mut parrot).unwrap();
    assert_eq!(play.problems, Vec::<String>::new());
    assert_eq!(line('a'), "= payment a booked EUR 1234 fee=EUR:43 entry=P1_1 references=pi_1 at=7");
    let ends = format!("{}\n{}\n= end of the report\n", line('b'), line('c'));
    assert!(play.text.ends_with(&ends), "{}", play.text);
    assert!(play.text.matches("\n? ").count() > 1, "{}", play.text);
    assert_eq!(play.text.matches("< one").count(), 1);

    let folder = std::env::temp_dir().join(format!("transcript-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("file"), "abcde").unwrap();
    let mut parrot = Parrot::default();
    let play = replay("read file 2\n", &folder, &mut parrot).unwrap();
    assert_eq!((parrot.pieces, play.text.matches("= payment").count()), (3, 5), "{}", play.text);
    std::fs::remove_dir_all(&folder).unwrap();
    for wrong in ["report 1", "report a b", "read nothing 5", "read"] {
        assert!(replay(wrong, Path::new("."), &mut Parrot::default()).is_err(), "{wrong}");
    }
}
