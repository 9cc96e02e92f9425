//! The engine as a whole: its ports, and an end of all that is in it.

use std::sync::Arc;

use super::engine::Embedded;
use super::schema::TABLES;
use crate::ports::{Connections, PortError, Ports};

impl Embedded {
    /// The ports of this engine. Connections are not its business and are given.
    #[must_use]
    pub fn ports(&self, connections: Arc<dyn Connections>) -> Ports {
        Ports {
            store: Arc::new(self.clone()),
            queues: Arc::new(self.clone()),
            dead_letters: Arc::new(self.clone()),
            topic: Arc::new(self.clone()),
            connections,
            clock: self.clock().clone(),
            randomness: self.randomness().clone(),
        }
    }

    /// Deletes everything, in one transaction: other processes that have the store open see it
    /// empty, and go on.
    ///
    /// # Errors
    /// When the store cannot be written; then everything is still there.
    pub async fn clear(&self) -> Result<(), PortError> {
        self.write(|tx| {
            for table in TABLES {
                tx.execute(&format!("DELETE FROM {table}"), [])?;
            }
            Ok(())
        })
        .await
    }
}
