//! The topic that every quotation goes through.

use super::{FailedEntry, PortError, port};

port!(
    /// The Quotations Topic. Its one built-in subscriber is the provider queue, with raw delivery.
    pub trait Topic: Send + Sync {
        /// Publishes messages, any number of them, in batches. Returns the entries that could not be
        /// published; an error means that none was.
        async fn publish(&self, bodies: &[String]) -> Result<Vec<FailedEntry>, PortError>;
    }
);

/// Publishes one message.
///
/// # Errors
/// When it could not be published.
pub async fn publish(topic: &dyn Topic, body: &str) -> Result<(), PortError> {
    match topic.publish(&[body.to_owned()]).await?.pop() {
        Some(failed) => Err(failed.error),
        None => Ok(()),
    }
}
