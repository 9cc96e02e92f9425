//! How a process ends: first it drains, and only if told again it stops where it is.

use tokio_util::sync::CancellationToken;

/// Tells every task of a process to finish what it has in hand and take no more.
#[derive(Clone, Debug, Default)]
pub struct Shutdown(CancellationToken);

impl Shutdown {
    /// A process that goes on.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins the end.
    pub fn begin(&self) {
        self.0.cancel();
    }

    /// Whether the end has begun.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits for the end to begin.
    pub async fn begun(&self) {
        self.0.cancelled().await;
    }

    /// Runs a future unless the end begins first.
    pub async fn unless_begun<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        self.0.run_until_cancelled(future).await
    }
}
