//! The presence records of processes.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::engine::Memory;
use super::limits::check_item;
use crate::ports::{PortError, Presence, ProcessRecord};

pub(super) type ProcessTable = BTreeMap<String, ProcessRecord>;

#[async_trait]
impl Presence for Memory {
    async fn record_process(&self, record: &ProcessRecord) -> Result<(), PortError> {
        check_item("a process", record)?;
        self.state().processes.insert(record.process.clone(), record.clone());
        Ok(())
    }

    async fn remove_process(&self, process: &str) -> Result<(), PortError> {
        self.state().processes.remove(process);
        Ok(())
    }

    async fn process_records(&self) -> Result<Vec<ProcessRecord>, PortError> {
        Ok(self.state().processes.values().cloned().collect())
    }
}
