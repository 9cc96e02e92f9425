//! Copies the log beside the file into the file, on a thread of its own.
//!
//! By default SQLite does this in the commit that finds the log long, so every write of that commit, and
//! every one behind it, waits for thousands of pages. Here the writing thread goes on meanwhile. It copies
//! only what has come since, and only when the log is so long that it must be reset.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::{io, thread};

use rusqlite::Connection;
use rusqlite::hooks::Wal;

use crate::supervisor::Supervisor;

/// After at most how many further pages the log is copied. This is more than SQLite's own 1,000, so that an inner
/// page that many commits change is copied less often.
const PAGES: i32 = 4000;
/// With this many pages in the log, the writing thread waits until the log is copied, and resets it.
const MOST_PAGES: i32 = 3 * PAGES;
/// The nearer the log is to that length, the more often it is copied, but never after fewer further pages than
/// this. So little is left for the writing thread, and those who wait for its next commit wait only briefly.
const LEAST_PAGES: i32 = PAGES / 8;

/// The checkpoint thread. It runs while there is a writer.
pub(super) struct Copier {
    commands: SyncSender<CopierCommand>,
    thread: Option<thread::JoinHandle<()>>,
}

enum CopierCommand {
    Copy,
    Stop,
}

impl Copier {
    /// Starts the thread with a connection of its own. After each commit that is written to the log,
    /// `written` has the number of its frames.
    pub(super) fn spawn(
        writer: &mut Connection,
        connection: Connection,
        written: Arc<AtomicU32>,
        supervisor: &Supervisor,
    ) -> io::Result<Self> {
        let (commands, inbox) = mpsc::sync_channel(1);
        let (mut log, asked) = (Log::default(), commands.clone());
        let hooked = writer.wal_hook(Some(move |wal: &mut Wal, pages: i32| {
            written.store(pages.unsigned_abs(), Ordering::SeqCst);
            match log.after_commit(pages) {
                Copy::Nothing => {}
                // If a command waits already, that one is enough.
                Copy::Aside => drop(asked.try_send(CopierCommand::Copy)),
                // Pages that cannot be copied because somebody still reads older ones are copied the next
                // time.
                Copy::Now => drop(wal.checkpoint()),
            }
            Ok(())
        }));
        hooked.map_err(io::Error::other)?;
        let part = "the checkpoint thread of the store";
        let thread =
            supervisor.thread("ocache-log", part, move || copy_next(&connection, &inbox))?;
        Ok(Self { commands, thread: Some(thread) })
    }
}

impl Drop for Copier {
    /// Ends the thread before the writer. The last connection to close copies and deletes the log, but if
    /// two close at once, each leaves that to the other.
    fn drop(&mut self) {
        let _ = self.commands.send(CopierCommand::Stop);
        if let Some(thread) = self.thread.take() {
            // The supervisor has been told of a panic.
            let _ = thread.join();
        }
    }
}

fn copy_next(connection: &Connection, inbox: &Receiver<CopierCommand>) -> ControlFlow<()> {
    let Ok(CopierCommand::Copy) = inbox.recv() else { return ControlFlow::Break(()) };
    // Another process may be copying the log, which is just as good.
    if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
        tracing::debug!(%error, "the log is not copied");
    }
    ControlFlow::Continue(())
}

/// The length of the log.
struct Log {
    pages: i32,
    /// The length at which the log is copied next.
    due: i32,
}

/// Who copies the log.
#[derive(Debug, PartialEq, Eq)]
enum Copy {
    Nothing,
    Aside,
    Now,
}

impl Default for Log {
    fn default() -> Self {
        Self { pages: 0, due: PAGES }
    }
}

impl Log {
    fn after_commit(&mut self, pages: i32) -> Copy {
        if pages < self.pages {
            // The log was reset.
            self.due = PAGES;
        }
        self.pages = pages;
        if pages >= MOST_PAGES {
            return Copy::Now;
        }
        if pages < self.due {
            return Copy::Nothing;
        }
        let left = (MOST_PAGES - pages) / 2;
        self.due = pages + left.clamp(LEAST_PAGES, PAGES);
        Copy::Aside
    }
}

#[cfg(test)]
mod tests {
    use super::super::files::{bytes, log_of};
    use super::super::testing::fresh;
    use super::*;
    use crate::ports::{Outgoing, Queue, Queues as _};

    #[test]
    fn the_log_is_copied_once_for_each_length_it_grows_by() {
        let mut log = Log::default();
        let mut after = |pages| log.after_commit(pages);
        assert_eq!(after(PAGES - 1), Copy::Nothing);
        assert_eq!(after(PAGES), Copy::Aside);
        assert_eq!(after(PAGES + 1), Copy::Nothing);
        assert_eq!(after(2 * PAGES), Copy::Aside);
        // The steps are half of what is left, down to the shortest.
        for step in [PAGES / 2, PAGES / 4, LEAST_PAGES] {
            let pages = MOST_PAGES - step;
            assert_eq!(after(pages - 1), Copy::Nothing, "{step}");
            assert_eq!(after(pages), Copy::Aside, "{step}");
        }
        assert_eq!(after(MOST_PAGES - 1), Copy::Nothing);
        assert_eq!(after(MOST_PAGES), Copy::Now);
        assert_eq!(after(10), Copy::Nothing);
        assert_eq!(after(PAGES), Copy::Aside);
    }

    /// Sends messages that fill this many pages of the log.
    async fn write(store: &super::super::Embedded, pages: i32) {
        let message = [Outgoing::standard("x".repeat(200_000))];
        for _ in 0..u64::try_from(pages).unwrap() * 4096 / 200_000 {
            assert!(store.send(Queue::Provider, &message).await.unwrap().is_empty());
        }
    }

    #[tokio::test]
    async fn a_long_log_is_copied_while_nobody_writes() {
        let (store, _dir) = fresh();
        let before = bytes(store.file());
        write(&store, PAGES + PAGES / 2).await;
        // The file grows by what is copied, without another commit.
        while bytes(store.file()) < before + PAGES as u64 * 4096 / 2 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_log_under_load_does_not_grow_for_ever() {
        let (store, _dir) = fresh();
        write(&store, 2 * MOST_PAGES).await;
        let longest = bytes(&log_of(store.file()));
        assert!(longest < (MOST_PAGES + PAGES) as u64 * 4200, "{longest}");
    }
}
