//! The usage records of processes.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::engine::Memory;
use crate::ports::{PortError, UsageLog, UsageRecord};

pub(super) type UsageTable = BTreeMap<(u64, String), UsageRecord>;

#[async_trait]
impl UsageLog for Memory {
    async fn record_usage(&self, record: &UsageRecord) -> Result<(), PortError> {
        let key = (record.window, record.process.clone());
        self.state().usage.insert(key, record.clone());
        Ok(())
    }

    async fn usage_records(&self, windows: &[u64]) -> Result<Vec<UsageRecord>, PortError> {
        let table = &self.state().usage;
        let is_asked = |record: &&UsageRecord| windows.contains(&record.window);
        Ok(table.values().filter(is_asked).cloned().collect())
    }
}
