//! A quotation as people read it.

use std::time::Duration;

use super::output::{number, table};
use crate::model::{Timestamp, show_duration};
use crate::protocol::QuotationFrame;

/// The quotation as a table with its grand total, what could not be priced, and how old the prices
/// are.
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
    let mut table =
        table(["product", "name", "list price", "discount", "unit price", "quantity", "total"]);
    for line in &quotation.lines {
        let discount = match line.discount_percent.as_str() {
            "0" => String::new(),
            percent => format!("{percent} %"),
        };
        let figures = [&line.list_price, &discount, &line.unit_price, &line.quantity, &line.total]
            .map(number);
        table.add_row(
            [line.product.clone().into(), line.name.clone().into()].into_iter().chain(figures),
        );
    }
    let currency = quotation.currency.as_deref().unwrap_or_default();
    let total = quotation.total.as_deref().unwrap_or_default();
    let mut text = format!("{table}\ntotal {total} {currency} for {}", quotation.client);
    if let Some(age) = age(quotation, now) {
        let stale = if quotation.stale { ", stale: being recalculated" } else { "" };
        text.push_str(&format!("  (prices validated {} ago{stale})", show_duration(age)));
    }
    if !quotation.unavailable.is_empty() {
        text.push_str(&format!("\nno price for: {}", quotation.unavailable.join(", ")));
    }
    text
}

fn age(quotation: &QuotationFrame, now: Timestamp) -> Option<Duration> {
    let validated: jiff::Timestamp = quotation.validated_at.as_deref()?.parse().ok()?;
    Some(now.since(Timestamp::from_millis(validated.as_millisecond())))
}
