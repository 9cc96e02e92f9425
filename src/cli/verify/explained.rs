//! One answer, explained.

use serde_json::{Value, json};

use super::super::failure::{ExitCode, Failure};
use super::super::output::{Output, number, table};
use crate::ports::{Ports, Quotation, QuotationStatus};
use crate::verify::{Explained, ExplainedLine, explain};

/// Prints an answer line by line.
pub(super) fn print(output: &Output, found: &Quotation, ports: &Ports) -> Result<(), Failure> {
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

fn line(line: &ExplainedLine) -> Value {
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
