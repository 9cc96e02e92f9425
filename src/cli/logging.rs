//! Logs: structured, on stderr, so that a person can follow one user or one request.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::Layer as _;

use super::args::{Backend, Global, LogFormat};
use super::failure::{ExitCode, Failure};
use super::settings::Settings;
use super::stderr::Stderr;
use crate::ports::Chain;
use crate::supervisor::log_panics;
use crate::trace::{self, Systems, Traces};

/// Starts logging. Commands that are there to be watched log what happens; the others only what
/// goes wrong; `--quiet` and `--verbose` move either. Starts tracing too, where it is wanted.
pub(super) fn start(
    global: &Global,
    watched: bool,
    settings: &Settings,
) -> Result<Traces, Failure> {
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
    let lines = tracing_subscriber::fmt::layer().with_writer(|| Stderr).with_target(false);
    let lines = match global.log_format {
        LogFormat::Text => lines.with_ansi(color).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).boxed(),
    };
    let systems = match settings.backend {
        Backend::Embedded => Systems::EMBEDDED,
        Backend::Aws => Systems::AWS,
    };
    log_panics();
    trace::install(lines, targets, systems, &settings.supervisor).map_err(|error| {
        Failure::new(ExitCode::Usage, Chain(&error).to_string())
            .hint("OTEL_SDK_DISABLED=true switches traces off")
    })
}
