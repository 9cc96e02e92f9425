//! The engine on DynamoDB, SQS, SNS and the API Gateway management API.
//!
//! No other room sees AWS types, except `lambda`. The SDK retries calls, and nothing else does. The SDK
//! does not retry refused entries of a batch, so these are sent again here.

mod active_users;
mod alarms;
mod backoff;
mod bases;
mod batch;
mod billable;
mod catalogue;
mod client;
mod clock_skew;
mod conditions;
mod connections;
mod dead_letters;
mod deployment;
mod desired;
mod destroy;
mod discounts;
mod engine;
mod entries;
mod errors;
mod head;
mod identity;
mod item;
mod known;
mod loaded;
mod loads;
mod names;
mod observed_messages;
mod observed_tables;
mod observer;
mod overlay;
mod polls;
mod presence;
mod price_lists;
mod price_tables;
mod profiles;
mod provision;
mod provision_queues;
mod provision_tables;
mod provision_topic;
mod queue_batches;
mod queue_client;
mod queues;
mod quotations;
mod refusal;
mod settings;
mod stack_settings;
mod tables;
mod token_keys;
mod topic;
mod usage_log;

#[cfg(test)]
mod tests;

pub use deployment::DeployedSchedule;
pub use desired::StackResource;
pub use destroy::Removal;
pub use engine::Aws;
pub use errors::NotAws;
pub use identity::Identity;
pub use provision::{Drift, PlanLine, ProvisionError, ProvisionPlan};
pub use refusal::{CallerRefusal, MAX_SKEW_SECS};
pub use settings::{AwsSettings, ConnectError, endpoint_in_environment};
