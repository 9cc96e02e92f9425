//! Writes the frames of the current dialect straight from what they tell, without texts in between.
//!
//! [`QuotationFrame`](super::QuotationFrame) is what a client reads from them. A test holds the two
//! together.

use serde::ser::Error as _;
use serde::{Serialize, Serializer};

use super::terms::{WrittenInvalid, WrittenRule, WrittenTier};
use super::text::Text;
use crate::model::{ProductId, RequestId, ShownDecimal, Timestamp};
use crate::ports::{FailureReason, Quotation, QuotationStatus};
use crate::pricing::{Answer, AnswerLine, InvalidItem, Money};

/// About how long a quotation is beside its lines, and a line.
const AROUND_BYTES: usize = 400;
const LINE_BYTES: usize = 200;

#[derive(Serialize)]
struct Accepted<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    request_id: &'a str,
    message: &'static str,
}

#[derive(Serialize)]
struct Told<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    request_id: &'a str,
    client: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Text<&'a FailureReason>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priced_at: Option<Text<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    validated_at: Option<Text<Timestamp>>,
    stale: bool,
    lines: Lines<'a>,
    unavailable: &'a [ProductId],
    #[serde(skip_serializing_if = "Invalid::is_empty")]
    invalid: Invalid<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<ShownDecimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'static str>,
}

/// The lines of an answer; none without one.
struct Lines<'a>(Option<&'a Answer>);

impl Serialize for Lines<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let lines = self
            .0
            .into_iter()
            .flat_map(|answer| answer.lines.iter().map(|line| Line::new(answer, line)));
        serializer.collect_seq(lines)
    }
}

/// The items of an answer whose quantity is wrong.
struct Invalid<'a>(&'a [InvalidItem]);

impl Invalid<'_> {
    const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Invalid<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(WrittenInvalid::new))
    }
}

#[derive(Serialize)]
struct Line<'a> {
    product: &'a str,
    name: &'a str,
    quantity: ShownDecimal,
    #[serde(skip_serializing_if = "Option::is_none")]
    list_price: Option<ShownDecimal>,
    discount_percent: ShownDecimal,
    unit_price: ShownDecimal,
    total: ShownDecimal,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<WrittenRule<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_tier: Option<WrittenTier>,
}

impl<'a> Line<'a> {
    fn new(answer: &Answer, line: &'a AnswerLine) -> Self {
        let currency = answer.currency;
        let unit = |price: Money| price.shown_as_unit(currency, answer.unit_decimals);
        Self {
            product: line.product.as_str(),
            name: &line.name,
            quantity: line.quantity.shown(),
            list_price: line.list_price.map(unit),
            discount_percent: line.discount.shown(),
            unit_price: unit(line.unit_price),
            total: line.total.shown(currency),
            rule: line.rule.as_deref().map(WrittenRule::new),
            next_tier: line.next_tier.map(|tier| WrittenTier::new(answer, tier)),
        }
    }
}

/// The acknowledgement of a quote.
pub(super) fn accepted(request_id: &RequestId) -> serde_json::Result<String> {
    let message = "quotation under analysis";
    let frame = Accepted { kind: "accepted", request_id: request_id.as_str(), message };
    serde_json::to_string(&frame)
}

/// A quotation with a status.
pub(super) fn quotation(
    quotation: &Quotation,
    status: &QuotationStatus,
) -> serde_json::Result<String> {
    let (name, answer, reason) = match status {
        QuotationStatus::Pending => ("pending", None, None),
        QuotationStatus::Answered(answer) => ("answered", Some(&**answer), None),
        QuotationStatus::Failed(reason) => ("failed", None, Some(reason)),
    };
    let frame = Told {
        kind: "quotation",
        request_id: quotation.request_id.as_str(),
        client: quotation.user.as_str(),
        status: name,
        reason: reason.map(Text),
        priced_at: answer.map(|answer| Text(answer.priced_at)),
        validated_at: answer.map(|answer| Text(answer.validated_at)),
        stale: answer.is_some_and(|answer| answer.stale),
        lines: Lines(answer),
        unavailable: answer.map_or(&[], |answer| &answer.unavailable),
        invalid: Invalid(answer.map_or(&[], |answer| &answer.invalid)),
        total: answer.map(|answer| answer.total.shown(answer.currency)),
        currency: answer.map(|answer| answer.currency.code()),
    };
    let lines = answer.map_or(0, |answer| answer.lines.len());
    let mut json = Vec::with_capacity(AROUND_BYTES + lines * LINE_BYTES);
    serde_json::to_writer(&mut json, &frame)?;
    String::from_utf8(json).map_err(serde_json::Error::custom)
}
