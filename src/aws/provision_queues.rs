//! Makes the queues.

use std::collections::HashMap;

use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::Value;

use super::client::AwsClients;
use super::desired::{DesiredQueue, StackResource};
use super::errors::Call;
use super::provision::{Drift, PlanLine, if_there};
use crate::ports::PortError;

impl DesiredQueue {
    pub(super) fn resource(&self) -> StackResource {
        StackResource::Queue(self.name.clone())
    }

    fn differences(&self, found: &HashMap<QueueAttributeName, String>) -> Vec<Drift> {
        let differs = |(name, should): (&QueueAttributeName, &String)| {
            let is = found.get(name);
            let same = is.is_some_and(|is| same_setting(is, should) || is_longer(name, is, should));
            (!same).then(|| Drift::Differs {
                attribute: name.to_string(),
                is: is.cloned(),
                should: should.clone(),
            })
        };
        self.attributes.iter().filter_map(differs).collect()
    }
}

/// Whether the visibility timeout is longer than it should be, which is fine: functions that may take
/// longer need that.
fn is_longer(name: &QueueAttributeName, is: &str, should: &str) -> bool {
    let secs = |text: &str| text.parse::<u32>().ok();
    *name == QueueAttributeName::VisibilityTimeout
        && secs(is).zip(secs(should)).is_some_and(|(is, should)| is > should)
}

/// Compares documents by their content, not by their notation.
pub(super) fn same_setting(is: &str, should: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<Value>(text).map(with_numbers_as_text);
    match (read(is), read(should)) {
        (Ok(is), Ok(should)) => is == should,
        _ => is == should,
    }
}

/// Replaces numbers by text, because the service accepts and returns `10` and `"10"` alike.
fn with_numbers_as_text(value: Value) -> Value {
    match value {
        Value::Number(number) => Value::String(number.to_string()),
        Value::Array(list) => list.into_iter().map(with_numbers_as_text).collect(),
        Value::Object(map) => {
            map.into_iter().map(|(name, value)| (name, with_numbers_as_text(value))).collect()
        }
        other => other,
    }
}

impl AwsClients {
    pub(super) async fn plan_queues(
        &self,
        queues: &[DesiredQueue],
    ) -> Result<Vec<PlanLine>, PortError> {
        let mut changes = vec![];
        for queue in queues {
            let resource = queue.resource();
            let Some(url) = if_there(self.queue_url(&queue.name).await)? else {
                changes.push(PlanLine::new(resource, Drift::Missing));
                continue;
            };
            let found = self.queue_attributes(&queue.name, &url).await?;
            changes.extend(PlanLine::of_existing(&resource, queue.differences(&found)));
        }
        Ok(changes)
    }

    pub(super) async fn apply_queues(
        &self,
        queues: &[DesiredQueue],
        due: &[PlanLine],
    ) -> Result<(), PortError> {
        for queue in queues {
            let resource = queue.resource();
            for change in due.iter().filter(|change| change.resource == resource) {
                match &change.drift {
                    Drift::Missing => self.create_queue(queue).await?,
                    Drift::Differs { attribute, should, .. } => {
                        self.set_queue_attribute(&queue.name, attribute, should).await?;
                    }
                    Drift::Unchanged => {}
                }
            }
        }
        Ok(())
    }

    async fn queue_url(&self, name: &str) -> Result<String, PortError> {
        let call = Call::of("GetQueueUrl", format_args!("queue `{name}`"));
        let answer = self.sqs.get_queue_url().queue_name(name).send().await;
        let answer = answer.map_err(|error| call.failed(error))?;
        answer.queue_url.ok_or_else(|| call.incomplete("queue url"))
    }

    async fn queue_attributes(
        &self,
        name: &str,
        url: &str,
    ) -> Result<HashMap<QueueAttributeName, String>, PortError> {
        let call = Call::of("GetQueueAttributes", format_args!("queue `{name}`"));
        let request = self.sqs.get_queue_attributes().queue_url(url);
        let answer = request.attribute_names(QueueAttributeName::All).send().await;
        Ok(answer.map_err(|error| call.failed(error))?.attributes.unwrap_or_default())
    }

    async fn create_queue(&self, queue: &DesiredQueue) -> Result<(), PortError> {
        let call = Call::of("CreateQueue", format_args!("queue `{}`", queue.name));
        let attributes = queue.attributes.clone().into_iter().collect();
        let request = self.sqs.create_queue().queue_name(&queue.name);
        let answer = request.set_attributes(Some(attributes)).send().await;
        answer.map(drop).map_err(|error| call.failed(error))
    }

    async fn set_queue_attribute(
        &self,
        name: &str,
        attribute: &str,
        value: &str,
    ) -> Result<(), PortError> {
        let call = Call::of("SetQueueAttributes", format_args!("queue `{name}`"));
        let request = self.sqs.set_queue_attributes().queue_url(self.queue_url(name).await?);
        let answer = request.attributes(QueueAttributeName::from(attribute), value).send().await;
        answer.map(drop).map_err(|error| call.failed(error))
    }

    /// Deletes a queue. Returns whether it existed.
    pub(super) async fn remove_queue(&self, name: &str) -> Result<bool, PortError> {
        let Some(url) = if_there(self.queue_url(name).await)? else { return Ok(false) };
        let call = Call::of("DeleteQueue", format_args!("queue `{name}`"));
        let answer = self.sqs.delete_queue().queue_url(url).send().await;
        Ok(if_there(answer.map_err(|error| call.failed(error)))?.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_compared_by_meaning() {
        assert!(same_setting(r#"{"a": "10", "b":1}"#, r#"{"b":"1","a":10}"#));
        assert!(!same_setting(r#"{"a":10}"#, r#"{"a":11}"#));
        assert!(same_setting("60", "60"));
        assert!(!same_setting("messageGroup", "queue"));
    }
}
