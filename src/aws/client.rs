//! Makes the clients; no other code does.

use std::sync::Arc;

use aws_config::environment::{
    EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider,
};
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::meta::region::ProvideRegion as _;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::ProvideCredentials as _;

use super::names::Names;
use super::observer::CallObserver;
use super::profiles::Profiles;
use super::settings::{AwsSettings, ConnectError, endpoint_in_environment, host_of};
use crate::https::is_loopback;
use crate::meter::Meter;

/// For an endpoint that is not AWS any region will do. Requests are signed for this one.
const REGION_OF_ENDPOINTS: &str = "us-east-1";

/// A client for each service, and what all clients share.
#[derive(Clone, Debug)]
pub(super) struct AwsClients {
    pub(super) gateways: aws_sdk_apigatewayv2::Client,
    pub(super) schedules: aws_sdk_eventbridge::Client,
    pub(super) dynamodb: aws_sdk_dynamodb::Client,
    pub(super) sqs: aws_sdk_sqs::Client,
    pub(super) sns: aws_sdk_sns::Client,
    pub(super) sts: aws_sdk_sts::Client,
    pub(super) config: SdkConfig,
    /// Counts every billed call of these clients.
    pub(super) meter: Arc<Meter>,
    pub(super) names: Names,
    pub(super) region: String,
    pub(super) endpoint: Option<String>,
}

impl AwsClients {
    /// Makes the clients. Only for a local endpoint the credentials are looked up here. Otherwise nothing
    /// is sent before the first call.
    pub(super) async fn connect(settings: &AwsSettings) -> Result<Self, ConnectError> {
        let names = Names::new(&settings.stack)
            .ok_or_else(|| ConnectError::BadStack { stack: settings.stack.clone() })?;
        let endpoint = settings.endpoint_url.clone().or_else(endpoint_in_environment);
        let host = endpoint.as_deref().map(host_of).transpose()?;
        let region = region(settings).await;
        let region = region.or_else(|| host.is_some().then(|| Region::new(REGION_OF_ENDPOINTS)));
        let region = region.ok_or(ConnectError::NoRegion)?;
        let config = load(settings, region.clone(), host.is_some_and(|host| is_loopback(&host)));
        let config = config.await?;
        let endpoint = endpoint.or_else(|| config.endpoint_url().map(str::to_owned));
        // The endpoint of a profile has not been checked yet.
        endpoint.as_deref().map(host_of).transpose()?;
        Ok(Self::from_config(config, names, region.to_string(), endpoint))
    }

    pub(super) fn from_config(
        config: SdkConfig,
        names: Names,
        region: String,
        endpoint: Option<String>,
    ) -> Self {
        let meter = Arc::new(Meter::new());
        let observer = CallObserver::new(names.clone(), Arc::clone(&meter));
        let dynamodb = aws_sdk_dynamodb::config::Builder::from(&config);
        let sqs = aws_sdk_sqs::config::Builder::from(&config);
        let sns = aws_sdk_sns::config::Builder::from(&config);
        Self {
            gateways: aws_sdk_apigatewayv2::Client::new(&config),
            schedules: aws_sdk_eventbridge::Client::new(&config),
            dynamodb: aws_sdk_dynamodb::Client::from_conf(
                dynamodb.interceptor(observer.clone()).build(),
            ),
            sqs: aws_sdk_sqs::Client::from_conf(sqs.interceptor(observer.clone()).build()),
            sns: aws_sdk_sns::Client::from_conf(sns.interceptor(observer).build()),
            sts: aws_sdk_sts::Client::new(&config),
            config,
            meter,
            names,
            region,
            endpoint,
        }
    }

    /// Returns an observer for the calls of one more client.
    pub(super) fn observer(&self) -> CallObserver {
        CallObserver::new(self.names.clone(), Arc::clone(&self.meter))
    }
}

/// Returns the region that is set. The machine's metadata service is not asked, because off EC2 it takes
/// seconds to fail.
async fn region(settings: &AwsSettings) -> Option<Region> {
    if let Some(region) = &settings.region {
        return Some(Region::new(region.clone()));
    }
    if let Some(region) = EnvironmentVariableRegionProvider::new().region().await {
        return Some(region);
    }
    let profile = ProfileFileRegionProvider::builder();
    let profile = match &settings.profile {
        Some(name) => profile.profile_name(name),
        None => profile,
    };
    profile.build().region().await
}

async fn load(
    settings: &AwsSettings,
    region: Region,
    is_local: bool,
) -> Result<SdkConfig, ConnectError> {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(settings.connect_timeout)
        .operation_attempt_timeout(settings.attempt_timeout)
        .operation_timeout(settings.operation_timeout);
    let profiles = Profiles::read(settings).await?;
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(region.clone())
        .timeout_config(timeouts.build())
        .retry_config(RetryConfig::standard().with_max_attempts(settings.max_attempts));
    if let Some(url) = &settings.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if let Some(name) = &settings.profile {
        loader = loader.profile_name(name);
    }
    if settings.profile.is_some() || is_local {
        loader = loader.credentials_provider(credentials(settings, region));
    }
    let config = loader.load().await;
    // The credentials are requested now, so that the error names a profile or local endpoint that has none.
    if settings.profile.is_some() || is_local {
        require_credentials(&profiles, &config).await?;
    }
    Ok(config)
}

/// Returns the credentials of the profile that is named, or those that are set by hand. A local endpoint
/// never gets those of the machine's role.
fn credentials(settings: &AwsSettings, region: Region) -> CredentialsProviderChain {
    let provider_config = ProviderConfig::default().with_region(Some(region));
    let profile = ProfileFileCredentialsProvider::builder().configure(&provider_config);
    match &settings.profile {
        Some(name) => {
            CredentialsProviderChain::first_try("Profile", profile.profile_name(name).build())
        }
        None => {
            let environment = EnvironmentVariableCredentialsProvider::new();
            CredentialsProviderChain::first_try("Environment", environment)
                .or_else("Profile", profile.build())
        }
    }
}

async fn require_credentials(profiles: &Profiles, config: &SdkConfig) -> Result<(), ConnectError> {
    let Some(provider) = config.credentials_provider() else { return Ok(()) };
    let Err(source) = provider.provide_credentials().await else { return Ok(()) };
    let source = Box::new(source);
    Err(match profiles.chosen.clone() {
        Some(profile) if profiles.logs_in(&profile) => ConnectError::LoggedOut { profile, source },
        Some(profile) => ConnectError::EmptyProfile { profile, source },
        None => {
            let endpoint = config.endpoint_url().unwrap_or_default().to_owned();
            ConnectError::NoCredentials { endpoint, source }
        }
    })
}
