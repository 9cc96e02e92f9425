//! The one thread that writes: jobs of many tasks become one transaction.
//!
//! A commit waits for the disk; jobs that come meanwhile share the next one, and nobody gets an answer
//! before it. When a job fails, nothing is committed: that job has its answer, and all others are
//! done again without it. A savepoint for each job would spare that, and copies every page that a job
//! changes; failing is rare.
//!
//! Bulk jobs wait while others come, and a transaction has only a few of them: one, while somebody waits for a
//! cold quote. So a cold quote, which needs several commits, never waits for many orders of a tick as well.

use std::collections::VecDeque;
use std::io;
use std::ops::{ControlFlow, Deref};
use std::sync::mpsc::{self, RecvTimeoutError, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::answers::Answers;
use super::checkpoint::Copier;
use super::failure::Failure;
use crate::supervisor::Supervisor;

/// The most jobs of one transaction.
const MAX_JOBS: usize = 256;
/// The most bulk jobs of one transaction.
const MAX_BULK: usize = 4;
/// A cold quote is not over with one commit; so long the next one may be near.
const LINGER: Duration = Duration::from_millis(50);

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

/// How soon a job is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Urgency {
    /// As soon as possible, as a part of a cold quote.
    Urgent,
    /// As soon as possible.
    Prompt,
    /// It is one of many of the same caller, who waits for all of them.
    Bulk,
}

enum WriterCommand<M> {
    Job(Urgency, Box<dyn Job<M>>),
    Stop,
}

/// Hands jobs to the writing thread.
pub(super) struct Writer<M> {
    commands: mpsc::Sender<WriterCommand<M>>,
    urgency: Urgency,
}

impl<M> Clone for Writer<M> {
    fn clone(&self) -> Self {
        Self { commands: self.commands.clone(), urgency: self.urgency }
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
        let inbox = Inbox { commands, bulk: VecDeque::new(), urgent_at: None, stopping: false };
        let copier = Copier::spawn(&mut connection, copier, supervisor)?;
        let answers = Answers::here(supervisor);
        let mut desk = Desk { _copier: copier, connection, inbox, hook, idle, answers };
        let part = "the writing thread of the store";
        let handle = supervisor.thread("ocache-write", part, move || desk.step())?;
        Ok((Self { commands: sender, urgency: Urgency::Prompt }, handle))
    }

    /// Hands over jobs of this urgency; at first they are prompt.
    pub(super) fn with(&self, urgency: Urgency) -> Self {
        Self { urgency, ..self.clone() }
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
        let job = Box::new(Write { work, result: None, then, answer });
        let _ = self.commands.send(WriterCommand::Job(self.urgency, job));
        answered
    }

    /// Lets the thread do what it was given and end.
    pub(super) fn stop(&self) {
        let _ = self.commands.send(WriterCommand::Stop);
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
    /// The bulk jobs that have come.
    bulk: VecDeque<Box<dyn Job<M>>>,
    /// When the last urgent job came.
    urgent_at: Option<Instant>,
    stopping: bool,
}

impl<M> Inbox<M> {
    /// The next job that has come and is not a bulk job.
    fn next_prompt(&mut self) -> Option<Box<dyn Job<M>>> {
        loop {
            match self.commands.try_recv() {
                Ok(WriterCommand::Job(Urgency::Bulk, job)) => self.bulk.push_back(job),
                Ok(WriterCommand::Job(urgency, job)) => {
                    self.note(urgency);
                    return Some(job);
                }
                Ok(WriterCommand::Stop) | Err(TryRecvError::Disconnected) if !self.stopping => {
                    self.stopping = true;
                }
                Ok(WriterCommand::Stop) => {}
                Err(_) => return None,
            }
        }
    }

    /// What a transaction begins with: one other job and some bulk jobs, as far as they have come.
    fn next(&mut self) -> Vec<Box<dyn Job<M>>> {
        let prompt = self.next_prompt();
        let is_urgent = self.urgent_at.is_some_and(|at| at.elapsed() < LINGER);
        let most = if is_urgent { 1 } else { MAX_BULK };
        let bulk = self.bulk.drain(..self.bulk.len().min(most));
        prompt.into_iter().chain(bulk).collect()
    }

    fn note(&mut self, urgency: Urgency) {
        if urgency == Urgency::Urgent {
            self.urgent_at = Some(Instant::now());
        }
    }
}

impl<H: CommitHook, I: IdleWork<H::Marks>> Desk<H, I> {
    /// Writes what comes next.
    fn step(&mut self) -> ControlFlow<()> {
        let Some(jobs) = self.next() else { return ControlFlow::Break(()) };
        self.write(jobs);
        if self.idle.is_overdue() {
            self.do_idle_work();
        }
        ControlFlow::Continue(())
    }

    /// The next jobs, with idle work while there are none; `None` when the thread should end.
    fn next(&mut self) -> Option<Vec<Box<dyn Job<H::Marks>>>> {
        loop {
            let jobs = self.inbox.next();
            if !jobs.is_empty() {
                return Some(jobs);
            }
            if self.inbox.stopping {
                return None;
            }
            if self.idle.is_due() {
                self.do_idle_work();
                continue;
            }
            match self.inbox.commands.recv_timeout(self.idle.pause()) {
                Ok(WriterCommand::Job(urgency, job)) => {
                    self.inbox.note(urgency);
                    return Some(vec![job]);
                }
                Ok(WriterCommand::Stop) | Err(RecvTimeoutError::Disconnected) => {
                    self.inbox.stopping = true;
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Does these jobs, and with them the prompt ones that have come by the time they are done.
    fn write(&mut self, mut jobs: Vec<Box<dyn Job<H::Marks>>>) {
        let mut hooked = true;
        while !jobs.is_empty() {
            match self.attempt(&mut jobs, hooked) {
                Ok(()) => return self.answers.give(jobs, |job| job.answer(Ok(()))),
                Err(Undone::By(culprit)) => jobs.remove(culprit).answer(Ok(())),
                Err(Undone::ByHook) => hooked = false,
                Err(Undone::Wholly(failure)) => {
                    // What has come meanwhile would only wait to fail as well.
                    while jobs.len() < MAX_JOBS
                        && let Some(job) = self.inbox.next_prompt()
                    {
                        jobs.push(job);
                    }
                    return jobs.into_iter().for_each(|job| job.answer(Err(failure.clone())));
                }
            }
        }
    }

    /// Does these jobs, and the prompt ones that have come by the time they are done, and the hook's part, in
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
                    let next = if done < MAX_JOBS { inbox.next_prompt() } else { None };
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
mod tests;
