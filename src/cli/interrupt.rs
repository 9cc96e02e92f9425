//! Ctrl-C: the first asks to drain, the second does not ask.

use std::process::abort;

use super::failure::{ExitCode, Failure};
use super::output::Output;
use crate::runtime::Shutdown;

/// Listens for Ctrl-C and for the signal that services are stopped with.
pub(super) fn listen(output: &Output) -> Shutdown {
    let shutdown = Shutdown::new();
    let (told, output) = (shutdown.clone(), *output);
    tokio::spawn(async move {
        interrupted().await;
        output.note("stopping: finishing what is in hand (Ctrl-C again stops at once)");
        told.begin();
        interrupted().await;
        // Everything durable is durable already; this is what kill -9 would do.
        abort();
    });
    shutdown
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
