//! Logs one JSON object a line, which CloudWatch queries and metric filters can read.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

use super::FunctionStartError;
use crate::supervisor::log_panics;
use crate::trace::{self, Systems, Traces};

/// Set by Lambda from the function's logging configuration.
const LEVEL: &str = "AWS_LAMBDA_LOG_LEVEL";

/// Starts logging. The spans of a line have Lambda's request id, the user, and the id of the quote. Also
/// starts tracing, if the function's environment enables it.
pub(super) fn start() -> Result<Traces, FunctionStartError> {
    let level = std::env::var(LEVEL).ok().and_then(|level| level.parse().ok());
    let level = level.unwrap_or(LevelFilter::INFO);
    // At the level of trace the runtime logs events, and the authorizer's events have tokens in them.
    let runtime = level.min(LevelFilter::DEBUG);
    let targets =
        Targets::new().with_target("ocache", level).with_target("lambda_runtime", runtime);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(true)
        .with_target(false);
    log_panics();
    Ok(trace::install(lines, targets, Systems::AWS)?)
}
