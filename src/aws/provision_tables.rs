//! Makes the tables.

use std::time::Duration;

use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
    TableDescription, TableStatus, TimeToLiveSpecification, TimeToLiveStatus,
};
use tokio::time::Instant;

use super::client::AwsClients;
use super::desired::{DesiredTable, StackResource};
use super::errors::Call;
use super::provision::{Drift, PlanLine, ProvisionError, if_there};
use crate::ports::PortError;

const BILLING_MODE: &str = "BillingMode";
const TIME_TO_LIVE: &str = "TimeToLive";
/// How long a table may take to become ready.
const READY_WITHIN: Duration = Duration::from_secs(5 * 60);
const READY_INTERVAL: Duration = Duration::from_millis(500);

impl DesiredTable {
    pub(super) fn resource(&self) -> StackResource {
        StackResource::Table(self.name.clone())
    }

    /// Returns an error for a table with another key.
    fn check_keys(&self, found: &TableDescription) -> Result<(), ProvisionError> {
        let type_of = |name: &str| {
            let mut definitions = found.attribute_definitions().iter();
            let definition = definitions.find(|definition| definition.attribute_name == name);
            definition.map_or("?", |definition| definition.attribute_type.as_str())
        };
        let mut schema: Vec<_> = found.key_schema().iter().collect();
        schema.sort_by_key(|element| element.key_type != KeyType::Hash);
        let is: Vec<_> = schema
            .iter()
            .map(|element| {
                format!("{} ({})", element.attribute_name, type_of(&element.attribute_name))
            })
            .collect();
        let should: Vec<_> = self.keys.iter().map(|name| format!("{name} (S)")).collect();
        if is == should {
            return Ok(());
        }
        let table = self.name.clone();
        Err(ProvisionError::KeysDiffer { table, is: is.join(", "), should: should.join(", ") })
    }
}

impl AwsClients {
    pub(super) async fn plan_tables(
        &self,
        tables: &[DesiredTable],
    ) -> Result<Vec<PlanLine>, ProvisionError> {
        let mut changes = vec![];
        for table in tables {
            let resource = table.resource();
            let Some(found) = if_there(self.describe_table(&table.name).await)? else {
                changes.push(PlanLine::new(resource, Drift::Missing));
                continue;
            };
            table.check_keys(&found)?;
            let mut differences = vec![];
            differences.extend(billing_difference(&found));
            differences.extend(self.ttl_difference(table).await?);
            changes.extend(PlanLine::of_existing(&resource, differences));
        }
        Ok(changes)
    }

    pub(super) async fn apply_tables(
        &self,
        tables: &[DesiredTable],
        due: &[PlanLine],
    ) -> Result<(), ProvisionError> {
        let of =
            |change: &PlanLine| tables.iter().find(|table| table.resource() == change.resource);
        for (change, table) in due.iter().filter_map(|change| Some((change, of(change)?))) {
            match &change.drift {
                Drift::Missing => self.create_table(table).await?,
                Drift::Differs { attribute, .. } if attribute == BILLING_MODE => {
                    self.bill_on_demand(&table.name).await?;
                }
                Drift::Differs { .. } | Drift::Unchanged => {}
            }
        }
        // All tables are being made at the same time. Only then is each of them waited for.
        for (change, table) in due.iter().filter_map(|change| Some((change, of(change)?))) {
            self.await_table(&table.name).await?;
            let sets_ttl = match &change.drift {
                Drift::Missing => true,
                Drift::Differs { attribute, .. } => attribute == TIME_TO_LIVE,
                Drift::Unchanged => false,
            };
            if let (true, Some(attribute)) = (sets_ttl, table.ttl) {
                self.enable_ttl(&table.name, attribute).await?;
            }
        }
        Ok(())
    }

    async fn describe_table(&self, name: &str) -> Result<TableDescription, PortError> {
        let call = Call::of("DescribeTable", format_args!("table `{name}`"));
        let answer = self.dynamodb.describe_table().table_name(name).send().await;
        let answer = answer.map_err(|error| call.failed(error))?;
        answer.table.ok_or_else(|| call.incomplete("table"))
    }

    async fn ttl_difference(&self, table: &DesiredTable) -> Result<Option<Drift>, PortError> {
        let Some(should) = table.ttl else { return Ok(None) };
        let call = Call::of("DescribeTimeToLive", format_args!("table `{}`", table.name));
        let answer = self.dynamodb.describe_time_to_live().table_name(&table.name).send().await;
        let found = answer.map_err(|error| call.failed(error))?.time_to_live_description;
        let is = found.filter(|ttl| {
            matches!(
                ttl.time_to_live_status,
                Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)
            )
        });
        let is = is.and_then(|ttl| ttl.attribute_name);
        Ok((is.as_deref() != Some(should)).then(|| Drift::Differs {
            attribute: TIME_TO_LIVE.to_owned(),
            is,
            should: should.to_owned(),
        }))
    }

    async fn create_table(&self, table: &DesiredTable) -> Result<(), PortError> {
        let call = Call::of("CreateTable", format_args!("table `{}`", table.name));
        let malformed = |error| PortError::corrupt(&call.resource, error);
        let mut request = self.dynamodb.create_table().table_name(&table.name);
        for (name, kind) in table.keys.iter().zip([KeyType::Hash, KeyType::Range]) {
            let key = KeySchemaElement::builder().attribute_name(*name).key_type(kind);
            let definition = AttributeDefinition::builder()
                .attribute_name(*name)
                .attribute_type(ScalarAttributeType::S);
            request = request
                .key_schema(key.build().map_err(malformed)?)
                .attribute_definitions(definition.build().map_err(malformed)?);
        }
        match request.billing_mode(BillingMode::PayPerRequest).send().await {
            Ok(_) => Ok(()),
            // Another process is making the table at this moment.
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(CreateTableError::is_resource_in_use_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(call.failed(error)),
        }
    }

    async fn bill_on_demand(&self, name: &str) -> Result<(), PortError> {
        let call = Call::of("UpdateTable", format_args!("table `{name}`"));
        let request = self.dynamodb.update_table().table_name(name);
        let answer = request.billing_mode(BillingMode::PayPerRequest).send().await;
        answer.map(drop).map_err(|error| call.failed(error))
    }

    async fn enable_ttl(&self, name: &str, attribute: &str) -> Result<(), PortError> {
        let call = Call::of("UpdateTimeToLive", format_args!("table `{name}`"));
        let ttl = TimeToLiveSpecification::builder().attribute_name(attribute).enabled(true);
        let ttl = ttl.build().map_err(|error| PortError::corrupt(&call.resource, error))?;
        let request = self.dynamodb.update_time_to_live().table_name(name);
        let answer = request.time_to_live_specification(ttl).send().await;
        answer.map(drop).map_err(|error| call.failed(error))
    }

    /// Waits until a table can be used.
    async fn await_table(&self, name: &str) -> Result<(), ProvisionError> {
        let started = Instant::now();
        loop {
            let status = self.describe_table(name).await?.table_status;
            if status == Some(TableStatus::Active) {
                return Ok(());
            }
            if started.elapsed() >= READY_WITHIN {
                return Err(ProvisionError::NotReady {
                    table: name.to_owned(),
                    status: status.map_or_else(|| "unknown".to_owned(), |is| is.to_string()),
                    waited_secs: started.elapsed().as_secs(),
                });
            }
            tokio::time::sleep(READY_INTERVAL).await;
        }
    }

    /// Deletes a table and waits until it is gone. Returns whether it existed.
    pub(super) async fn remove_table(&self, name: &str) -> Result<bool, PortError> {
        let call = Call::of("DeleteTable", format_args!("table `{name}`"));
        let answer = self.dynamodb.delete_table().table_name(name).send().await;
        if if_there(answer.map_err(|error| call.failed(error)))?.is_none() {
            return Ok(false);
        }
        while if_there(self.describe_table(name).await)?.is_some() {
            tokio::time::sleep(READY_INTERVAL).await;
        }
        Ok(true)
    }
}

fn billing_difference(found: &TableDescription) -> Option<Drift> {
    // A table that was never billed on demand has no summary at all.
    let is = found.billing_mode_summary().and_then(|summary| summary.billing_mode());
    let is = is.unwrap_or(&BillingMode::Provisioned);
    (*is != BillingMode::PayPerRequest).then(|| Drift::Differs {
        attribute: BILLING_MODE.to_owned(),
        is: Some(is.to_string()),
        should: BillingMode::PayPerRequest.to_string(),
    })
}
