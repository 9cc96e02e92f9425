//! The one thread that writes: jobs of many tasks become one transaction.
//!
//! A commit waits for the disk; jobs that come meanwhile share the next one, and nobody gets an answer
//! before it. When a job fails, nothing is committed: that job has its answer, and all others are
//! done again without it. A savepoint for each job would spare that, and copies every page that a job
//! changes; failing is rare.

use std::io;
use std::ops::{ControlFlow, Deref};
use std::sync::mpsc::{self, RecvTimeoutError, TryRecvError};
use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::answers::Answers;
use super::checkpoint::Copier;
use super::failure::Failure;
use crate::supervisor::Supervisor;

/// The most jobs of one transaction.
const MAX_JOBS: usize = 256;

/// The transaction a job runs in.
pub(super) struct Transaction<'a, M> {
    connection: &'a Connection,
    /// What its jobs tell the hook.
    pub(super) marks: M,
}

/// Takes part in every transaction with jobs.
pub(super) trait CommitHook: Send + 'static {
    /// What jobs tell it.
    type Marks: Default + 'static;
    /// Does its part after the jobs, in their transaction. When it fails, nothing is committed, and
    /// the jobs are done again without it.
    fn before_commit(&mut self, tx: &Transaction<'_, Self::Marks>) -> Result<(), Failure>;
    /// Comes instead of [`Self::before_commit`] when that has failed.
    fn left_out(&mut self, tx: &Transaction<'_, Self::Marks>);
    /// The transaction is committed.
    fn committed(&mut self, marks: Self::Marks);
    /// Nothing of the transaction was committed.
    fn undone(&mut self);
}

/// Work for when there are no jobs, and after a while also when there are.
pub(super) trait IdleWork<M>: Send + 'static {
    /// Whether some should be done if nobody wants to write.
    fn is_due(&self) -> bool;
    /// Whether some should be done although others want to write.
    fn is_overdue(&self) -> bool;
    /// How long until it is due.
    fn pause(&self) -> Duration;
    /// Does a part of it, in a transaction if it finds something to do.
    fn step(&mut self, connection: &Connection, transact: &Transact<'_, M>) -> Result<(), Failure>;
}

/// Does something in a transaction.
pub(super) type Transact<'a, M> =
    dyn Fn(&dyn Fn(&Transaction<'_, M>) -> Result<(), Failure>) -> Result<(), Failure> + 'a;

impl<M> Deref for Transaction<'_, M> {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        self.connection
    }
}

/// Something to write, and somebody to answer.
trait Job<M>: Send {
    /// Does it, keeps the result; may be called again after what it did was undone.
    fn work(&mut self, tx: &Transaction<'_, M>) -> Result<(), Failure>;
    /// Answers, with the result or with why nothing was committed.
    fn answer(self: Box<Self>, committed: Result<(), Failure>);
}

struct Write<T, U, F, N> {
    work: F,
    result: Option<Result<T, Failure>>,
    then: N,
    answer: oneshot::Sender<Result<U, Failure>>,
}

impl<M, T, U, F, N> Job<M> for Write<T, U, F, N>
where
    T: Send,
    U: Send,
    F: Fn(&Transaction<'_, M>) -> Result<T, Failure> + Send,
    N: FnOnce(T) -> U + Send,
{
    fn work(&mut self, tx: &Transaction<'_, M>) -> Result<(), Failure> {
        let result = (self.work)(tx);
        let outcome = result.as_ref().map(|_| ()).map_err(Clone::clone);
        self.result = Some(result);
        outcome
    }

    fn answer(self: Box<Self>, committed: Result<(), Failure>) {
        let result = self.result.unwrap_or(Err(Failure::Closed));
        // Nobody may be waiting any more; that is no reason not to have written.
        let _ = self.answer.send(committed.and(result).map(self.then));
    }
}

enum WriterCommand<M> {
    Job(Box<dyn Job<M>>),
    Stop,
}

/// Hands jobs to the writing thread.
pub(super) struct Writer<M>(mpsc::Sender<WriterCommand<M>>);

impl<M> Clone for Writer<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M: Default + 'static> Writer<M> {
    /// Starts the thread. Its answers are given in the runtime of whoever calls this.
    pub(super) fn spawn(
        mut connection: Connection,
        copier: Connection,
        hook: impl CommitHook<Marks = M>,
        idle: impl IdleWork<M>,
        supervisor: &Supervisor,
    ) -> io::Result<(Self, thread::JoinHandle<()>)> {
        let (sender, commands) = mpsc::channel();
        let inbox = Inbox { commands, stopping: false };
        let copier = Copier::spawn(&mut connection, copier, supervisor)?;
        let answers = Answers::here(supervisor);
        let mut desk = Desk { _copier: copier, connection, inbox, hook, idle, answers };
        let part = "the writing thread of the store";
        let handle = supervisor.thread("ocache-write", part, move || desk.step())?;
        Ok((Self(sender), handle))
    }

    /// Does a job and waits until it is committed. The job is done even when the future is
    /// dropped, and again where one that shared its transaction has failed.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: Fn(&Transaction<'_, M>) -> Result<T, Failure> + Send + 'static,
    {
        self.run_then(work, |result| result).await
    }

    /// Does a job and makes something of its result, once that is committed.
    pub(super) async fn run_then<T, U, F>(
        &self,
        work: F,
        then: impl FnOnce(T) -> U + Send + 'static,
    ) -> Result<U, Failure>
    where
        T: Send + 'static,
        U: Send + 'static,
        F: Fn(&Transaction<'_, M>) -> Result<T, Failure> + Send + 'static,
    {
        self.submit_then(work, then).await.unwrap_or(Err(Failure::Closed))
    }

    /// Hands a job over; whoever wants its answer awaits it.
    pub(super) fn submit<T, F>(&self, work: F) -> oneshot::Receiver<Result<T, Failure>>
    where
        T: Send + 'static,
        F: Fn(&Transaction<'_, M>) -> Result<T, Failure> + Send + 'static,
    {
        self.submit_then(work, |result| result)
    }

    fn submit_then<T, U, F>(
        &self,
        work: F,
        then: impl FnOnce(T) -> U + Send + 'static,
    ) -> oneshot::Receiver<Result<U, Failure>>
    where
        T: Send + 'static,
        U: Send + 'static,
        F: Fn(&Transaction<'_, M>) -> Result<T, Failure> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        // When the thread has ended, the job is dropped here, and `answered` says so.
        let _ =
            self.0.send(WriterCommand::Job(Box::new(Write { work, result: None, then, answer })));
        answered
    }

    /// Lets the thread do what it was given and end.
    pub(super) fn stop(&self) {
        let _ = self.0.send(WriterCommand::Stop);
    }
}

/// The state of the writing thread.
struct Desk<H: CommitHook, I> {
    /// Before the connection, so that it ends before it.
    _copier: Copier,
    connection: Connection,
    inbox: Inbox<H::Marks>,
    hook: H,
    idle: I,
    answers: Answers,
}

/// What is to be done.
struct Inbox<M> {
    commands: mpsc::Receiver<WriterCommand<M>>,
    stopping: bool,
}

impl<M> Inbox<M> {
    fn try_next(&mut self) -> Option<Box<dyn Job<M>>> {
        loop {
            match self.commands.try_recv() {
                Ok(WriterCommand::Job(job)) => return Some(job),
                Ok(WriterCommand::Stop) | Err(TryRecvError::Disconnected) if !self.stopping => {
                    self.stopping = true;
                }
                Ok(WriterCommand::Stop) => {}
                Err(_) => return None,
            }
        }
    }
}

impl<H: CommitHook, I: IdleWork<H::Marks>> Desk<H, I> {
    /// Writes what comes next.
    fn step(&mut self) -> ControlFlow<()> {
        let Some(first) = self.next() else { return ControlFlow::Break(()) };
        self.write(first);
        if self.idle.is_overdue() {
            self.do_idle_work();
        }
        ControlFlow::Continue(())
    }

    /// The next job, with idle work while there is none; `None` when the thread should end.
    fn next(&mut self) -> Option<Box<dyn Job<H::Marks>>> {
        loop {
            if let Some(job) = self.inbox.try_next() {
                return Some(job);
            }
            if self.inbox.stopping {
                return None;
            }
            if self.idle.is_due() {
                self.do_idle_work();
                continue;
            }
            match self.inbox.commands.recv_timeout(self.idle.pause()) {
                Ok(WriterCommand::Job(job)) => return Some(job),
                Ok(WriterCommand::Stop) | Err(RecvTimeoutError::Disconnected) => {
                    self.inbox.stopping = true;
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Does a job, and with it those that have come by the time it is done.
    fn write(&mut self, first: Box<dyn Job<H::Marks>>) {
        let mut jobs = vec![first];
        let mut hooked = true;
        while !jobs.is_empty() {
            match self.attempt(&mut jobs, hooked) {
                Ok(()) => return self.answers.give(jobs, |job| job.answer(Ok(()))),
                Err(Undone::By(culprit)) => jobs.remove(culprit).answer(Ok(())),
                Err(Undone::ByHook) => hooked = false,
                Err(Undone::Wholly(failure)) => {
                    // What has come meanwhile would only wait to fail as well.
                    while jobs.len() < MAX_JOBS
                        && let Some(job) = self.inbox.try_next()
                    {
                        jobs.push(job);
                    }
                    return jobs.into_iter().for_each(|job| job.answer(Err(failure.clone())));
                }
            }
        }
    }

    /// Does these jobs, and those that have come by the time they are done, and the hook's part, in
    /// one transaction.
    fn attempt(
        &mut self,
        jobs: &mut Vec<Box<dyn Job<H::Marks>>>,
        hooked: bool,
    ) -> Result<(), Undone> {
        let Self { connection, inbox, hook, .. } = self;
        let mut undone_by = None;
        let outcome = transaction(connection, |tx| {
            let mut done = 0;
            loop {
                if done == jobs.len() {
                    let next = if done < MAX_JOBS { inbox.try_next() } else { None };
                    let Some(next) = next else { break };
                    jobs.push(next);
                }
                jobs[done].work(tx).inspect_err(|_| undone_by = by(tx, Undone::By(done)))?;
                done += 1;
            }
            if !hooked {
                hook.left_out(tx);
                return Ok(());
            }
            hook.before_commit(tx).inspect_err(|_| undone_by = by(tx, Undone::ByHook))
        });
        match outcome {
            Ok(marks) => {
                hook.committed(marks);
                Ok(())
            }
            Err(failure) => {
                hook.undone();
                Err(undone_by.unwrap_or(Undone::Wholly(failure)))
            }
        }
    }

    fn do_idle_work(&mut self) {
        let connection = &self.connection;
        let done = self.idle.step(connection, &|work| transaction(connection, work).map(drop));
        if let Err(failure) = done {
            tracing::debug!(?failure, "expired records are not deleted");
        }
    }
}

/// Why nothing of a transaction was committed.
enum Undone {
    /// Because of one of its jobs.
    By(usize),
    /// Because of the hook.
    ByHook,
    /// For a reason that every job would meet.
    Wholly(Failure),
}

/// Who has undone a transaction that is still open. A full disk, for one, makes SQLite roll it back by
/// itself, and then it is not the job's fault.
fn by(tx: &Connection, culprit: Undone) -> Option<Undone> {
    (!tx.is_autocommit()).then_some(culprit)
}

/// Runs `work` in one transaction; returns what its jobs tell the hook.
fn transaction<M: Default>(
    connection: &Connection,
    work: impl FnOnce(&Transaction<'_, M>) -> Result<(), Failure>,
) -> Result<M, Failure> {
    let tx = Transaction { connection, marks: M::default() };
    execute(connection, "BEGIN IMMEDIATE")?;
    let outcome = work(&tx).and_then(|()| execute(connection, "COMMIT"));
    if outcome.is_err() && !connection.is_autocommit() {
        execute(connection, "ROLLBACK")?;
    }
    outcome.map(|()| tx.marks)
}

fn execute(connection: &Connection, sql: &str) -> Result<(), Failure> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::super::marks::{Tx, Writer};
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
            // It may be done again.
            let _ = begun.send(());
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
            Ok((count(tx)?, count(&Connection::open(&file)?)?))
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
    async fn messages_taken_beside_a_job_that_fails_are_taken_once() {
        let (store, _dir) = fresh();
        store.send(Queue::Provider, &[standard("1")]).await.unwrap();
        let held = hold(store.writer());
        let receive = store.receive(Queue::Provider, 10, Duration::ZERO, Duration::from_secs(60));
        let mut receive = std::pin::pin!(receive);
        assert!(receive.as_mut().now_or_never().is_none(), "it is the writer's turn");
        let bad: oneshot::Receiver<Result<(), _>> =
            store.writer().submit(|_| Err(Failure::rejected("it", "not wanted")));
        drop(held);
        assert!(bad.await.unwrap().is_err());
        let received = receive.await.unwrap();
        assert_eq!((received.len(), received[0].receive_count), (1, 1));
        // Whatever went back would be in the writer's hands before this.
        store.write(|tx| put(tx, "P1")).await.unwrap();
        let again = store.receive(Queue::Provider, 10, Duration::ZERO, Duration::MAX).await;
        assert!(again.unwrap().is_empty());
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
