//! `ocache backup`: a copy of the embedded store while it is in use.

use serde_json::json;

use super::args::BackupArgs;
use super::engine::{Engine, Kind};
use super::failure::Failure;
use super::output::Output;
use super::settings::Settings;

pub(super) async fn run(
    settings: &Settings,
    output: &Output,
    args: BackupArgs,
) -> Result<(), Failure> {
    let engine = Engine::open(settings, output).await?;
    match engine.kind() {
        Kind::Embedded(embedded) => embedded.backup(&args.file).await?,
        #[cfg(feature = "aws")]
        Kind::Aws(_) => {
            let message = "only the embedded store is a file to back up";
            return Err(Failure::new(super::failure::ExitCode::Usage, message)
                .hint("on AWS, tables have point-in-time recovery"));
        }
    }
    engine.close().await;
    let file = args.file.display().to_string();
    output.data(&json!({ "file": file }), |_| format!("backed up to {file}"))
}
