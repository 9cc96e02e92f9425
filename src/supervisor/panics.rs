//! Catches and logs panics.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::thread;

use futures_util::FutureExt as _;
use thiserror::Error;

thread_local! {
    /// Where the last panic of this thread happened. The payload does not contain it.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The message and the place of a panic.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}{}", place.as_ref().map(|place| format!(" ({place})")).unwrap_or_default())]
pub struct Panic {
    message: String,
    /// The file, line and column; known only after [`log_panics`] was called.
    place: Option<String>,
}

impl Panic {
    /// Describes the panic that was just caught on this thread.
    pub(super) fn from_payload(payload: &(dyn Any + Send)) -> Self {
        Self { message: message(payload).to_owned(), place: PLACE.take() }
    }
}

/// Runs a future to its end or to its panic.
///
/// State that the future shares with others must tolerate that the future stops half-way, as when it is
/// dropped.
///
/// # Errors
/// Returns [`Panic`] if the future panicked.
// Not an async function, whose future would have room for `work` twice. The same in `trace::within`.
pub fn catch<T>(work: impl Future<Output = T>) -> impl Future<Output = Result<T, Panic>> {
    let done = AssertUnwindSafe(work).catch_unwind();
    done.map(|done| done.map_err(|payload| Panic::from_payload(&*payload)))
}

/// Writes panics to the log from now on. By default they are written to stderr at once, so a panicking
/// thread would wait for the reader of stderr.
pub fn log_panics() {
    panic::set_hook(Box::new(|panicked| {
        let place = panicked.location().map(ToString::to_string);
        let backtrace = Backtrace::capture();
        let backtrace = (backtrace.status() == BacktraceStatus::Captured).then_some(backtrace);
        tracing::error!(
            thread = thread::current().name(),
            place,
            backtrace = backtrace.map(tracing::field::display),
            "panicked: {}",
            message(panicked.payload())
        );
        PLACE.set(place);
    }));
}

fn message(payload: &(dyn Any + Send)) -> &str {
    match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text,
        _ => "a panic without a text",
    }
}
