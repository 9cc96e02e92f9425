//! The topic to which quotations are published.

use super::{FailedEntry, PortError, port};

port!(
    /// The Quotations Topic. Its only built-in subscriber is the Provider Queue, with raw delivery.
    pub trait Topic: Send + Sync {
        /// Publishes any number of messages, in batches. Returns the entries that could not be published. An
        /// error means that none was published.
        async fn publish(&self, bodies: &[String]) -> Result<Vec<FailedEntry>, PortError>;
    }
);

/// Publishes one message.
///
/// # Errors
/// [`PortError`] if it cannot be published.
pub async fn publish(topic: &dyn Topic, body: &str) -> Result<(), PortError> {
    match topic.publish(&[body.to_owned()]).await?.pop() {
        Some(failed) => Err(failed.error),
        None => Ok(()),
    }
}
