//! `ocache verify`: whether what is stored is right.

use serde_json::{Value, json};

use super::args::VerifyArgs;
use super::duration::show_duration;
use super::engine::Engine;
use super::failure::{ExitCode, Failure};
use super::interrupt::or_interrupted;
use super::output::{Output, number, table};
use super::quotation;
use super::settings::Settings;
use crate::ports::{Chain, Ports, Quotation, QuotationStatus, Randomness};
use crate::verify::{
    Explained, Finding, Kind, Report, Subject, VerifyError, VerifyOptions, explain, verify,
};

/// A table for people shows so many findings; JSON shows them all.
const SHOWN_FINDINGS: usize = 50;

pub(super) async fn run(
    settings: &Settings,
    output: &Output,
    args: VerifyArgs,
) -> Result<(), Failure> {
    if let Some(request_id) = &args.quotation {
        let keys = quotation::keys(request_id, args.client.as_ref())?;
        let engine = Engine::open(settings, output).await?;
        let ports = engine.ports(None);
        let found = quotation::find(&ports, &keys, request_id, args.client.as_ref()).await;
        engine.close().await;
        return explain_one(output, &found?, &ports);
    }
    let engine = Engine::open(settings, output).await?;
    let ports = engine.ports(None);
    let size = if args.all { usize::MAX } else { args.sample };
    let options = VerifyOptions { tables: size, answers: size, seed: seed(&*ports.randomness) };
    let report =
        or_interrupted(async { Ok(verify(&*ports.store, options, ports.clock.now()).await?) })
            .await;
    engine.close().await;
    let report = report?;
    output.data(&summary(&report), |_| show(&report))?;
    verdict(&report, args.strict)
}

fn seed(randomness: &dyn Randomness) -> u64 {
    (u128::from_le_bytes(randomness.bits()) & u128::from(u64::MAX)) as u64
}

/// What the exit code says.
fn verdict(report: &Report, strict: bool) -> Result<(), Failure> {
    let kinds: &[Kind] = if strict { &Kind::ALL } else { &[Kind::Wrong] };
    let found: Vec<String> = kinds
        .iter()
        .map(|kind| (report.count(*kind), words(*kind)))
        .filter(|(count, _)| *count > 0)
        .map(|(count, words)| format!("{count} {words}"))
        .collect();
    if found.is_empty() {
        return Ok(());
    }
    let message = format!("not everything is as it should be: {}", found.join(", "));
    Err(Failure::new(ExitCode::BadData, message).hint(match report.count(Kind::Wrong) {
        0 => "the schedule mends all of this for active users; `ocache status` says whether it runs",
        _ => "a table is made anew after `ocache load` of what it is made from, or once it has expired",
    }))
}

const fn words(kind: Kind) -> &'static str {
    match kind {
        Kind::Wrong => "wrong",
        Kind::OtherRules => "of other pricing rules",
        Kind::Outdated => "outdated",
        Kind::Stale => "stale",
    }
}

fn summary(report: &Report) -> Value {
    let count = |kind: Kind, tables: bool| {
        let is_meant = |finding: &&Finding| {
            finding.kind == kind && matches!(finding.subject, Subject::Table(_)) == tables
        };
        report.findings.iter().filter(is_meant).count()
    };
    let ages = &report.ages;
    json!({
        "catalogue_version": report.catalogue_version,
        "tables": {
            "stored": report.tables,
            "checked": report.tables_checked,
            "wrong": count(Kind::Wrong, true),
            "other_rules": count(Kind::OtherRules, true),
            "outdated": count(Kind::Outdated, true),
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
            "wrong": count(Kind::Wrong, false),
            "other_rules": count(Kind::OtherRules, false),
        },
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
    })
}

fn finding(finding: &Finding) -> Value {
    let (user, request) = match &finding.subject {
        Subject::Table(user) => (user, None),
        Subject::Answer(user, request) => (user, Some(request.as_str())),
    };
    json!({
        "kind": finding.kind.name(),
        "user": user.as_str(),
        "request_id": request,
        "what": finding.what,
    })
}

fn show(report: &Report) -> String {
    let mut counts = table(["", "stored", "checked", "wrong", "other rules", "outdated"]);
    let summary = summary(report);
    for name in ["tables", "answers"] {
        let of = |field: &str| match &summary[name][field] {
            Value::Null => String::new(),
            count => count.to_string(),
        };
        let figures = ["stored", "checked", "wrong", "other_rules", "outdated"].map(of);
        counts.add_row(std::iter::once(name.into()).chain(figures.map(number)));
    }
    let mut text = format!(
        "{counts}\n{} of {} tables of active users stale ({:.1} %)",
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
        text.push_str(&format!("\nvalidated before {}", ages.join(", ")));
    }
    if report.findings.is_empty() {
        return text;
    }
    let mut found = table(["", "of", "what"]);
    for Finding { kind, subject, what } in report.findings.iter().take(SHOWN_FINDINGS) {
        found.add_row([words(*kind), &subject.to_string(), what]);
    }
    text.push_str(&format!("\n\n{found}"));
    let more = report.findings.len().saturating_sub(SHOWN_FINDINGS);
    if more > 0 {
        text.push_str(&format!("\nand {more} more (see --output json)"));
    }
    text
}

fn explain_one(output: &Output, found: &Quotation, ports: &Ports) -> Result<(), Failure> {
    let id = &found.request_id;
    let answer = match found.status_at(ports.clock.now()) {
        QuotationStatus::Answered(answer) => answer,
        QuotationStatus::Pending => {
            let message = format!("quotation `{id}` has no answer yet");
            return Err(Failure::new(ExitCode::NotFound, message));
        }
        QuotationStatus::Failed(reason) => {
            let message = format!("quotation `{id}` has no answer: {reason}");
            return Err(Failure::new(ExitCode::NotFound, message));
        }
    };
    let explained = explain(&answer);
    let lines: Vec<Value> = explained.lines.iter().map(line).collect();
    let data = json!({
        "request_id": id.as_str(),
        "client": found.user.as_str(),
        "pricing_version": explained.pricing_version,
        "knows_rules": explained.knows_rules,
        "catalogue_version": answer.catalogue_version,
        "generation": answer.generation.as_str(),
        "priced_at": answer.priced_at.to_string(),
        "validated_at": answer.validated_at.to_string(),
        "stale": answer.stale,
        "currency": answer.currency.code(),
        "lines": lines,
        "unavailable": answer.unavailable.iter().map(|id| id.as_str()).collect::<Vec<_>>(),
        "total": answer.total.format(answer.currency),
        "problem": explained.problem,
    });
    output.data(&data, |_| {
        let total = answer.total.format(answer.currency);
        let mut text = show_lines(&explained);
        text.push_str(&format!(
            "\ntotal {total} {}, the sum of the rounded lines",
            answer.currency
        ));
        if let Some(problem) = &explained.problem {
            text.push_str(&format!(": {problem}"));
        }
        if !answer.unavailable.is_empty() {
            let ids: Vec<&str> = answer.unavailable.iter().map(|id| id.as_str()).collect();
            text.push_str(&format!("\nno price for: {}", ids.join(", ")));
        }
        text.push_str(&format!(
            "\npriced {} from catalogue version {} by rule version {}, validated {}, asked {}",
            answer.priced_at,
            answer.catalogue_version,
            answer.pricing_version,
            answer.validated_at,
            found.accepted_at,
        ));
        text
    })?;
    if !explained.knows_rules {
        output.note("note: this ocache does not have those rules; nothing was checked");
    }
    if explained.is_wrong() {
        let message = format!("the answer of quotation `{id}` is wrong");
        return Err(Failure::new(ExitCode::BadData, message));
    }
    Ok(())
}

fn line(line: &crate::verify::ExplainedLine) -> Value {
    json!({
        "product": line.product,
        "list_price": line.list_price,
        "rule": line.rule,
        "exact_unit_price": line.exact_unit_price,
        "unit_price": line.unit_price,
        "quantity": line.quantity,
        "exact_total": line.exact_total,
        "total": line.total,
        "problem": line.problem,
    })
}

fn show_lines(explained: &Explained) -> String {
    let mut lines = table([
        "product",
        "list price",
        "rule",
        "exact",
        "rounded half-even",
        "quantity",
        "exact total",
        "rounded half-even",
        "",
    ]);
    for line in &explained.lines {
        let verdict = match (&line.problem, explained.knows_rules) {
            (Some(problem), _) => problem,
            (None, true) => "right",
            (None, false) => "not checked",
        };
        lines.add_row([
            line.product.as_str().into(),
            number(&line.list_price),
            line.rule.as_str().into(),
            number(&line.exact_unit_price),
            number(&line.unit_price),
            number(&line.quantity),
            number(&line.exact_total),
            number(&line.total),
            verdict.into(),
        ]);
    }
    lines.to_string()
}

impl From<VerifyError> for Failure {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Port(error) => error.into(),
            VerifyError::Loading => Self::new(ExitCode::Failure, Chain(&error).to_string())
                .hint("verify again when the load is done"),
        }
    }
}
