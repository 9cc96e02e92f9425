//! Removes a stack: exactly the resources that provisioning makes.

use super::desired::{Desired, StackResource};
use super::engine::Aws;
use crate::ports::PortError;

/// A resource that was removed, or that did not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// The resource.
    pub resource: StackResource,
    /// Whether the resource existed.
    pub existed: bool,
}

impl Aws {
    /// Deletes the stack with everything in it, and reports each resource. Returns when all tables are
    /// gone. SQS takes another minute before a queue's name can be used again.
    ///
    /// # Errors
    /// [`PortError`] at the first failure. Destroying again continues from there.
    pub async fn destroy(&self, mut report: impl FnMut(Removal)) -> Result<(), PortError> {
        let desired = Desired::new(&self.clients.names, &self.identity().await?);
        let mut removed = |resource, existed| report(Removal { resource, existed });
        let topic = &desired.topic;
        removed(topic.subscription(), self.clients.unsubscribe(topic).await?);
        removed(topic.resource(), self.clients.remove_topic(topic).await?);
        for queue in desired.queues.iter().rev() {
            removed(queue.resource(), self.clients.remove_queue(&queue.name).await?);
        }
        for table in &desired.tables {
            removed(table.resource(), self.clients.remove_table(&table.name).await?);
        }
        Ok(())
    }
}
