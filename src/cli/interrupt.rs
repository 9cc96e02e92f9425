//! Ctrl-C: the first asks to drain, the second does not ask.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::failure::{ExitCode, Failure};
use super::output::Output;
use crate::runtime::Shutdown;

/// Supervisors send a signal to a process and to its group: two so close together are one.
const SAME_WISH: Duration = Duration::from_millis(300);

/// The interruptions of this run.
#[derive(Debug, Default)]
pub(super) struct Interrupts {
    shutdown: Shutdown,
    insisted: CancellationToken,
}

impl Interrupts {
    /// Listens for Ctrl-C and for the signal that services are stopped with. The first begins the
    /// shutdown that is returned; a second one ends [`Self::insisted`].
    pub(super) fn listen(&self, output: &Output) -> Shutdown {
        let (told, insisted, output) = (self.shutdown.clone(), self.insisted.clone(), *output);
        tokio::spawn(async move {
            interrupted().await;
            output.note("stopping: finishing what is in hand (Ctrl-C again stops at once)");
            told.begin();
            sleep(SAME_WISH).await;
            interrupted().await;
            insisted.cancel();
        });
        self.shutdown.clone()
    }

    /// Waits for a second Ctrl-C. What is durable by then stays so, as after a kill -9.
    pub(super) async fn insisted(&self) -> Failure {
        self.insisted.cancelled().await;
        Failure::new(ExitCode::Interrupted, "stopped at once; what was in hand will come again")
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

async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Where signals cannot be listened for, they end the process themselves.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
