//! `--metrics-port`: serves the metrics of a process on a port of their own.

use std::sync::Arc;

use super::args::MetricsArgs;
use super::failure::{ExitCode, Failure, Result};
use super::output::Output;
use crate::runtime::Shutdown;
use crate::runtime::metrics::{MetricsServer, Scrape};
use crate::supervisor::Supervisor;

/// The metrics port, if one is configured. It is opened first, so that a process that cannot have it does
/// no work.
pub(super) struct MetricsPort(Option<MetricsServer>);

impl MetricsPort {
    pub(super) async fn bind(args: MetricsArgs) -> Result<Self> {
        let Some(port) = args.metrics_port else { return Ok(Self(None)) };
        let server = MetricsServer::bind(port).await.map_err(|error| {
            let message = format!("port {port} cannot be opened for metrics: {error}");
            Failure::new(ExitCode::Failure, message)
                .hint("choose another with --metrics-port, or any free one with --metrics-port 0")
        })?;
        Ok(Self(Some(server)))
    }

    /// Serves until the shutdown begins, and prints the URL.
    pub(super) fn serve(
        self,
        scrape: Arc<Scrape>,
        output: &Output,
        supervisor: &Supervisor,
        shutdown: &Shutdown,
    ) {
        if let Some(server) = self.0 {
            output.note(&format!("metrics: {}", server.url()));
            supervisor.spawn("the metrics server", server.serve(scrape, shutdown.clone()));
        }
    }
}
