//! Beginning again: an end of all that is in the store.

use super::engine::Embedded;
use super::schema::TABLES;
use crate::ports::PortError;

impl Embedded {
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
