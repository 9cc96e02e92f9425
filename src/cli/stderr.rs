//! Writes everything for stderr in one thread, so that no other thread waits for its reader.
//!
//! A pipe that nobody reads is full after 64 KB, and a terminal stops after Ctrl-S. From then on a write
//! waits, perhaps for ever, and with it the thread that logs. So lines wait in a bounded queue instead. Lines
//! that do not fit are dropped and counted, and the count is printed as soon as stderr accepts lines
//! again.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use anstream::AutoStream;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};

/// The most lines that wait: about two megabytes.
const MAX_WAITING: usize = 8192;
/// A stderr that has accepted nothing for this long counts as not read.
const PATIENCE: Duration = Duration::from_millis(250);
/// The interval at which a waiter checks whether the lines are written.
const LOOK_EVERY: Duration = Duration::from_micros(100);

/// The queue of this process.
static QUEUE: OnceLock<Queue> = OnceLock::new();

/// The stderr of the process. A write never waits. It is printed as a whole or dropped as a whole.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stderr;

struct Queue {
    lines: NonBlocking,
    /// Never dropped. While the thread is stuck, dropping it would wait for a second and print to stdout.
    _thread: WorkerGuard,
    accounts: Arc<Accounts>,
    /// The number of written lines at which a waiter last gave up.
    stuck_at: AtomicU64,
}

/// The numbers of lines that were pushed, written and dropped.
#[derive(Default)]
struct Accounts {
    pushed: AtomicU64,
    written: AtomicU64,
    left_out: OnceLock<ErrorCounter>,
}

/// The writer of the thread.
struct StderrWriter<W> {
    to: W,
    accounts: Arc<Accounts>,
    /// How many of the dropped lines have been reported.
    told: u64,
}

impl Write for Stderr {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        queue().push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stderr {
    /// Prints a message for a person, with colours if they are enabled.
    pub(super) fn say(text: &str) {
        let choice = AutoStream::choice(&io::stderr());
        let mut line = AutoStream::new(Vec::new(), choice);
        // Writing to memory does not fail.
        let _ = writeln!(line, "{text}");
        queue().push(&line.into_inner());
    }

    /// Waits until everything so far is written, or stderr does not accept it. This keeps the order when
    /// something is printed elsewhere next.
    pub(super) fn settle() {
        if let Some(queue) = QUEUE.get() {
            queue.settle();
        }
    }
}

/// Prints why the process ends, and waits until this is written, or nobody reads it.
pub fn say_last(text: &str) {
    // A full queue would drop the message, so wait first.
    Stderr::settle();
    Stderr::say(text);
    Stderr::settle();
}

/// Waits until all messages are written, or nobody reads them.
pub fn finish_saying() {
    Stderr::settle();
}

fn queue() -> &'static Queue {
    QUEUE.get_or_init(|| Queue::start(io::stderr(), MAX_WAITING))
}

impl Queue {
    fn start(to: impl Write + Send + 'static, max_waiting: usize) -> Self {
        let accounts = Arc::new(Accounts::default());
        let (lines, thread) = NonBlockingBuilder::default()
            .lossy(true)
            .buffered_lines_limit(max_waiting)
            .thread_name("ocache-stderr")
            .finish(StderrWriter { to, accounts: Arc::clone(&accounts), told: 0 });
        accounts.left_out.get_or_init(|| lines.error_counter());
        Self { lines, _thread: thread, accounts, stuck_at: AtomicU64::new(u64::MAX) }
    }

    fn push(&self, line: &[u8]) {
        if !line.is_empty() {
            // Count first: a line must not be written before it is counted.
            self.accounts.pushed.fetch_add(1, Ordering::SeqCst);
            // The write never fails. A line that does not fit is counted as dropped.
            let _ = self.lines.clone().write(line);
        }
    }

    /// Waits until the lines pushed so far are written. Returns whether they are.
    fn settle(&self) -> bool {
        let pushed = self.accounts.pushed.load(Ordering::SeqCst);
        let (mut before, mut since) = (None, Instant::now());
        loop {
            let written = self.accounts.written.load(Ordering::SeqCst);
            if written + self.accounts.left_out() >= pushed {
                return true;
            }
            if self.stuck_at.load(Ordering::SeqCst) == written {
                return false;
            }
            if before != Some(written) {
                (before, since) = (Some(written), Instant::now());
            } else if since.elapsed() >= PATIENCE {
                self.stuck_at.store(written, Ordering::SeqCst);
                return false;
            }
            thread::sleep(LOOK_EVERY);
        }
    }
}

impl Accounts {
    fn left_out(&self) -> u64 {
        self.left_out.get().map_or(0, |counter| counter.dropped_lines() as u64)
    }
}

impl<W: Write> Write for StderrWriter<W> {
    /// Writes one line, which is what the thread passes at a time.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // If stderr is closed, there is nobody to tell.
        let _ = self.to.write_all(line);
        self.accounts.written.fetch_add(1, Ordering::SeqCst);
        Ok(line.len())
    }

    /// Reports dropped lines. The thread flushes when no line waits any more, so there is room again.
    fn flush(&mut self) -> io::Result<()> {
        let left_out = self.accounts.left_out();
        if left_out > self.told {
            let lines = left_out - self.told;
            self.told = left_out;
            tracing::error!(lines, "lines of the log were left out: nothing read stderr");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Condvar, Mutex};

    use super::*;

    /// A stderr that accepts nothing until it is read.
    #[derive(Clone, Default)]
    struct Pipe(Arc<Shared>);

    #[derive(Default)]
    struct Shared {
        taken: Mutex<Taken>,
        changed: Condvar,
    }

    #[derive(Default)]
    struct Taken {
        is_read: bool,
        /// Whether somebody has begun to write.
        is_written: bool,
        bytes: Vec<u8>,
    }

    impl Pipe {
        fn read(&self) {
            self.0.taken.lock().unwrap().is_read = true;
            self.0.changed.notify_all();
        }

        /// Waits until somebody has begun to write.
        fn wait_for_writer(&self) {
            let taken = self.0.taken.lock().unwrap();
            drop(self.0.changed.wait_while(taken, |taken| !taken.is_written).unwrap());
        }

        fn lines(&self) -> Vec<String> {
            let taken = self.0.taken.lock().unwrap();
            String::from_utf8(taken.bytes.clone()).unwrap().lines().map(str::to_owned).collect()
        }
    }

    impl Write for Pipe {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            let mut taken = self.0.taken.lock().unwrap();
            taken.is_written = true;
            self.0.changed.notify_all();
            let mut taken = self.0.changed.wait_while(taken, |taken| !taken.is_read).unwrap();
            taken.bytes.extend(line);
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn nobody_waits_for_a_reader_and_what_did_not_fit_is_counted() {
        let pipe = Pipe::default();
        let queue = Queue::start(pipe.clone(), 4);
        queue.push(b"0\n");
        // The thread has taken that line, so there is room for four others.
        pipe.wait_for_writer();
        for number in 1..100 {
            queue.push(format!("{number}\n").as_bytes());
        }
        assert!(!queue.settle(), "nobody reads");
        assert_eq!(queue.accounts.left_out(), 95);

        pipe.read();
        while queue.accounts.written.load(Ordering::SeqCst) < 5 {
            thread::yield_now();
        }
        assert_eq!(pipe.lines(), ["0", "1", "2", "3", "4"]);
        queue.push(b"after\n");
        assert!(queue.settle());
        assert_eq!(pipe.lines().last().unwrap(), "after");
    }

    #[test]
    fn a_closed_stderr_holds_nobody_up() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let queue = Queue::start(Closed, 4);
        queue.push(b"a line\n");
        assert!(queue.settle());
    }
}
