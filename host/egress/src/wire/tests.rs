//! What a counted stream does when the other side goes.

use std::task::Poll;

use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

#[tokio::test]
async fn an_answer_is_still_read_after_writing_has_failed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    let stream = TcpStream::connect(address).await.expect("a connection");
    let (mut server, _) = listener.accept().await.expect("a connection");
    let (mut wire, meter) = Wire::new(Box::new(stream));
    wire.write_all(b"unread").await.expect("room");
    assert_eq!(meter.read(), 6);
    server.readable().await.expect("bytes");
    server.write_all(b"no").await.expect("room");
    // With bytes unread, closing resets the connection.
    drop(server);
    let write = |wire: &mut Wire| {
        let mut context = Context::from_waker(std::task::Waker::noop());
        Pin::new(wire).poll_write(&mut context, b"more")
    };
    let mut taken = 6;
    while let Poll::Ready(written) = write(&mut wire) {
        taken += written.expect("a failed write waits instead") as u64;
        tokio::task::yield_now().await;
    }
    assert_eq!(meter.read(), taken);
    let mut answer = [0; 2];
    wire.read_exact(&mut answer).await.expect("the answer");
    assert_eq!(&answer, b"no");
    assert!(!matches!(wire.read(&mut answer).await, Ok(1..)), "reading goes on");
}
