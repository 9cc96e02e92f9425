//! Tests of provisioning, against a local AWS.

use std::sync::Arc;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use aws_sdk_sqs::types::QueueAttributeName;

use crate::aws::{Aws, AwsSettings, Drift, ProvisionError, Removal, StackResource};
use crate::model::Generation;
use crate::ports::{PortError, Randomness as _, SystemRandomness};

/// Nine tables, six queues, the topic and its subscription.
const RESOURCES: usize = 17;

/// Returns a new stack on the local AWS.
async fn stack() -> Aws {
    let endpoint = std::env::var("OCACHE_TEST_ENDPOINT_URL").unwrap();
    let stack = format!("plan-{}", Generation::from_random(SystemRandomness.bits()));
    let settings = AwsSettings { endpoint_url: Some(endpoint), ..AwsSettings::new(stack) };
    Aws::connect(&settings, Arc::new(SystemRandomness)).await.unwrap()
}

async fn destroy(aws: &Aws) -> Vec<Removal> {
    let mut removals = vec![];
    aws.destroy(|removal| removals.push(removal)).await.unwrap();
    removals
}

#[tokio::test]
#[ignore = "needs a local AWS: .ci/ministack cargo test"]
async fn what_is_missing_is_made_once_and_removed_whole() {
    let aws = stack().await;
    let plan = aws.plan().await.unwrap();
    assert_eq!(plan.changes.len(), RESOURCES);
    assert!(plan.changes.iter().all(|change| change.drift == Drift::Missing), "{plan:?}");
    assert_eq!(aws.apply(&plan, false).await.unwrap(), plan.changes);

    let again = aws.plan().await.unwrap();
    assert!(again.is_clean(), "{:?}", again.changes);
    assert_eq!(again.changes.len(), RESOURCES);
    assert_eq!(aws.apply(&again, true).await.unwrap(), []);
    // It is harmless to apply a plan twice, as two processes that started together do.
    aws.apply(&plan, false).await.unwrap();

    let removals = destroy(&aws).await;
    assert_eq!(removals.len(), RESOURCES);
    assert!(removals.iter().all(|removal| removal.existed), "{removals:?}");
    let removals = destroy(&aws).await;
    assert!(removals.iter().all(|removal| !removal.existed), "{removals:?}");
    assert!(matches!(
        aws.store().catalogue_head().await,
        Err(PortError::Missing { what }) if what.starts_with("table `plan-")
    ));
}

#[tokio::test]
#[ignore = "needs a local AWS: .ci/ministack cargo test"]
async fn what_differs_is_left_alone_until_it_is_to_be_fixed() {
    let aws = stack().await;
    let plan = aws.plan().await.unwrap();
    aws.apply(&plan, false).await.unwrap();
    let name = plan.desired.queues[0].name.clone();
    let url = aws.clients.sqs.get_queue_url().queue_name(&name).send().await.unwrap();
    let other = aws.clients.sqs.set_queue_attributes().set_queue_url(url.queue_url);
    let hidden = |secs: &str| {
        let other = other.clone().attributes(QueueAttributeName::VisibilityTimeout, secs);
        async move { other.send().await.unwrap() }
    };
    // A longer visibility timeout is kept, because a function may need it.
    hidden("120").await;
    assert!(aws.plan().await.unwrap().is_clean());

    hidden("7").await;
    let plan = aws.plan().await.unwrap();
    let differing: Vec<_> =
        plan.changes.iter().filter(|change| change.drift != Drift::Unchanged).collect();
    assert_eq!(differing.len(), 1, "{differing:?}");
    assert_eq!(differing[0].resource, StackResource::Queue(name));
    let expected = Drift::Differs {
        attribute: "VisibilityTimeout".to_owned(),
        is: Some("7".to_owned()),
        should: "60".to_owned(),
    };
    assert_eq!(differing[0].drift, expected);

    assert_eq!(aws.apply(&plan, false).await.unwrap(), []);
    assert_eq!(aws.plan().await.unwrap().changes, plan.changes);
    assert_eq!(aws.apply(&plan, true).await.unwrap().len(), 1);
    assert!(aws.plan().await.unwrap().is_clean());
    destroy(&aws).await;
}

#[tokio::test]
#[ignore = "needs a local AWS: .ci/ministack cargo test"]
async fn what_the_topic_cannot_deliver_is_kept_and_can_be_sent_again() {
    let aws = stack().await;
    let plan = aws.plan().await.unwrap();
    aws.apply(&plan, false).await.unwrap();
    // Makes the subscription as an earlier version made it.
    let topic = &plan.desired.topic;
    let page = aws.clients.sns.list_subscriptions_by_topic().topic_arn(&topic.arn);
    let page = page.send().await.unwrap();
    let arn = page.subscriptions()[0].subscription_arn().unwrap();
    let unset = aws.clients.sns.set_subscription_attributes().subscription_arn(arn);
    unset.attribute_name("RedrivePolicy").attribute_value("{}").send().await.unwrap();
    let plan = aws.plan().await.unwrap();
    let differing: Vec<_> =
        plan.changes.iter().filter(|change| change.drift != Drift::Unchanged).collect();
    let [change] = differing[..] else { panic!("{differing:?}") };
    assert_eq!(change.resource, topic.subscription());
    let is_redrive = |drift: &Drift| {
        matches!(drift, Drift::Differs { attribute, should, .. }
            if attribute == "RedrivePolicy" && should.contains("-provider-dlq"))
    };
    assert!(is_redrive(&change.drift), "{change:?}");
    assert_eq!(aws.apply(&plan, true).await.unwrap().len(), 1);
    assert!(aws.plan().await.unwrap().is_clean());
    destroy(&aws).await;
}

/// Tests a queue and a topic that an earlier version made.
#[tokio::test]
#[ignore = "needs a local AWS: .ci/ministack cargo test"]
async fn queues_and_the_topic_that_take_plain_http_are_fixed() {
    let aws = stack().await;
    let plan = aws.plan().await.unwrap();
    aws.apply(&plan, false).await.unwrap();
    let queue = &plan.desired.queues[0].name;
    let url = aws.clients.sqs.get_queue_url().queue_name(queue).send().await.unwrap();
    let unset = aws.clients.sqs.set_queue_attributes().set_queue_url(url.queue_url);
    unset.attributes(QueueAttributeName::Policy, "").send().await.unwrap();
    let topic = &plan.desired.topic;
    let policy = r#"{"Version":"2012-10-17","Statement":[]}"#;
    let unset = aws.clients.sns.set_topic_attributes().topic_arn(&topic.arn);
    unset.attribute_name("Policy").attribute_value(policy).send().await.unwrap();

    let plan = aws.plan().await.unwrap();
    let differing: Vec<_> =
        plan.changes.iter().filter(|change| change.drift != Drift::Unchanged).collect();
    let resources: Vec<_> = differing.iter().map(|change| &change.resource).collect();
    assert_eq!(resources, [&StackResource::Queue(queue.clone()), &topic.resource()]);
    let requires_tls = |drift: &Drift| {
        matches!(drift, Drift::Differs { attribute, should, .. }
            if attribute == "Policy" && should.contains("aws:SecureTransport"))
    };
    assert!(differing.iter().all(|change| requires_tls(&change.drift)), "{differing:?}");
    assert_eq!(aws.apply(&plan, true).await.unwrap().len(), 2);
    assert!(aws.plan().await.unwrap().is_clean());
    destroy(&aws).await;
}

#[tokio::test]
#[ignore = "needs a local AWS: .ci/ministack cargo test"]
async fn another_key_cannot_be_fixed() {
    let aws = stack().await;
    let name = aws.plan().await.unwrap().desired.tables[0].name.clone();
    let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash);
    let definition =
        AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::N);
    let table = aws.clients.dynamodb.create_table().table_name(&name);
    table
        .key_schema(key.build().unwrap())
        .attribute_definitions(definition.build().unwrap())
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await
        .unwrap();
    let error = aws.plan().await.unwrap_err();
    let ProvisionError::KeysDiffer { table, is, should } = &error else { panic!("{error:?}") };
    assert_eq!((table, is.as_str(), should.as_str()), (&name, "id (N)", "user_id (S)"));
    destroy(&aws).await;
}

#[tokio::test]
#[ignore = "needs a local AWS: .ci/ministack cargo test"]
async fn we_know_who_we_are() {
    let aws = stack().await;
    let identity = aws.identity().await.unwrap();
    assert!(identity.account.bytes().all(|byte| byte.is_ascii_digit()), "{identity:?}");
    assert!(identity.arn.starts_with("arn:aws:"), "{identity:?}");
    assert_eq!(identity.endpoint, std::env::var("OCACHE_TEST_ENDPOINT_URL").ok());
}
