//! Tests of the settings that must be there before anything can be sent.

use std::sync::Arc;

use super::script::Sevens;
use crate::aws::{Aws, AwsSettings, ConnectError};

async fn failure(settings: AwsSettings) -> ConnectError {
    match Aws::connect(&settings, Arc::new(Sevens)).await {
        Err(error) => error,
        Ok(_) => panic!("connected with {settings:?}"),
    }
}

#[tokio::test]
async fn a_profile_that_nobody_has_is_named() {
    let settings = AwsSettings {
        endpoint_url: Some("http://127.0.0.1:9".to_owned()),
        profile: Some("a profile that nobody has".to_owned()),
        ..AwsSettings::new("test")
    };
    let error = failure(settings).await;
    assert!(matches!(error, ConnectError::NoProfile { .. }), "{error:?}");
    assert!(error.to_string().contains("`a profile that nobody has`"), "{error}");
}

#[tokio::test]
async fn stacks_and_endpoints_are_checked() {
    let error = failure(AwsSettings::new("no spaces")).await;
    assert!(matches!(error, ConnectError::BadStack { .. }), "{error:?}");
    let endpoint_url = Some("127.0.0.1:4566".to_owned());
    let error = failure(AwsSettings { endpoint_url, ..AwsSettings::new("test") }).await;
    assert!(matches!(error, ConnectError::BadEndpoint { .. }), "{error:?}");
}
