//! `ocache backup`: copies the embedded store while it is in use.
//!
//! While a copy is made, the log of the store grows. A command that is stopped, for example with Ctrl-Z,
//! would let it grow until the command continues. So a separate process makes the copy. It does not stop
//! with the command, and the command ends it if it makes no progress.

use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;

use super::args::{Backend, BackupArgs};
use super::engine::require_store;
use super::failure::{ExitCode, Failure, Result};
use super::interrupt::or_interrupted;
use super::output::Output;
use super::settings::Settings;

mod copier;

use copier::{CopyProcess, Said};

/// A copy that makes no progress for this long is ended.
const STANDSTILL: Duration = Duration::from_secs(10);

pub(super) async fn run(settings: &Settings, output: &Output, args: BackupArgs) -> Result<()> {
    if settings.backend != Backend::Embedded {
        let message = "only the embedded store is a file to back up";
        return Err(Failure::new(ExitCode::Usage, message)
            .hint("on AWS, tables have point-in-time recovery"));
    }
    require_store(settings)?;
    if args.copier {
        return copier::run(settings, output, &args.file).await;
    }
    or_interrupted(copied(settings, output, &args)).await?;
    let file = args.file.display().to_string();
    output.data(&json!({ "file": file }), |_| format!("backed up to {file}"))
}

/// Has the store copied, and shows the progress.
async fn copied(settings: &Settings, output: &Output, args: &BackupArgs) -> Result<()> {
    let mut copier = CopyProcess::start(&settings.data_dir, &args.file)?;
    let mut progress = output.count("pages", None);
    let (mut shown, mut is_copying) = (0, true);
    loop {
        let said = match is_copying {
            true => timeout(STANDSTILL, copier.said()).await.map_err(|_| stood_still(args))?,
            // The rest of the work is only for the disk of the copy, and does not affect the store.
            false => copier.said().await,
        };
        match said {
            Some(Said::Copied { pages, total }) => {
                progress.add(pages.saturating_sub(shown));
                shown = pages;
                is_copying = pages < total;
            }
            Some(Said::Line(line)) => progress.beside(|| output.note(&line)),
            None => return copier.outcome(),
        }
    }
}

fn stood_still(args: &BackupArgs) -> Failure {
    let (file, secs) = (args.file.display(), STANDSTILL.as_secs());
    let message = format!("the copy to `{file}` made no progress for {secs} s and was ended");
    Failure::new(ExitCode::TimedOut, message)
        .hint("copy to a local disk that is not full, and move the file from there")
}
