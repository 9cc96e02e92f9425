//! The settings of the stack: attributes of the item that is the catalogue's head.
//!
//! So a reader of the head has also read the settings, and commands or functions that need both make one
//! request. Until a setting is changed, those apply that Terraform wrote into an item of their own when it
//! made the stack. That item is not the head's, because Terraform deletes what it wrote, and a change of
//! its configuration must never delete the head of the catalogue.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use tokio::time::Instant;

use super::conditions::Conditional;
use super::head;
use super::item::{self, FieldError, Item, item, number, text};
use super::names::DynamoTable;
use super::tables::{Tables, corrupt};
use crate::ports::{PortError, SettingsRecord, SettingsStore};

const SETTINGS: &str = "settings";
const REVISION: &str = "settings_revision";
/// The key of the item that Terraform writes. No product's id has a control character.
const FIRST: &str = "\u{1}settings";
/// How long the settings that came with the head are used without asking again.
const KEPT_FOR: Duration = Duration::from_secs(2);

/// Reads the settings, if any were ever set.
fn read(item: &Item) -> Result<Option<SettingsRecord>, PortError> {
    if !item.contains_key(REVISION) {
        return Ok(None);
    }
    let revision = item::read_number(item, REVISION).map_err(unreadable)?;
    Ok(Some(SettingsRecord { revision, values: values(item)? }))
}

fn values(item: &Item) -> Result<BTreeMap<String, String>, PortError> {
    let absent = || unreadable(FieldError::Absent { name: SETTINGS });
    let values = item.get(SETTINGS).and_then(|values| values.as_m().ok()).ok_or_else(absent)?;
    let text = |(key, value): (&String, &AttributeValue)| {
        let value = value.as_s().map_err(|_| absent())?;
        Ok((key.clone(), value.clone()))
    };
    values.iter().map(text).collect()
}

fn unreadable(error: FieldError) -> PortError {
    corrupt("the settings of the stack", error)
}

impl Tables {
    /// Remembers the settings that came with the head's item.
    pub(super) fn note_settings(&self, item: &Item) {
        // If they cannot be read, the error is reported to the caller that asks for them.
        if let Ok(Some(record)) = read(item) {
            self.known_settings().last = Some((Instant::now(), record));
        }
    }

    fn kept_settings(&self) -> Option<SettingsRecord> {
        let known = self.known_settings();
        let (at, record) = known.last.as_ref()?;
        (at.elapsed() < KEPT_FOR).then(|| record.clone())
    }

    /// Returns the settings that Terraform wrote, if it did.
    async fn first_settings(&self) -> Result<SettingsRecord, PortError> {
        if let Some(first) = &self.known_settings().first {
            return Ok(first.clone());
        }
        let key = item([("product_id", text(FIRST))]);
        let Some(found) = self.get(DynamoTable::Products, key, true).await? else {
            return Ok(SettingsRecord::default());
        };
        let first = SettingsRecord { revision: 0, values: values(&found)? };
        self.known_settings().first = Some(first.clone());
        Ok(first)
    }
}

#[async_trait]
impl SettingsStore for Tables {
    async fn settings(&self) -> Result<SettingsRecord, PortError> {
        if let Some(record) = self.kept_settings() {
            return Ok(record);
        }
        let item = self.head_item().await?;
        match item.as_ref().map_or(Ok(None), read)? {
            Some(record) => Ok(record),
            None => self.first_settings().await,
        }
    }

    async fn put_settings(&self, record: &SettingsRecord) -> Result<bool, PortError> {
        let values: HashMap<String, AttributeValue> =
            record.values.iter().map(|(key, value)| (key.clone(), text(value))).collect();
        let call = self.client.update_item().table_name(self.name(DynamoTable::Products));
        let mut call = call
            .set_key(Some(head::key()))
            .update_expression(format!("SET {SETTINGS} = :values, {REVISION} = :revision"))
            .expression_attribute_values(":values", AttributeValue::M(values))
            .expression_attribute_values(":revision", number(record.revision))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        call = match record.revision.saturating_sub(1) {
            0 => call.condition_expression(format!("attribute_not_exists({REVISION})")),
            before => call
                .condition_expression(format!("{REVISION} = :before"))
                .expression_attribute_values(":before", number(before)),
        };
        let done = match self.try_update(call).await? {
            Conditional::Done(_) => true,
            // The SDK may have sent the update twice because an answer was lost.
            Conditional::Refused(Some(item)) => read(&item)?.as_ref() == Some(record),
            Conditional::Refused(None) => false,
        };
        self.known_settings().last = None;
        Ok(done)
    }
}
