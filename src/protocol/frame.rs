//! The frames that a client receives.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::terms::{InvalidFrame, RuleFrame, TierFrame};
use super::{MAX_MESSAGE_BYTES, original, render, terms};
use crate::model::{Dialect, RequestId, Timestamp, UserId};
use crate::ports::{FailureReason, Quotation, QuotationStatus};
use crate::pricing::{Answer, AnswerLine, Money};

/// A frame to a client of the current dialect.
#[expect(clippy::large_enum_variant, reason = "nearly every frame is a quotation")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Frame {
    /// The quotation is stored, so it will be answered or fail.
    Accepted {
        /// The id that the answer will have.
        request_id: String,
        /// A text for people.
        message: String,
    },
    /// The answer or the failure.
    Quotation(QuotationFrame),
    /// The client's frame was not understood, or the request failed.
    Error {
        /// The code for programs.
        code: String,
        /// The text for people.
        message: String,
    },
    /// The reply to a ping.
    Pong,
}

/// A settled quotation. Amounts, percentages and quantities are decimal strings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotationFrame {
    /// The quote that this answers.
    pub request_id: String,
    /// The customer whose prices these are.
    pub client: String,
    /// `answered` or `failed`; `pending` if the client asks before it is settled.
    pub status: String,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When the prices were calculated (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priced_at: Option<String>,
    /// When the prices were last checked, as far as the store knows (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validated_at: Option<String>,
    /// Whether the table was stale.
    #[serde(default)]
    pub stale: bool,
    /// The lines that have a price.
    #[serde(default)]
    pub lines: Vec<LineFrame>,
    /// The products without a price.
    #[serde(default)]
    pub unavailable: Vec<String>,
    /// The items whose product is not sold in the quantity asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub invalid: Vec<InvalidFrame>,
    /// The sum of the lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<String>,
    /// The currency of all amounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
}

/// One line of a quotation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineFrame {
    /// The product.
    pub product: String,
    /// The name of the product.
    pub name: String,
    /// The quantity of the line.
    pub quantity: String,
    /// The list price of one unit, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_price: Option<String>,
    /// The percentage below the list price; negative if the price is higher.
    pub discount_percent: String,
    /// The price of one unit.
    pub unit_price: String,
    /// The price of the line.
    pub total: String,
    /// The rule that the price comes from. Absent for the list price, and for the customer's own discount at
    /// every quantity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleFrame>,
    /// The next quantity at which it is cheaper, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_tier: Option<TierFrame>,
}

impl QuotationFrame {
    /// Creates the frame of a quotation with its status at `now`.
    #[must_use]
    pub fn new(quotation: &Quotation, now: Timestamp) -> Self {
        let frame = Self {
            request_id: quotation.request_id.to_string(),
            client: quotation.user.to_string(),
            ..Self::default()
        };
        match quotation.status_at(now) {
            QuotationStatus::Pending => Self { status: "pending".into(), ..frame },
            QuotationStatus::Failed(reason) => {
                Self { status: "failed".into(), reason: Some(reason.to_string()), ..frame }
            }
            QuotationStatus::Answered(answer) => frame.answered(&answer),
        }
    }

    fn answered(self, answer: &Answer) -> Self {
        Self {
            status: "answered".into(),
            priced_at: Some(answer.priced_at.to_string()),
            validated_at: Some(answer.validated_at.to_string()),
            stale: answer.stale,
            lines: answer.lines.iter().map(|line| LineFrame::new(answer, line)).collect(),
            unavailable: answer.unavailable.iter().map(ToString::to_string).collect(),
            invalid: answer.invalid.iter().map(InvalidFrame::new).collect(),
            total: Some(answer.total.format(answer.currency)),
            currency: Some(answer.currency.to_string()),
            ..self
        }
    }
}

impl LineFrame {
    fn new(answer: &Answer, line: &AnswerLine) -> Self {
        let unit =
            |price: Money| price.shown_as_unit(answer.currency, answer.unit_decimals).to_string();
        Self {
            product: line.product.to_string(),
            name: line.name.clone(),
            quantity: line.quantity.to_string(),
            list_price: line.list_price.map(unit),
            discount_percent: line.discount.to_string(),
            unit_price: unit(line.unit_price),
            total: line.total.format(answer.currency),
            rule: line.rule.as_deref().map(RuleFrame::new),
            next_tier: line.next_tier.map(|tier| TierFrame {
                quantity: tier.quantity.to_string(),
                unit_price: unit(tier.unit_price),
            }),
        }
    }
}

/// Whether an answer fits into one message in either dialect. Lines of the original dialect are shorter.
#[must_use]
pub fn fits_one_message(answer: &Answer) -> bool {
    // Room for everything other than lines: ids of 256 bytes, times, and a total.
    const AROUND: usize = 4 * 1024;
    // The most bytes of a line besides its product and name.
    const FIGURES: usize = 300;
    let longest = terms::most_bytes_of_text;
    let lines = answer.lines.iter().map(|line| {
        let rule = line.rule.as_deref().map_or(0, terms::most_bytes_of_rule);
        let tier = line.next_tier.map_or(0, |_| terms::MOST_BYTES_OF_TIER);
        longest(line.product.as_str()) + longest(&line.name) + FIGURES + rule + tier
    });
    let unavailable = answer.unavailable.iter().map(|product| longest(product.as_str()) + 3);
    let invalid = answer
        .invalid
        .iter()
        .map(|item| longest(item.product.as_str()) + terms::MOST_BYTES_OF_INVALID);
    let at_most: usize = lines.chain(unavailable).chain(invalid).sum();
    let room = MAX_MESSAGE_BYTES - AROUND;
    // The estimate is nearly always enough. Otherwise the frame is rendered to find its length.
    at_most <= room || {
        let frame = QuotationFrame::default().answered(answer);
        serde_json::to_string(&frame).is_ok_and(|text| text.len() <= room)
    }
}

impl Frame {
    /// Renders the frame as JSON.
    ///
    /// # Errors
    /// None are expected, because every field is a string.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}

/// Renders the acknowledgement of a quote.
///
/// # Errors
/// None are expected, because every field is a string.
pub fn render_accepted(request_id: &RequestId, dialect: Dialect) -> serde_json::Result<String> {
    match dialect {
        Dialect::Original => Ok(original::ACCEPTED.to_owned()),
        Dialect::Current => render::accepted(request_id),
    }
}

/// Renders a quotation with its status at `now`, in the dialect of its client.
///
/// # Errors
/// None are expected, because every field is a string.
pub fn render_quotation(quotation: &Quotation, now: Timestamp) -> serde_json::Result<String> {
    let late =
        quotation.fails_at(now).then_some(QuotationStatus::Failed(FailureReason::DeadlinePassed));
    let status = late.as_ref().unwrap_or(&quotation.status);
    match quotation.dialect {
        Dialect::Original => original::render_quotation(quotation, status),
        Dialect::Current => render::quotation(quotation, status),
    }
}

/// The quotation whose outcome a frame tells, in either dialect.
#[derive(Debug, PartialEq, Eq)]
pub struct Told<'a> {
    /// The id that the client knows.
    pub request_id: Cow<'a, str>,
    /// The customer. Frames of the original dialect do not name one, because their ids are globally unique.
    pub client: Option<String>,
}

#[derive(Deserialize)]
struct AnyFrame<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<&'a str>,
    #[serde(borrow)]
    status: Option<&'a str>,
    #[serde(borrow, alias = "id")]
    request_id: Cow<'a, str>,
    client: Option<String>,
}

impl<'a> Told<'a> {
    /// Parses a frame; `None` if it tells no outcome.
    #[must_use]
    pub fn of(frame: &'a [u8]) -> Option<Self> {
        let AnyFrame { kind, status, request_id, client } = serde_json::from_slice(frame).ok()?;
        let tells = match (kind, status) {
            (Some("quotation"), Some(status)) => status != "pending",
            // The original dialect writes an id only into a frame with an outcome.
            (kind, _) => kind.is_none(),
        };
        tells.then_some(Self { request_id, client })
    }

    /// Whether this is the outcome of this customer's request. Two customers may use the same id.
    #[must_use]
    pub fn is_about(&self, user: &UserId, request_id: &RequestId) -> bool {
        let is_client = |client: &str| client == user.as_str();
        self.request_id == request_id.as_str() && self.client.as_deref().is_none_or(is_client)
    }
}

/// Renders the answer to a ping.
///
/// # Errors
/// None are expected.
pub fn render_pong(dialect: Dialect) -> serde_json::Result<String> {
    match dialect {
        Dialect::Original => Ok(original::PONG.to_owned()),
        Dialect::Current => Frame::Pong.to_json(),
    }
}

#[cfg(test)]
mod tests;
