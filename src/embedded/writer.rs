//! The one thread that writes: jobs of many tasks become one transaction.
//!
//! A commit waits for the disk; jobs that come meanwhile share the next one. Each job has a
//! savepoint of its own, so one that fails undoes only itself, and nobody gets an answer before
//! the commit.

use std::io;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, TryRecvError};
use std::thread;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::failure::Failure;
use super::handover::Waiter;
use super::sweep::Sweeper;
use super::take::take;
use super::wake::{QueueSet, Wake, Wakes};
use crate::ports::{Clock, Queue, Received};

/// The most jobs of one transaction.
const MAX_JOBS: usize = 256;

/// The transaction a job runs in.
pub(super) struct Tx<'a> {
    connection: &'a Connection,
    /// Which queues' receivers to wake after the commit.
    pub(super) wakes: Wakes,
}

impl Deref for Tx<'_> {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        self.connection
    }
}

/// Something to write, and somebody to answer.
trait Job: Send {
    /// Does it, keeps the result.
    fn work(&mut self, tx: &Tx<'_>) -> Result<(), Failure>;
    /// Answers, with the result or with why nothing was committed.
    fn answer(self: Box<Self>, committed: Result<(), Failure>);
}

struct Write<T, F> {
    work: Option<F>,
    result: Option<Result<T, Failure>>,
    answer: oneshot::Sender<Result<T, Failure>>,
}

impl<T, F> Job for Write<T, F>
where
    T: Send,
    F: FnOnce(&Tx<'_>) -> Result<T, Failure> + Send,
{
    fn work(&mut self, tx: &Tx<'_>) -> Result<(), Failure> {
        let Some(work) = self.work.take() else { return Ok(()) };
        let result = work(tx);
        let outcome = result.as_ref().map(|_| ()).map_err(Clone::clone);
        self.result = Some(result);
        outcome
    }

    fn answer(self: Box<Self>, committed: Result<(), Failure>) {
        let result = self.result.unwrap_or(Err(Failure::Closed));
        // Nobody may be waiting any more; that is no reason not to have written.
        let _ = self.answer.send(committed.and(result));
    }
}

enum Order {
    Job(Box<dyn Job>),
    Stop,
}

/// Hands jobs to the writing thread.
#[derive(Clone)]
pub(super) struct Writer(mpsc::Sender<Order>);

impl Writer {
    /// Starts the thread.
    pub(super) fn spawn(
        connection: Connection,
        wake: Arc<Wake>,
        sweeper: Sweeper,
    ) -> io::Result<(Self, thread::JoinHandle<()>)> {
        let (orders, inbox) = mpsc::channel();
        let inbox = Inbox { orders: inbox, stopping: false };
        let mut desk = Desk { connection, inbox, wake, sweeper };
        let handle =
            thread::Builder::new().name("ocache-write".into()).spawn(move || desk.run())?;
        Ok((Self(orders), handle))
    }

    /// Does a job and waits until it is committed. The job is done even when the future is
    /// dropped.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T, Failure> + Send + 'static,
    {
        self.submit(work).await.unwrap_or(Err(Failure::Closed))
    }

    /// Hands a job over; whoever wants its answer awaits it.
    pub(super) fn submit<T, F>(&self, work: F) -> oneshot::Receiver<Result<T, Failure>>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T, Failure> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        // When the thread has ended, the job is dropped here, and `answered` says so.
        let _ = self.0.send(Order::Job(Box::new(Write { work: Some(work), result: None, answer })));
        answered
    }

    /// Lets the thread do what it was given and end.
    pub(super) fn stop(&self) {
        let _ = self.0.send(Order::Stop);
    }
}

/// The state of the writing thread.
struct Desk {
    connection: Connection,
    inbox: Inbox,
    wake: Arc<Wake>,
    sweeper: Sweeper,
}

/// What is to be done.
struct Inbox {
    orders: mpsc::Receiver<Order>,
    stopping: bool,
}

impl Inbox {
    fn try_next(&mut self) -> Option<Box<dyn Job>> {
        loop {
            match self.orders.try_recv() {
                Ok(Order::Job(job)) => return Some(job),
                Ok(Order::Stop) | Err(TryRecvError::Disconnected) if !self.stopping => {
                    self.stopping = true;
                }
                Ok(Order::Stop) => {}
                Err(_) => return None,
            }
        }
    }
}

impl Desk {
    fn run(&mut self) {
        while let Some(first) = self.next() {
            self.write(first);
            if self.sweeper.is_overdue() {
                self.sweep();
            }
        }
    }

    /// The next job, sweeping while there is none; `None` when the thread should end.
    fn next(&mut self) -> Option<Box<dyn Job>> {
        loop {
            if let Some(job) = self.inbox.try_next() {
                return Some(job);
            }
            if self.inbox.stopping {
                return None;
            }
            if self.sweeper.is_due() {
                self.sweep();
                continue;
            }
            match self.inbox.orders.recv_timeout(self.sweeper.pause()) {
                Ok(Order::Job(job)) => return Some(job),
                Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => {
                    self.inbox.stopping = true;
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Does a job, and with it those that have come by the time it is done.
    fn write(&mut self, first: Box<dyn Job>) {
        let Self { connection, inbox, wake, sweeper } = self;
        let (mut jobs, mut served) = (Vec::new(), Vec::new());
        let mut next = Some(first);
        let outcome = transaction(connection, |tx| {
            while let Some(mut job) = next.take() {
                let done = apart(tx, |tx| job.work(tx));
                // Kept whatever has become of it, because it has to be answered.
                jobs.push(job);
                done?;
                next = if jobs.len() < MAX_JOBS { inbox.try_next() } else { None };
            }
            serve(tx, wake, sweeper.clock(), &mut served)
        });
        // It could not even begin, and nor could what has come meanwhile.
        while let Some(job) = next.take() {
            jobs.push(job);
            next = if jobs.len() < MAX_JOBS { inbox.try_next() } else { None };
        }
        let committed = match outcome {
            Ok(wakes) => {
                for (waiter, messages) in served {
                    // One for whom there was nothing is dropped by this, and looks again.
                    if !messages.is_empty() {
                        waiter.give(messages);
                    }
                }
                // There may be more than was asked for, or something that is ready later.
                wake.ring(wakes);
                Ok(())
            }
            Err(failure) => Err(failure),
        };
        for job in jobs {
            job.answer(committed.clone());
        }
    }

    fn sweep(&mut self) {
        let connection = &self.connection;
        let swept = self.sweeper.step(connection, |work| transaction(connection, work).map(drop));
        if let Err(failure) = swept {
            tracing::debug!(?failure, "expired records are not deleted");
        }
    }
}

/// Takes what the transaction has made ready for the receivers that wait for it.
fn serve(
    tx: &Tx<'_>,
    wake: &Wake,
    clock: &dyn Clock,
    served: &mut Vec<(Waiter, Vec<Received>)>,
) -> Result<(), Failure> {
    for queue in Queue::ALL {
        let waiters = &wake.bell(queue).waiters;
        while tx.wakes.get().has(queue)
            && let Some(waiter) = waiters.first()
        {
            let mut messages = Vec::new();
            apart(tx, |tx| {
                messages = take(tx, &waiter.order, clock.now())?;
                Ok(())
            })?;
            let in_vain = messages.is_empty();
            served.push((waiter, messages));
            if in_vain {
                break;
            }
        }
    }
    Ok(())
}

/// Runs `work` in one transaction; returns the queues it made something ready in.
fn transaction(
    connection: &Connection,
    work: impl FnOnce(&Tx<'_>) -> Result<(), Failure>,
) -> Result<QueueSet, Failure> {
    let tx = Tx { connection, wakes: Wakes::default() };
    execute(connection, "BEGIN IMMEDIATE")?;
    let outcome = work(&tx).and_then(|()| execute(connection, "COMMIT"));
    if outcome.is_err() && !connection.is_autocommit() {
        execute(connection, "ROLLBACK")?;
    }
    outcome.map(|()| tx.wakes.get())
}

/// Runs one job in a savepoint: its failure undoes only itself. Fails only when the whole
/// transaction is lost.
fn apart(tx: &Tx<'_>, work: impl FnOnce(&Tx<'_>) -> Result<(), Failure>) -> Result<(), Failure> {
    execute(tx, "SAVEPOINT job")?;
    if let Err(failure) = work(tx) {
        // A full disk, for one, makes SQLite roll everything back by itself.
        if tx.is_autocommit() {
            return Err(failure);
        }
        execute(tx, "ROLLBACK TO job")?;
    }
    execute(tx, "RELEASE job")
}

fn execute(connection: &Connection, sql: &str) -> Result<(), Failure> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::testing::{fresh, standard};
    use super::*;
    use crate::ports::{PortError, Queue, Queues as _};

    const COUNT: &str = "SELECT count(*) FROM product";

    fn put(tx: &Tx<'_>, id: &str) -> Result<(), Failure> {
        tx.prepare_cached("INSERT INTO product (id, name, price) VALUES (?1, '', 1)")?
            .execute([id])?;
        Ok(())
    }

    async fn count(store: &super::super::Embedded) -> i64 {
        store.read(|c| Ok(c.query_one(COUNT, [], |row| row.get(0))?)).await.unwrap()
    }

    /// Holds the writing thread until the result is dropped, so that jobs gather.
    fn hold(writer: &Writer) -> mpsc::Sender<()> {
        let (release, held) = mpsc::channel();
        let (begun, begins) = mpsc::channel();
        drop(writer.submit(move |_| {
            begun.send(()).unwrap();
            let _ = held.recv();
            Ok(())
        }));
        begins.recv().unwrap();
        release
    }

    #[tokio::test]
    async fn jobs_that_gather_share_a_commit_and_a_failing_one_undoes_only_itself() {
        let (store, _dir) = fresh();
        let held = hold(store.writer());
        let good = store.writer().submit(|tx| put(tx, "P1"));
        let bad: oneshot::Receiver<Result<(), _>> = store.writer().submit(|tx| {
            put(tx, "P2")?;
            Err(Failure::rejected("P2", "not wanted"))
        });
        let constraint = store.writer().submit(|tx| put(tx, "P1"));
        let file = store.file().to_owned();
        let late = store.writer().submit(move |tx| {
            put(tx, "P3")?;
            let count = |of: &Connection| of.query_one(COUNT, [], |row| row.get::<_, i64>(0));
            Ok((count(tx)?, count(&Connection::open(file)?)?))
        });
        assert_eq!(count(&store).await, 0);
        drop(held);
        assert!(good.await.unwrap().is_ok());
        assert!(matches!(bad.await.unwrap(), Err(Failure::Rejected { .. })));
        assert!(matches!(constraint.await.unwrap(), Err(Failure::Sqlite(_))));
        assert_eq!(late.await.unwrap().unwrap(), (2, 0), "of one transaction, not committed yet");
        assert_eq!(count(&store).await, 2);
    }

    #[tokio::test]
    async fn a_commit_that_fails_fails_all_its_jobs_and_not_the_next() {
        let (store, _dir) = fresh();
        let held = hold(store.writer());
        let innocent = store.writer().submit(|tx| put(tx, "P1"));
        // Ends the transaction under the others, as a full disk can.
        let culprit = store.writer().submit(|tx| {
            execute(tx, "ROLLBACK")?;
            tx.execute_batch("not SQL")?;
            Ok(())
        });
        drop(held);
        assert!(matches!(innocent.await.unwrap(), Err(Failure::Sqlite(_))));
        assert!(matches!(culprit.await.unwrap(), Err(Failure::Sqlite(_))));
        assert_eq!(count(&store).await, 0);
        store.write(|tx| put(tx, "P2")).await.unwrap();
        assert_eq!(count(&store).await, 1);
    }

    #[tokio::test]
    async fn a_full_disk_is_an_error_that_passes() {
        let (store, _dir) = fresh();
        let limit = |pages: i64| {
            store.write(move |tx| {
                let pages = format!("PRAGMA max_page_count = {pages}");
                Ok(tx.query_one(&pages, [], |row| row.get::<_, i64>(0)).map(drop)?)
            })
        };
        limit(1).await.unwrap();
        let large = [standard(&"x".repeat(200_000))];
        let error = store.send(Queue::Provider, &large).await.unwrap_err();
        assert!(matches!(&error, PortError::Unavailable { what, .. } if what.contains("store.db")));
        limit(1 << 30).await.unwrap();
        assert!(store.send(Queue::Provider, &large).await.unwrap().is_empty());
        let received = store.receive(Queue::Provider, 10, Duration::ZERO, Duration::MAX).await;
        assert_eq!(received.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn closing_finishes_what_was_begun() {
        let (store, _dir) = fresh();
        let jobs: Vec<_> =
            (0..1000).map(|n| store.writer().submit(move |tx| put(tx, &n.to_string()))).collect();
        store.close().await;
        for job in jobs {
            job.await.unwrap().unwrap();
        }
        let error = store.write(|tx| put(tx, "late")).await.unwrap_err();
        assert!(matches!(error, PortError::Unavailable { .. }));
        let waiting = store.receive(Queue::Provider, 1, Duration::MAX, Duration::MAX).await;
        assert!(matches!(waiting, Err(PortError::Unavailable { .. })));
    }
}
