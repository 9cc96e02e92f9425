//! Which process holds a message that it has received, so that its messages are free when it ends.
//!
//! A process that receives has a file of its own in the folder `leases`, and the operating system's
//! lock on it for as long as it runs. The lock ends with the process, however that ends: whoever can
//! lock the file of another process knows that it is gone. Its id would not tell, because another
//! process may have it by then. Deliveries carry the name of that file in their tokens.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use rusqlite::params;
use tracing::{info, warn};

use super::engine::Embedded;
use super::failure::Failure;
use super::groups::{code, settle_all};
use super::marks::{Tx, Writer};
use super::open::{create_dir, create_private};
use crate::model::Timestamp;
use crate::ports::{Chain, Clock, PortError, Queue};
use crate::supervisor::Supervisor;

/// How often a process looks whether another one has ended.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How the files are named, behind the holder.
const EXTENSION: &str = "lock";

pub(super) const HELD: &str = "
    SELECT seq, grp, token FROM message
    WHERE queue = ?1 AND hidden_until > ?2 AND token IS NOT NULL";
pub(super) const RELEASE: &str = "
    UPDATE message SET hidden_until = NULL, token = NULL,
        ready_at = CASE WHEN ready_at IS NULL THEN NULL ELSE ?2 END
    WHERE seq = ?1";

/// A process that receives. Its name is drawn once and never used again.
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

    /// Who received a message, by the token of the delivery.
    fn of_token(token: &str) -> Option<Self> {
        Self::read(token.get(..Self::DIGITS)?)
    }

    fn read(digits: &str) -> Option<Self> {
        u64::from_str_radix(digits, 16).ok().map(Self)
    }
}

/// The file that says that this process runs.
#[derive(Debug)]
struct Entry {
    holder: Holder,
    path: PathBuf,
    /// Locked for as long as it is open.
    file: File,
}

impl Entry {
    fn make(folder: &Path, draw: impl Fn() -> u64) -> io::Result<Self> {
        loop {
            let holder = Holder(draw());
            let path = holder.file(folder);
            match create_dir(folder) {
                // The last one that left removed it while we looked whether it is there.
                Err(error) if is_again(&error) && !folder.is_file() => continue,
                created => created?,
            }
            match create_private(&path, true) {
                // The last one that left has just removed the folder; or the name is taken.
                Err(error) if is_again(&error) => continue,
                created => created?,
            }
            let file = match open(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                opened => opened?,
            };
            match file.lock() {
                // There SQLite has no locks either, and no other process can share the store.
                Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
                locked => locked?,
            }
            // Before it was locked, another process may have taken it for that of a dead one.
            if path.exists() {
                return Ok(Self { holder, path, file });
            }
        }
    }

    /// Removes the file. The lock ends with it.
    fn remove(self) {
        let _ = fs::remove_file(&self.path);
        drop(self.file);
        // Only the last one can remove the folder.
        let _ = self.path.parent().map(fs::remove_dir);
    }
}

fn is_again(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::AlreadyExists)
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(path)
}

/// The entries of processes that have ended. Nobody else takes them while these are kept.
fn ended(folder: &Path, own: Holder) -> Vec<Entry> {
    let Ok(files) = fs::read_dir(folder) else { return vec![] };
    let paths = files.filter_map(|file| Some(file.ok()?.path()));
    let others = paths.filter_map(|path| {
        let holder = Holder::of_file(&path).filter(|holder| *holder != own)?;
        let file = open(&path).ok()?;
        match file.try_lock() {
            Ok(()) => Some(Entry { holder, path, file }),
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => None,
        }
    });
    others.collect()
}

/// Held while the files of processes that have ended are locked by this one: whoever looks meanwhile would
/// take them for alive.
fn seeing_to_the_dead() -> MutexGuard<'static, ()> {
    static SEEING_TO: Mutex<()> = Mutex::new(());
    SEEING_TO.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether the file of another process is locked.
fn others_live(folder: &Path, own: Option<Holder>) -> bool {
    let _seen_to = seeing_to_the_dead();
    let Ok(files) = fs::read_dir(folder) else { return false };
    let mut paths = files.filter_map(|file| Some(file.ok()?.path()));
    paths.any(|path| {
        let is_other = Holder::of_file(&path).is_some_and(|holder| Some(holder) != own);
        let file = if is_other { open(&path).ok() } else { None };
        file.is_some_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    })
}

/// Looks after processes that end, and frees what they held.
struct Watch {
    folder: PathBuf,
    own: Holder,
    writer: Writer,
    clock: Arc<dyn Clock>,
    /// Whether this is the first look. Then what nobody's file stands for is freed too: it is of a
    /// backup, or of a process that removed its file before it let go of its messages.
    is_first: bool,
}

impl Watch {
    /// Frees the messages of all processes that have ended; says how many.
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
                // A file is made before anything is received, so a process without one has ended.
                let is_stranger = || with_strangers && !holder.file(&folder).exists();
                *known.entry(holder).or_insert_with(is_stranger)
            })
        });
        let freed = freeing.blocking_recv().unwrap_or(Err(Failure::Closed))?;
        self.is_first = false;
        ended.into_iter().for_each(Entry::remove);
        Ok(freed)
    }
}

/// Makes messages visible whose holder has ended. Each of their receives counts: a message that ends
/// the processes which receive it must be given up some time.
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

/// What this process receives is held under its name.
#[derive(Debug)]
pub(super) struct Leases {
    holder: Holder,
    entry: Mutex<Option<Entry>>,
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
        let entry = Entry::make(&folder, draw)?;
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

    /// Ends the watching thread; returns it, to be waited for.
    pub(super) fn stop(&self) -> Option<JoinHandle<()>> {
        self.stopped.store(true, Ordering::SeqCst);
        self.watcher.unpark();
        lock(&self.handle).take()
    }

    /// Nothing is received any more, and what was is acknowledged or shown again.
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

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Embedded {
    /// Enters this process among those that work on the store, until it is closed.
    ///
    /// # Errors
    /// When its file cannot be made.
    pub async fn enter(&self) -> Result<(), PortError> {
        self.holder().await.map(drop)
    }

    /// The name that this process has entered itself by, if it has.
    pub(super) fn own_holder(&self) -> Option<String> {
        self.leases().get().map(|leases| leases.holder.digits())
    }

    /// Whether the process that entered itself by a name has ended.
    pub(super) fn has_ended(&self, holder: &str) -> bool {
        let Some(holder) = Holder::read(holder) else { return false };
        match open(&holder.file(&self.leases_folder())) {
            Ok(file) => file.try_lock_shared().is_ok(),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }

    /// Whether another process works on the store that has entered itself.
    #[must_use]
    pub fn others_live(&self) -> bool {
        let own = self.leases().get().map(|leases| leases.holder);
        others_live(&self.leases_folder(), own)
    }

    /// A token for a delivery to this process.
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

/// Like `kill -9`: the lock ends, and nothing else is done.
#[cfg(test)]
pub(super) fn kill(store: &Embedded) {
    let leases = store.leases().get().unwrap();
    drop(leases.stop().map(JoinHandle::join));
    drop(lock(&leases.entry).take().map(|entry| entry.file));
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fifo, open_with, secs, standard, stopped};
    use super::*;
    use crate::ports::{Queues as _, Received};

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
        // By this clock no visibility ever ends.
        let (killed, clock, dir) = stopped();
        let survivor = open_with(dir.path(), clock);
        killed.send(Queue::Provider, &[standard("a")]).await.unwrap();
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
        // Nobody looks for it any more.
        while fs::read_dir(dir.path().join("leases")).unwrap().count() > 1 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn what_a_living_process_holds_is_left_to_it() {
        let (living, clock, dir) = stopped();
        let other = open_with(dir.path(), clock);
        living.send(Queue::Provider, &[standard("a")]).await.unwrap();
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
        first.send(Queue::Provider, &[standard("a")]).await.unwrap();
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
                        let entry = Entry::make(folder, || number * 1000 + turn).unwrap();
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
