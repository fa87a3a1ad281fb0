//! A stream that counts what the kernel takes. It lies under TLS, so the count is what could
//! have left, not what a layer above believes: TLS reports an error for a write of which a part is
//! already on its way.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::connect::Stream;

/// How many bytes the kernel has taken from one [`Wire`] so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter(Arc<AtomicU64>);

impl Meter {
    pub(crate) fn read(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    fn add(&self, bytes: usize) {
        self.0.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Ordering::SeqCst);
    }
}

/// The counted stream.
///
/// A failed write is not reported: it waits, and the reading side tells. A server that answers and
/// hangs up before it has read the whole request makes writing fail while its answer is still to be
/// read; and whatever breaks writing also ends reading.
pub(crate) struct Wire {
    stream: Box<dyn Stream>,
    meter: Meter,
}

impl Wire {
    pub(crate) fn new(stream: Box<dyn Stream>) -> (Wire, Meter) {
        let meter = Meter::default();
        (Wire { stream, meter: meter.clone() }, meter)
    }

    fn count(&self, written: io::Result<usize>) -> Poll<io::Result<usize>> {
        match written {
            Ok(bytes) => {
                self.meter.add(bytes);
                Poll::Ready(Ok(bytes))
            }
            Err(_) => Poll::Pending,
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes));
        self.count(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(context, slices));
        self.count(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests;
