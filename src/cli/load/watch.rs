//! `ocache load --watch`: loads files again whenever one of them changes.
//!
//! The files are looked at twice a second. They are loaded when two looks in a row find the same state,
//! so that a file that is still being written is not loaded yet. File system notifications could not
//! replace the looks. A folder to which another machine writes over NFS or SMB sends none. They do not
//! say whether a file is complete. They are lost when a queue overflows or the folder itself is replaced.
//! A look costs a listing of the folder and the metadata of its files.

use std::fs;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Done, Loading};
use crate::cli::failure::{ExitCode, Failure, Result};
use crate::cli::output::Output;
use crate::cli::reader;
use crate::cli::signals::signalled;
use crate::data::{DataErrors, FilesSeen, Problem, RowError};
use crate::model::show_duration;
use crate::runtime::backoff;

const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A file that has not changed for this long counts as complete.
const STILL_FOR: Duration = LOOK_EVERY;
/// The same for `--prune`, which removes rows that a file does not have: half a file would remove the
/// other half.
const STILL_BEFORE_PRUNING: Duration = Duration::from_secs(5);
/// Files that were refused are tried again after this time. The cause may be in the store, and another
/// load may have changed it.
const REFUSED_AGAIN: Duration = Duration::from_secs(60);
/// The most changed files that are named.
const NAMED: usize = 5;

/// Loads the files, and again whenever one of them changes, until Ctrl-C or until the reader of the
/// reports leaves. Neither is a failure. Each time all files are read, because rows of one customer or
/// one price list may be in several files. Only differences from the store are written.
pub(super) async fn run(loading: Loading<'_>) -> Result<()> {
    let paths = &loading.args.paths;
    paths.iter().try_for_each(|path| check(path))?;
    let output = loading.output.line_by_line();
    // Listen before the first load. From here on Ctrl-C ends the command in order and does not kill the
    // process.
    let mut stopped = pin!(stopped());
    let still_for = if loading.args.prune { STILL_BEFORE_PRUNING } else { STILL_FOR };
    let mut files = Watching { paths, still_for, loaded: None, again: None };
    let mut failures = 0;
    let mut refused = None;
    loop {
        let seen = tokio::select! {
            seen = files.changed() => seen?,
            () = &mut stopped => return Ok(()),
        };
        files.say_changed(&seen, &output);
        if seen.is_empty() {
            output.note("there are no data files; waiting for the first one");
            files.loaded = Some(seen);
            continue;
        }
        let is_first = files.loaded.is_none();
        // The engine is opened for each load, but named only once.
        let opening = if is_first { output } else { output.quietly() };
        let layout = loading.layout.clone();
        let loading = Loading { output: &output, opening, layout, ..loading };
        let done = loading.once(Some(&seen)).await;
        if matches!(&done, Err(failure) if failure.code() == ExitCode::Interrupted) {
            return done.map(drop);
        }
        // An error in a file that is still being written says nothing about the file.
        if matches!(done, Ok(Done::Overtaken)) || (done.is_err() && look(paths).await? != seen) {
            // Its next change is reported.
            continue;
        }
        files.loaded = Some(seen);
        files.again = None;
        match done {
            Ok(done) => {
                done.print(&output)?;
                (failures, refused) = (0, None);
            }
            Err(failure) if failure.code() == ExitCode::BadData => {
                files.again = Some(Instant::now() + REFUSED_AGAIN);
                let why = Some(failure.to_text());
                if why == refused {
                    continue;
                }
                output.error(&failure.for_stack(&loading.settings.as_flags));
                refused = why;
            }
            Err(failure) if is_first => return Err(failure),
            Err(failure) => {
                failures += 1;
                let after = backoff(failures);
                output.error(&failure.for_stack(&loading.settings.as_flags));
                output.note(&format!("the files are loaded again in {}", show_duration(after)));
                files.again = Some(Instant::now() + after);
            }
        }
        output.note("waiting for the next change; Ctrl-C ends it");
    }
}

/// The watched files and their state.
struct Watching<'a> {
    paths: &'a [PathBuf],
    still_for: Duration,
    /// The files as they were when they were last loaded or refused.
    loaded: Option<FilesSeen>,
    /// When they are loaded again even if they do not change.
    again: Option<Instant>,
}

impl Watching<'_> {
    /// Waits until the files differ from what was loaded, and are complete.
    async fn changed(&self) -> Result<FilesSeen> {
        let (mut seen, mut since) = (look(self.paths).await?, Instant::now());
        loop {
            sleep(LOOK_EVERY).await;
            let now = look(self.paths).await?;
            if now != seen {
                (seen, since) = (now, Instant::now());
                continue;
            }
            let is_due = self.again.is_some_and(|again| again <= Instant::now());
            let is_new = is_due || self.loaded.as_ref() != Some(&seen);
            if is_new && since.elapsed() >= self.still_for {
                return Ok(seen);
            }
        }
    }

    /// Prints which files are new, changed or gone.
    fn say_changed(&self, seen: &FilesSeen, output: &Output) {
        let Some(loaded) = &self.loaded else { return };
        let changed = seen.changed_since(loaded);
        let mut named: Vec<_> =
            changed.iter().take(NAMED).map(|path| path.display().to_string()).collect();
        if let Some(more @ 1..) = changed.len().checked_sub(NAMED) {
            named.push(format!("{more} more"));
        }
        if !named.is_empty() {
            output.note(&format!("changed: {}", named.join(", ")));
        }
    }
}

/// Looks at the files on a thread of its own. A network file system may be slow, and Ctrl-C must still
/// work.
pub(super) async fn look(paths: &[PathBuf]) -> Result<FilesSeen> {
    let paths = paths.to_owned();
    let looking = tokio::task::spawn_blocking(move || FilesSeen::at(&paths));
    looking.await.map_err(Failure::internal)
}

/// Fails if a path does not exist, or can never change.
fn check(path: &Path) -> Result<()> {
    if path == Path::new("-") {
        let failure = Failure::new(ExitCode::Usage, "standard input cannot be watched");
        return Err(failure.hint("name files or folders, or leave out --watch"));
    }
    let found = fs::metadata(path).map_err(|error| {
        let problem = Problem::Unreadable(error);
        DataErrors::from(RowError { path: path.to_owned(), line: None, column: None, problem })
    })?;
    if found.is_file() || found.is_dir() {
        return Ok(());
    }
    let message =
        format!("`{}` is neither a file nor a folder, and cannot be watched", path.display());
    Err(Failure::new(ExitCode::Usage, message).hint("leave out --watch"))
}

/// Waits for Ctrl-C, or until nobody reads the output.
fn stopped() -> impl Future<Output = ()> {
    let interrupted = signalled(1);
    async move {
        tokio::select! {
            () = interrupted => {}
            () = reader::left() => {}
        }
    }
}
