//! Where byte streams to addresses come from: the operating system, or a simulation of the network.
//! Not here: which addresses may be connected to (`reach`), TLS (`dial`), counting (`wire`).

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// Any stream a request may travel on.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection being opened.
pub type Connecting<'a> = Pin<Box<dyn Future<Output = io::Result<Opened>> + Send + 'a>>;

/// Opens byte streams to addresses that were checked.
pub trait Connect: Send + Sync {
    /// A stream to `address`. Dropping the future gives the attempt up.
    fn connect(&self, address: SocketAddr) -> Connecting<'_>;
}

/// An open stream.
pub struct Opened {
    /// What travels on it. What it takes counts as having left.
    pub stream: Box<dyn Stream>,
    /// Tells what has arrived on it, without taking any of it.
    pub probe: Box<dyn Probe>,
}

/// Looks at a stream beside whoever reads it.
pub trait Probe: Send {
    /// What the other side has done that nobody has read yet.
    fn heard(&self) -> Heard;
}

/// What the other side of a stream has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Nothing.
    Nothing,
    /// It has said something.
    Bytes,
    /// It has closed, or the stream is broken.
    End,
}

/// TCP, by the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tcp;

impl Connect for Tcp {
    fn connect(&self, address: SocketAddr) -> Connecting<'_> {
        Box::pin(async move {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let probe = Box::new(Socket(probe(&stream)?));
            Ok(Opened { stream: Box::new(stream), probe })
        })
    }
}

/// The same socket once more, to ask the kernel itself: the reactor may not have looked yet.
struct Socket(std::net::TcpStream);

impl Probe for Socket {
    fn heard(&self) -> Heard {
        match self.0.peek(&mut [0]) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Heard::Nothing,
            Err(_) | Ok(0) => Heard::End,
            Ok(_) => Heard::Bytes,
        }
    }
}

#[cfg(unix)]
fn probe(tcp: &TcpStream) -> io::Result<std::net::TcpStream> {
    use std::os::fd::AsFd;
    tcp.as_fd().try_clone_to_owned().map(std::net::TcpStream::from)
}

#[cfg(windows)]
fn probe(tcp: &TcpStream) -> io::Result<std::net::TcpStream> {
    use std::os::windows::io::AsSocket;
    tcp.as_socket().try_clone_to_owned().map(std::net::TcpStream::from)
}
