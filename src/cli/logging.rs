//! Logs: structured, on stderr, so that a person can follow one user or one request.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::args::{Global, LogFormat};

/// Starts logging. Commands that are there to be watched log what happens; the others only what
/// goes wrong; `--quiet` and `--verbose` move either.
pub(super) fn start(global: &Global, watched: bool) {
    let level = match (global.quiet, watched, global.verbose) {
        (true, ..) => LevelFilter::ERROR,
        (_, false, 0) => LevelFilter::WARN,
        (_, true, 0) | (_, false, 1) => LevelFilter::INFO,
        (_, true, 1) | (_, false, 2) => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let mut targets = Targets::new().with_target("ocache", level);
    if global.verbose >= 3 {
        targets = targets.with_default(LevelFilter::DEBUG);
    }
    let color = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    let registry = tracing_subscriber::registry().with(targets);
    // Only a second start could fail, and there is none.
    let _ = match global.log_format {
        LogFormat::Text => registry.with(lines.with_ansi(color)).try_init(),
        LogFormat::Json => {
            registry.with(lines.json().flatten_event(true).with_current_span(false)).try_init()
        }
    };
}
