//! The resources of a stack, as data. All settings of these resources are defined here.

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};

use super::entries::BYTES_PER_CALL;
use super::identity::Identity;
use super::names::{DynamoTable, Mailbox, Names, TTL};
use crate::ports::{MAX_RECEIVES, Queue};

/// How long a dead letter is hidden from others while it is looked at.
const DEAD_VISIBILITY_SECS: u64 = 60;
/// How long dead letters are kept: as long as SQS allows.
const DEAD_RETENTION_SECS: u64 = 14 * 24 * 60 * 60;

/// A resource in the account that belongs to a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StackResource {
    /// A DynamoDB table, by name.
    Table(String),
    /// An SQS queue, by name.
    Queue(String),
    /// An SNS topic, by name.
    Topic(String),
    /// A subscription, which delivers the messages of a topic to a queue.
    Subscription {
        /// The topic, by name.
        topic: String,
        /// The queue, by name.
        queue: String,
    },
}

impl fmt::Display for StackResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(name) => write!(f, "table `{name}`"),
            Self::Queue(name) => write!(f, "queue `{name}`"),
            Self::Topic(name) => write!(f, "topic `{name}`"),
            Self::Subscription { topic, queue } => {
                write!(f, "subscription of queue `{queue}` to topic `{topic}`")
            }
        }
    }
}

/// A whole stack. All tables are billed on demand.
#[derive(Clone, Debug)]
pub(super) struct Desired {
    pub(super) tables: Vec<DesiredTable>,
    /// The queues. Those for dead letters come first, because the others name them.
    pub(super) queues: Vec<DesiredQueue>,
    pub(super) topic: DesiredTopic,
}

#[derive(Clone, Debug)]
pub(super) struct DesiredTable {
    pub(super) name: String,
    /// The partition key, then the sort key. All are strings.
    pub(super) keys: &'static [&'static str],
    /// The attribute by which items expire.
    pub(super) ttl: Option<&'static str>,
}

#[derive(Clone, Debug)]
pub(super) struct DesiredQueue {
    pub(super) name: String,
    pub(super) attributes: BTreeMap<QueueAttributeName, String>,
}

/// A standard topic with one subscriber, which gets the messages as they were published.
#[derive(Clone, Debug)]
pub(super) struct DesiredTopic {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) subscriber: String,
    pub(super) subscriber_arn: String,
    /// The queue for messages that cannot be delivered to the subscriber. It is the subscriber's own queue
    /// of dead letters, so that both kinds are found, and sent again, in one place.
    pub(super) dead_letters_arn: String,
}

impl Desired {
    pub(super) fn new(names: &Names, identity: &Identity) -> Self {
        let tables = DynamoTable::ALL.map(|table| DesiredTable {
            name: names.table(table),
            keys: table.keys(),
            ttl: table.expires().then_some(TTL),
        });
        let dead = Queue::ALL.map(Mailbox::Dead);
        let live = Queue::ALL.map(Mailbox::Live);
        let queues = dead.into_iter().chain(live).map(|mailbox| DesiredQueue {
            name: names.queue(mailbox),
            attributes: attributes(mailbox, names, identity),
        });
        let subscriber = names.queue(Mailbox::Live(Queue::Provider));
        let topic = DesiredTopic {
            name: names.topic(),
            arn: identity.arn_of("sns", &names.topic()),
            subscriber_arn: identity.arn_of("sqs", &subscriber),
            dead_letters_arn: identity.arn_of("sqs", &names.queue(Mailbox::Dead(Queue::Provider))),
            subscriber,
        };
        Self { tables: tables.into(), queues: queues.collect(), topic }
    }
}

impl DesiredTopic {
    pub(super) fn resource(&self) -> StackResource {
        StackResource::Topic(self.name.clone())
    }

    pub(super) fn subscription(&self) -> StackResource {
        StackResource::Subscription { topic: self.name.clone(), queue: self.subscriber.clone() }
    }

    /// Returns the topic's policy, which allows nothing: principals of the account publish by their own
    /// policies. SNS takes no wildcard here, and of a stage's calls only publishing can be denied.
    pub(super) fn policy(&self) -> String {
        policy(&[only_over_tls("sns:Publish", &self.arn)])
    }

    /// Returns the attributes of the subscription, by the names that SNS has for them.
    pub(super) fn attributes(&self) -> [(&'static str, String); 2] {
        let redrive = json!({ "deadLetterTargetArn": self.dead_letters_arn });
        [("RawMessageDelivery", "true".to_owned()), ("RedrivePolicy", redrive.to_string())]
    }
}

fn attributes(
    mailbox: Mailbox,
    names: &Names,
    identity: &Identity,
) -> BTreeMap<QueueAttributeName, String> {
    use QueueAttributeName as Name;
    let queue = mailbox.queue();
    let visibility_secs = match mailbox {
        Mailbox::Live(queue) => queue.visibility().as_secs(),
        Mailbox::Dead(_) => DEAD_VISIBILITY_SECS,
    };
    let mut attributes = BTreeMap::from([
        (Name::VisibilityTimeout, visibility_secs.to_string()),
        (Name::MaximumMessageSize, BYTES_PER_CALL.to_string()),
        (Name::MessageRetentionPeriod, DEAD_RETENTION_SECS.to_string()),
    ]);
    if queue.is_fifo() {
        // High-throughput mode: throughput and deduplication are per group.
        attributes.extend([
            (Name::FifoQueue, "true".to_owned()),
            (Name::ContentBasedDeduplication, "false".to_owned()),
            (Name::DeduplicationScope, "messageGroup".to_owned()),
            (Name::FifoThroughputLimit, "perMessageGroupId".to_owned()),
        ]);
    }
    if matches!(mailbox, Mailbox::Live(_)) {
        let dead = identity.arn_of("sqs", &names.queue(Mailbox::Dead(queue)));
        let redrive = json!({ "deadLetterTargetArn": dead, "maxReceiveCount": MAX_RECEIVES });
        attributes.extend([
            (Name::MessageRetentionPeriod, queue.retention().as_secs().to_string()),
            (Name::RedrivePolicy, redrive.to_string()),
        ]);
    }
    let arn = identity.arn_of("sqs", &names.queue(mailbox));
    let mut statements = vec![only_over_tls("sqs:*", &arn)];
    if queue == Queue::Provider {
        statements.push(topic_may_send(&arn, &identity.arn_of("sns", &names.topic())));
    }
    attributes.insert(Name::Policy, policy(&statements));
    attributes
}

fn policy(statements: &[Value]) -> String {
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

/// Denies unencrypted requests of every principal.
fn only_over_tls(actions: &str, arn: &str) -> Value {
    json!({
        "Sid": "OnlyOverTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": actions,
        "Resource": arn,
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    })
}

/// Lets this topic, and no other, send to the queue to which it delivers, or to the one for what it cannot
/// deliver.
fn topic_may_send(queue_arn: &str, topic_arn: &str) -> Value {
    json!({
        "Sid": "TopicMaySend",
        "Effect": "Allow",
        "Principal": { "Service": "sns.amazonaws.com" },
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": { "ArnEquals": { "aws:SourceArn": topic_arn } },
    })
}
