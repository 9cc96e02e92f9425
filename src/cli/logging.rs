//! Writes structured logs to stderr, so that a person can follow one customer or one request.

use std::borrow::Cow;
use std::io::{self, Write};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::Layer as _;

use super::args::{Backend, Global, LogFormat};
use super::failure::{ExitCode, Failure, Result};
use super::settings::Settings;
use super::stderr::Stderr;
use crate::model::{escape_but, escape_json};
use crate::ports::Chain;
use crate::supervisor::log_panics;
use crate::trace::{self, Systems, Traces};

/// Starts logging. Commands that run to be watched log what happens, others only what goes wrong.
/// `--quiet` and `--verbose` change both. Also starts tracing if it is configured.
pub(super) fn start(global: &Global, watched: bool, settings: &Settings) -> Result<Traces> {
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
    let escape = escape_of(global.log_format, color);
    let writer = move || EscapedLines { to: Stderr, escape };
    let lines = tracing_subscriber::fmt::layer().with_writer(writer).with_target(false);
    let lines = match global.log_format {
        LogFormat::Text => lines.with_ansi(color).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).boxed(),
    };
    let systems = match settings.backend {
        Backend::Embedded => Systems::EMBEDDED,
        Backend::Aws => Systems::AWS,
    };
    log_panics();
    trace::install(lines, targets, systems).map_err(|error| {
        Failure::new(ExitCode::Usage, Chain(&error).to_string())
            .hint("OTEL_SDK_DISABLED=true switches traces off")
    })
}

type Escape = fn(&str) -> Cow<'_, str>;

fn escape_of(format: LogFormat, color: bool) -> Escape {
    match (format, color) {
        (LogFormat::Json, _) => escape_json,
        // Escape sequences in values are escaped before they get here, so the remaining ones are colours.
        (LogFormat::Text, true) => |line| escape_but(line, &['\n', '\u{1b}']),
        (LogFormat::Text, false) => |line| escape_but(line, &['\n']),
    }
}

/// Writes lines of the log with escaped names, so that no name deceives a reader or controls a terminal.
struct EscapedLines<W> {
    to: W,
    escape: Escape,
}

impl<W: Write> Write for EscapedLines<W> {
    /// Each call has one whole line.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        self.to.write_all((self.escape)(&text).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn no_name_in_a_log_steers_a_terminal() {
        let user = "A\u{202e}B\u{200b}\u{1b}[2J";
        for color in [false, true] {
            let to = Shared::default();
            let shared = to.clone();
            let escape = escape_of(LogFormat::Text, color);
            let lines = tracing_subscriber::fmt()
                .with_ansi(color)
                .with_writer(move || EscapedLines { to: shared.clone(), escape })
                .finish();
            tracing::subscriber::with_default(lines, || tracing::info!(user, "of %user"));
            let line = String::from_utf8(to.0.lock().unwrap().clone()).unwrap();
            assert!(line.contains("A\\u{202e}B\\u{200b}"), "{line:?}");
            assert!(line.ends_with('\n') && !line.contains("\u{1b}[2J"), "{line:?}");
            assert_eq!(line.contains("\u{1b}["), color, "{line:?}");
        }
        let mut json = EscapedLines { to: vec![], escape: escape_of(LogFormat::Json, true) };
        json.write_all("{\"user\":\"A\u{202e}\"}\n".as_bytes()).unwrap();
        assert_eq!(json.to, b"{\"user\":\"A\\u202e\"}\n");
    }
}
