//! The table to which meters write.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::item::{self, FieldError, Item, blob, item, text};
use super::names::{DynamoTable, TTL};
use super::tables::{Tables, corrupt};
use crate::model::Timestamp;
use crate::ports::{PortError, UsageLog, UsageRecord};

const USAGE: &str = "usage";
/// How many windows are read at once.
const WINDOWS_IN_FLIGHT: usize = 8;

pub(super) fn write(record: &UsageRecord) -> Item {
    item([
        ("window", text(record.window.to_string())),
        ("process", text(&record.process)),
        (USAGE, blob(record.body.to_vec())),
        (TTL, item::ttl(record.expires_at)),
    ])
}

fn read(window: u64, item: &Item) -> Result<UsageRecord, FieldError> {
    let body = item.get(USAGE).and_then(|body| body.as_b().ok());
    let body = body.ok_or(FieldError::Absent { name: USAGE })?;
    Ok(UsageRecord {
        window,
        process: item::read_text(item, "process")?.to_owned(),
        body: Bytes::copy_from_slice(body.as_ref()),
        expires_at: Timestamp::from_secs(item::read_number(item, TTL)?),
    })
}

impl Tables {
    /// Returns all items of the meter's table under a partition key.
    pub(super) async fn query_meter(&self, window: &str) -> Result<Vec<Item>, PortError> {
        let query = self.client.query().table_name(self.name(DynamoTable::Meter));
        let query = query
            .key_condition_expression("#window = :window")
            .expression_attribute_names("#window", "window")
            .expression_attribute_values(":window", text(window));
        self.query_all(DynamoTable::Meter, query).await
    }

    pub(super) async fn put_in_meter(&self, item: Item) -> Result<(), PortError> {
        self.check_size(DynamoTable::Meter, &item)?;
        self.put(DynamoTable::Meter, item).await
    }

    async fn usage_of_window(&self, window: u64) -> Result<Vec<UsageRecord>, PortError> {
        let items = self.query_meter(&window.to_string()).await?;
        let records = items.iter().map(|item| read(window, item));
        let corrupted = |error| corrupt("a reading of the meter", error);
        records.collect::<Result<_, _>>().map_err(corrupted)
    }
}

#[async_trait]
impl UsageLog for Tables {
    async fn record_usage(&self, record: &UsageRecord) -> Result<(), PortError> {
        self.put_in_meter(write(record)).await
    }

    async fn usage_records(&self, windows: &[u64]) -> Result<Vec<UsageRecord>, PortError> {
        let found = windows.iter().copied().map(|window| self.usage_of_window(window));
        let found: Vec<Vec<UsageRecord>> =
            stream::iter(found).buffered(WINDOWS_IN_FLIGHT).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }
}
