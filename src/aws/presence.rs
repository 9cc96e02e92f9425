//! Which processes are alive: items of the meter's table under a partition key of their own. Every process
//! of the stack may already write to that table, and one query reads all of these items.

use async_trait::async_trait;

use super::item::{self, Item, item, text};
use super::names::{DynamoTable, TTL};
use super::tables::{Tables, corrupt};
use crate::ports::{PortError, Presence, ProcessRecord};

/// The partition key of these items, in place of the number of a window.
const PROCESSES: &str = "processes";
const RECORD: &str = "record";

fn key(process: &str) -> Item {
    item([("window", text(PROCESSES)), ("process", text(process))])
}

pub(super) fn write(record: &ProcessRecord) -> Result<Item, PortError> {
    let json = serde_json::to_string(record)
        .map_err(|error| PortError::rejected("a process", error.to_string()))?;
    let mut item = key(&record.process);
    item.insert(RECORD.to_owned(), text(json));
    item.insert(TTL.to_owned(), item::ttl(record.lives_until));
    Ok(item)
}

fn read(item: &Item) -> Result<ProcessRecord, PortError> {
    let what = || {
        let process = item::read_text(item, "process").unwrap_or("?");
        format!("what process `{process}` said of itself")
    };
    let record = item::read_text(item, RECORD).map_err(|error| corrupt(what(), error))?;
    serde_json::from_str(record).map_err(|error| PortError::corrupt(what(), error))
}

#[async_trait]
impl Presence for Tables {
    async fn record_process(&self, record: &ProcessRecord) -> Result<(), PortError> {
        self.put_in_meter(write(record)?).await
    }

    async fn remove_process(&self, process: &str) -> Result<(), PortError> {
        self.delete(DynamoTable::Meter, key(process)).await
    }

    async fn process_records(&self) -> Result<Vec<ProcessRecord>, PortError> {
        let items = self.query_meter(PROCESSES).await?;
        items.iter().map(read).collect()
    }
}
