//! The pace of a session: when the next line of a file may be sent.

use std::io;
use std::time::Duration;

use tokio::io::AsyncBufRead;
use tokio::time::{Instant, sleep_until};

use super::input::InputLines;

/// A pace that stays a fifth below the limit that a gateway has for a socket.
pub(super) struct Pace {
    pause: Duration,
    next_at: Instant,
}

impl Pace {
    pub(super) fn below(frames_per_sec: u32) -> Self {
        let pause = Duration::from_millis(1250) / frames_per_sec;
        Self { pause, next_at: Instant::now() }
    }

    /// Delays the next line, because a line was sent.
    pub(super) fn sent(&mut self) {
        self.next_at = Instant::now() + self.pause;
    }

    /// Returns the next line, not before it may be sent. Nothing is lost if the future is dropped early.
    pub(super) async fn next_line<R: AsyncBufRead + Unpin>(
        &self,
        lines: &mut InputLines<R>,
    ) -> io::Result<Option<Vec<u8>>> {
        sleep_until(self.next_at).await;
        lines.next().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn lines_are_sent_a_fifth_below_what_a_gateway_takes() {
        for frames_per_sec in [1, 50, 500] {
            let text = b"P1\n".repeat(2 * frames_per_sec as usize);
            let mut lines = InputLines::new(&*text);
            let mut pace = Pace::below(frames_per_sec);
            let begun = Instant::now();
            while pace.next_line(&mut lines).await.unwrap().is_some() {
                pace.sent();
            }
            // The end of the file waits for the last line as a line would.
            assert!(begun.elapsed() >= Duration::from_millis(2500), "{frames_per_sec}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_that_is_not_sent_delays_none() {
        let mut lines = InputLines::new(&b"\n\n\n"[..]);
        let (pace, begun) = (Pace::below(1), Instant::now());
        while pace.next_line(&mut lines).await.unwrap().is_some() {}
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
}
