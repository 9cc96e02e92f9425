//! What has to be known to reach AWS, and why that may not be enough.

use std::time::Duration;

use thiserror::Error;

use crate::model::MAX_STACK_BYTES;

/// Which account, region and stack to use, and how long to wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsSettings {
    /// The profile whose credentials and region are used. A profile that is named here comes
    /// before credentials in the environment, as it does in the AWS CLI.
    pub profile: Option<String>,
    /// The region; else that of the environment, then that of the profile.
    pub region: Option<String>,
    /// The URL of all services; else what the environment and the profile say.
    pub endpoint_url: Option<String>,
    /// What all names begin with.
    pub stack: String,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long one attempt of a call may take. A long poll may take its wait in addition.
    pub attempt_timeout: Duration,
    /// How long a call may take with all its attempts. A long poll may take its wait in addition.
    pub operation_timeout: Duration,
    /// How often a call is attempted, the first time included.
    pub max_attempts: u32,
}

impl AwsSettings {
    /// The defaults for a stack: everything else comes from the environment.
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
    /// No region is set, and no endpoint that would make any region do.
    #[error("no AWS region is set; set `--region`, AWS_REGION, or `region` in the profile")]
    NoRegion,
    /// A local endpoint was given, and nothing to sign requests with. A local AWS takes any.
    #[error(
        "no AWS credentials were found for the local endpoint {endpoint}; \
         it takes any: set AWS_ACCESS_KEY_ID=test and AWS_SECRET_ACCESS_KEY=test"
    )]
    NoCredentials {
        /// The endpoint.
        endpoint: String,
        /// Where was looked.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A profile is not there.
    #[error("there is no AWS profile `{profile}`")]
    NoProfile {
        /// Which.
        profile: String,
    },
    /// A profile is there, and gives no credentials.
    #[error("AWS profile `{profile}` gives no credentials")]
    EmptyProfile {
        /// Which.
        profile: String,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A profile whose credentials come from a login gives none: it has not been made, or has expired.
    #[error("AWS profile `{profile}` needs a login")]
    LoggedOut {
        /// Which.
        profile: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An endpoint is not a URL.
    #[error("endpoint `{url}` is not a URL such as http://127.0.0.1:4566")]
    BadEndpoint {
        /// What was given.
        url: String,
    },
    /// An endpoint has a password in it, which would be shown wherever the endpoint is.
    #[error(
        "the endpoint has a user name or password in it; \
         credentials are AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile"
    )]
    PasswordInEndpoint,
    /// A stack cannot be part of a name.
    #[error(
        "stack `{stack}` is not 1 to {MAX_STACK_BYTES} letters, digits, hyphens and underscores"
    )]
    BadStack {
        /// What was given.
        stack: String,
    },
}

/// The variables that send a service we use somewhere else, the general one first.
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

/// The endpoint that the environment sets for all services or, failing that, for one of them.
/// The SDK honours these variables itself.
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

/// The host of an endpoint, which has no secrets in it.
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

/// Whether a host is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

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
