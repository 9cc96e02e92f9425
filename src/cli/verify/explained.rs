//! Explains one answer.

use serde_json::{Value, json};

use super::super::failure::{ExitCode, Failure, Result};
use super::super::output::{Output, name, number, table};
use super::super::price_rows;
use super::super::stream::members;
use crate::data::Amounts;
use crate::model::Item;
use crate::ports::{Ports, Quotation, QuotationStatus};
use crate::pricing::Answer;
use crate::verify::{Explained, ExplainedLine, Reasons, WhyPrice, explain, price_json, reasons};

/// Prints an answer line by line, with the rows that its prices came from if these are still loaded.
pub(super) async fn print(output: &Output, found: &Quotation, ports: &Ports) -> Result<()> {
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
    let reasons = reasons(&*ports.store, &found.user, &found.items, answer.answered_at).await?;
    // After a later load, the rows may differ from those that the answer used.
    let is_current = reasons.catalogue_version == answer.catalogue_version;
    let priced = reasons.items.iter().filter_map(|(_, why)| why.as_ref());
    let may_have_floors = !is_current || priced.into_iter().any(|why| why.goods.floor.is_some());
    let explained = explain(&answer, may_have_floors);
    let rows = AnswerRows { reasons: is_current.then_some(&reasons), answer: &answer };
    let lines: Vec<Value> = explained.lines.iter().map(|one| line(one, &rows)).collect();
    let differs = rows.first_difference();
    let data = json!({
        "request_id": id.as_str(),
        "client": found.user.as_str(),
        "pricing_version": explained.pricing_version,
        "knows_rules": explained.knows_rules,
        "catalogue_version": answer.catalogue_version,
        "generation": answer.generation.as_str(),
        "rows_are_current": is_current,
        "answered_at": answer.answered_at.to_string(),
        "priced_at": answer.priced_at.to_string(),
        "validated_at": answer.validated_at.to_string(),
        "stale": answer.stale,
        "currency": answer.currency.code(),
        "lines": lines,
        "unavailable": answer.unavailable.iter().map(|id| id.as_str()).collect::<Vec<_>>(),
        "invalid": answer.invalid.iter().map(|item| item.product.as_str()).collect::<Vec<_>>(),
        "total": answer.total.format(answer.currency),
        "problem": explained.problem.as_ref().or(differs.as_ref()),
    });
    output.data(&data, |_| {
        let total = answer.total.format(answer.currency);
        let mut text = show_lines(&explained);
        text.push_str(&format!(
            "\ntotal {total} {}, the sum of the rounded lines",
            answer.currency
        ));
        if let Some(problem) = explained.problem.as_ref().or(differs.as_ref()) {
            text.push_str(&format!(": {problem}"));
        }
        if !answer.unavailable.is_empty() {
            let ids: Vec<&str> = answer.unavailable.iter().map(|id| id.as_str()).collect();
            text.push_str(&format!("\nno price for: {}", ids.join(", ")));
        }
        for item in &answer.invalid {
            text.push_str(&format!(
                "\nnot sold in a quantity of {}: {}",
                item.quantity, item.product
            ));
        }
        text.push_str(&rows.show());
        text.push_str(&format!(
            "\npriced {} from catalogue version {} by rule version {}, checked {}, asked {}",
            answer.priced_at,
            answer.catalogue_version,
            answer.pricing_version,
            answer.validated_at,
            found.accepted_at,
        ));
        text
    })?;
    if !is_current {
        let (was, is) = (answer.catalogue_version, reasons.catalogue_version);
        output.note(&format!(
            "note: version {is} is loaded, the answer is of version {was}: the rows that it came from \
             may have changed, and are not shown"
        ));
    }
    if !explained.knows_rules {
        output.note("note: this ocache does not have those rules; nothing was checked");
    }
    if explained.is_wrong() || (explained.knows_rules && differs.is_some()) {
        let message = format!("the answer of quotation `{id}` is wrong");
        return Err(Failure::new(ExitCode::BadData, message));
    }
    Ok(())
}

/// The rows that the prices of an answer came from; none if another load came in between.
struct AnswerRows<'a> {
    reasons: Option<&'a Reasons>,
    answer: &'a Answer,
}

impl AnswerRows<'_> {
    fn of(&self, product: &str) -> Option<(&Item, &WhyPrice)> {
        let mut items = self.reasons?.items.iter();
        let (item, why) = items.find(|(item, _)| item.product.as_str() == product)?;
        Some((item, why.as_ref()?))
    }

    fn amounts(&self) -> Option<Amounts> {
        self.reasons.map(Reasons::amounts)
    }

    /// Returns the first line whose price differs from that of the rows.
    fn first_difference(&self) -> Option<String> {
        let amounts = self.amounts()?;
        self.answer.lines.iter().find_map(|line| {
            let (_, why) = self.of(line.product.as_str())?;
            let is = why.explanation.unit_price;
            (is != Some(line.unit_price)).then(|| {
                let is = is.map_or_else(|| "nothing".to_owned(), |price| amounts.shown(price));
                let (product, says) = (&line.product, amounts.shown(line.unit_price));
                format!("product `{product}` costs {is} by the rows that are loaded, not {says}")
            })
        })
    }

    /// Formats the rows of all items. Items with nothing but a discount on every quantity are left out,
    /// because their lines already say everything.
    fn show(&self) -> String {
        let (Some(reasons), Some(amounts)) = (self.reasons, self.amounts()) else {
            return String::new();
        };
        let items = reasons.items.iter().filter_map(|(item, why)| Some((item, why.as_ref()?)));
        let has_more = |(_, why): &(&Item, &WhyPrice)| {
            let rows = &why.explanation.rows;
            rows.len() > 1 || rows.iter().any(|row| row.list.is_some()) || why.unsold.is_some()
        };
        let texts = items.filter(has_more).map(|(item, why)| {
            let Item { product, quantity } = item;
            let rows = price_rows::show(why, amounts);
            let headline = price_rows::headline(why, amounts);
            format!("\n\n{product} {}, {quantity}: {headline}\n{rows}", why.name)
        });
        let texts: String = texts.collect();
        if texts.is_empty() { texts } else { texts + "\n" }
    }
}

fn line(line: &ExplainedLine, rows: &AnswerRows<'_>) -> Value {
    let mut data = members(json!({
        "product": line.product,
        "rule": line.rule,
        "exact_unit_price": line.exact_unit_price,
        "unit_price": line.unit_price,
        "quantity": line.quantity,
        "exact_total": line.exact_total,
        "total": line.total,
        "problem": line.problem,
    }));
    if let Some(list_price) = &line.list_price {
        data.insert("list_price".to_owned(), list_price.as_str().into());
    }
    if let (Some((_, why)), Some(amounts)) = (rows.of(&line.product), rows.amounts()) {
        let mut reasons = price_json(why, amounts);
        if let Some(rows) = reasons.remove("rows") {
            data.insert("rows".to_owned(), rows);
        }
    }
    Value::Object(data)
}

fn show_lines(explained: &Explained) -> String {
    let mut lines = table([
        "product",
        "list price",
        "rule",
        "exact",
        "rounded",
        "quantity",
        "exact total",
        "rounded",
        "",
    ]);
    for line in &explained.lines {
        let verdict = match (&line.problem, explained.knows_rules) {
            (Some(problem), _) => problem,
            (None, true) => "right",
            (None, false) => "not checked",
        };
        lines.add_row([
            name(line.product.as_str()),
            number(line.list_price.as_deref().unwrap_or_default()),
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
