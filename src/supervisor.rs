//! Tasks and threads that a process cannot do without, and what happens when one of them dies.
//!
//! Tokio keeps a task's panic in its handle, and the standard library a thread's. If nobody awaits the
//! handle, the process lives on without the task. So the panic is caught inside the task and reported to
//! the [`Supervisor`], whose owner can end the process.

mod lock;
mod panics;
#[cfg(debug_assertions)]
mod planted;

use std::io;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use thiserror::Error;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub(crate) use lock::lock;
pub use panics::{Panic, catch, log_panics};

/// Learns of the first part of the process that dies. Clones share what they know.
#[derive(Clone, Debug, Default)]
pub struct Supervisor(Arc<watch::Sender<Option<Died>>>);

/// A part of the process died.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{part} died: {panic}")]
pub struct Died {
    /// The name of the part, for people.
    pub part: &'static str,
    /// The panic.
    pub panic: Panic,
}

impl Supervisor {
    /// Creates a supervisor that supervises nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Spawns a task. Its handle never holds a panic, because the panic is reported to the supervisor.
    pub fn spawn(
        &self,
        part: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> JoinHandle<()> {
        tokio::spawn(self.watch(part, task))
    }

    /// Returns a future that reports its own panic, for tasks that others spawn.
    pub fn watch<F: Future<Output = ()>>(
        &self,
        part: &'static str,
        task: F,
    ) -> impl Future<Output = ()> + use<F> {
        let supervisor = self.clone();
        async move {
            #[cfg(debug_assertions)]
            let task = planted::or_panic(part, task);
            if let Err(panic) = catch(task).await {
                supervisor.report(part, panic);
            }
        }
    }

    /// Starts a thread that repeats a step until the step breaks.
    ///
    /// # Errors
    /// Fails when the system cannot start another thread.
    pub fn thread(
        &self,
        name: &str,
        part: &'static str,
        mut step: impl FnMut() -> ControlFlow<()> + Send + 'static,
    ) -> io::Result<thread::JoinHandle<()>> {
        let supervisor = self.clone();
        let steps = move || {
            loop {
                #[cfg(debug_assertions)]
                planted::panic_if_wanted(part);
                if step().is_break() {
                    return;
                }
            }
        };
        thread::Builder::new().name(name.to_owned()).spawn(move || {
            if let Err(payload) = catch_unwind(AssertUnwindSafe(steps)) {
                supervisor.report(part, Panic::from_payload(&*payload));
            }
        })
    }

    /// Waits until a part has died.
    pub async fn died(&self) -> Died {
        let mut died = self.0.subscribe();
        loop {
            if let Some(died) = &*died.borrow_and_update() {
                return died.clone();
            }
            if died.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Checks that no part has died. Parts may have ended by themselves.
    ///
    /// # Errors
    /// Returns [`Died`] for the first part that has died.
    pub fn check(&self) -> Result<(), Died> {
        self.0.borrow().clone().map_or(Ok(()), Err)
    }

    fn report(&self, part: &'static str, panic: Panic) {
        let died = Died { part, panic };
        tracing::error!(error = %died, "a part of the process died");
        self.0.send_if_modified(|first| {
            let is_first = first.is_none();
            first.get_or_insert(died);
            is_first
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn the_first_that_dies_is_told_with_what_it_said() {
        let supervisor = Supervisor::new();
        supervisor.spawn("the first", async { panic!("no {}", "luck") }).await.unwrap();
        supervisor.spawn("the second", async { panic!("neither") }).await.unwrap();
        let died = supervisor.died().await;
        assert_eq!(died.to_string(), "the first died: no luck");
        assert_eq!(supervisor.check(), Err(died));
    }

    #[tokio::test]
    async fn a_thread_that_dies_is_told_and_one_that_ends_is_not() {
        let supervisor = Supervisor::new();
        let (steps, inbox) = mpsc::channel();
        let step = move || match inbox.recv() {
            Ok(true) => ControlFlow::Continue(()),
            Ok(false) => panic!("a bad step"),
            Err(_) => ControlFlow::Break(()),
        };
        let thread = supervisor.thread("a", "the thread", step).unwrap();
        steps.send(true).unwrap();
        drop(steps);
        thread.join().unwrap();
        assert_eq!(supervisor.check(), Ok(()));

        let thread = supervisor.thread("b", "the other", || panic!("a bad step")).unwrap();
        assert_eq!(supervisor.died().await.to_string(), "the other died: a bad step");
        thread.join().unwrap();
    }
}
