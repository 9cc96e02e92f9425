//! Sends spans to a collector by OTLP over HTTP, in JSON. OpenTelemetry's libraries collect, sample and
//! encode the spans. The requests go through ocache's own HTTP client.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Request, Response, StatusCode, Uri};
use opentelemetry::InstrumentationScope;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{HttpClient as Sends, HttpError};
use opentelemetry_otlp::{
    ExporterBuildError, Protocol, RetryPolicy, SpanExporter, WithExportConfig as _,
    WithHttpConfig as _,
};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use thiserror::Error;
use tokio::runtime::Handle;
use tokio::task::JoinError;
use tokio::time::timeout;
use tracing::warn;

use super::settings::TraceSettings;
use crate::https::{HttpClient, NoCertificates};
use crate::ports::Chain;

/// The most bytes of a collector's answer, which has a few counts and a message.
const MAX_ANSWER: usize = 64 * 1024;

/// Why traces cannot be exported.
#[derive(Debug, Error)]
pub enum ExporterError {
    /// The collector is reached by TLS, and this machine has no root certificates.
    #[error(transparent)]
    Certificates(#[from] NoCertificates),
    /// The library refuses to build the exporter.
    #[error(transparent)]
    Build(#[from] ExporterBuildError),
}

/// Collects the spans of this process and sends them from a thread of its own.
#[derive(Clone)]
pub(super) struct Exporter {
    url: Uri,
    provider: SdkTracerProvider,
}

impl Exporter {
    /// Starts the exporter. Its requests are made in the runtime that calls this.
    pub(super) fn start(settings: TraceSettings) -> Result<Self, ExporterError> {
        let TraceSettings { url, timeout, resource } = settings;
        let collector = CollectorClient {
            client: Arc::new(HttpClient::new(&url)?),
            url: url.clone(),
            timeout,
            runtime: Handle::current(),
            failing: AtomicBool::new(false),
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpJson)
            .with_endpoint(url.to_string())
            .with_http_client(collector)
            // Spans that cannot be sent are lost, so that a flush does not wait for retries.
            .with_retry_policy(RetryPolicy::disabled())
            .build()?;
        let provider = SdkTracerProvider::builder()
            .with_resource(resource)
            .with_batch_exporter(exporter)
            .build();
        Ok(Self { url, provider })
    }

    /// Returns the URL to which spans are sent.
    pub(super) const fn url(&self) -> &Uri {
        &self.url
    }

    /// Returns the tracer that makes the spans.
    pub(super) fn tracer(&self) -> SdkTracer {
        let scope = InstrumentationScope::builder(env!("CARGO_PKG_NAME"))
            .with_version(env!("CARGO_PKG_VERSION"))
            .build();
        self.provider.tracer_with_scope(scope)
    }

    /// Sends the spans that are still waiting. The library gives up after five seconds.
    pub(super) async fn flush(&self) {
        let provider = self.provider.clone();
        // The collector's client has already logged a failure.
        let _ = tokio::task::spawn_blocking(move || provider.force_flush()).await;
    }
}

/// The HTTP client for the collector.
#[derive(Debug)]
struct CollectorClient {
    client: Arc<HttpClient>,
    url: Uri,
    timeout: Duration,
    runtime: Handle,
    /// Whether the last request failed. Only the first of consecutive failures is logged.
    failing: AtomicBool,
}

#[derive(Debug, Error)]
enum CollectorError {
    #[error("the collector cannot be reached")]
    Unreachable(#[from] hyper_util::client::legacy::Error),
    #[error("the collector did not answer within {0:?}")]
    Silent(Duration),
    #[error("the collector answered {0}")]
    Refused(StatusCode),
    #[error("the answer of the collector cannot be read")]
    Answer(#[source] HttpError),
    #[error("the request was given up")]
    GivenUp(#[from] JoinError),
}

#[async_trait]
impl Sends for CollectorClient {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let answer = self.send(request).await;
        let failure = match &answer {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(&CollectorError::Refused(answer.status())),
            Err(error) => Some(error),
        };
        let failed_before = self.failing.swap(failure.is_some(), Ordering::Relaxed);
        if let (Some(error), false) = (failure, failed_before) {
            warn!(url = %self.url, error = %Chain(error), "traces are not exported");
        }
        Ok(answer?)
    }
}

impl CollectorClient {
    /// Sends a request in the runtime, because connections need it and the library waits in a thread of
    /// its own.
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, CollectorError> {
        let (client, patience) = (Arc::clone(&self.client), self.timeout);
        let sending = async move {
            let answer = timeout(patience, answer(&client, request)).await;
            answer.unwrap_or(Err(CollectorError::Silent(patience)))
        };
        self.runtime.spawn(sending).await?
    }
}

async fn answer(
    client: &HttpClient,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, CollectorError> {
    let (head, body) = client.request(request.map(Full::new)).await?.into_parts();
    let body = Limited::new(body, MAX_ANSWER).collect().await.map_err(CollectorError::Answer)?;
    Ok(Response::from_parts(head, body.to_bytes()))
}
