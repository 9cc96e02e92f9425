//! Ends a run: the first Ctrl-C drains it, the second stops it at once. Other causes end it as well.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use super::failure::{ExitCode, Failure, Result};
use super::output::Output;
use super::signals::signalled;
use super::store_file::StoreFile;
use crate::runtime::Shutdown;
use crate::supervisor::{Died, Supervisor};

/// The most time for which a process drains after a part of it has died. Work in hand may be waiting for
/// that part.
const DRAIN_LIMIT: Duration = Duration::from_secs(30);

/// The interruptions of this run.
#[derive(Debug)]
pub(super) struct Interrupts {
    supervisor: Supervisor,
    output: Output,
    shutdown: Shutdown,
    at_once: watch::Sender<Option<AtOnce>>,
    /// Whether the command drains when it is stopped.
    drains: AtomicBool,
}

/// Why a run stops without finishing its work in hand.
#[derive(Debug)]
enum AtOnce {
    /// Ctrl-C came a second time.
    Insisted,
    /// The store's file was deleted or replaced.
    StoreGone(PathBuf),
}

impl Interrupts {
    /// Creates the interruptions of a run with this supervisor.
    pub(super) fn new(supervisor: Supervisor, output: Output) -> Self {
        let (at_once, drains) = (watch::Sender::default(), AtomicBool::new(false));
        Self { supervisor, output, shutdown: Shutdown::new(), at_once, drains }
    }

    /// Listens for Ctrl-C and for the signal that stops services. The first one begins the shutdown that
    /// is returned. A second one ends [`Self::stopped_at_once`], as does the loss of the store's file, if
    /// there is one. The shutdown also begins when a part of the process dies.
    pub(super) fn listen(&self, store: Option<StoreFile>) -> Shutdown {
        self.drains.store(true, Ordering::SeqCst);
        if let Some(store) = store {
            let at_once = self.at_once.clone();
            self.supervisor.spawn("the watch over the file of the store", async move {
                at_once.send_replace(Some(AtOnce::StoreGone(store.gone().await)));
            });
        }
        let (told, at_once, output) = (self.shutdown.clone(), self.at_once.clone(), self.output);
        // Listen before the task first runs: a user who reads that the process works may stop it at once.
        let (first, second) = (signalled(1), signalled(2));
        self.supervisor.spawn("the wait for signals", async move {
            first.await;
            output.note("stopping: finishing work in progress (Ctrl-C again stops at once)");
            told.begin();
            second.await;
            at_once.send_replace(Some(AtOnce::Insisted));
        });
        self.shutdown.clone()
    }

    /// Waits for a reason to stop at once. What is durable by then stays durable, as after a kill -9.
    pub(super) async fn stopped_at_once(&self) -> Failure {
        let mut at_once = self.at_once.subscribe();
        let reason = tokio::select! {
            reason = at_once.wait_for(Option::is_some) => reason,
            died = self.died_and_not_drained() => return died.into(),
        };
        match reason.as_deref() {
            Ok(Some(AtOnce::StoreGone(file))) => {
                let message =
                    format!("the store `{}` was deleted or replaced while in use", file.display());
                Failure::new(ExitCode::Unreachable, message)
                    .hint("what was accepted since then is lost; start again")
            }
            _ => {
                let message = "stopped at once; messages in progress will be retried";
                Failure::new(ExitCode::Interrupted, message)
            }
        }
    }

    /// Waits until a part has died and then, if the command drains, until it should have drained.
    async fn died_and_not_drained(&self) -> Died {
        let died = self.supervisor.died().await;
        if self.drains.load(Ordering::SeqCst) {
            self.output.note(&format!("stopping, because {died}; finishing work in progress"));
            self.shutdown.begin();
            sleep(DRAIN_LIMIT).await;
        }
        died
    }
}

/// Runs a command that has a result, unless Ctrl-C comes first.
pub(super) async fn or_interrupted<T>(command: impl Future<Output = Result<T>>) -> Result<T> {
    // Listen before the command begins: a user who sees it work may interrupt it at once.
    let interrupted = signalled(1);
    tokio::select! {
        result = command => result,
        () = interrupted => Err(Failure::new(ExitCode::Interrupted, "interrupted")),
    }
}

/// Turns a write beyond the limit on file sizes (`ulimit -f`) into an error. Without this, a signal would
/// end the process.
pub(super) fn outlive_the_file_limit() {
    #[cfg(unix)]
    {
        use rustix::process::Signal;
        use tokio::signal::unix::{SignalKind, signal};
        // The handler stays for as long as the process lives. The signal itself needs no reaction.
        if let Err(error) = signal(SignalKind::from_raw(Signal::XFSZ.as_raw())) {
            tracing::debug!(%error, "a write beyond the limit on file sizes ends the process");
        }
    }
}

impl From<Died> for Failure {
    fn from(died: Died) -> Self {
        Self::new(ExitCode::Failure, died.to_string()).hint(
            "this is a bug of ocache: please report it; messages in progress are retried after a restart",
        )
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use tokio::time::Instant;

    use super::super::args::Cli;
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_process_that_cannot_drain_without_the_dead_part_ends_all_the_same() {
        let output = Output::new(&Cli::parse_from(["ocache", "--quiet", "status"]).global);
        for (drains, after) in [(true, DRAIN_LIMIT), (false, Duration::ZERO)] {
            let interrupts = Interrupts::new(Supervisor::new(), output);
            interrupts.drains.store(drains, Ordering::SeqCst);
            interrupts.supervisor.spawn("the schedule", async { panic!("it is late") });
            let began = Instant::now();
            let failure = interrupts.stopped_at_once().await;
            assert_eq!(began.elapsed(), after);
            assert_eq!(failure.code(), ExitCode::Failure);
            assert!(failure.to_text().starts_with("error: the schedule died: it is late"));
            assert_eq!(interrupts.shutdown.has_begun(), drains);
        }
    }
}
