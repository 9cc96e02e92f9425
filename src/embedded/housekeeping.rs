//! How much has expired and is not yet deleted, and how large the files are.

use async_trait::async_trait;

use super::engine::Embedded;
use super::files::{bytes, log_of};
use super::sweep::backlog;
use crate::ports::{Housekeeping, PortError, Upkeep};

#[async_trait]
impl Housekeeping for Embedded {
    async fn upkeep(&self) -> Result<Upkeep, PortError> {
        let now = self.now();
        let backlog = self.read(move |connection| backlog(connection, now)).await?;
        let (file_bytes, log_bytes) = (bytes(self.file()), bytes(&log_of(self.file())));
        Ok(Upkeep { backlog, file_bytes, log_bytes })
    }
}
