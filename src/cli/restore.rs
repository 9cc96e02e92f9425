//! `ocache restore`: replaces the embedded store with a backup.

use std::path::Path;

use serde_json::json;
use tokio::task::spawn_blocking;

use super::args::{Backend, RestoreArgs};
use super::confirm::confirm;
use super::failure::{ExitCode, Failure, Result};
use super::output::Output;
use super::settings::Settings;
use crate::embedded::{Restore, RestoreError};

pub(super) async fn run(settings: &Settings, output: &Output, args: RestoreArgs) -> Result<()> {
    if settings.backend != Backend::Embedded {
        let message = "only the embedded store is restored from a file";
        return Err(Failure::new(ExitCode::Usage, message)
            .hint("on AWS, restore tables to a point in time"));
    }
    let (dir, backup) = (settings.data_dir.clone(), args.file.clone());
    let restore = blocking(move || Restore::prepare(&dir, &backup)).await?;
    let (store, replaced) = (restore.store().to_owned(), restore.replaces());
    if replaced {
        confirm(output, args.yes, &question(&store, &args.file))?;
    }
    blocking(move || restore.commit()).await?;
    let (file, store) = (args.file.display().to_string(), store.display().to_string());
    output.data(&json!({ "file": file, "store": store, "replaced": replaced }), |_| {
        format!("restored {file} to {store}")
    })
}

fn question(store: &Path, backup: &Path) -> String {
    format!("replace the store `{}` with `{}`", store.display(), backup.display())
}

/// Runs work on a blocking thread, because copying and reading whole files takes long.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RestoreError> + Send + 'static,
) -> Result<T> {
    Ok(spawn_blocking(work).await.map_err(Failure::internal)??)
}
