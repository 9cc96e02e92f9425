//! Makes the topic and its subscription.

use std::collections::HashMap;

use super::client::AwsClients;
use super::desired::DesiredTopic;
use super::errors::Call;
use super::provision::{Drift, PlanLine, if_there};
use super::provision_queues::same_setting;
use crate::ports::PortError;

/// The attribute of a topic that has its policy.
const POLICY: &str = "Policy";

/// Returns how a setting differs from what it should be, or `None` if it does not.
fn difference(found: &HashMap<String, String>, name: &str, should: String) -> Option<Drift> {
    let is = found.get(name);
    let same = is.is_some_and(|is| same_setting(is, &should));
    let (attribute, is) = (name.to_owned(), is.cloned());
    (!same).then_some(Drift::Differs { attribute, is, should })
}

impl AwsClients {
    pub(super) async fn plan_topic(
        &self,
        topic: &DesiredTopic,
    ) -> Result<Vec<PlanLine>, PortError> {
        let Some(found) = self.topic_attributes(topic).await? else {
            return Ok(vec![
                PlanLine::new(topic.resource(), Drift::Missing),
                PlanLine::new(topic.subscription(), Drift::Missing),
            ]);
        };
        let differences = difference(&found, POLICY, topic.policy()).into_iter().collect();
        let mut changes = PlanLine::of_existing(&topic.resource(), differences);
        match self.subscription(topic).await? {
            None => changes.push(PlanLine::new(topic.subscription(), Drift::Missing)),
            Some(arn) => {
                let found = self.subscription_attributes(topic, &arn).await?;
                let attributes = topic.attributes().into_iter();
                let differences =
                    attributes.filter_map(|(name, should)| difference(&found, name, should));
                changes.extend(PlanLine::of_existing(&topic.subscription(), differences.collect()));
            }
        }
        Ok(changes)
    }

    pub(super) async fn apply_topic(
        &self,
        topic: &DesiredTopic,
        due: &[PlanLine],
    ) -> Result<(), PortError> {
        for change in due {
            match &change.drift {
                Drift::Missing if change.resource == topic.resource() => {
                    self.create_topic(topic).await?;
                }
                Drift::Differs { attribute, should, .. } if change.resource == topic.resource() => {
                    self.set_topic_attribute(topic, attribute, should).await?;
                }
                Drift::Missing if change.resource == topic.subscription() => {
                    self.subscribe(topic).await?;
                }
                Drift::Differs { attribute, should, .. }
                    if change.resource == topic.subscription() =>
                {
                    self.set_subscription_attribute(topic, attribute, should).await?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Returns the attributes of the topic, or `None` if it does not exist.
    async fn topic_attributes(
        &self,
        topic: &DesiredTopic,
    ) -> Result<Option<HashMap<String, String>>, PortError> {
        let call = Call::of("GetTopicAttributes", topic.resource());
        let answer = self.sns.get_topic_attributes().topic_arn(&topic.arn).send().await;
        let found = if_there(answer.map_err(|error| call.failed(error)))?;
        Ok(found.map(|found| found.attributes.unwrap_or_default()))
    }

    async fn create_topic(&self, topic: &DesiredTopic) -> Result<(), PortError> {
        let call = Call::of("CreateTopic", topic.resource());
        let request = self.sns.create_topic().name(&topic.name);
        let answer = request.attributes(POLICY, topic.policy()).send().await;
        answer.map(drop).map_err(|error| call.failed(error))
    }

    async fn set_topic_attribute(
        &self,
        topic: &DesiredTopic,
        name: &str,
        value: &str,
    ) -> Result<(), PortError> {
        let call = Call::of("SetTopicAttributes", topic.resource());
        let request = self.sns.set_topic_attributes().topic_arn(&topic.arn);
        let answer = request.attribute_name(name).attribute_value(value).send().await;
        answer.map(drop).map_err(|error| call.failed(error))
    }

    /// Returns the ARN of the subscription, if it exists.
    async fn subscription(&self, topic: &DesiredTopic) -> Result<Option<String>, PortError> {
        let call = Call::of("ListSubscriptionsByTopic", topic.resource());
        let mut next = None;
        loop {
            let request = self.sns.list_subscriptions_by_topic().topic_arn(&topic.arn);
            let page = request.set_next_token(next).send().await;
            let page = page.map_err(|error| call.failed(error))?;
            let found = page.subscriptions().iter().find(|subscription| {
                subscription.protocol() == Some("sqs")
                    && subscription.endpoint() == Some(&topic.subscriber_arn)
            });
            if let Some(arn) = found.and_then(|subscription| subscription.subscription_arn()) {
                return Ok(Some(arn.to_owned()));
            }
            next = page.next_token;
            if next.is_none() {
                return Ok(None);
            }
        }
    }

    async fn subscription_attributes(
        &self,
        topic: &DesiredTopic,
        arn: &str,
    ) -> Result<HashMap<String, String>, PortError> {
        let call = Call::of("GetSubscriptionAttributes", topic.subscription());
        let answer = self.sns.get_subscription_attributes().subscription_arn(arn).send().await;
        Ok(answer.map_err(|error| call.failed(error))?.attributes.unwrap_or_default())
    }

    async fn subscribe(&self, topic: &DesiredTopic) -> Result<(), PortError> {
        let call = Call::of("Subscribe", topic.subscription());
        let request = self
            .sns
            .subscribe()
            .topic_arn(&topic.arn)
            .protocol("sqs")
            .endpoint(&topic.subscriber_arn);
        let attributes = topic.attributes().map(|(name, value)| (name.to_owned(), value));
        let answer = request.set_attributes(Some(attributes.into())).send().await;
        answer.map(drop).map_err(|error| call.failed(error))
    }

    async fn set_subscription_attribute(
        &self,
        topic: &DesiredTopic,
        name: &str,
        value: &str,
    ) -> Result<(), PortError> {
        let Some(arn) = self.subscription(topic).await? else {
            return self.subscribe(topic).await;
        };
        let call = Call::of("SetSubscriptionAttributes", topic.subscription());
        let request = self
            .sns
            .set_subscription_attributes()
            .subscription_arn(arn)
            .attribute_name(name)
            .attribute_value(value);
        request.send().await.map(drop).map_err(|error| call.failed(error))
    }

    /// Deletes the subscription. Returns whether it existed.
    pub(super) async fn unsubscribe(&self, topic: &DesiredTopic) -> Result<bool, PortError> {
        let found = if_there(self.subscription(topic).await)?.flatten();
        let Some(arn) = found else { return Ok(false) };
        let call = Call::of("Unsubscribe", topic.subscription());
        let answer = self.sns.unsubscribe().subscription_arn(arn).send().await;
        Ok(if_there(answer.map_err(|error| call.failed(error)))?.is_some())
    }

    /// Deletes the topic. Returns whether it existed.
    pub(super) async fn remove_topic(&self, topic: &DesiredTopic) -> Result<bool, PortError> {
        // Deleting a topic that does not exist succeeds, so its existence is checked first.
        if self.topic_attributes(topic).await?.is_none() {
            return Ok(false);
        }
        let call = Call::of("DeleteTopic", topic.resource());
        let answer = self.sns.delete_topic().topic_arn(&topic.arn).send().await;
        answer.map(|_| true).map_err(|error| call.failed(error))
    }
}
