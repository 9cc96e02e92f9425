//! Empties the store.

use super::engine::Embedded;
use super::schema::TABLES;
use crate::ports::PortError;

impl Embedded {
    /// Deletes everything in one transaction. Other processes that have the store open see it empty, and
    /// can go on.
    ///
    /// # Errors
    /// [`PortError`] if the store cannot be written. Then everything is still there.
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
