//! The engine itself: its threads, and the methods that reach them.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::{Connection, Params};
use tokio::sync::OnceCell;

use super::clock;
use super::failure::Failure;
use super::known_heads::KnownHeads;
use super::leases::Leases;
use super::marks::{Tx, Writer};
use super::open;
use super::open_error::OpenError;
use super::readers::Readers;
use super::serving::Serving;
use super::sweep::Sweeper;
use super::wake::{self, Wake};
use super::writer::Urgency;
use crate::model::Timestamp;
use crate::ports::{Clock, Connections, PortError, Ports, Randomness};
use crate::supervisor::Supervisor;

/// Up to this many rows are read on the calling thread, which takes about a millisecond.
const FEW: usize = 100;

/// Tables, queues and topic in one SQLite file. Clones share everything.
#[derive(Clone)]
pub struct Embedded(Arc<Inner>);

struct Inner {
    file: PathBuf,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    writer: Writer,
    readers: Readers,
    heads: Arc<KnownHeads>,
    wake: Arc<Wake>,
    /// The leases of this process, once it has received messages or entered itself.
    leases: OnceCell<Leases>,
    supervisor: Supervisor,
    threads: Mutex<Threads>,
}

#[derive(Default)]
struct Threads {
    reading: Vec<JoinHandle<()>>,
    writing: Option<JoinHandle<()>>,
}

impl Embedded {
    /// Opens the store in a directory, and creates both if they do not exist. Other processes may have the
    /// store open too. Blocks while the disk is busy. If a thread of the engine panics, the supervisor is
    /// told. A store that is opened within a runtime must not be used after that runtime has ended.
    ///
    /// # Errors
    /// [`OpenError`], which names the file and has a hint.
    pub fn open(
        dir: &Path,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
        supervisor: &Supervisor,
    ) -> Result<Self, OpenError> {
        let opened = open::open(dir, open::BUSY_WAIT)?;
        let failed = |source| OpenError::inaccessible(&opened.file, source);
        clock::catch_up(&*clock, &opened.watcher);
        let wake = Arc::new(Wake::new());
        let serving = Serving::new(Arc::clone(&wake), Arc::clone(&clock));
        let sweeper = Sweeper::new(Arc::clone(&clock));
        let heads = Arc::new(KnownHeads::new(opened.index));
        let connections = (opened.writer, opened.copier);
        let (writer, writing) =
            Writer::spawn(connections, Arc::clone(&heads), serving, sweeper, supervisor)
                .map_err(failed)?;
        let (readers, mut reading) =
            Readers::spawn(opened.readers, opened.at_hand, supervisor).map_err(failed)?;
        let (watched, watcher) = (Arc::clone(&wake), opened.watcher);
        reading.push(
            wake::spawn_watcher(watched, watcher, Arc::clone(&clock), supervisor)
                .map_err(failed)?,
        );
        let threads = Mutex::new(Threads { reading, writing: Some(writing) });
        let file = opened.file;
        let leases = OnceCell::new();
        let supervisor = supervisor.clone();
        Ok(Self(Arc::new(Inner {
            file,
            clock,
            randomness,
            writer,
            readers,
            heads,
            wake,
            leases,
            supervisor,
            threads,
        })))
    }

    /// Whether there is a store in a directory.
    #[must_use]
    pub fn is_in(dir: &Path) -> bool {
        match dir.join(open::FILE).metadata() {
            Ok(file) => file.is_file(),
            // If permission is missing, opening the store reports that.
            Err(error) => error.kind() == io::ErrorKind::PermissionDenied,
        }
    }

    /// Returns every port. `connections` is that of the process that holds the websockets.
    #[must_use]
    pub fn ports(&self, connections: Arc<dyn Connections>) -> Ports {
        Ports {
            store: Arc::new(self.clone()),
            queues: Arc::new(self.clone()),
            dead_letters: Arc::new(self.clone()),
            topic: Arc::new(self.clone()),
            connections,
            usage: Arc::new(self.clone()),
            presence: Arc::new(self.clone()),
            clock: Arc::clone(&self.0.clock),
            randomness: Arc::clone(&self.0.randomness),
        }
    }

    /// Returns the file that holds everything.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.0.file
    }

    /// Finishes the work that was begun and closes the file. Every later call by any clone fails as
    /// unavailable. Without a close nothing that is committed is lost; only messages whose receive was
    /// cancelled at the last moment stay hidden for their visibility timeout.
    pub async fn close(&self) {
        let (inner, Threads { reading, writing }) = (Arc::clone(&self.0), self.0.take_threads());
        let joined = tokio::task::spawn_blocking(move || {
            inner.stop_reading();
            reading.into_iter().for_each(join);
            let leases = inner.leases.get();
            leases.and_then(Leases::stop).into_iter().for_each(join);
            // The writer ends last. The last connection to close copies the log into the file and deletes
            // the log, which a read-only connection cannot do.
            inner.writer.stop();
            writing.into_iter().for_each(join);
            leases.into_iter().for_each(Leases::leave);
        });
        let _ = joined.await;
    }

    /// Hands a job to the writing thread at once, and waits until it is committed.
    pub(super) fn write<T, F>(
        &self,
        work: F,
    ) -> impl Future<Output = Result<T, PortError>> + Send + use<'_, T, F>
    where
        T: Send + 'static,
        F: Fn(&Tx<'_>) -> Result<T, Failure> + Send + 'static,
    {
        self.write_with(Urgency::Prompt, work)
    }

    /// Like [`Self::write`], with this urgency.
    pub(super) fn write_with<T, F>(
        &self,
        urgency: Urgency,
        work: F,
    ) -> impl Future<Output = Result<T, PortError>> + Send + use<'_, T, F>
    where
        T: Send + 'static,
        F: Fn(&Tx<'_>) -> Result<T, Failure> + Send + 'static,
    {
        let written = self.0.writer.with(urgency).run(work);
        async move { written.await.map_err(|failure| self.port_error(failure)) }
    }

    /// Runs one statement in a transaction. Returns the number of rows that it has changed.
    pub(super) async fn execute(
        &self,
        statement: &'static str,
        values: impl Params + Clone + Send + 'static,
    ) -> Result<usize, PortError> {
        self.write(move |tx| Ok(tx.prepare_cached(statement)?.execute(values.clone())?)).await
    }

    /// Reads `rows` rows by their keys: a few on the calling thread, more on a reading thread.
    pub(super) async fn look<T, F>(&self, rows: usize, read: F) -> Result<T, PortError>
    where
        T: Send + 'static,
        F: Fn(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        let readers = &self.0.readers;
        let looked = match rows {
            0..=FEW => readers.look(read).await,
            _ => readers.run(read).await,
        };
        looked.map_err(|failure| failure.into_port(&self.0.file))
    }

    /// Reads with one statement on the calling thread.
    pub(super) async fn look_once<T, F>(&self, read: F) -> Result<T, PortError>
    where
        T: Send + 'static,
        F: Fn(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        let looked = self.0.readers.look_once(read).await;
        looked.map_err(|failure| failure.into_port(&self.0.file))
    }

    /// Reads any number of rows on a reading thread.
    pub(super) async fn read<T, F>(&self, read: F) -> Result<T, PortError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        self.0.readers.run(read).await.map_err(|failure| failure.into_port(&self.0.file))
    }

    pub(super) fn writer(&self) -> &Writer {
        &self.0.writer
    }

    pub(super) fn known_heads(&self) -> &Arc<KnownHeads> {
        &self.0.heads
    }

    pub(super) fn wake(&self) -> &Wake {
        &self.0.wake
    }

    pub(super) fn supervisor(&self) -> &Supervisor {
        &self.0.supervisor
    }

    pub(super) fn leases(&self) -> &OnceCell<Leases> {
        &self.0.leases
    }

    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    pub(super) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    pub(super) fn random_bits(&self) -> [u8; 16] {
        self.0.randomness.bits()
    }

    pub(super) fn port_error(&self, failure: Failure) -> PortError {
        failure.into_port(&self.0.file)
    }
}

fn join(thread: JoinHandle<()>) {
    // The supervisor has been told of a panic.
    let _ = thread.join();
}

impl Inner {
    fn stop_reading(&self) {
        self.readers.stop();
        self.heads.close();
        self.wake.stop();
    }

    fn take_threads(&self) -> Threads {
        std::mem::take(&mut self.threads.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop_reading();
        self.writer.stop();
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded").field("file", &self.0.file).finish_non_exhaustive()
    }
}
