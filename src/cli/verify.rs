//! `ocache verify`: checks whether stored tables and answers are right.

use serde_json::{Map, Value, json};

use super::args::VerifyArgs;
use super::engine::Engine;
use super::failure::{ExitCode, Failure, Result};
use super::interrupt::or_interrupted;
use super::output::{Output, number, table};
use super::quotation;
use super::settings::Settings;
use crate::model::show_duration;
use crate::ports::{Chain, Randomness};
use crate::verify::{FindingCounts, FindingKind, VerifyError, VerifyOptions, VerifyReport, verify};

mod explained;
mod findings;

use findings::Findings;

pub(super) async fn run(settings: &Settings, output: &Output, args: VerifyArgs) -> Result<()> {
    if let Some(request_id) = &args.quotation {
        let keys = quotation::keys(request_id, args.client.as_ref())?;
        let engine = Engine::open_existing(settings, output).await?;
        let ports = engine.ports(None);
        let explained = async {
            let found = quotation::find(&ports, &keys, request_id, args.client.as_ref()).await?;
            explained::print(output, &found, &ports).await
        };
        let explained = explained.await;
        engine.close().await;
        return explained;
    }
    let engine = Engine::open_existing(settings, output).await?;
    let ports = engine.ports(None);
    let size = (!args.all).then_some(args.sample);
    let options = VerifyOptions { tables: size, answers: size, seed: seed(&*ports.randomness) };
    let mut findings = Findings::new(output);
    let report = or_interrupted(async {
        Ok(verify(&*ports.store, options, ports.clock.now(), &mut findings).await?)
    })
    .await;
    engine.close().await;
    let report = report?;
    findings.end(summary(&report), || show(&report))?;
    verdict(&report, args.strict)
}

fn seed(randomness: &dyn Randomness) -> u64 {
    (u128::from_le_bytes(randomness.bits()) & u128::from(u64::MAX)) as u64
}

/// Returns the failure that determines the exit code, if there are findings that count.
fn verdict(report: &VerifyReport, strict: bool) -> Result<()> {
    let kinds: &[FindingKind] = if strict { &FindingKind::ALL } else { &[FindingKind::Wrong] };
    let found: Vec<String> = kinds
        .iter()
        .map(|kind| (report.count(*kind), words(*kind)))
        .filter(|(count, _)| *count > 0)
        .map(|(count, words)| format!("{count} {words}"))
        .collect();
    if found.is_empty() {
        return Ok(());
    }
    let message = format!("some tables or answers are not right: {}", found.join(", "));
    Err(Failure::new(ExitCode::BadData, message).hint(match report.count(FindingKind::Wrong) {
        0 => "the schedule corrects all of this for active customers; `ocache status` shows whether it runs",
        _ => "a table is calculated again after `ocache load` changes its inputs, or when it has expired",
    }))
}

const fn words(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::Wrong => "wrong",
        FindingKind::OtherRules => "of other pricing rules",
        FindingKind::Outdated => "outdated",
        FindingKind::Stale => "stale",
    }
}

fn summary(report: &VerifyReport) -> Map<String, Value> {
    let ages = &report.ages;
    let tables = |kind| report.table_findings.of(kind);
    let answers = |kind| report.answer_findings.of(kind);
    super::stream::members(json!({
        "catalogue_version": report.catalogue_version,
        "tables": {
            "stored": report.tables,
            "checked": report.tables_checked,
            "wrong": tables(FindingKind::Wrong),
            "other_rules": tables(FindingKind::OtherRules),
            "outdated": tables(FindingKind::Outdated),
        },
        "active_users": {
            "count": report.active_users,
            "tables": report.active_tables,
            "stale": report.stale,
            "stale_share": report.stale_share(),
            "age_secs": {
                "p50": ages.p50.as_secs_f64(),
                "p90": ages.p90.as_secs_f64(),
                "p99": ages.p99.as_secs_f64(),
                "oldest": ages.oldest.as_secs_f64(),
            },
        },
        "answers": {
            "stored": report.answers,
            "checked": report.answers_checked,
            "wrong": answers(FindingKind::Wrong),
            "other_rules": answers(FindingKind::OtherRules),
        },
    }))
}

fn show(report: &VerifyReport) -> String {
    let mut counts = table(["", "stored", "checked", "wrong", "other rules", "outdated"]);
    let mut add =
        |name: &str, stored: u64, checked: u64, found: &FindingCounts, outdated: Option<u64>| {
            let figures =
                [stored, checked, found.of(FindingKind::Wrong), found.of(FindingKind::OtherRules)];
            let figures = figures.into_iter().map(number);
            let outdated = outdated.map_or_else(String::new, |count| count.to_string());
            counts.add_row(std::iter::once(name.into()).chain(figures).chain([number(outdated)]));
        };
    let VerifyReport { tables, tables_checked, table_findings, .. } = report;
    let outdated = table_findings.of(FindingKind::Outdated);
    add("tables", *tables, *tables_checked, table_findings, Some(outdated));
    add("answers", report.answers, report.answers_checked, &report.answer_findings, None);
    let mut text = format!(
        "{counts}\n{} of {} tables of active customers stale ({:.1} %)",
        report.stale,
        report.active_tables,
        report.stale_share() * 100.0
    );
    if report.active_tables > 0 {
        let ages = [
            ("p50", report.ages.p50),
            ("p90", report.ages.p90),
            ("p99", report.ages.p99),
            ("oldest", report.ages.oldest),
        ];
        let ages = ages.map(|(name, age)| format!("{name} {}", show_duration(age)));
        text.push_str(&format!("\nage of the last check: {}", ages.join(", ")));
    }
    text
}

impl From<VerifyError> for Failure {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Port(error) => error.into(),
            VerifyError::Loading => Self::new(ExitCode::Failure, Chain(&error).to_string())
                .hint("try again when the load is done"),
        }
    }
}
