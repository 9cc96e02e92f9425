//! The settings that are needed to reach AWS, and why they may not be enough.

use std::time::Duration;

use thiserror::Error;

use crate::model::MAX_STACK_BYTES;

/// Which account, region and stack to use, and how long to wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsSettings {
    /// The profile whose credentials and region are used. A profile that is named here takes precedence
    /// over credentials in the environment, as in the AWS CLI.
    pub profile: Option<String>,
    /// The region. By default that of the environment, then that of the profile.
    pub region: Option<String>,
    /// The URL of all services. By default that of the environment or the profile.
    pub endpoint_url: Option<String>,
    /// The start of all names.
    pub stack: String,
    /// How long it may take to make a connection.
    pub connect_timeout: Duration,
    /// How long one attempt of a call may take. A long poll may take its wait in addition.
    pub attempt_timeout: Duration,
    /// How long a call may take with all its attempts. A long poll may take its wait in addition.
    pub operation_timeout: Duration,
    /// How often a call is attempted, including the first time.
    pub max_attempts: u32,
}

impl AwsSettings {
    /// Returns the defaults for a stack. Everything else comes from the environment.
    pub fn new(stack: impl Into<String>) -> Self {
        Self {
            profile: None,
            region: None,
            endpoint_url: None,
            stack: stack.into(),
            connect_timeout: Duration::from_secs(3),
            attempt_timeout: Duration::from_secs(5),
            operation_timeout: Duration::from_secs(20),
            max_attempts: 4,
        }
    }
}

/// Why AWS cannot be used at all. Nothing was sent.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// No region is set, and no endpoint for which any region will do.
    #[error("no AWS region is set; set `--region`, AWS_REGION, or `region` in the profile")]
    NoRegion,
    /// A local endpoint is set, but no credentials. A local AWS accepts any.
    #[error(
        "no AWS credentials were found for the local endpoint {endpoint}; \
         it takes any: set AWS_ACCESS_KEY_ID=test and AWS_SECRET_ACCESS_KEY=test"
    )]
    NoCredentials {
        /// The endpoint.
        endpoint: String,
        /// Where they were looked for.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A profile does not exist.
    #[error("there is no AWS profile `{profile}`")]
    NoProfile {
        /// The profile.
        profile: String,
    },
    /// A profile exists, but gives no credentials.
    #[error("AWS profile `{profile}` gives no credentials")]
    EmptyProfile {
        /// The profile.
        profile: String,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A profile whose credentials come from a login gives none, because nobody has logged in or the login
    /// has expired.
    #[error("AWS profile `{profile}` needs a login")]
    LoggedOut {
        /// The profile.
        profile: String,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An endpoint is not a URL.
    #[error("endpoint `{url}` is not a URL such as http://127.0.0.1:4566")]
    BadEndpoint {
        /// The text that was given.
        url: String,
    },
    /// An endpoint contains a password, which would be shown wherever the endpoint is.
    #[error(
        "the endpoint has a user name or password in it; \
         credentials are AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile"
    )]
    PasswordInEndpoint,
    /// A stack's name cannot be part of a resource's name.
    #[error(
        "stack `{stack}` is not 1 to {MAX_STACK_BYTES} letters, digits, hyphens and underscores"
    )]
    BadStack {
        /// The text that was given.
        stack: String,
    },
}

/// The variables that redirect the services that ocache uses. The general one comes first.
const ENDPOINT_VARIABLES: [&str; 9] = [
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_DYNAMODB",
    "AWS_ENDPOINT_URL_SQS",
    "AWS_ENDPOINT_URL_SNS",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI",
    "AWS_ENDPOINT_URL_APIGATEWAYV2",
    "AWS_ENDPOINT_URL_EVENTBRIDGE",
    "AWS_ENDPOINT_URL_SECRETS_MANAGER",
];

/// Returns the endpoint that the environment sets for all services or, failing that, for one of them. The
/// SDK itself honours these variables.
#[must_use]
pub fn endpoint_in_environment() -> Option<String> {
    endpoint_in(|name| std::env::var(name).ok())
}

fn endpoint_in(variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let ignored = variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    if ignored.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return None;
    }
    ENDPOINT_VARIABLES.iter().filter_map(|name| variable(name)).find(|url| !url.is_empty())
}

/// Returns the host of an endpoint. It contains no secrets.
pub(super) fn host_of(url: &str) -> Result<String, ConnectError> {
    let place = url.split_once("://").map_or(url, |(_, place)| place);
    if place.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@')) {
        return Err(ConnectError::PasswordInEndpoint);
    }
    let bad = || ConnectError::BadEndpoint { url: url.to_owned() };
    let uri: hyper::Uri = url.parse().map_err(|_| bad())?;
    match (uri.scheme_str(), uri.host()) {
        (Some("http" | "https"), Some(host)) => Ok(host.to_owned()),
        _ => Err(bad()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::https::is_loopback;

    #[test]
    fn the_general_endpoint_comes_first_and_all_can_be_ignored() {
        let set = |name: &str| match name {
            "AWS_ENDPOINT_URL_SQS" => Some("http://sqs".to_owned()),
            "AWS_ENDPOINT_URL" => Some("http://all".to_owned()),
            _ => None,
        };
        assert_eq!(endpoint_in(set).as_deref(), Some("http://all"));
        let only_sqs = |name: &str| set(name).filter(|url| url.ends_with("sqs"));
        assert_eq!(endpoint_in(only_sqs).as_deref(), Some("http://sqs"));
        let ignored = |name: &str| match name {
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS" => Some("true".to_owned()),
            name => set(name),
        };
        assert_eq!(endpoint_in(ignored), None);
        assert_eq!(endpoint_in(|_| Some(String::new())), None);
    }

    #[test]
    fn endpoints_are_urls_and_some_are_local() {
        for url in ["http://127.0.0.1:4566", "http://[::1]:1/x", "https://localhost"] {
            assert!(is_loopback(&host_of(url).unwrap()), "{url}");
        }
        assert!(!is_loopback(&host_of("https://sqs.eu-west-1.amazonaws.com").unwrap()));
        for url in ["", "127.0.0.1:4566", "/x", "ftp://x", "http://"] {
            assert!(matches!(host_of(url), Err(ConnectError::BadEndpoint { .. })), "{url}");
        }
    }
}
