//! `ocache destroy`: deletes the resources of a stack.

use serde_json::json;

use super::args::DestroyArgs;
use super::confirm::confirm;
use super::failure::Failure;
use super::output::{Output, table};
use super::provision::{aws_only, name_target};
use super::settings::Settings;
use crate::aws::Action;

pub(super) async fn run(
    settings: &Settings,
    output: &Output,
    args: DestroyArgs,
) -> Result<(), Failure> {
    let aws = aws_only(settings).await?;
    name_target(output, &aws).await?;
    if args.dry_run {
        let plan = aws.plan().await?;
        let mut there: Vec<String> = plan
            .changes
            .iter()
            .filter(|change| change.action != Action::Create)
            .map(|change| change.resource.to_string())
            .collect();
        there.dedup();
        return print(output, &there, "would be deleted");
    }
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

fn print(output: &Output, resources: &[String], state: &str) -> Result<(), Failure> {
    output.data(&json!({ state.replace(' ', "_"): resources }), |_| {
        if resources.is_empty() {
            return "the stack has no resources".to_owned();
        }
        let mut table = table(["resource", ""]);
        for resource in resources {
            table.add_row([resource.as_str(), state]);
        }
        table.to_string()
    })
}
