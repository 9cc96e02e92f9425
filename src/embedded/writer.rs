//! The writing thread: it commits the jobs of many tasks in one transaction.
//!
//! A commit waits for the disk. Jobs that come meanwhile share the next commit, and no job is answered
//! before its commit. If a job fails, the transaction is rolled back: the failed job is answered, and all
//! others are done again without it. A savepoint for each job would avoid that, but it copies every page
//! that a job changes, and failures are rare.
//!
//! Bulk jobs wait while others come, and a transaction has only a few of them. While a cold quote is likely
//! to need more commits, one bulk job is done now and then. So a cold quote, which needs several commits,
//! rarely waits for orders of a tick as well.

use std::collections::VecDeque;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::answers::Answers;
use super::checkpoint::Copier;
use super::failure::Failure;
use super::known_heads::KnownHeads;
use super::transaction::{Transact, Transaction, transaction};
use crate::supervisor::Supervisor;

/// The greatest number of jobs in one transaction.
const MAX_JOBS: usize = 256;
/// The greatest number of bulk jobs in one transaction.
const MAX_BULK: usize = 4;
/// How long after an urgent job the next one may follow, because a cold quote needs several commits.
const LINGER: Duration = Duration::from_millis(50);
/// The least time from one bulk job to the next while a cold quote is near. A shorter one delays more cold
/// quotes, a longer one delays a tick that has many customers.
const BULK_PACE: Duration = Duration::from_millis(20);

/// A hook that takes part in every transaction with jobs.
pub(super) trait CommitHook: Send + 'static {
    /// What jobs tell the hook.
    type Marks: Default + 'static;
    /// Adds to the transaction after the jobs. If this fails, nothing is committed, and the jobs are done
    /// again without it.
    fn before_commit(&mut self, tx: &Transaction<'_, Self::Marks>) -> Result<(), Failure>;
    /// Is called instead of [`Self::before_commit`] after that has failed.
    fn left_out(&mut self, tx: &Transaction<'_, Self::Marks>);
    /// Is called when the transaction is committed.
    fn committed(&mut self, marks: Self::Marks);
    /// Is called when the transaction is rolled back.
    fn undone(&mut self);
}

/// Work for times without jobs. If it is overdue, it is done between jobs too.
pub(super) trait IdleWork<M>: Send + 'static {
    /// Whether there is work to do when nobody wants to write.
    fn is_due(&self) -> bool;
    /// Whether the work must be done although jobs wait.
    fn is_overdue(&self) -> bool;
    /// Returns how long until work is due.
    fn pause(&self) -> Duration;
    /// Does a part of the work, in a transaction if it finds something to do.
    fn step(&mut self, connection: &Connection, transact: &Transact<'_, M>) -> Result<(), Failure>;
}

/// Something to write, and a caller to answer.
trait Job<M>: Send {
    /// Does the work and keeps the result. Is called again if the transaction was rolled back.
    fn work(&mut self, tx: &Transaction<'_, M>) -> Result<(), Failure>;
    /// Answers with the result, or with the reason why nothing was committed.
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
        // If the caller no longer waits, the job is committed all the same.
        let _ = self.answer.send(committed.and(result).map(self.then));
    }
}

/// How soon a job must be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Urgency {
    /// As soon as possible. The job is part of a cold quote.
    Urgent,
    /// As soon as possible.
    Prompt,
    /// One of many jobs of a caller that waits for all of them.
    Bulk,
}

enum WriterCommand<M> {
    Job(Urgency, Box<dyn Job<M>>),
    Stop,
}

/// Hands jobs to the writing thread.
pub(super) struct JobWriter<M> {
    commands: mpsc::Sender<WriterCommand<M>>,
    urgency: Urgency,
}

impl<M> Clone for JobWriter<M> {
    fn clone(&self) -> Self {
        Self { commands: self.commands.clone(), urgency: self.urgency }
    }
}

impl<M: Default + 'static> JobWriter<M> {
    /// Starts the thread with the connection that writes, and one that copies the log. Answers are given in
    /// the runtime of the caller.
    pub(super) fn spawn(
        (mut connection, copier): (Connection, Connection),
        heads: Arc<KnownHeads>,
        hook: impl CommitHook<Marks = M>,
        idle: impl IdleWork<M>,
        supervisor: &Supervisor,
    ) -> io::Result<(Self, thread::JoinHandle<()>)> {
        let (sender, commands) = mpsc::channel();
        let inbox = Inbox::new(commands);
        let written = heads.watch(&mut connection).map_err(io::Error::other)?;
        let copier = Copier::spawn(&mut connection, copier, written, supervisor)?;
        let answers = Answers::here(supervisor);
        let mut desk = Desk { _copier: copier, heads, connection, inbox, hook, idle, answers };
        let part = "the writing thread of the store";
        let handle = supervisor.thread("ocache-write", part, move || desk.step())?;
        Ok((Self { commands: sender, urgency: Urgency::Prompt }, handle))
    }

    /// Returns a handle whose jobs have this urgency. A new handle has prompt jobs.
    pub(super) fn with(&self, urgency: Urgency) -> Self {
        Self { urgency, ..self.clone() }
    }

    /// Hands a job over at once, and waits until it is committed. The job is done even if the future is
    /// dropped, and is done again if another job of its transaction fails.
    ///
    /// The future has only the receiver of the answer. If it had the job until its first poll, it would be
    /// several times as large, and so would every future around it.
    pub(super) fn run<T, F>(
        &self,
        work: F,
    ) -> impl Future<Output = Result<T, Failure>> + Send + use<M, T, F>
    where
        T: Send + 'static,
        F: Fn(&Transaction<'_, M>) -> Result<T, Failure> + Send + 'static,
    {
        self.run_then(work, |result| result)
    }

    /// Hands a job over at once, and calls `then` with its result once that is committed.
    pub(super) fn run_then<T, U, F, N>(
        &self,
        work: F,
        then: N,
    ) -> impl Future<Output = Result<U, Failure>> + Send + use<M, T, U, F, N>
    where
        T: Send + 'static,
        U: Send + 'static,
        F: Fn(&Transaction<'_, M>) -> Result<T, Failure> + Send + 'static,
        N: FnOnce(T) -> U + Send + 'static,
    {
        let answered = self.submit_then(work, then);
        async move { answered.await.unwrap_or(Err(Failure::Closed)) }
    }

    /// Hands a job over. The receiver gets its answer.
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
        // If the thread has ended, the job is dropped here, and the receiver gets an error.
        let job = Box::new(Write { work, result: None, then, answer });
        let _ = self.commands.send(WriterCommand::Job(self.urgency, job));
        answered
    }

    /// Tells the thread to finish its jobs and end.
    pub(super) fn stop(&self) {
        let _ = self.commands.send(WriterCommand::Stop);
    }
}

/// The state of the writing thread.
struct Desk<H: CommitHook, I> {
    /// Declared before the connection, so that it is dropped first.
    _copier: Copier,
    /// Has a connection that only reads. Declared before the one that writes, because the last connection to
    /// close must copy the log.
    heads: Arc<KnownHeads>,
    connection: Connection,
    inbox: Inbox<H::Marks>,
    hook: H,
    idle: I,
    answers: Answers,
}

/// The jobs to do.
struct Inbox<M> {
    commands: mpsc::Receiver<WriterCommand<M>>,
    /// The bulk jobs that have come.
    bulk: VecDeque<Box<dyn Job<M>>>,
    /// When the last bulk jobs were done.
    bulk_at: Option<Instant>,
    /// When the last urgent job came.
    urgent_at: Option<Instant>,
    stopping: bool,
}

impl<M> Inbox<M> {
    const fn new(commands: mpsc::Receiver<WriterCommand<M>>) -> Self {
        let bulk = VecDeque::new();
        Self { commands, bulk, bulk_at: None, urgent_at: None, stopping: false }
    }

    /// Returns the next job that is not a bulk job, if one has come.
    fn next_prompt(&mut self) -> Option<Box<dyn Job<M>>> {
        loop {
            match self.commands.try_recv() {
                Ok(command) => {
                    if let Some(job) = self.sort(command) {
                        return Some(job);
                    }
                }
                Err(error) => {
                    self.stopping |= error == TryRecvError::Disconnected;
                    return None;
                }
            }
        }
    }

    /// Waits for a command until a bulk job may be done, but not longer than `longest`. Returns the job if it
    /// is not a bulk job.
    fn wait(&mut self, longest: Duration) -> Option<Box<dyn Job<M>>> {
        let pause = match self.bulk.is_empty() {
            true => longest,
            false => self.bulk_pause().unwrap_or_default().min(longest),
        };
        match self.commands.recv_timeout(pause) {
            Ok(command) => self.sort(command),
            Err(error) => {
                self.stopping |= error == RecvTimeoutError::Disconnected;
                None
            }
        }
    }

    /// Keeps a bulk job for later, and returns another one.
    fn sort(&mut self, command: WriterCommand<M>) -> Option<Box<dyn Job<M>>> {
        match command {
            WriterCommand::Job(Urgency::Bulk, job) => {
                self.bulk.push_back(job);
                None
            }
            WriterCommand::Job(urgency, job) => {
                if urgency == Urgency::Urgent {
                    self.urgent_at = Some(Instant::now());
                }
                Some(job)
            }
            WriterCommand::Stop => {
                self.stopping = true;
                None
            }
        }
    }

    /// Returns the jobs with which a transaction begins: one other job and some bulk jobs, if they have
    /// come.
    fn next(&mut self) -> Vec<Box<dyn Job<M>>> {
        let prompt = self.next_prompt();
        let most = match self.bulk_pause() {
            None => MAX_BULK,
            Some(Duration::ZERO) => 1,
            Some(_) => 0,
        };
        let bulk = self.bulk.drain(..self.bulk.len().min(most));
        if bulk.len() > 0 {
            self.bulk_at = Some(Instant::now());
        }
        prompt.into_iter().chain(bulk).collect()
    }

    /// Returns how long until a bulk job may be done, or `None` if no cold quote is near.
    fn bulk_pause(&self) -> Option<Duration> {
        let is_urgent = self.urgent_at.is_some_and(|at| at.elapsed() < LINGER);
        let pause =
            self.bulk_at.map_or(Duration::ZERO, |at| BULK_PACE.saturating_sub(at.elapsed()));
        (is_urgent && !self.stopping).then_some(pause)
    }
}

impl<H: CommitHook, I: IdleWork<H::Marks>> Desk<H, I> {
    /// Writes the next jobs.
    fn step(&mut self) -> ControlFlow<()> {
        let Some(jobs) = self.next() else { return ControlFlow::Break(()) };
        self.write(jobs);
        if self.idle.is_overdue() {
            self.do_idle_work();
        }
        ControlFlow::Continue(())
    }

    /// Returns the next jobs, and does idle work until there are some. Returns `None` if the thread should
    /// end.
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
            if let Some(job) = self.inbox.wait(self.idle.pause()) {
                return Some(vec![job]);
            }
        }
    }

    /// Does these jobs, together with the prompt ones that come before they are done.
    fn write(&mut self, mut jobs: Vec<Box<dyn Job<H::Marks>>>) {
        let mut hooked = true;
        while !jobs.is_empty() {
            match self.attempt(&mut jobs, hooked) {
                Ok(()) => return self.answers.give(jobs, |job| job.answer(Ok(()))),
                Err(Undone::By(culprit)) => jobs.remove(culprit).answer(Ok(())),
                Err(Undone::ByHook) => hooked = false,
                Err(Undone::Wholly(failure)) => {
                    // Jobs that came meanwhile would fail in the same way, so they fail now.
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

    /// Does these jobs, the prompt ones that come before they are done, and the hook's part in one
    /// transaction.
    fn attempt(
        &mut self,
        jobs: &mut Vec<Box<dyn Job<H::Marks>>>,
        hooked: bool,
    ) -> Result<(), Undone> {
        let Self { connection, heads, inbox, hook, .. } = self;
        let mut undone_by = None;
        let outcome = transaction(connection, heads, |tx| {
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
        let Self { connection, heads, idle, .. } = self;
        let done = idle.step(connection, &|work| transaction(connection, heads, work).map(drop));
        if let Err(failure) = done {
            tracing::debug!(?failure, "expired records are not deleted");
        }
    }
}

/// Why a transaction was rolled back.
enum Undone {
    /// One of its jobs failed.
    By(usize),
    /// The hook failed.
    ByHook,
    /// The reason would fail every job.
    Wholly(Failure),
}

/// Returns the culprit if the transaction is still open. If SQLite has rolled it back by itself, such as on
/// a full disk, the job is not at fault.
fn by(tx: &Connection, culprit: Undone) -> Option<Undone> {
    (!tx.is_autocommit()).then_some(culprit)
}

#[cfg(test)]
pub(super) mod tests;
