//! Leases: which process holds a message that it has received. When the process ends, its messages are
//! freed.
//!
//! A process that receives has a file of its own in the folder `leases`, and holds the operating system's
//! lock on it while it runs. The lock ends with the process, however that ends. So if a process can lock
//! the file of another process, that one has ended. A process id would not show this, because another
//! process may have the same id by then. The tokens of deliveries contain the name of that file.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use rusqlite::params;
use tracing::{info, warn};

use super::engine::Embedded;
use super::failure::Failure;
use super::files::{create_dir, create_private};
use super::groups::{code, settle_all};
use super::marks::{Tx, Writer};
use crate::model::Timestamp;
use crate::ports::{Chain, Clock, PortError, Queue};
use crate::supervisor::{Supervisor, lock};

/// How often a process checks whether another one has ended.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The extension of the files. The holder is before it.
const EXTENSION: &str = "lock";

pub(super) const HELD: &str = "
    SELECT seq, grp, token FROM message
    WHERE queue = ?1 AND hidden_until > ?2 AND token IS NOT NULL";
pub(super) const RELEASE: &str = "
    UPDATE message SET hidden_until = NULL, token = NULL,
        ready_at = CASE WHEN ready_at IS NULL THEN NULL ELSE ?2 END
    WHERE seq = ?1";

/// A process that receives. Its name is drawn at random and never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Holder(u64);

impl Holder {
    const DIGITS: usize = 16;

    fn file(self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.{EXTENSION}", self.digits()))
    }

    fn digits(self) -> String {
        format!("{:016x}", self.0)
    }

    fn of_file(path: &Path) -> Option<Self> {
        if path.extension()? != EXTENSION {
            return None;
        }
        Self::read(path.file_stem()?.to_str()?)
    }

    /// Returns the holder of a message, by the token of the delivery.
    fn of_token(token: &str) -> Option<Self> {
        Self::read(token.get(..Self::DIGITS)?)
    }

    fn read(digits: &str) -> Option<Self> {
        u64::from_str_radix(digits, 16).ok().map(Self)
    }
}

/// The file that shows that a process runs.
#[derive(Debug)]
struct LeaseFile {
    holder: Holder,
    path: PathBuf,
    /// Locked while it is open.
    file: File,
}

impl LeaseFile {
    fn make(folder: &Path, draw: impl Fn() -> u64) -> io::Result<Self> {
        loop {
            let holder = Holder(draw());
            let path = holder.file(folder);
            match create_dir(folder) {
                // The last process to leave removed the folder between the two checks of it.
                Err(error) if is_again(&error) && !folder.is_file() => continue,
                created => created?,
            }
            match create_private(&path, true) {
                // Either the last process to leave has just removed the folder, or the name is taken.
                Err(error) if is_again(&error) => continue,
                created => created?,
            }
            let file = match open(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                opened => opened?,
            };
            match file.lock() {
                // On such a file system SQLite has no locks either, so no other process can share the
                // store.
                Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
                locked => locked?,
            }
            // Before it was locked, another process may have removed it as that of a process that has
            // ended.
            if path.exists() {
                return Ok(Self { holder, path, file });
            }
        }
    }

    /// Removes the file. The lock ends with it.
    fn remove(self) {
        let _ = fs::remove_file(&self.path);
        drop(self.file);
        // This succeeds only for the last process.
        let _ = self.path.parent().map(fs::remove_dir);
    }
}

fn is_again(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::AlreadyExists)
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(path)
}

/// Returns the files of other processes. They are not locked.
fn files_of_others(folder: &Path, own: Option<Holder>) -> impl Iterator<Item = LeaseFile> {
    let files = fs::read_dir(folder).into_iter().flatten();
    files.filter_map(move |file| {
        let path = file.ok()?.path();
        let holder = Holder::of_file(&path).filter(|holder| Some(*holder) != own)?;
        Some(LeaseFile { holder, file: open(&path).ok()?, path })
    })
}

/// Returns the files of processes that have ended. Nobody else takes them while these are kept.
fn ended(folder: &Path, own: Holder) -> Vec<LeaseFile> {
    files_of_others(folder, Some(own)).filter(|other| other.file.try_lock().is_ok()).collect()
}

/// Guards the time in which this process locks the files of others. A check from another thread in that
/// time would find an ended process alive.
fn seeing_to_the_dead() -> MutexGuard<'static, ()> {
    static SEEING_TO: Mutex<()> = Mutex::new(());
    lock(&SEEING_TO)
}

/// Whether another process holds the lock of its file.
fn others_live(folder: &Path, own: Option<Holder>) -> bool {
    let _seen_to = seeing_to_the_dead();
    files_of_others(folder, own)
        .any(|other| matches!(other.file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Watches for processes that end, and frees their messages.
struct Watch {
    folder: PathBuf,
    own: Holder,
    writer: Writer,
    clock: Arc<dyn Clock>,
    /// Whether this is the first look. The first look also frees messages whose holder has no file: they
    /// come from a backup, or from a process that removed its file before it released its messages.
    is_first: bool,
}

impl Watch {
    /// Frees the messages of all processes that have ended. Returns how many.
    fn look(&mut self) -> Result<usize, Failure> {
        let _seeing_to = seeing_to_the_dead();
        let ended = ended(&self.folder, self.own);
        if ended.is_empty() && !self.is_first {
            return Ok(0);
        }
        let holders: Vec<Holder> = ended.iter().map(|entry| entry.holder).collect();
        let (folder, clock, own) = (self.folder.clone(), Arc::clone(&self.clock), self.own);
        let with_strangers = self.is_first;
        let freeing = self.writer.submit(move |tx| {
            let mut known = HashMap::from([(own, false)]);
            known.extend(holders.iter().map(|holder| (*holder, true)));
            free(tx, clock.now(), |holder| {
                // The file is made before anything is received, so a holder without a file has ended.
                let is_stranger = || with_strangers && !holder.file(&folder).exists();
                *known.entry(holder).or_insert_with(is_stranger)
            })
        });
        let freed = freeing.blocking_recv().unwrap_or(Err(Failure::Closed))?;
        self.is_first = false;
        ended.into_iter().for_each(LeaseFile::remove);
        Ok(freed)
    }
}

/// Makes the messages of ended holders visible. Each receive counts, so that a message that kills the
/// processes that receive it becomes a dead letter in the end.
fn free(
    tx: &Tx<'_>,
    now: Timestamp,
    mut has_ended: impl FnMut(Holder) -> bool,
) -> Result<usize, Failure> {
    let mut freed = 0;
    for queue in Queue::ALL {
        let mut statement = tx.prepare_cached(HELD)?;
        let held = statement.query_map(params![code(queue), now.millis()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
        let held: Vec<(i64, Option<String>, String)> = held.collect::<Result<_, _>>()?;
        let mut groups = vec![];
        for (seq, group, token) in held {
            if Holder::of_token(&token).is_some_and(&mut has_ended) {
                tx.prepare_cached(RELEASE)?.execute(params![seq, now.millis()])?;
                tx.marks.wakes.add(queue);
                groups.extend(group);
                freed += 1;
            }
        }
        settle_all(tx, queue, groups, now)?;
    }
    Ok(freed)
}

/// The lease of this process, under whose name it holds its messages.
#[derive(Debug)]
pub(super) struct Leases {
    holder: Holder,
    entry: Mutex<Option<LeaseFile>>,
    stopped: Arc<AtomicBool>,
    watcher: Thread,
    handle: Mutex<Option<JoinHandle<()>>>,
}

impl Leases {
    fn begin(
        folder: PathBuf,
        writer: Writer,
        clock: Arc<dyn Clock>,
        supervisor: &Supervisor,
        draw: impl Fn() -> u64,
    ) -> io::Result<Self> {
        let entry = LeaseFile::make(&folder, draw)?;
        let holder = entry.holder;
        let mut watch = Watch { folder, own: holder, writer, clock, is_first: true };
        let stopped = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&stopped);
        let part = "the watch over processes that end";
        let handle = supervisor.thread("ocache-leases", part, move || {
            if until.load(Ordering::SeqCst) {
                return ControlFlow::Break(());
            }
            match watch.look() {
                Ok(0) => {}
                Ok(count) => info!(count, "messages of processes that ended are free again"),
                Err(Failure::Closed) => return ControlFlow::Break(()),
                Err(failure) => {
                    let error = failure.into_port(&watch.folder);
                    warn!(error = %Chain(&error), "messages of a process that ended stay hidden");
                }
            }
            thread::park_timeout(LOOK_EVERY);
            ControlFlow::Continue(())
        })?;
        let watcher = handle.thread().clone();
        let (entry, handle) = (Mutex::new(Some(entry)), Mutex::new(Some(handle)));
        Ok(Self { holder, entry, stopped, watcher, handle })
    }

    /// Stops the watching thread. Returns its handle to wait for.
    pub(super) fn stop(&self) -> Option<JoinHandle<()>> {
        self.stopped.store(true, Ordering::SeqCst);
        self.watcher.unpark();
        lock(&self.handle).take()
    }

    /// Removes the lease, after everything received is acknowledged or visible again.
    pub(super) fn leave(&self) {
        if let Some(entry) = lock(&self.entry).take() {
            entry.remove();
        }
    }
}

impl Drop for Leases {
    fn drop(&mut self) {
        self.stop();
        self.leave();
    }
}

impl Embedded {
    /// Registers this process among those that work on the store, until the store is closed.
    ///
    /// # Errors
    /// [`PortError`] if the file of the lease cannot be made.
    pub async fn enter(&self) -> Result<(), PortError> {
        self.holder().await.map(drop)
    }

    /// Returns the name under which this process is registered, if it is.
    pub(super) fn own_holder(&self) -> Option<String> {
        self.leases().get().map(|leases| leases.holder.digits())
    }

    /// Whether the process that registered under a name has ended.
    pub(super) fn has_ended(&self, holder: &str) -> bool {
        let Some(holder) = Holder::read(holder) else { return false };
        match open(&holder.file(&self.leases_folder())) {
            Ok(file) => file.try_lock_shared().is_ok(),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }

    /// Whether another registered process works on the store.
    #[must_use]
    pub fn others_live(&self) -> bool {
        let own = self.leases().get().map(|leases| leases.holder);
        others_live(&self.leases_folder(), own)
    }

    /// Returns a token for a delivery to this process.
    pub(super) async fn delivery_token(&self) -> Result<String, PortError> {
        Ok(format!("{}{:016x}", self.holder().await?.digits(), self.draw()))
    }

    fn leases_folder(&self) -> PathBuf {
        self.file().with_file_name("leases")
    }

    fn draw(&self) -> u64 {
        u128::from_be_bytes(self.random_bits()) as u64
    }

    async fn holder(&self) -> Result<Holder, PortError> {
        let (folder, draw) = (self.leases_folder(), || self.draw());
        let begin = async || {
            let (writer, clock) = (self.writer().clone(), Arc::clone(self.clock()));
            Leases::begin(folder.clone(), writer, clock, self.supervisor(), draw)
        };
        let leases = self.leases().get_or_try_init(begin).await;
        let failed = |error| PortError::unavailable(folder.display().to_string(), error);
        Ok(leases.map_err(failed)?.holder)
    }
}

/// Ends a process as `kill -9` would: the lock ends, and nothing else is done.
#[cfg(test)]
pub(super) fn kill(store: &Embedded) {
    let leases = store.leases().get().unwrap();
    drop(leases.stop().map(JoinHandle::join));
    drop(lock(&leases.entry).take().map(|entry| entry.file));
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fifo, open_with, secs, stopped};
    use super::*;
    use crate::ports::{Outgoing, Queues as _, Received};

    async fn receive(store: &Embedded, queue: Queue, wait: Duration) -> Vec<Received> {
        store.receive(queue, 10, wait, secs(60)).await.unwrap()
    }

    async fn look(store: &Embedded, is_first: bool) -> usize {
        let own = store.leases().get().unwrap().holder;
        let (writer, clock) = (store.writer().clone(), Arc::clone(store.clock()));
        let folder = store.file().with_file_name("leases");
        let mut watch = Watch { folder, own, writer, clock, is_first };
        tokio::task::spawn_blocking(move || watch.look().unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn what_a_killed_process_held_is_free_at_once() {
        // This clock stands still, so no visibility timeout ends.
        let (killed, clock, dir) = stopped();
        let survivor = open_with(dir.path(), clock);
        killed.send(Queue::Provider, &[Outgoing::standard("a")]).await.unwrap();
        killed.send(Queue::Quotation, &[fifo("ann", "1"), fifo("ann", "2")]).await.unwrap();
        for queue in [Queue::Provider, Queue::Quotation] {
            assert!(!receive(&killed, queue, Duration::ZERO).await.is_empty());
            assert!(receive(&survivor, queue, Duration::ZERO).await.is_empty());
        }
        kill(&killed);
        let wait = Duration::MAX;
        let again = receive(&survivor, Queue::Provider, wait).await;
        assert_eq!((again[0].body.as_str(), again[0].receive_count), ("a", 2));
        let again = receive(&survivor, Queue::Quotation, wait).await;
        let bodies: Vec<_> = again.iter().map(|message| message.body.as_str()).collect();
        assert_eq!(bodies, ["1", "2"]);
        // The file of the killed process is removed.
        while fs::read_dir(dir.path().join("leases")).unwrap().count() > 1 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn what_a_living_process_holds_is_left_to_it() {
        let (living, clock, dir) = stopped();
        let other = open_with(dir.path(), clock);
        living.send(Queue::Provider, &[Outgoing::standard("a")]).await.unwrap();
        let held = receive(&living, Queue::Provider, Duration::ZERO).await;
        assert!(receive(&other, Queue::Provider, Duration::ZERO).await.is_empty());
        for is_first in [true, false] {
            assert_eq!(look(&other, is_first).await, 0);
            assert_eq!(look(&living, is_first).await, 0, "one's own");
        }
        living.acknowledge(Queue::Provider, &[held[0].receipt.clone()]).await.unwrap();
        assert_eq!(living.depth(Queue::Provider).await.unwrap(), Default::default());
    }

    #[tokio::test]
    async fn what_nobodys_file_stands_for_is_free_when_a_process_begins() {
        let (first, clock, dir) = stopped();
        first.send(Queue::Provider, &[Outgoing::standard("a")]).await.unwrap();
        assert_eq!(receive(&first, Queue::Provider, Duration::ZERO).await.len(), 1);
        first.close().await;
        assert!(!dir.path().join("leases").exists(), "who leaves takes everything along");
        let second = open_with(dir.path(), clock);
        assert_eq!(receive(&second, Queue::Provider, Duration::MAX).await.len(), 1);
    }

    #[test]
    fn many_enter_and_leave_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("leases");
        thread::scope(|scope| {
            for number in 0..8_u64 {
                let folder = &folder;
                scope.spawn(move || {
                    for turn in 0..50 {
                        let entry = LeaseFile::make(folder, || number * 1000 + turn).unwrap();
                        assert!(entry.path.exists());
                        let of_others = ended(folder, entry.holder);
                        assert!(of_others.iter().all(|other| other.holder != entry.holder));
                        entry.remove();
                    }
                });
            }
        });
        assert!(!folder.exists());
    }
}
