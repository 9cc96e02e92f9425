//! `ocache backup`: a copy of the embedded store while it is in use.

use serde_json::json;

use super::args::BackupArgs;
use super::engine::Engine;
use super::failure::{ExitCode, Failure};
use super::output::Output;
use super::settings::Settings;

pub(super) async fn run(
    settings: &Settings,
    output: &Output,
    args: BackupArgs,
) -> Result<(), Failure> {
    let engine = Engine::open(settings, output).await?;
    let Some(embedded) = engine.embedded() else {
        return Err(Failure::new(ExitCode::Usage, "only the embedded store is a file to back up")
            .hint("on AWS, tables have point-in-time recovery"));
    };
    embedded.backup(&args.file).await?;
    engine.close().await;
    let file = args.file.display().to_string();
    output.data(&json!({ "file": file }), |_| format!("backed up to {file}"))
}
