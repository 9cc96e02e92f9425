//! Sends spans to a collector: OTLP over HTTP, in JSON.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, StatusCode};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};
use tracing::warn;

use super::finished::Finished;
use super::layer::SpanCollector;
use super::{Systems, TraceSettings, otlp};
use crate::https::{HttpClient, NoCertificates};
use crate::ports::Chain;
use crate::supervisor::Supervisor;

/// So many spans wait for the collector at most; what comes on top is dropped and counted.
const MAX_WAITING: usize = 2048;
/// So many are sent at once.
const MAX_BATCH: usize = 512;

/// Where spans that are over are handed in. It never waits.
pub(super) struct Sender {
    spans: mpsc::Sender<Finished>,
    dropped: Arc<AtomicU64>,
}

impl Sender {
    pub(super) fn send(&self, span: Finished) {
        if self.spans.try_send(span).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The task that sends them, as others see it.
#[derive(Clone)]
pub struct Exporter {
    url: Arc<str>,
    flushes: mpsc::Sender<oneshot::Sender<()>>,
    patience: Duration,
}

impl Exporter {
    /// Starts sending what the layer collects.
    ///
    /// # Errors
    /// When an endpoint by TLS is wanted and this machine has no certificates to trust.
    pub fn start(
        settings: TraceSettings,
        systems: Systems,
        supervisor: &Supervisor,
    ) -> Result<(Self, SpanCollector), NoCertificates> {
        let (spans, waiting) = mpsc::channel(MAX_WAITING);
        let (flushes, asked) = mpsc::channel(1);
        let dropped = Arc::new(AtomicU64::new(0));
        let sender = Sender { spans, dropped: Arc::clone(&dropped) };
        let (sampler, patience) = (settings.sampler, settings.timeout);
        let url = settings.url().into();
        let collector = Collector { client: HttpClient::new(&settings.url)?, settings };
        let sending = Sending { collector, waiting, dropped, failing: false };
        supervisor.spawn("the exporter of traces", sending.run(asked));
        Ok((Self { url, flushes, patience }, SpanCollector::new(sender, sampler, systems)))
    }

    /// Where spans go.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Sends what is still to be sent, unless the collector does not take it in time.
    pub async fn flush(&self) {
        let flushed = async {
            let (done, is_done) = oneshot::channel();
            if self.flushes.send(done).await.is_ok() {
                // The task ends only with the process.
                let _ = is_done.await;
            }
        };
        // The task itself says when the collector does not answer.
        let _ = timeout(self.patience, flushed).await;
    }
}

/// The task's own side.
struct Sending {
    collector: Collector,
    waiting: mpsc::Receiver<Finished>,
    dropped: Arc<AtomicU64>,
    failing: bool,
}

impl Sending {
    async fn run(mut self, mut flushes: mpsc::Receiver<oneshot::Sender<()>>) {
        let mut batch = Vec::with_capacity(MAX_BATCH);
        let mut due = Instant::now() + self.collector.settings.every;
        loop {
            let room = MAX_BATCH - batch.len();
            tokio::select! {
                biased;
                count = self.waiting.recv_many(&mut batch, room) => {
                    let last = count == 0;
                    if batch.len() < MAX_BATCH && !last { continue }
                    self.export(&mut batch).await;
                    if last { return }
                }
                // Only when nothing waits: what is flushed is everything.
                flush = flushes.recv() => {
                    self.export(&mut batch).await;
                    let Some(done) = flush else { return };
                    // Whoever asked may have lost patience.
                    let _ = done.send(());
                }
                () = sleep_until(due) => self.export(&mut batch).await,
            }
            due = Instant::now() + self.collector.settings.every;
        }
    }

    /// Sends a batch. One that fails is lost, as traces may be; the first of several in a row is
    /// told.
    async fn export(&mut self, batch: &mut Vec<Finished>) {
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            warn!(dropped, "spans came faster than the collector took them");
        }
        if batch.is_empty() {
            return;
        }
        let sent = self.collector.send(batch).await;
        let failing = sent.is_err();
        if let (Err(error), false) = (sent, self.failing) {
            let url = self.collector.settings.url();
            warn!(%url, lost = batch.len(), error = %Chain(&error), "traces are not exported");
        }
        self.failing = failing;
        batch.clear();
    }
}

/// Where spans go.
struct Collector {
    client: HttpClient,
    settings: TraceSettings,
}

#[derive(Debug, Error)]
enum ExportError {
    #[error("the spans cannot be written")]
    Body(#[from] serde_json::Error),
    #[error("the request cannot be made")]
    Request(#[from] hyper::http::Error),
    #[error("the collector cannot be reached")]
    Unreachable(#[from] hyper_util::client::legacy::Error),
    #[error("the collector did not answer within {0:?}")]
    Silent(Duration),
    #[error("the collector answered {0}")]
    Refused(StatusCode),
}

impl Collector {
    async fn send(&self, spans: &[Finished]) -> Result<(), ExportError> {
        let body = serde_json::to_vec(&otlp::request(&self.settings.resource, spans))?;
        let mut request =
            Request::builder().method(Method::POST).uri(&self.settings.url).body(body.into())?;
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.extend(self.settings.headers.iter().cloned());
        let patience = self.settings.timeout;
        let answer = timeout(patience, self.client.request(request)).await;
        match answer.map_err(|_| ExportError::Silent(patience))??.status() {
            status if status.is_success() => Ok(()),
            status => Err(ExportError::Refused(status)),
        }
    }
}
