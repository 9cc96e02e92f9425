//! Empties the store.

use std::sync::Arc;

use super::engine::Embedded;
use super::schema::TABLES;
use crate::ports::PortError;

impl Embedded {
    /// Deletes everything in one transaction. No other process may have the store open: versions start over, and a
    /// process keeps bases in memory by their version.
    ///
    /// # Errors
    /// [`PortError`] if the store cannot be written. Then everything is still there.
    pub async fn clear(&self) -> Result<(), PortError> {
        let heads = Arc::clone(self.known_heads());
        self.write(move |tx| {
            for table in TABLES {
                tx.execute(&format!("DELETE FROM {table}"), [])?;
            }
            // SQLite does not report the rows when all of a table are deleted.
            heads.note_change();
            Ok(())
        })
        .await
    }
}
