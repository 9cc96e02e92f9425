//! Counts Ctrl-C and the signal that stops services, in a thread of its own.
//!
//! All threads that do the work may be stuck, for example in a write to a terminal that was stopped by
//! Ctrl-S. The thread that counts signals writes nothing, so the second signal still ends the process.

use std::io;
use std::ops::ControlFlow;
use std::process;
use std::sync::OnceLock;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::time::sleep;

use super::failure::ExitCode;
use crate::supervisor::Supervisor;

/// Supervisors may send a signal to a process and to its group. Two signals within this time count as
/// one.
const SAME_WISH: Duration = Duration::from_millis(300);
/// After the second signal the process ends in order. If it has not ended after this time, it is stuck.
const STUCK_AFTER: Duration = Duration::from_secs(1);

/// The number of signals so far. Counting begins with the first caller; until then a signal ends the
/// process.
static COUNT: OnceLock<Option<watch::Receiver<u32>>> = OnceLock::new();

/// Learns of the death of the counting thread.
static SUPERVISOR: OnceLock<Supervisor> = OnceLock::new();

/// Sets the supervisor that learns of it if signals are no longer counted.
pub(super) fn supervise(supervisor: &Supervisor) {
    // A process has one run, and so one supervisor.
    let _ = SUPERVISOR.set(supervisor.clone());
}

/// Waits until this many signals have come. Signals count from this call on, not from the first poll of
/// the future.
pub(super) fn signalled(times: u32) -> impl Future<Output = ()> + use<> {
    let count = COUNT.get_or_init(|| count().ok()).clone();
    async move {
        let came = match count {
            Some(mut count) => count.wait_for(|count| *count >= times).await.is_ok(),
            None => false,
        };
        if !came {
            // If listening failed, signals end the process by default.
            std::future::pending::<()>().await;
        }
    }
}

fn count() -> io::Result<watch::Receiver<u32>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let mut signals = Signals::listen(&runtime)?;
    let (tell, count) = watch::channel(0);
    let supervisor = SUPERVISOR.get_or_init(Supervisor::new);
    supervisor.thread("ocache-signals", "the count of signals", move || {
        runtime.block_on(async {
            signals.next().await;
            tell.send_replace(1);
            sleep(SAME_WISH).await;
            signals.forget();
            signals.next().await;
            tell.send_replace(2);
            sleep(STUCK_AFTER).await;
            // `main` has not returned by now, so a thread that it waits for is stuck, and only this
            // thread can end the process. A run that stops in order needs far less than this second. Only
            // lines that stderr did not take in this time are lost: stdout is flushed at each print, and
            // the store is as after a kill -9, with every transaction whole or absent. `exit` does not
            // wait for a lock of stdout that a stuck thread holds.
            process::exit(ExitCode::Interrupted as i32);
        });
        ControlFlow::Break(())
    })?;
    Ok(count)
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen(runtime: &Runtime) -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let _runtime = runtime.enter();
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Forgets signals that have come already.
    fn forget(&mut self) {
        let _ = self.interrupt.recv().now_or_never();
        let _ = self.terminate.recv().now_or_never();
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen(_: &Runtime) -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    fn forget(&mut self) {
        let _ = tokio::signal::ctrl_c().now_or_never();
    }
}
