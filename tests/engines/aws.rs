//! The engine on AWS, against a local AWS, with a new stack for every test.

use std::sync::Arc;

use ocache::aws::{Aws, AwsSettings};
use ocache::model::Generation;
use ocache::ports::{Randomness as _, SystemClock, SystemRandomness};

use super::fixture::Fixture;

/// The variable with the endpoint of the local AWS. Credentials come from the environment, as always.
const ENDPOINT: &str = "OCACHE_TEST_ENDPOINT_URL";

/// Returns a new, empty stack.
pub async fn make_stack() -> Aws {
    let endpoint = std::env::var(ENDPOINT).unwrap();
    let stack = format!("test-{}", Generation::from_random(SystemRandomness.bits()));
    let settings = AwsSettings { endpoint_url: Some(endpoint), ..AwsSettings::new(stack) };
    let aws = Aws::connect(&settings, Arc::new(SystemRandomness)).await.unwrap();
    let plan = aws.plan().await.unwrap();
    aws.apply(&plan, false).await.unwrap();
    aws
}

pub async fn start() -> Fixture {
    let aws = make_stack().await;
    let ports = aws.ports(Arc::new(SystemClock), aws.connections(&[]));
    let clean_up = Box::pin(async move { aws.destroy(|_| {}).await.unwrap() });
    Fixture { ports, clean_up }
}
