//! Long polls that outlive their callers.
//!
//! If a caller cancels a receive, SQS does not: it may still hand out messages, which would then stay
//! hidden from everybody until their visibility timeout ends. So a poll runs to its end in a task of its
//! own. The next receive of the queue takes it over. Messages that nobody takes become visible again at
//! once.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use tracing::warn;

use super::queue_client::WorkQueues;
use crate::meter::Scope;
use crate::ports::prelude::*;
use crate::ports::{Chain, Queues as _};

/// How much longer than its wait a poll may take to be answered, with all attempts.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// The queues of a stack, for callers that may cancel a receive.
pub(super) struct PatientQueues {
    queues: Arc<WorkQueues>,
    polls: TaskTracker,
    given_up: Mutex<Vec<(Queue, PendingPoll)>>,
}

/// A poll that is under way, or done and not yet looked at.
type PendingPoll = oneshot::Receiver<Result<Handover, PortError>>;

/// A poll held by a caller. If the caller cancels, the next one takes it over.
struct HeldPoll<'a> {
    queues: &'a PatientQueues,
    queue: Queue,
    poll: Option<PendingPoll>,
}

/// Messages on their way to a caller that may have gone.
struct Handover {
    queues: Arc<WorkQueues>,
    polls: TaskTracker,
    queue: Queue,
    messages: Vec<Received>,
}

impl PatientQueues {
    pub(super) fn new(queues: Arc<WorkQueues>) -> Self {
        Self { queues, polls: TaskTracker::new(), given_up: Mutex::default() }
    }

    /// Waits for the polls whose callers have gone. Each ends by itself when its wait is over.
    pub(super) async fn close(&self) {
        self.given_up().clear();
        self.polls.close();
        self.polls.wait().await;
    }

    fn given_up(&self) -> std::sync::MutexGuard<'_, Vec<(Queue, PendingPoll)>> {
        self.given_up.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a poll whose caller has gone, or else a new one.
    fn poll(&self, queue: Queue, max: usize, wait: Duration, visibility: Duration) -> PendingPoll {
        let mut given_up = self.given_up();
        if let Some(at) = given_up.iter().position(|(other, _)| *other == queue) {
            return given_up.swap_remove(at).1;
        }
        let (caller, poll) = oneshot::channel();
        let (queues, polls) = (self.queues.clone(), self.polls.clone());
        // The task is given the scope, because a new task would not know for which account it polls.
        let scope = Scope::current();
        self.polls.spawn(async move {
            let received = scope.of(queues.receive(queue, max, wait, visibility)).await;
            let received = received.map(|messages| Handover { queues, polls, queue, messages });
            // If nobody takes the handover, it is dropped here and returns its messages.
            let _ = caller.send(received);
        });
        poll
    }
}

impl HeldPoll<'_> {
    /// Waits for the end of the poll. Returns `None` if it takes longer than the caller will wait.
    async fn finish(mut self, wait: Duration) -> Option<Result<Handover, PortError>> {
        let poll = self.poll.as_mut()?;
        let received = timeout(wait, poll).await.ok()?;
        self.poll = None;
        let queue = self.queue;
        let died = |error| PortError::unavailable(format!("queue `{queue}`"), error);
        Some(received.map_err(died).flatten())
    }
}

impl Drop for HeldPoll<'_> {
    fn drop(&mut self) {
        if let Some(poll) = self.poll.take() {
            self.queues.given_up().push((self.queue, poll));
        }
    }
}

impl Handover {
    /// Takes at most `max` messages. The others become visible again.
    fn take(mut self, max: usize) -> Vec<Received> {
        let count = max.min(self.messages.len());
        self.messages.drain(..count).collect()
    }
}

impl Drop for Handover {
    fn drop(&mut self) {
        if self.messages.is_empty() {
            return;
        }
        let (queues, queue) = (self.queues.clone(), self.queue);
        let receipts: Vec<Receipt> =
            self.messages.drain(..).map(|message| message.receipt).collect();
        let scope = Scope::current();
        self.polls.spawn(async move {
            let shown = scope.of(queues.change_visibility(queue, &receipts, Duration::ZERO)).await;
            if let Err(error) = shown {
                let error = Chain(&error);
                warn!(%queue, %error, "messages that were received but not taken stay hidden for a while");
            }
        });
    }
}

layer!(
    #[over(queues)]
    impl Queues for PatientQueues {
        async fn receive(&self, queue: _, max: _, wait: _, visibility: _) -> _ {
            let poll = Some(self.poll(queue, max, wait, visibility));
            let held = HeldPoll { queues: self, queue, poll };
            match held.finish(wait + ANSWER_TIME).await {
                Some(received) => received.map(|handover| handover.take(max)),
                None => Ok(vec![]),
            }
        }
    }
);
