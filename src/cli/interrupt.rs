//! Ctrl-C: the first asks to drain, the second does not ask.

use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio::time::sleep;

use super::failure::{ExitCode, Failure};
use super::output::Output;
use super::store_file::StoreFile;
use crate::runtime::Shutdown;

/// Supervisors send a signal to a process and to its group: two so close together are one.
const SAME_WISH: Duration = Duration::from_millis(300);

/// The interruptions of this run.
#[derive(Debug, Default)]
pub(super) struct Interrupts {
    shutdown: Shutdown,
    at_once: watch::Sender<Option<AtOnce>>,
}

/// Why a run stops without finishing what is in hand.
#[derive(Debug)]
enum AtOnce {
    /// Ctrl-C came a second time.
    Insisted,
    /// The file of the store was deleted or replaced.
    StoreGone(PathBuf),
}

impl Interrupts {
    /// Listens for Ctrl-C and for the signal that services are stopped with. The first begins the
    /// shutdown that is returned; a second one ends [`Self::stopped_at_once`]. So does the loss of
    /// the store's file, if it has one.
    pub(super) fn listen(&self, output: &Output, store: Option<StoreFile>) -> Shutdown {
        if let Some(store) = store {
            let at_once = self.at_once.clone();
            tokio::spawn(async move {
                at_once.send_replace(Some(AtOnce::StoreGone(store.gone().await)));
            });
        }
        let (told, at_once, output) = (self.shutdown.clone(), self.at_once.clone(), *output);
        // Before the task is first run: whoever is told that it works may stop it at once.
        let stop = signalled();
        tokio::spawn(async move {
            stop.await;
            output.note("stopping: finishing what is in hand (Ctrl-C again stops at once)");
            told.begin();
            sleep(SAME_WISH).await;
            interrupted().await;
            at_once.send_replace(Some(AtOnce::Insisted));
        });
        self.shutdown.clone()
    }

    /// Waits for a reason to stop at once. What is durable by then stays so, as after a kill -9.
    pub(super) async fn stopped_at_once(&self) -> Failure {
        let mut at_once = self.at_once.subscribe();
        match at_once.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(AtOnce::StoreGone(file))) => {
                let message =
                    format!("the store `{}` was deleted or replaced while in use", file.display());
                Failure::new(ExitCode::Unreachable, message)
                    .hint("what was accepted since then is lost; start again")
            }
            _ => {
                let message = "stopped at once; what was in hand will come again";
                Failure::new(ExitCode::Interrupted, message)
            }
        }
    }
}

/// Runs a command that has a result, unless Ctrl-C comes first.
pub(super) async fn or_interrupted<T>(
    command: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        result = command => result,
        () = interrupted() => Err(Failure::new(ExitCode::Interrupted, "interrupted")),
    }
}

/// From now on, a write beyond the limit on file sizes (`ulimit -f`) is an error, which names it,
/// instead of a signal that ends the process.
pub(super) fn outlive_the_file_limit() {
    #[cfg(unix)]
    {
        use rustix::process::Signal;
        use tokio::signal::unix::{SignalKind, signal};
        // The handler stays for as long as the process lives. Nobody has to hear of the signal.
        if let Err(error) = signal(SignalKind::from_raw(Signal::XFSZ.as_raw())) {
            tracing::debug!(%error, "a write beyond the limit on file sizes ends the process");
        }
    }
}

/// Waits for Ctrl-C, or for the signal that services are stopped with.
pub(super) async fn interrupted() {
    signalled().await;
}

/// Listens for Ctrl-C and for the signal that services are stopped with, from now on and not from
/// when the future is first polled.
fn signalled() -> BoxFuture<'static, ()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
        if let (Ok(mut interrupt), Ok(mut terminate)) = signals {
            return Box::pin(async move {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
            });
        }
    }
    // Where signals cannot be listened for, they end the process themselves.
    Box::pin(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
