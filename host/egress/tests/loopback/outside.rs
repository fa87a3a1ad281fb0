//! URLs that somebody else wrote: none of them leads to an address that is not public, however it
//! is spelt, whatever its name resolves to, and whenever that changes. A listener counts.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use egress::{Addresses, Egress, Gate, Kind, Method, Options, Outside, Request, Resolve};
use tokio::net::TcpListener;

use crate::support::{
    Names, accept, egress, egress_by, failure, gate, http, listen, read_request, request, send,
    write,
};

/// Hosts as they may be written in a URL, all of which some library takes for an address that is
/// not public; `{}` is the port of the listener.
const SPELLINGS: &[&str] = &[
    // Loopback, plain and odd.
    "127.0.0.1:{}",
    "127.1:{}",
    "127.0.1:{}",
    "127.000.000.001:{}",
    "2130706433:{}",
    "0x7f000001:{}",
    "0x7f.0.0.1:{}",
    "0x7f.0x0.0x0.0x1:{}",
    "017700000001:{}",
    "0177.0.0.1:{}",
    "0177.0.0.01:{}",
    "127.0.0.1.:{}",
    "127.0.0.53:{}",
    "0.0.0.0:{}",
    "0:{}",
    "00000000:{}",
    "[::1]:{}",
    "[::]:{}",
    "[0:0:0:0:0:0:0:1]:{}",
    "[0000::1]:{}",
    "[::ffff:127.0.0.1]:{}",
    "[::ffff:7f00:1]:{}",
    "[::ffff:0:127.0.0.1]:{}",
    "[::127.0.0.1]:{}",
    "[::7f00:1]:{}",
    "[64:ff9b::127.0.0.1]:{}",
    "[64:ff9b::7f00:1]:{}",
    "[64:ff9b:1::7f00:1]:{}",
    "[2002:7f00:1::]:{}",
    "[2001:0:7f00:1::80ff:fffe]:{}",
    "[::1%25lo]:{}",
    "[fe80::1%25lo]:{}",
    "[fe80::1%lo]:{}",
    "localhost.:{}",
    "LOCALHOST.:{}",
    // Digits and dots that are none.
    "①②⑦.⓪.⓪.①:{}",
    "１２７.０.０.１:{}",
    "127。0。0。1:{}",
    "127．0．0．1:{}",
    "127｡0｡0｡1:{}",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ.:{}",
    "%31%32%37.0.0.1:{}",
    "127.0.0.1%2e:{}",
    "127.0.0.1%00.hook.test:{}",
    // User names, and what is behind them.
    "hook.test@127.0.0.1:{}",
    "hook.test:80@127.0.0.1:{}",
    "127.0.0.1:{}@hook.test",
    "@127.0.0.1:{}",
    "hook.test#@127.0.0.1:{}",
    "hook.test\\@127.0.0.1:{}",
    "127.0.0.1:{}\\.hook.test",
    "127.0.0.1:{}#.hook.test",
    // The operator's own network, and the metadata of clouds.
    "10.0.0.1:{}",
    "172.16.0.1:{}",
    "192.168.0.1:{}",
    "100.64.0.1:{}",
    "169.254.1.1:{}",
    "169.254.169.254:{}",
    "169.254.169.254.:{}",
    "2852039166:{}",
    "0xa9fea9fe:{}",
    "0251.0376.0251.0376:{}",
    "169.254.43518:{}",
    "[::ffff:169.254.169.254]:{}",
    "[::ffff:a9fe:a9fe]:{}",
    "[64:ff9b::a9fe:a9fe]:{}",
    "[2002:a9fe:a9fe::]:{}",
    "[fd00:ec2::254]:{}",
    "169.254.170.2:{}",
    "100.100.100.200:{}",
    "168.63.129.16:{}",
    "192.0.0.192:{}",
    "[fd20:ce::254]:{}",
    // Nobody's.
    "192.0.2.1:{}",
    "198.51.100.1:{}",
    "203.0.113.1:{}",
    "198.18.0.1:{}",
    "224.0.0.1:{}",
    "240.0.0.1:{}",
    "255.255.255.255:{}",
    "[2001:db8::1]:{}",
    "[ff02::1]:{}",
    "[fe80::1]:{}",
    "[fec0::1]:{}",
    "[fc00::1]:{}",
];

/// What names resolve to in the clouds and networks of operators.
const RESOLVED: &[(&str, &str)] = &[
    ("localhost", "127.0.0.1"),
    ("localhost.localdomain", "127.0.0.1"),
    ("ip6-localhost", "::1"),
    ("hook.localhost", "::1"),
    ("localtest.me", "127.0.0.1"),
    ("127.0.0.1.nip.io", "127.0.0.1"),
    ("metadata.google.internal", "169.254.169.254"),
    ("metadata.goog", "169.254.169.254"),
    ("metadata", "169.254.169.254"),
    ("instance-data", "169.254.169.254"),
    ("instance-data.ec2.internal", "169.254.169.254"),
    ("metadata.azure.internal", "169.254.169.254"),
    ("wireserver.azure.example", "168.63.129.16"),
    ("metadata.tencentyun.com", "169.254.0.23"),
    ("metadata.aliyun.example", "100.100.100.200"),
    ("metadata.oracle.example", "192.0.0.192"),
    ("metadata.ec2.example", "fd00:ec2::254"),
    ("kubernetes.default.svc", "10.96.0.1"),
    ("router.lan", "192.168.1.1"),
    ("db.corp.example", "172.31.0.7"),
    ("nat64.example", "64:ff9b::a00:1"),
    ("mapped.example", "::ffff:10.0.0.1"),
    ("teredo.example", "2001:0:a00:1::1"),
    ("sixtofour.example", "2002:a00:1::1"),
    ("all.example", "0.0.0.0"),
    ("printer.local", "fe80::1"),
];

/// A resolver of one answer after the other; the last repeats.
struct Turning {
    answers: Vec<Vec<IpAddr>>,
    asked: AtomicUsize,
}

impl Turning {
    fn by(answers: &[&[&str]]) -> (Arc<Turning>, Egress) {
        let parse = |texts: &&[&str]| texts.iter().map(|text| text.parse().expect(text)).collect();
        let answers = answers.iter().map(parse).collect();
        let turning = Arc::new(Turning { answers, asked: AtomicUsize::new(0) });
        let resolver: Arc<dyn Resolve> = turning.clone();
        let options = Options { resolver, ..Options::default() };
        (turning, Egress::new(options).expect("usable options"))
    }
}

impl Resolve for Turning {
    fn resolve<'a>(&'a self, _: &'a str) -> Addresses<'a> {
        let turn = self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = self.answers.get(turn).or(self.answers.last()).cloned();
        Box::pin(async move { Ok(answer.unwrap_or_default()) })
    }
}

/// A listener on every address of this machine, which counts.
async fn counting() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let six = TcpListener::bind(("::1", port)).await;
    let count = Arc::new(AtomicUsize::new(0));
    for listener in std::iter::once(listener).chain(six) {
        let count = count.clone();
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
    }
    (port, count)
}

fn plain() -> Outside {
    Outside { plain: true, ..Outside::default() }
}

fn get(url: &str) -> Request {
    Request::Http(request(Method::Get, url.to_owned(), b""))
}

/// Tries a URL as an endpoint: when it is added, and when it is sent to though it was added.
async fn is_refused(egress: &Egress, url: &str) {
    let added = egress.admit(url, &plain()).await.expect_err(url);
    let kinds = [Kind::Target, Kind::AddressRefused, Kind::Resolve];
    assert!(kinds.contains(&added.kind), "{url}: {added}");
    let Ok(host) = plain().host(url) else { return };
    let gate = Gate { hosts: vec![host], ..Gate::default() };
    let (how, kind) = failure(send(egress, &gate, &get(url)).await);
    assert!(["refused", "not sent"].contains(&how), "{url}: {how}");
    assert!(kinds.contains(&kind.expect("a kind")), "{url}: {kind:?}");
}

#[tokio::test]
async fn no_spelling_of_an_address_that_is_not_public_is_connected_to() {
    let (port, count) = counting().await;
    let loopback = Names::loopback();
    let egress = egress_by(&loopback);
    assert!(SPELLINGS.len() >= 80, "{} spellings", SPELLINGS.len());
    for spelling in SPELLINGS {
        for scheme in ["http", "https"] {
            let host = spelling.replace("{}", &port.to_string());
            is_refused(&egress, &format!("{scheme}://{host}/told")).await;
        }
    }
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn no_name_that_leads_off_the_public_internet_is_connected_to() {
    let (port, count) = counting().await;
    for (name, address) in RESOLVED {
        let (_, egress) = Turning::by(&[&[address]]);
        let url = format!("http://{name}:{port}/told");
        is_refused(&egress, &url).await;
        // One among good ones refuses the name, wherever it stands.
        for mixed in [["1.1.1.1", address], [address, "1.1.1.1"]] {
            let (_, egress) = Turning::by(&[&mixed]);
            is_refused(&egress, &url).await;
        }
        // A plugin is held to the same where the operator named the host, and not as private.
        let (_, egress) = Turning::by(&[&[address]]);
        let named = gate(&[format!("http://{name}:{port}")]);
        let refused = failure(send(&egress, &named, &get(&url)).await);
        assert_eq!(refused, ("not sent", Some(Kind::AddressRefused)), "{name}");
    }
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_name_that_turns_to_a_closed_address_after_it_was_admitted_is_not_connected_to() {
    let (port, count) = counting().await;
    let url = format!("http://rebinding.test:{port}/told");
    for closed in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
        let (turning, egress) = Turning::by(&[&["1.1.1.1"], &[closed]]);
        let host = egress.admit(&url, &plain()).await.expect("public when it is added");
        let gate = Gate { hosts: vec![host], ..Gate::default() };
        let refused = failure(send(&egress, &gate, &get(&url)).await);
        assert_eq!(refused, ("not sent", Some(Kind::AddressRefused)), "{closed}");
        assert_eq!(turning.asked.load(Ordering::SeqCst), 2, "once to add it, once to connect");
    }
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_address_that_is_checked_is_the_one_connected_to_whatever_the_next_answer_is() {
    let (listener, address) = listen().await;
    let (port, count) = counting().await;
    assert_ne!(address.port(), port);
    let networks = vec!["127.0.0.1/32".parse().expect("a network")];
    let outside = Outside { networks, plain: true };
    let url = format!("http://rebinding.test:{}/told", address.port());
    let (turning, egress) = Turning::by(&[&["127.0.0.1"], &["127.0.0.1"], &["127.0.0.2"]]);
    let host = egress.admit(&url, &outside).await.expect("allowed expressly");
    let gate = Gate { hosts: vec![host], ..Gate::default() };
    let serve = async {
        let mut stream = accept(&listener).await;
        read_request(&mut stream).await;
        write(&mut stream, b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").await;
    };
    let request = get(&url);
    let (answer, ()) = tokio::join!(send(&egress, &gate, &request), serve);
    assert_eq!(http(answer).0, 204, "what the operator allows is reached: the listener counts");
    assert_eq!(turning.asked.load(Ordering::SeqCst), 2);
    let refused = failure(send(&egress, &gate, &get(&url)).await);
    assert_eq!(refused, ("not sent", Some(Kind::AddressRefused)), "127.0.0.2 is not allowed");
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn no_redirect_leads_anywhere() {
    let (port, count) = counting().await;
    let networks = vec!["127.0.0.1/32".parse().expect("a network")];
    let outside = Outside { networks, plain: true };
    for (n, spelling) in SPELLINGS.iter().filter(|one| one.is_ascii()).enumerate() {
        let status = [301, 302, 303, 307, 308][n % 5];
        let (listener, address) = listen().await;
        let url = format!("http://{address}/told");
        let gate = Gate { hosts: vec![outside.host(&url).expect("allowed")], ..Gate::default() };
        let location = format!("http://{}/", spelling.replace("{}", &port.to_string()));
        let serve = async {
            let mut stream = accept(&listener).await;
            read_request(&mut stream).await;
            let head = format!("HTTP/1.1 {status} Elsewhere\r\nlocation: {location}\r\n");
            write(&mut stream, (head + "content-length: 0\r\n\r\n").as_bytes()).await;
        };
        let egress = egress();
        let request = get(&url);
        let (answer, ()) = tokio::join!(send(&egress, &gate, &request), serve);
        assert_eq!(http(answer).0, status, "given back as it is");
    }
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

#[test]
fn http_is_taken_only_where_the_operator_says_so() {
    let outside = Outside::default();
    assert_eq!(outside.host("http://hook.example/").expect_err("http").kind, Kind::HostNotAllowed);
    assert!(outside.host("https://hook.example/").is_ok());
    assert!(plain().host("http://hook.example/").is_ok());
}

#[test]
fn a_network_that_is_allowed_opens_no_other_spelling_and_no_neighbour() {
    let networks = vec!["10.1.0.0/16".parse().expect("a network")];
    let outside = Outside { networks, plain: true };
    let taken = |host: &str| outside.host(&format!("http://{host}/")).is_ok();
    assert!(taken("10.1.2.3"));
    let others =
        ["10.2.0.1", "10.0.255.255", "[::ffff:10.1.2.3]", "[64:ff9b::a01:203]", "10.66051"];
    others.iter().for_each(|host| assert!(!taken(host), "{host}"));
}
