//! `ocache destroy`: deletes the resources of a stack.

use std::sync::Arc;

use serde_json::json;

use super::args::DestroyArgs;
use super::confirm::confirm;
use super::failure::Result;
use super::output::{Output, table};
use super::provision::{aws_only, name_target};
use super::settings::Settings;
use super::workers::in_words;
use crate::aws::{Aws, Drift};
use crate::memory::MemoryConnections;
use crate::ports::{Clock, SystemClock, living_processes};

pub(super) async fn run(settings: &Settings, output: &Output, args: DestroyArgs) -> Result<()> {
    let aws = aws_only(settings).await?;
    name_target(output, &aws).await?;
    if args.dry_run {
        let plan = aws.plan().await?;
        let mut there: Vec<String> = plan
            .changes
            .iter()
            .filter(|change| change.drift != Drift::Missing)
            .map(|change| change.resource.to_string())
            .collect();
        there.dedup();
        return print(output, &there, "would be deleted");
    }
    warn_of_living(output, &aws).await;
    let question = format!("delete every table, queue and topic of stack `{}`", settings.aws.stack);
    confirm(output, args.yes, &question)?;
    let mut removed = Vec::new();
    aws.destroy(|removal| {
        if removal.existed {
            output.note(&format!("deleted {}", removal.resource));
            removed.push(removal.resource.to_string());
        }
    })
    .await?;
    print(output, &removed, "deleted")
}

/// Names the processes that still run. Versions start over in the next stack of this name, and a process would answer
/// from what it keeps in memory by its version.
async fn warn_of_living(output: &Output, aws: &Aws) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ports = aws.ports(clock.clone(), Arc::new(MemoryConnections::default()));
    // Without tables nobody has said that it lives.
    let living = living_processes(&*ports.presence, &*clock).await.unwrap_or_default();
    if !living.is_empty() {
        let living = living.iter().map(in_words).collect::<Vec<_>>().join("; ");
        output.note(&format!(
            "warning: still running: {living}; end that before a new stack of this name is loaded, or it answers with \
             the old prices"
        ));
    }
}

fn print(output: &Output, resources: &[String], state: &str) -> Result<()> {
    output.data(&json!({ state.replace(' ', "_"): resources }), |_| {
        if resources.is_empty() {
            return "the stack has no resources".to_owned();
        }
        let rows = resources.iter().map(|resource| [resource.as_str(), state]);
        table(["resource", ""]).with(rows).to_string()
    })
}
