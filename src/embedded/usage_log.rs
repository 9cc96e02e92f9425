//! The usage that processes have recorded.

use async_trait::async_trait;
use bytes::Bytes;

use super::engine::Embedded;
use crate::model::Timestamp;
use crate::ports::{PortError, UsageLog, UsageRecord};

const PUT: &str = "
    INSERT INTO usage (window, process, expires_at, body) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT DO UPDATE SET expires_at = excluded.expires_at, body = excluded.body";
const LIST: &str = "SELECT process, expires_at, body FROM usage WHERE window = ?1";

#[async_trait]
impl UsageLog for Embedded {
    async fn record_usage(&self, record: &UsageRecord) -> Result<(), PortError> {
        let UsageRecord { window, process, body, expires_at } = record.clone();
        let values = (window, process, expires_at.secs_rounded_up(), body.to_vec());
        self.execute(PUT, values).await.map(drop)
    }

    async fn usage_records(&self, windows: &[u64]) -> Result<Vec<UsageRecord>, PortError> {
        let windows = windows.to_vec();
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(LIST)?;
            let mut records = Vec::new();
            for window in windows {
                let found = statement.query_map([window], |row| {
                    let body: Vec<u8> = row.get(2)?;
                    let expires_at = Timestamp::from_secs(row.get(1)?);
                    let (process, body) = (row.get(0)?, Bytes::from(body));
                    Ok(UsageRecord { window, process, body, expires_at })
                })?;
                for record in found {
                    records.push(record?);
                }
            }
            Ok(records)
        })
        .await
    }
}
