//! Renders frames of the current dialect directly, without intermediate strings.
//!
//! Clients read them as [`QuotationFrame`](super::QuotationFrame). A test checks that both agree.

use serde::ser::Error as _;

use super::json::{put, put_decimal, put_text, put_time};
use super::terms::{WrittenInvalid, WrittenRule, WrittenTier};
use super::text::Text;
use crate::model::RequestId;
use crate::ports::{Quotation, QuotationStatus};
use crate::pricing::{Answer, AnswerLine, Money};

/// The estimated length of an acknowledgement.
const ACCEPTED_BYTES: usize = 128;
/// The estimated lengths of a quotation without its lines, and of a line.
const AROUND_BYTES: usize = 400;
const LINE_BYTES: usize = 200;

/// Appends a line of an answer.
fn put_line(json: &mut Vec<u8>, answer: &Answer, line: &AnswerLine) -> serde_json::Result<()> {
    let currency = answer.currency;
    let unit = |price: Money| price.shown_as_unit(currency, answer.unit_decimals);
    put_text(json, r#"{"product":"#, line.product.as_str())?;
    put_text(json, r#","name":"#, &line.name)?;
    put_decimal(json, r#","quantity":"#, line.quantity.shown());
    if let Some(list_price) = line.list_price {
        put_decimal(json, r#","list_price":"#, unit(list_price));
    }
    put_decimal(json, r#","discount_percent":"#, line.discount.shown());
    put_decimal(json, r#","unit_price":"#, unit(line.unit_price));
    put_decimal(json, r#","total":"#, line.total.shown(currency));
    if let Some(rule) = &line.rule {
        put(json, r#","rule":"#, &WrittenRule::new(rule))?;
    }
    if let Some(tier) = line.next_tier {
        put(json, r#","next_tier":"#, &WrittenTier::new(answer, tier))?;
    }
    json.push(b'}');
    Ok(())
}

/// Appends the lines of an answer, separated by commas.
fn put_lines(json: &mut Vec<u8>, answer: &Answer) -> serde_json::Result<()> {
    for (place, line) in answer.lines.iter().enumerate() {
        if place > 0 {
            json.push(b',');
        }
        put_line(json, answer, line)?;
    }
    Ok(())
}

/// Renders the acknowledgement of a quote.
pub(super) fn accepted(request_id: &RequestId) -> serde_json::Result<String> {
    let mut json = Vec::with_capacity(ACCEPTED_BYTES);
    put_text(&mut json, r#"{"type":"accepted","request_id":"#, request_id.as_str())?;
    json.extend_from_slice(br#","message":"quotation under analysis"}"#);
    String::from_utf8(json).map_err(serde_json::Error::custom)
}

/// Renders a quotation with a status.
pub(super) fn quotation(
    quotation: &Quotation,
    status: &QuotationStatus,
) -> serde_json::Result<String> {
    let (name, answer, reason) = match status {
        QuotationStatus::Pending => ("pending", None, None),
        QuotationStatus::Answered(answer) => ("answered", Some(&**answer), None),
        QuotationStatus::Failed(reason) => ("failed", None, Some(reason)),
    };
    let lines = answer.map_or(0, |answer| answer.lines.len());
    let mut document = Vec::with_capacity(AROUND_BYTES + lines * LINE_BYTES);
    let json = &mut document;
    put_text(json, r#"{"type":"quotation","request_id":"#, quotation.request_id.as_str())?;
    put_text(json, r#","client":"#, quotation.user.as_str())?;
    put_text(json, r#","status":"#, name)?;
    if let Some(reason) = reason {
        put(json, r#","reason":"#, &Text(reason))?;
    }
    match answer {
        Some(answer) => put_answer(json, answer)?,
        None => json.extend_from_slice(br#","stale":false,"lines":[],"unavailable":[]"#),
    }
    json.push(b'}');
    String::from_utf8(document).map_err(serde_json::Error::custom)
}

fn put_answer(json: &mut Vec<u8>, answer: &Answer) -> serde_json::Result<()> {
    put_time(json, r#","priced_at":"#, answer.priced_at);
    put_time(json, r#","validated_at":"#, answer.validated_at);
    put(json, r#","stale":"#, &answer.stale)?;
    json.extend_from_slice(br#","lines":["#);
    put_lines(json, answer)?;
    put(json, r#"],"unavailable":"#, &answer.unavailable)?;
    if !answer.invalid.is_empty() {
        let invalid: Vec<_> = answer.invalid.iter().map(WrittenInvalid::new).collect();
        put(json, r#","invalid":"#, &invalid)?;
    }
    put_decimal(json, r#","total":"#, answer.total.shown(answer.currency));
    put_text(json, r#","currency":"#, answer.currency.code())
}
