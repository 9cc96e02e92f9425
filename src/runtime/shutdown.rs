//! The signal to shut down a process: its tasks finish their work in hand and take no more.

use tokio_util::sync::CancellationToken;

/// Tells every task of a process to finish what it has in hand and take no more.
#[derive(Clone, Debug, Default)]
pub struct Shutdown(CancellationToken);

impl Shutdown {
    /// Creates a signal that is not given yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins the shutdown.
    pub fn begin(&self) {
        self.0.cancel();
    }

    /// Whether the shutdown has begun.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits until the shutdown begins.
    pub async fn begun(&self) {
        self.0.cancelled().await;
    }

    /// Runs a future unless the shutdown begins first. Returns `None` if it did.
    pub async fn unless_begun<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        self.0.run_until_cancelled(future).await
    }
}
