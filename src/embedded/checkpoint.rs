//! Copying the log beside the file into the file, on a thread of its own.
//!
//! SQLite does it in the commit that finds the log long, and everybody whose write is in that commit,
//! or comes after it, waits for thousands of pages. Here the writing thread goes on meanwhile. It copies
//! only what has come since, and only when the log has become so long that it has to begin anew.

use std::ops::ControlFlow;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::{io, thread};

use rusqlite::Connection;
use rusqlite::hooks::Wal;

use crate::supervisor::Supervisor;

/// How many pages the log grows by before it is copied: more than SQLite's own 1,000, so that an inner
/// page that many commits change is copied less often.
const PAGES: i32 = 4000;
/// With so many pages the writing thread waits for the log to be copied, and begins it anew.
const MOST_PAGES: i32 = 3 * PAGES;

/// The thread, for as long as there is somebody who writes.
pub(super) struct Copier {
    commands: SyncSender<CopierCommand>,
    thread: Option<thread::JoinHandle<()>>,
}

enum CopierCommand {
    Copy,
    Stop,
}

impl Copier {
    /// Starts the thread, with a connection of its own.
    pub(super) fn spawn(
        writer: &mut Connection,
        connection: Connection,
        supervisor: &Supervisor,
    ) -> io::Result<Self> {
        let (commands, inbox) = mpsc::sync_channel(1);
        let (mut log, asked) = (Log::default(), commands.clone());
        let hooked = writer.wal_hook(Some(move |wal: &mut Wal, pages| {
            match log.after_commit(pages) {
                Copy::Nothing => {}
                // One order that waits already is enough.
                Copy::Aside => drop(asked.try_send(CopierCommand::Copy)),
                // What it cannot copy because somebody still reads an older page, it copies the
                // next time.
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
    /// Ends before the writer does: whoever is the last to close the file copies and deletes the log,
    /// and two who close it at once leave that to each other.
    fn drop(&mut self) {
        let _ = self.commands.send(CopierCommand::Stop);
        if let Some(thread) = self.thread.take() {
            // Its supervisor has heard of a panic.
            let _ = thread.join();
        }
    }
}

fn copy_next(connection: &Connection, inbox: &Receiver<CopierCommand>) -> ControlFlow<()> {
    let Ok(CopierCommand::Copy) = inbox.recv() else { return ControlFlow::Break(()) };
    // Another process may be at it, which is as good.
    if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
        tracing::debug!(%error, "the log is not copied");
    }
    ControlFlow::Continue(())
}

/// How long the log is.
struct Log {
    pages: i32,
    /// With so many it is copied.
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
            // It was begun anew.
            self.due = PAGES;
        }
        self.pages = pages;
        if pages >= MOST_PAGES {
            return Copy::Now;
        }
        if pages < self.due {
            return Copy::Nothing;
        }
        self.due = pages + PAGES;
        Copy::Aside
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::super::testing::{fresh, standard};
    use super::*;
    use crate::ports::{Queue, Queues as _};

    #[test]
    fn the_log_is_copied_once_for_each_length_it_grows_by() {
        let mut log = Log::default();
        let mut after = |pages| log.after_commit(pages);
        assert_eq!(after(PAGES - 1), Copy::Nothing);
        assert_eq!(after(PAGES), Copy::Aside);
        assert_eq!(after(PAGES + 1), Copy::Nothing);
        assert_eq!(after(2 * PAGES), Copy::Aside);
        assert_eq!(after(MOST_PAGES), Copy::Now);
        assert_eq!(after(10), Copy::Nothing);
        assert_eq!(after(PAGES), Copy::Aside);
    }

    /// Sends messages of so many pages of the log together.
    async fn write(store: &super::super::Embedded, pages: i32) {
        let message = [standard(&"x".repeat(200_000))];
        for _ in 0..u64::try_from(pages).unwrap() * 4096 / 200_000 {
            assert!(store.send(Queue::Provider, &message).await.unwrap().is_empty());
        }
    }

    fn bytes(file: &Path) -> u64 {
        fs::metadata(file).unwrap().len()
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
        let longest = bytes(&store.file().with_extension("db-wal"));
        assert!(longest < (MOST_PAGES + PAGES) as u64 * 4200, "{longest}");
    }
}
