//! Long polls that outlive their callers.
//!
//! A receive that is given up in the middle has not been given up by SQS: it may still hand out
//! messages, which would then be hidden from everybody until their visibility ends. So a poll runs
//! to its end in a task of its own. The next receive of the queue takes it over; what nobody takes
//! is made visible again at once.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use tracing::warn;

use super::queue_client::WorkQueues;
use crate::meter::Scope;
use crate::ports::prelude::*;
use crate::ports::{Chain, Queues as _};

/// A poll that was told to wait this long may take so much longer to answer, with all attempts.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// The queues of a stack, as callers see them that may give up.
pub(super) struct PatientQueues {
    queues: Arc<WorkQueues>,
    polls: TaskTracker,
    given_up: Mutex<Vec<(Queue, Poll)>>,
}

/// A poll under way, or done and not looked at.
type Poll = oneshot::Receiver<Result<Handover, PortError>>;

/// A poll in the hands of a caller; when the caller gives up, the next one takes it over.
struct HeldPoll<'a> {
    queues: &'a PatientQueues,
    queue: Queue,
    poll: Option<Poll>,
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

    fn given_up(&self) -> std::sync::MutexGuard<'_, Vec<(Queue, Poll)>> {
        self.given_up.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A poll that was given up, or else a new one.
    fn poll(&self, queue: Queue, max: usize, wait: Duration, visibility: Duration) -> Poll {
        let mut given_up = self.given_up();
        if let Some(at) = given_up.iter().position(|(other, _)| *other == queue) {
            return given_up.swap_remove(at).1;
        }
        let (caller, poll) = oneshot::channel();
        let (queues, polls) = (self.queues.clone(), self.polls.clone());
        // A task of its own would forget on whose account it polls.
        let scope = Scope::current();
        self.polls.spawn(async move {
            let received = scope.of(queues.receive(queue, max, wait, visibility)).await;
            let received = received.map(|messages| Handover { queues, polls, queue, messages });
            // If nobody will ever ask, what is dropped here returns its messages.
            let _ = caller.send(received);
        });
        poll
    }
}

impl HeldPoll<'_> {
    /// The end of the poll, unless it takes longer than the caller will wait.
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
    /// Takes so many messages; the others become visible again.
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
