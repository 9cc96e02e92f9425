//! Reads in parallel, each reader on its own connection.
//!
//! A read by key takes a few microseconds, less than waking another thread. So it runs on the calling
//! thread. Longer reads run on reading threads, so that they do not keep the caller's thread from other
//! work.

use std::io;
use std::ops::ControlFlow;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::thread;

use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use super::failure::Failure;
use crate::supervisor::Supervisor;

enum ReaderCommand {
    Read(Box<dyn FnOnce(&Connection) + Send>),
    Stop,
}

/// Hands reads to the reading threads, or to the calling thread.
pub(super) struct Readers {
    /// The connections for calling threads. Each is `None` once the store is closed.
    at_hand: Vec<Mutex<Option<Connection>>>,
    commands: Sender<ReaderCommand>,
    threads: usize,
}

impl Readers {
    /// Starts one thread for each of `connections`. Those of `at_hand` are for calling threads.
    pub(super) fn spawn(
        connections: Vec<Connection>,
        at_hand: Vec<Connection>,
        supervisor: &Supervisor,
    ) -> io::Result<(Self, Vec<thread::JoinHandle<()>>)> {
        let (commands, inbox) = mpsc::channel();
        let inbox = Arc::new(Mutex::new(inbox));
        let threads = connections.len();
        let handles = connections
            .into_iter()
            .map(|connection| {
                let inbox = Arc::clone(&inbox);
                supervisor.thread("ocache-read", "a reading thread of the store", move || {
                    serve_next(&connection, &inbox)
                })
            })
            .collect::<io::Result<_>>()?;
        let at_hand = at_hand.into_iter().map(|one| Mutex::new(Some(one))).collect();
        Ok((Self { at_hand, commands, threads }, handles))
    }

    /// Reads a few rows by their keys on this thread. A reading thread does it if every connection at hand
    /// is in use, or if another process holds the file for a moment.
    pub(super) async fn look<T, F>(&self, read: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: Fn(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        match self.at_once(|connection| snapshot(connection, &read)) {
            Some(result) => result,
            None => self.run(read).await,
        }
    }

    /// Reads with one statement, which needs no transaction to see a single moment.
    pub(super) async fn look_once<T, F>(&self, read: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: Fn(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        match self.at_once(&read) {
            Some(result) => result,
            None => self.run(read).await,
        }
    }

    /// Returns the result of a read, if it need not wait for anything.
    fn at_once<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Failure>,
    ) -> Option<Result<T, Failure>> {
        let connection = self.at_hand.iter().find_map(|one| match one.try_lock() {
            Ok(connection) => Some(connection),
            // A read that panicked has ended its transaction, if it had one, so the connection can be used
            // again.
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        })?;
        let result = read(connection.as_ref()?);
        (!matches!(&result, Err(Failure::Sqlite(error)) if is_busy(error))).then_some(result)
    }

    /// Reads on a reading thread. Everything that one call reads is of one moment.
    pub(super) async fn run<T, F>(&self, read: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let command = ReaderCommand::Read(Box::new(move |connection| {
            if !answer.is_closed() {
                let _ = answer.send(snapshot(connection, read));
            }
        }));
        // If the threads have ended, the command is dropped here, and the receiver gets an error.
        let _ = self.commands.send(command);
        answered.await.unwrap_or(Err(Failure::Closed))
    }

    /// Tells the threads to finish their reads and end, and closes the connections at hand.
    pub(super) fn stop(&self) {
        for one in &self.at_hand {
            drop(one.lock().unwrap_or_else(PoisonError::into_inner).take());
        }
        for _ in 0..self.threads {
            let _ = self.commands.send(ReaderCommand::Stop);
        }
    }
}

fn serve_next(connection: &Connection, inbox: &Mutex<Receiver<ReaderCommand>>) -> ControlFlow<()> {
    let command = inbox.lock().unwrap_or_else(PoisonError::into_inner).recv();
    match command {
        Ok(ReaderCommand::Read(read)) => read(connection),
        Ok(ReaderCommand::Stop) | Err(_) => return ControlFlow::Break(()),
    }
    ControlFlow::Continue(())
}

fn is_busy(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

fn snapshot<T>(
    connection: &Connection,
    read: impl FnOnce(&Connection) -> Result<T, Failure>,
) -> Result<T, Failure> {
    connection.prepare_cached("BEGIN")?.execute([])?;
    let ended = EndedOnPanic(connection);
    let result = read(connection);
    drop(ended);
    if !connection.is_autocommit() {
        connection.prepare_cached("COMMIT")?.execute([])?;
    }
    result
}

/// Ends the transaction of a read that panics. If it stayed open, the log could not be copied.
struct EndedOnPanic<'a>(&'a Connection);

impl Drop for EndedOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() && !self.0.is_autocommit() {
            // If the rollback fails, the next read fails too and says why.
            let _ = self.0.execute_batch("ROLLBACK");
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;
    use crate::supervisor::catch;

    fn readers(at_hand: usize) -> Readers {
        let open = || Connection::open_in_memory().unwrap();
        let at_hand = (0..at_hand).map(|_| open()).collect();
        Readers::spawn(vec![open()], at_hand, &Supervisor::new()).unwrap().0
    }

    fn thread_name(_: &Connection) -> Result<Option<String>, Failure> {
        Ok(thread::current().name().map(str::to_owned))
    }

    #[tokio::test]
    async fn a_look_is_taken_by_who_asks_unless_it_would_have_to_wait() {
        let here = thread_name(&Connection::open_in_memory().unwrap()).unwrap();
        let there = Some("ocache-read".to_owned());
        assert_eq!(readers(1).look(thread_name).await.unwrap(), here);
        assert_eq!(readers(0).look(thread_name).await.unwrap(), there, "none is at hand");
        let locked = |connection: &Connection| match thread_name(connection)? {
            name if name.as_deref() == Some("ocache-read") => Ok(name),
            _ => Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_BUSY), None))?,
        };
        assert_eq!(readers(1).look(locked).await.unwrap(), there);
    }

    #[tokio::test]
    async fn a_look_at_several_rows_is_a_transaction_and_one_statement_needs_none() {
        let readers = readers(1);
        let is_in_transaction = |connection: &Connection| Ok(!connection.is_autocommit());
        assert!(readers.look(is_in_transaction).await.unwrap());
        assert!(!readers.look_once(is_in_transaction).await.unwrap());
    }

    #[tokio::test]
    async fn a_look_that_panics_leaves_its_connection_as_it_was() {
        let readers = readers(1);
        let panics = |_: &Connection| -> Result<(), Failure> { panic!("a bad look") };
        assert!(catch(readers.look(panics)).await.is_err());
        assert!(catch(readers.look_once(panics)).await.is_err());
        let here = thread_name(&Connection::open_in_memory().unwrap()).unwrap();
        assert_eq!(readers.look(thread_name).await.unwrap(), here);
    }

    #[tokio::test]
    async fn after_the_end_nobody_looks() {
        let readers = readers(1);
        readers.stop();
        assert!(matches!(readers.look(thread_name).await, Err(Failure::Closed)));
    }
}
