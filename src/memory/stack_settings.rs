//! The settings of the stack.

use async_trait::async_trait;

use super::engine::Memory;
use super::limits::check_item;
use crate::ports::{PortError, SettingsRecord, SettingsStore};

#[async_trait]
impl SettingsStore for Memory {
    async fn settings(&self) -> Result<SettingsRecord, PortError> {
        Ok(self.state().settings.clone())
    }

    async fn put_settings(&self, record: &SettingsRecord) -> Result<bool, PortError> {
        check_item("the settings of the stack", record)?;
        let stored = &mut self.state().settings;
        let is_next = stored.revision + 1 == record.revision;
        if is_next {
            *stored = record.clone();
        }
        Ok(is_next)
    }
}
