//! A connection whose writes cannot stall for ever, and whose reads are limited.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use super::limiter::Allowance;
use super::unfinished::Unfinished;

/// A client that reads nothing for this long while something is written to it counts as gone.
pub(super) const WRITE_STALL: Duration = Duration::from_secs(10);
/// How long a closed connection may go on sending before it is cut off.
const LINGER: Duration = Duration::from_secs(1);
/// The most bytes that are still read from a closed connection.
const LINGER_BYTES: u64 = 256 * 1024;

/// A transport that limits how long a write may stall. Once the client's allowance is known, it also
/// limits how much is read.
pub(super) struct Guarded<T> {
    io: T,
    allowance: Option<Allowance>,
    /// The bytes received of an unfinished message.
    unfinished: Option<Arc<Unfinished>>,
    /// Until when nothing is read.
    pause: Option<Pin<Box<Sleep>>>,
    /// When a write that makes no progress fails.
    stall: Option<Pin<Box<Sleep>>>,
}

impl<T> Guarded<T> {
    pub(super) const fn new(io: T) -> Self {
        Self { io, allowance: None, unfinished: None, pause: None, stall: None }
    }

    /// Limits reads from now on.
    pub(super) fn limit(&mut self, allowance: Allowance) {
        self.allowance = Some(allowance);
    }

    /// Counts what is read from now on as part of an unfinished message.
    pub(super) fn count(&mut self, unfinished: Arc<Unfinished>) {
        self.unfinished = Some(unfinished);
    }

    /// Fails a write that has stalled too long. Forgets the stall when the write makes progress.
    fn watch<R>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        if written.is_ready() {
            self.stall = None;
            return written;
        }
        let stall =
            self.stall.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + WRITE_STALL)));
        ready!(stall.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(ErrorKind::TimedOut, "the client does not read")))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Guarded<T> {
    /// Ends the connection so that the client gets what was last written to it. Closing a socket that has
    /// unread data would reset it, and the client could lose the close frame.
    pub(super) async fn linger(mut self) {
        let rest = async {
            self.io.shutdown().await?;
            tokio::io::copy(&mut (&mut self.io).take(LINGER_BYTES), &mut tokio::io::sink()).await
        };
        // The connection is over in either case.
        let _ = timeout(LINGER, rest).await;
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Guarded<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Some(pause) = &mut this.pause {
            ready!(pause.as_mut().poll(cx));
            this.pause = None;
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.io).poll_read(cx, buffer))?;
        let bytes = buffer.filled().len() - before;
        if let Some(unfinished) = &this.unfinished {
            unfinished.received(bytes);
        }
        if let Some(allowance) = &this.allowance {
            this.pause = allowance.charge_bytes(bytes).map(|until| Box::pin(sleep_until(until)));
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Guarded<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.io).poll_write(cx, bytes);
        this.watch(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.io).poll_write_vectored(cx, slices);
        this.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.io).poll_flush(cx);
        this.watch(cx, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let shut = Pin::new(&mut this.io).poll_shutdown(cx);
        this.watch(cx, shut)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::super::limits::Traffic;
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_client_that_never_reads_ends_the_write() {
        let (io, mut client) = duplex(64);
        let mut guarded = Guarded::new(io);
        let begun = Instant::now();
        let error = guarded.write_all(&[0; 1000]).await.unwrap_err();
        assert_eq!((error.kind(), begun.elapsed()), (ErrorKind::TimedOut, WRITE_STALL));
        // A client that reads, however slowly, does not time out.
        let (io, mut slow) = duplex(64);
        let reading = tokio::spawn(async move {
            let mut buffer = [0; 64];
            for _ in 0..10 {
                tokio::time::sleep(WRITE_STALL - Duration::from_secs(1)).await;
                slow.read_exact(&mut buffer).await.unwrap();
            }
        });
        Guarded::new(io).write_all(&[0; 640]).await.unwrap();
        reading.await.unwrap();
        client.shutdown().await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_is_read_than_is_allowed() {
        let (io, mut client) = duplex(1 << 20);
        let mut guarded = Guarded::new(io);
        // One frame a second is 4,096 bytes a second.
        guarded.limit(Allowance::new(Arc::new(Mutex::new(Traffic::new(1))), None));
        client.write_all(&[0; 5 * 4096]).await.unwrap();
        let begun = Instant::now();
        let mut buffer = [0; 4096];
        // One second's bytes may be read at once. What exceeds them is known only after it was read.
        for secs in [0, 0, 1, 2, 3] {
            guarded.read_exact(&mut buffer).await.unwrap();
            assert_eq!(begun.elapsed().as_secs(), secs);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_farewell_is_not_lost_in_what_is_unread() {
        let (io, mut client) = duplex(1 << 20);
        client.write_all(&[0; 100_000]).await.unwrap();
        let mut guarded = Guarded::new(io);
        guarded.write_all(b"bye").await.unwrap();
        let lingering = tokio::spawn(guarded.linger());
        let mut heard = String::new();
        client.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "bye");
        drop(client);
        lingering.await.unwrap();
    }
}
