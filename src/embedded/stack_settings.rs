//! The settings of the stack, in one row that loads do not touch.

use async_trait::async_trait;
use rusqlite::Connection;

use super::engine::Embedded;
use super::failure::Failure;
use super::rows::{from_json, to_json};
use crate::ports::{PortError, SettingsRecord, SettingsStore};

const GET: &str = "SELECT revision, record FROM stack_settings";
const PUT: &str = "
    INSERT INTO stack_settings (id, revision, record) SELECT 1, ?1, ?2
    WHERE ?1 = 1 + COALESCE((SELECT revision FROM stack_settings), 0)
    ON CONFLICT DO UPDATE SET revision = excluded.revision, record = excluded.record";

fn what() -> String {
    "the settings of the stack".to_owned()
}

fn read(connection: &Connection) -> Result<SettingsRecord, Failure> {
    let mut statement = connection.prepare_cached(GET)?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()? else { return Ok(SettingsRecord::default()) };
    let values = from_json(&row.get::<_, String>(1)?, what)?;
    Ok(SettingsRecord { revision: row.get(0)?, values })
}

#[async_trait]
impl SettingsStore for Embedded {
    async fn settings(&self) -> Result<SettingsRecord, PortError> {
        self.look_once(read).await
    }

    async fn put_settings(&self, record: &SettingsRecord) -> Result<bool, PortError> {
        let values = to_json(&record.values, what).map_err(|failure| self.port_error(failure))?;
        Ok(self.execute(PUT, (record.revision, values)).await? > 0)
    }
}
