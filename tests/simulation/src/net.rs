//! The network, in memory: names, connections, and what breaks them. The host's own egress runs on
//! it. Not here: what a server does with a request it got (`provider`, `inbox`).
//!
//! As with a kernel: what is written to a line whose other side has gone is taken all the same, and
//! only reading tells.

use std::collections::{BTreeMap, VecDeque};
use std::future::pending;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use egress::{Addresses, Connect, Connecting, Heard, Opened, Probe, Resolve};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::chance::Chance;
use crate::http::Request;
use crate::world::{Due, State, World};

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// The provider of the account of this number.
    Provider(usize),
    /// The endpoint of the app of this number.
    Endpoint(usize),
}

impl Server {
    /// Its name, as it stands in URLs.
    pub fn host(self) -> String {
        match self {
            Server::Provider(number) => format!("provider-{number}.test"),
            Server::Endpoint(number) => format!("app-{number}.test"),
        }
    }

    fn address(self) -> IpAddr {
        match self {
            Server::Provider(number) => Ipv4Addr::new(9, 9, 1, number as u8).into(),
            Server::Endpoint(number) => Ipv4Addr::new(9, 9, 2, number as u8).into(),
        }
    }

    fn of(address: IpAddr) -> Option<Server> {
        match address {
            IpAddr::V4(address) => match address.octets() {
                [9, 9, 1, number] => Some(Server::Provider(number.into())),
                [9, 9, 2, number] => Some(Server::Endpoint(number.into())),
                _ => None,
            },
            IpAddr::V6(_) => None,
        }
    }
}

/// How a line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Closed,
    Reset,
}

/// What the other side of a line says, and whether it hangs up then.
#[derive(Debug)]
pub struct Parcel {
    pub line: u64,
    pub bytes: Vec<u8>,
    pub end: Option<End>,
}

struct Line {
    server: Server,
    /// What has come to the server and is not a whole request yet.
    coming: Vec<u8>,
    /// How many more bytes come through before the line breaks.
    breaks_after: Option<usize>,
    /// What has come back and was not read.
    arrived: VecDeque<u8>,
    end: Option<End>,
    reader: Option<Waker>,
}

/// Every line there is.
pub struct Net {
    chance: Chance,
    lines: BTreeMap<u64, Line>,
    opened: u64,
}

impl Net {
    pub fn new(chance: Chance) -> Net {
        Net { chance, lines: BTreeMap::new(), opened: 0 }
    }

    /// The process is gone, and with it its end of every line.
    pub fn hang_up(&mut self) {
        self.lines.clear();
    }

    fn open(&mut self, server: Server, breaks_after: Option<usize>) -> u64 {
        self.opened += 1;
        let line = Line {
            server,
            coming: Vec::new(),
            breaks_after,
            arrived: VecDeque::new(),
            end: None,
            reader: None,
        };
        self.lines.insert(self.opened, line);
        self.opened
    }
}

/// What befalls an attempt to connect.
#[derive(Clone, Copy)]
enum Way {
    Open,
    Refused,
    Lost,
}

impl State {
    /// The other side says something.
    pub fn say(&mut self, parcel: Parcel) {
        let Parcel { line, bytes, end } = parcel;
        let Some(line) = self.net.lines.get_mut(&line) else { return };
        if line.end.is_some() {
            return;
        }
        line.arrived.extend(bytes);
        line.end = end;
        if let Some(reader) = line.reader.take() {
            reader.wake();
        }
    }

    /// The server closes a line, if it is there still.
    pub fn close(&mut self, line: u64) {
        if self.net.lines.get(&line).is_some_and(|line| line.end.is_none()) {
            self.tally.fault("server closes an idle line");
            self.say(Parcel { line, bytes: Vec::new(), end: Some(End::Closed) });
        }
    }

    fn way(&mut self) -> (Way, u64) {
        if !self.faulty() {
            return (Way::Open, 1);
        }
        let slow = self.net.chance.scaled(40);
        if self.fault("connection refused", 25) {
            (Way::Refused, slow)
        } else if self.fault("connection lost on the way", 12) {
            (Way::Lost, slow)
        } else if self.fault("connecting takes long", 20) {
            (Way::Open, self.net.chance.between(300, 1_500))
        } else {
            (Way::Open, slow)
        }
    }

    fn dial(&mut self, server: Server) -> u64 {
        let breaks = self.faulty() && self.chance.permille(25);
        let after = breaks.then(|| self.net.chance.below(700) as usize);
        let line = self.net.open(server, after);
        // Servers close what is idle, at any moment.
        if self.faulty() && self.net.chance.permille(300) {
            let wait = self.net.chance.scaled(20_000);
            self.after(wait, Due::Close(line));
        }
        line
    }

    /// Takes bytes of a request; gives how many.
    fn take(&mut self, number: u64, bytes: &[u8]) -> usize {
        let piecemeal = self.faulty() && self.net.chance.permille(150);
        let taken = match piecemeal {
            true => 1 + self.net.chance.below(bytes.len() as u64) as usize,
            false => bytes.len(),
        };
        let Some(line) = self.net.lines.get_mut(&number) else { return taken };
        if line.end.is_some() {
            return taken;
        }
        let comes = line.breaks_after.map_or(taken, |left| left.min(taken));
        line.coming.extend_from_slice(&bytes[..comes]);
        if let Some(left) = &mut line.breaks_after {
            *left -= comes;
            if comes < taken {
                line.end = Some(End::Reset);
                line.reader.take().into_iter().for_each(Waker::wake);
                self.tally.fault("line breaks while a request is written");
            }
        }
        let server = line.server;
        while let Some(request) = self.net.lines.get_mut(&number).and_then(Line::request) {
            match server {
                Server::Provider(account) => self.request(account, number, request),
                Server::Endpoint(app) => self.told(app, number, request),
            }
        }
        taken
    }

    fn read(&mut self, number: u64, context: &Context<'_>, into: &mut ReadBuf<'_>) -> Reading {
        let piecemeal = self.faulty() && self.net.chance.permille(200);
        let some = if piecemeal { 1 + self.net.chance.below(64) as usize } else { usize::MAX };
        let Some(line) = self.net.lines.get_mut(&number) else { return Reading::Ended(End::Reset) };
        if line.arrived.is_empty() {
            line.reader = Some(context.waker().clone());
            return line.end.map_or(Reading::Nothing, Reading::Ended);
        }
        let some = some.min(into.remaining()).min(line.arrived.len());
        let read: Vec<u8> = line.arrived.drain(..some).collect();
        into.put_slice(&read);
        self.point("read", &read, true);
        Reading::Some
    }
}

enum Reading {
    Some,
    Nothing,
    Ended(End),
}

impl Line {
    /// The next whole request, if it is there.
    fn request(&mut self) -> Option<Request> {
        let (request, length) = Request::read(&self.coming)?;
        self.coming.drain(..length);
        Some(request)
    }
}

/// The way into the network.
pub struct Roads(pub Arc<World>);

impl Resolve for Roads {
    fn resolve<'a>(&'a self, host: &'a str) -> Addresses<'a> {
        Box::pin(async move {
            self.0.pass("resolve", host.as_bytes()).await;
            let (fails, wait) = {
                let mut state = self.0.state();
                (state.fault("name not resolved", 8), state.net.chance.scaled(8))
            };
            self.0.wait(wait).await;
            let mut servers = (0..8).flat_map(|n| [Server::Provider(n), Server::Endpoint(n)]);
            let found = servers.find(|server| !fails && server.host() == *host);
            let none = || io::Error::other("no such name");
            found.map(|server| vec![server.address()]).ok_or_else(none)
        })
    }
}

impl Connect for Roads {
    fn connect(&self, address: SocketAddr) -> Connecting<'_> {
        Box::pin(async move {
            self.0.pass("connect", address.to_string().as_bytes()).await;
            let server = Server::of(address.ip());
            let server = server.ok_or_else(|| io::Error::from(io::ErrorKind::HostUnreachable))?;
            let (way, wait) = self.0.state().way();
            self.0.wait(wait).await;
            match way {
                Way::Refused => return Err(io::ErrorKind::ConnectionRefused.into()),
                Way::Lost => pending::<()>().await,
                Way::Open => {}
            }
            self.0.pass("connected", b"").await;
            let line = self.0.state().dial(server);
            let end = || HostEnd { world: self.0.clone(), line };
            Ok(Opened { stream: Box::new(Socket(end())), probe: Box::new(Look(end())) })
        })
    }
}

/// The host's end of a line.
struct HostEnd {
    world: Arc<World>,
    line: u64,
}

struct Socket(HostEnd);

struct Look(HostEnd);

impl Probe for Look {
    fn heard(&self) -> Heard {
        let state = self.0.world.state();
        match state.net.lines.get(&self.0.line) {
            Some(line) if !line.arrived.is_empty() => Heard::Bytes,
            Some(line) if line.end.is_none() => Heard::Nothing,
            _ => Heard::End,
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut state = self.0.world.state();
        if !state.alive {
            return Poll::Pending;
        }
        match state.read(self.0.line, context, into) {
            Reading::Some | Reading::Ended(End::Closed) => Poll::Ready(Ok(())),
            Reading::Ended(End::Reset) => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            Reading::Nothing => Poll::Pending,
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.0.world.state();
        if !state.point("write", bytes, true) {
            return Poll::Pending;
        }
        let taken = state.take(self.0.line, bytes);
        // The moment after counts too: all has left, and nobody here knows.
        match state.point("written", &taken.to_be_bytes(), true) {
            true => Poll::Ready(Ok(taken)),
            false => Poll::Pending,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.0.world.state().net.lines.remove(&self.0.line);
    }
}
