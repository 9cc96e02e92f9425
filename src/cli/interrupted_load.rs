//! What an interrupted load says it has done.

use super::failure::{ExitCode, Failure};
use crate::data::{Did, Watched};
use crate::ports::Store;

/// Returns the failure of an interrupted load, which says what it has done.
pub(super) async fn interrupted(watched: &Watched, store: &dyn Store) -> Failure {
    let interrupted = |message: &str| Failure::new(ExitCode::Interrupted, message);
    match watched.did(store).await {
        Did::Nothing => nothing_changed(),
        Did::All(version) => interrupted(&format!(
            "interrupted after all of it came into force, as catalogue version {version}"
        ))
        .hint("tables change at the next refresh, not at once"),
        Did::Unknown => interrupted(
            "interrupted; it is not known whether the whole load came into force or nothing of it",
        )
        .hint("load the files again: only what differs is written"),
    }
}

/// Returns the failure of a load that was interrupted before it did anything.
pub(super) fn nothing_changed() -> Failure {
    Failure::new(ExitCode::Interrupted, "interrupted; nothing was changed")
        .hint("load the files again")
}
