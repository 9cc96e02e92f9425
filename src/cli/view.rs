//! Shows quotations to people.

use std::time::Duration;

use super::output::{name, number, table};
use crate::model::{Timestamp, show_duration};
use crate::protocol::{InvalidFrame, LineFrame, QuotationFrame, RuleFrame, ScopeFrame, TierFrame};

/// Formats a quotation as a table with its total, the products without a price, and the age of the
/// prices.
pub(super) fn quotation(quotation: &QuotationFrame, now: Timestamp) -> String {
    match quotation.status.as_str() {
        "answered" => answered(quotation, now),
        "failed" => {
            let reason = quotation.reason.as_deref().unwrap_or("for no reason given");
            format!("quotation {} failed: {reason}", quotation.request_id)
        }
        status => format!("quotation {} is {status}", quotation.request_id),
    }
}

fn answered(quotation: &QuotationFrame, now: Timestamp) -> String {
    let lines = &quotation.lines;
    // Columns that are empty in all lines are left out, because most sellers have no price lists.
    let has_rules = lines.iter().any(|line| line.rule.is_some());
    let has_tiers = lines.iter().any(|line| line.next_tier.is_some());
    let mut header =
        vec!["product", "name", "list price", "discount", "unit price", "quantity", "total"];
    header.extend(has_rules.then_some("rule"));
    header.extend(has_tiers.then_some("next tier"));
    let mut table = table(header);
    for line in lines {
        let figures = [
            line.list_price.as_deref().unwrap_or_default(),
            &percent(line),
            &line.unit_price,
            &line.quantity,
            &line.total,
        ]
        .map(number);
        let rule = has_rules.then(|| line.rule.as_ref().map_or_else(String::new, rule).into());
        let tier = has_tiers.then(|| line.next_tier.as_ref().map_or_else(String::new, tier).into());
        let texts = [name(line.product.clone()), name(line.name.clone())];
        table.add_row(texts.into_iter().chain(figures).chain(rule).chain(tier));
    }
    let currency = quotation.currency.as_deref().unwrap_or_default();
    let total = quotation.total.as_deref().unwrap_or_default();
    let mut said = vec![];
    if !lines.is_empty() {
        let mut text = format!("{table}\ntotal {total} {currency} for {}", quotation.client);
        if let Some(age) = age(quotation, now) {
            let stale = if quotation.stale { ", stale: being recalculated" } else { "" };
            text.push_str(&format!("  (prices checked {} ago{stale})", show_duration(age)));
        }
        said.push(text);
    }
    if !quotation.unavailable.is_empty() {
        said.push(format!("no price for: {}", quotation.unavailable.join(", ")));
    }
    said.extend(quotation.invalid.iter().map(invalid));
    said.join("\n")
}

fn percent(line: &LineFrame) -> String {
    match line.discount_percent.as_str() {
        "0" => String::new(),
        percent => format!("{percent} %"),
    }
}

/// Says in a few words where a price comes from: `gold, tools/drills, from 10`.
pub(super) fn rule(rule: &RuleFrame) -> String {
    let mut text = rule.list.clone().unwrap_or_else(|| "own".to_owned());
    match &rule.scope {
        ScopeFrame::Product => {}
        ScopeFrame::Category(category) => text.push_str(&format!(", {category}")),
        ScopeFrame::All => text.push_str(", all products"),
    }
    if rule.min_quantity != "0" {
        text.push_str(&format!(", from {}", rule.min_quantity));
    }
    if let Some(until) = &rule.until {
        text.push_str(&format!(", until {until}"));
    }
    text
}

fn tier(tier: &TierFrame) -> String {
    format!("{} from {}", tier.unit_price, tier.quantity)
}

/// Says that a product is not sold in a quantity, and which quantities are next to it.
pub(super) fn invalid(item: &InvalidFrame) -> String {
    let InvalidFrame { product, quantity, .. } = item;
    let instead = match (&item.below, &item.above) {
        (Some(below), Some(above)) => format!("; {below} and {above} are next to it"),
        (Some(only), None) | (None, Some(only)) => format!("; the next one is {only}"),
        (None, None) => String::new(),
    };
    format!("`{product}` is not sold in a quantity of {quantity}{instead}")
}

fn age(quotation: &QuotationFrame, now: Timestamp) -> Option<Duration> {
    let validated: jiff::Timestamp = quotation.validated_at.as_deref()?.parse().ok()?;
    Some(now.since(Timestamp::from_millis(validated.as_millisecond())))
}
