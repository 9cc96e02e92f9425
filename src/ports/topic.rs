//! The topic that every quotation goes through.

use async_trait::async_trait;

use super::{FailedEntry, PortError};

/// The Quotations Topic. Its one built-in subscriber is the provider queue, with raw delivery.
#[async_trait]
pub trait Topic: Send + Sync {
    /// Publishes messages, any number of them, in batches. Returns the entries that could not be
    /// published; an error means that none was.
    async fn publish(&self, bodies: &[String]) -> Result<Vec<FailedEntry>, PortError>;
}
