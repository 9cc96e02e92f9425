//! `ocache provision`: makes a stack's tables, queues and topic.

use serde_json::json;

use super::args::{Backend, ProvisionArgs};
use super::confirm::confirm;
use super::engine::connect_aws;
use super::failure::{ExitCode, Failure, Result};
use super::output::{Output, table};
use super::settings::Settings;
use super::shell::quoted;
use super::stack_settings::Given;
use crate::aws::{Aws, Drift, PlanLine, ProvisionPlan};

pub(super) async fn run(settings: &Settings, output: &Output, args: ProvisionArgs) -> Result<()> {
    let aws = aws_only(settings).await?;
    name_target(output, &aws).await?;
    let plan = aws.plan().await?;
    let due = due(&plan, args.fix);
    if args.dry_run || due == 0 {
        print(output, &plan.changes, false)?;
    }
    let given = Given::read(settings)?;
    if args.dry_run {
        given.would_be_set(output);
        return Ok(());
    }
    if due > 0 {
        confirm(output, args.yes, &format!("make {}", count(due, "change")))?;
        let done = aws.apply(&plan, args.fix).await?;
        print(output, &done, true)?;
    }
    let changed = given.set(output, &*aws.store()).await?;
    if due > 0 {
        show_alarms(settings, output, &aws);
    }
    conclude(output, &plan, args.fix, due + changed)
}

/// Reports that nothing changed, or fails if differences remain.
fn conclude(output: &Output, plan: &ProvisionPlan, fix: bool, due: usize) -> Result<()> {
    let differing = plan.changes.iter().filter(|change| is_difference(&change.drift)).count();
    if differing > 0 && !fix {
        let message = format!(
            "{}: different from what ocache needs, and not changed",
            count(differing, "setting")
        );
        return Err(Failure::new(ExitCode::Failure, message)
            .hint("show them with --dry-run, set them with --fix"));
    }
    if due == 0 {
        output.note("nothing to do: the stack is complete");
    }
    Ok(())
}

/// Makes only what is missing, for `ocache up --provision`.
pub(super) async fn make_missing(settings: &Settings, output: &Output, aws: &Aws) -> Result<()> {
    name_target(output, aws).await?;
    let plan = aws.plan().await?;
    let done = aws.apply(&plan, false).await?;
    output.note(&format!("provisioned: {} made", count(done.len(), "resource")));
    if !done.is_empty() {
        show_alarms(settings, output, aws);
    }
    Ok(())
}

/// Shows how to make the alarms, which `provision` does not make.
fn show_alarms(settings: &Settings, output: &Output, aws: &Aws) {
    let flag = |(name, value): (&str, Option<&str>)| Some(format!(" {name} {}", quoted(value?)));
    let target: String = [
        ("--region", Some(aws.region())),
        ("--profile", settings.aws.profile.as_deref()),
        ("--endpoint-url", aws.endpoint()),
    ]
    .into_iter()
    .filter_map(flag)
    .collect();
    output.note(
        "no alarms are made. These commands make one of each queue of dead letters, also for what the \
         topic cannot deliver; with --alarm-actions ARN they tell a topic of yours:",
    );
    for command in aws.alarm_commands(&target) {
        output.note(&format!("  {command}"));
    }
}

/// Connects to AWS. Fails for the embedded engine, which has nothing to provision.
pub(super) async fn aws_only(settings: &Settings) -> Result<Aws> {
    match settings.backend {
        Backend::Aws => connect_aws(&settings.aws).await,
        Backend::Embedded => {
            let message = "the embedded engine has no resources on AWS";
            Err(Failure::new(ExitCode::Usage, message)
                .hint("select AWS with --backend aws, --profile, --region or --endpoint-url"))
        }
    }
}

/// Names the account, so that its user knows what is about to be changed.
pub(super) async fn name_target(output: &Output, aws: &Aws) -> Result<()> {
    let identity = aws.identity().await?;
    let endpoint = identity.endpoint.as_deref().unwrap_or("AWS");
    output.note(&format!(
        "account {} as {}\nregion {}, endpoint {endpoint}",
        identity.account, identity.arn, identity.region
    ));
    Ok(())
}

/// Formats a count, such as `1 change` or `2 changes`.
fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

const fn is_difference(drift: &Drift) -> bool {
    matches!(drift, Drift::Differs { .. })
}

fn due(plan: &ProvisionPlan, fix: bool) -> usize {
    let is_due = |drift: &Drift| match drift {
        Drift::Missing => true,
        Drift::Differs { .. } => fix,
        Drift::Unchanged => false,
    };
    plan.changes.iter().filter(|change| is_due(&change.drift)).count()
}

fn print(output: &Output, changes: &[PlanLine], done: bool) -> Result<()> {
    let data: Vec<_> = changes.iter().map(|change| to_json(change, done)).collect();
    output.data(&data, |_| {
        let row = |line: &PlanLine| [line.resource.to_string(), in_words(&line.drift, done)];
        let header = ["resource", if done { "done" } else { "state" }];
        table(header).with(changes.iter().map(row)).to_string()
    })
}

fn in_words(drift: &Drift, done: bool) -> String {
    match drift {
        Drift::Missing if done => "made".to_owned(),
        Drift::Missing => "missing".to_owned(),
        Drift::Unchanged => "as it should be".to_owned(),
        Drift::Differs { attribute, is, should } => {
            let is = is.as_deref().unwrap_or("not set");
            let verb = if done { "set" } else { "differs" };
            format!("{attribute} {verb}: {is} → {should}")
        }
    }
}

fn to_json(change: &PlanLine, done: bool) -> serde_json::Value {
    let resource = change.resource.to_string();
    match &change.drift {
        Drift::Missing => {
            json!({ "resource": resource, "state": if done { "created" } else { "missing" } })
        }
        Drift::Unchanged => json!({ "resource": resource, "state": "unchanged" }),
        Drift::Differs { attribute, is, should } => json!({
            "resource": resource,
            "state": if done { "set" } else { "differs" },
            "attribute": attribute,
            "is": is,
            "should": should,
        }),
    }
}
