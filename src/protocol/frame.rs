//! What a client gets.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::terms::{InvalidFrame, RuleFrame, TierFrame};
use super::{MAX_MESSAGE_BYTES, original, render, terms};
use crate::model::{Dialect, RequestId, Timestamp, UserId};
use crate::ports::{FailureReason, Quotation, QuotationStatus};
use crate::pricing::{Answer, AnswerLine, Money};

/// A frame to a client that speaks the current dialect.
#[expect(clippy::large_enum_variant, reason = "nearly every frame is a quotation")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Frame {
    /// The quote is saved and on its way.
    Accepted {
        /// By which the answer will be known.
        request_id: String,
        /// For people.
        message: String,
    },
    /// The answer, or the failure.
    Quotation(QuotationFrame),
    /// The frame before was not understood, or could not be done.
    Error {
        /// For programs.
        code: String,
        /// For people.
        message: String,
    },
    /// I am here.
    Pong,
}

/// A settled quotation. Amounts, percentages and quantities are decimal strings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotationFrame {
    /// Which quote this answers.
    pub request_id: String,
    /// Whose prices these are.
    pub client: String,
    /// `answered` or `failed`; `pending` when asked for before it is either.
    pub status: String,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When the prices were calculated (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priced_at: Option<String>,
    /// When they were last found to be still right (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validated_at: Option<String>,
    /// Whether the prices were past their freshness.
    #[serde(default)]
    pub stale: bool,
    /// The lines that have a price.
    #[serde(default)]
    pub lines: Vec<LineFrame>,
    /// The products that have none.
    #[serde(default)]
    pub unavailable: Vec<String>,
    /// The items whose quantity their product is not sold in.
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
    /// What people call it.
    pub name: String,
    /// How much of it.
    pub quantity: String,
    /// The list price of one, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_price: Option<String>,
    /// How much less than the list price it is; negative when it is more.
    pub discount_percent: String,
    /// The price of one.
    pub unit_price: String,
    /// The price of the line.
    pub total: String,
    /// Where the price comes from. Absent for the list price, and for a discount of the customer's own
    /// on every quantity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleFrame>,
    /// From which quantity on it is cheaper, if it ever is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_tier: Option<TierFrame>,
}

impl QuotationFrame {
    /// The quotation as it stands at a time.
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

/// Whether an answer fits one message, in either dialect: lines of the original are shorter.
#[must_use]
pub fn fits_one_message(answer: &Answer) -> bool {
    // Room for what is not lines: ids of 256 bytes, times, and a total.
    const AROUND: usize = 4 * 1024;
    // What is in a line beside its product and name, at most.
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
    // Nearly always; else it is written to see.
    at_most <= room || {
        let frame = QuotationFrame::default().answered(answer);
        serde_json::to_string(&frame).is_ok_and(|text| text.len() <= room)
    }
}

impl Frame {
    /// The frame as JSON.
    ///
    /// # Errors
    /// None in practice: every field is a string.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}

/// The acknowledgement of a quote.
///
/// # Errors
/// None in practice: every field is a string.
pub fn render_accepted(request_id: &RequestId, dialect: Dialect) -> serde_json::Result<String> {
    match dialect {
        Dialect::Original => Ok(original::ACCEPTED.to_owned()),
        Dialect::Current => render::accepted(request_id),
    }
}

/// A quotation as it stands at a time, in the dialect of its client.
///
/// # Errors
/// None in practice: every field is a string.
pub fn render_quotation(quotation: &Quotation, now: Timestamp) -> serde_json::Result<String> {
    let late =
        quotation.fails_at(now).then_some(QuotationStatus::Failed(FailureReason::DeadlinePassed));
    let status = late.as_ref().unwrap_or(&quotation.status);
    match quotation.dialect {
        Dialect::Original => original::render_quotation(quotation, status),
        Dialect::Current => render::quotation(quotation, status),
    }
}

/// Of which quotation a frame to a client tells the outcome, in either dialect.
#[derive(Debug, PartialEq, Eq)]
pub struct Told<'a> {
    /// The id that the client knows it by.
    pub request_id: Cow<'a, str>,
    /// Whose it is. The original dialect does not say; its ids are unique alone.
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
    /// Reads it; `None` for a frame that tells no outcome.
    #[must_use]
    pub fn of(frame: &'a [u8]) -> Option<Self> {
        let AnyFrame { kind, status, request_id, client } = serde_json::from_slice(frame).ok()?;
        let tells = match (kind, status) {
            (Some("quotation"), Some(status)) => status != "pending",
            // The original dialect writes an id only where it tells an outcome.
            (kind, _) => kind.is_none(),
        };
        tells.then_some(Self { request_id, client })
    }

    /// Whether it is the outcome of this client's request. Two clients may use the same id.
    #[must_use]
    pub fn is_about(&self, user: &UserId, request_id: &RequestId) -> bool {
        let is_client = |client: &str| client == user.as_str();
        self.request_id == request_id.as_str() && self.client.as_deref().is_none_or(is_client)
    }
}

/// The answer to a ping.
///
/// # Errors
/// None in practice.
pub fn render_pong(dialect: Dialect) -> serde_json::Result<String> {
    match dialect {
        Dialect::Original => Ok(original::PONG.to_owned()),
        Dialect::Current => Frame::Pong.to_json(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Generation, QuotationKey, UserId};
    use crate::pricing::{Currency, InvalidItem, NextTier, Rule, RuleKind, Scope};

    fn quotation(dialect: Dialect, status: QuotationStatus) -> Quotation {
        let user = UserId::new("AAA").unwrap();
        let request_id = RequestId::new("7").unwrap();
        Quotation {
            key: QuotationKey::new(&user, &request_id),
            request_id,
            user,
            items: vec![],
            connection: None,
            dialect,
            accepted_at: Timestamp::default(),
            deadline: Timestamp::from_secs(30),
            expires_at: Timestamp::from_secs(60),
            status,
        }
    }

    fn answer() -> QuotationStatus {
        QuotationStatus::Answered(Box::new(Answer {
            lines: vec![AnswerLine {
                product: "P1".parse().unwrap(),
                name: "Desk".into(),
                quantity: "2".parse().unwrap(),
                list_price: Some(Money::from_minor(50_000)),
                discount: "10".parse().unwrap(),
                unit_price: Money::from_minor(45_000),
                total: Money::from_minor(90_000),
                rule: None,
                next_tier: None,
            }],
            unavailable: vec!["P9".parse().unwrap()],
            invalid: vec![],
            total: Money::from_minor(90_000),
            currency: Currency::USD,
            unit_decimals: 0,
            priced_at: Timestamp::default(),
            validated_at: Timestamp::from_secs(1),
            answered_at: Timestamp::from_secs(2),
            stale: false,
            generation: Generation::from_random([0; 16]),
            catalogue_version: 1,
            pricing_version: 1,
        }))
    }

    /// An answer with all that price lists brought.
    fn answer_by_terms() -> QuotationStatus {
        let QuotationStatus::Answered(answer) = answer() else { panic!() };
        let plain = &answer.lines[0];
        let rule = Rule {
            list: Some("gold".parse().unwrap()),
            priority: 7,
            scope: Some(Scope::Category("tools/drills".parse().unwrap())),
            kind: RuleKind::Percentage("-2.5".parse().unwrap()),
            min_quantity: "2".parse().unwrap(),
            until: Some(Timestamp::from_secs(86_400)),
        };
        let unit_price = Money::from_minor(5_125_000);
        let surcharged = AnswerLine {
            list_price: Some(Money::from_minor(5_000_000)),
            discount: "-2.5".parse().unwrap(),
            unit_price,
            total: Money::from_minor(102_500),
            rule: Some(Box::new(rule.clone())),
            next_tier: Some(NextTier {
                quantity: "12".parse().unwrap(),
                unit_price: Money::from_minor(4_999_995),
            }),
            ..plain.clone()
        };
        let (list, kind) = (None, RuleKind::Price);
        let own = Rule { list, kind, scope: None, until: None, ..rule.clone() };
        let without_list_price = AnswerLine {
            list_price: None,
            discount: "0".parse().unwrap(),
            rule: Some(Box::new(own)),
            next_tier: None,
            ..surcharged.clone()
        };
        let all = Rule { scope: Some(Scope::All), kind: RuleKind::Amount, ..rule };
        let for_all = AnswerLine { rule: Some(Box::new(all)), ..surcharged.clone() };
        let invalid = InvalidItem {
            product: "P\"7".parse().unwrap(),
            quantity: "0.5".parse().unwrap(),
            below: None,
            above: Some("12".parse().unwrap()),
        };
        let above =
            InvalidItem { below: Some("60".parse().unwrap()), above: None, ..invalid.clone() };
        QuotationStatus::Answered(Box::new(Answer {
            lines: vec![surcharged, without_list_price, for_all],
            invalid: vec![invalid, above],
            total: Money::from_minor(307_500),
            unit_decimals: 2,
            ..*answer
        }))
    }

    #[test]
    fn a_frame_with_an_outcome_tells_whose_it_is() {
        let told = |dialect, status| {
            let text = render_quotation(&quotation(dialect, status), Timestamp::default()).unwrap();
            Told::of(text.as_bytes()).map(|told| (told.request_id.into_owned(), told.client))
        };
        let (id, client) = ("7".to_owned(), Some("AAA".to_owned()));
        for status in [answer(), QuotationStatus::Failed(FailureReason::NoTable)] {
            let current = told(Dialect::Current, status.clone());
            assert_eq!(current, Some((id.clone(), client.clone())));
            assert_eq!(told(Dialect::Original, status), Some((id.clone(), None)));
        }
        for dialect in [Dialect::Current, Dialect::Original] {
            assert_eq!(told(dialect, QuotationStatus::Pending), None);
            let request_id = RequestId::new("7").unwrap();
            let accepted = render_accepted(&request_id, dialect).unwrap();
            assert_eq!(Told::of(accepted.as_bytes()), None);
            assert_eq!(Told::of(render_pong(dialect).unwrap().as_bytes()), None);
        }
    }

    #[test]
    fn the_current_dialect() {
        let json = render_quotation(&quotation(Dialect::Current, answer()), Timestamp::default());
        assert_eq!(
            json.unwrap(),
            concat!(
                r#"{"type":"quotation","request_id":"7","client":"AAA","status":"answered","#,
                r#""priced_at":"1970-01-01T00:00:00.000Z","#,
                r#""validated_at":"1970-01-01T00:00:01.000Z","stale":false,"lines":[{"product":"P1","#,
                r#""name":"Desk","quantity":"2","list_price":"500.00","discount_percent":"10","#,
                r#""unit_price":"450.00","total":"900.00"}],"unavailable":["P9"],"#,
                r#""total":"900.00","currency":"USD"}"#
            )
        );
    }

    #[test]
    fn a_line_shows_its_rule_and_the_next_tier() {
        let quotation = quotation(Dialect::Current, answer_by_terms());
        let json = render_quotation(&quotation, Timestamp::default()).unwrap();
        let lines = json.split_once(r#""lines":"#).unwrap().1;
        assert_eq!(
            lines,
            concat!(
                r#"[{"product":"P1","name":"Desk","quantity":"2","list_price":"500.00","#,
                r#""discount_percent":"-2.5","unit_price":"512.50","total":"1025.00","#,
                r#""rule":{"list":"gold","scope":{"category":"tools/drills"},"#,
                r#""kind":"percentage","min_quantity":"2","until":"1970-01-02T00:00:00.000Z"},"#,
                r#""next_tier":{"quantity":"12","unit_price":"499.9995"}},"#,
                r#"{"product":"P1","name":"Desk","quantity":"2","discount_percent":"0","#,
                r#""unit_price":"512.50","total":"1025.00","#,
                r#""rule":{"own":true,"scope":"product","kind":"price","min_quantity":"2"}},"#,
                r#"{"product":"P1","name":"Desk","quantity":"2","list_price":"500.00","#,
                r#""discount_percent":"-2.5","unit_price":"512.50","total":"1025.00","#,
                r#""rule":{"list":"gold","scope":"all","kind":"amount","min_quantity":"2","#,
                r#""until":"1970-01-02T00:00:00.000Z"},"#,
                r#""next_tier":{"quantity":"12","unit_price":"499.9995"}}],"#,
                r#""unavailable":["P9"],"invalid":[{"product":"P\"7","quantity":"0.5","#,
                r#""above":"12"},{"product":"P\"7","quantity":"0.5","below":"60"}],"#,
                r#""total":"3075.00","currency":"USD"}"#
            )
        );
    }

    #[test]
    fn what_is_written_is_what_clients_read() {
        let QuotationStatus::Answered(answer) = answer() else { panic!() };
        let odd = AnswerLine {
            name: "\"Stuhl\"\n\u{1} Ærø".into(),
            quantity: "0.125".parse().unwrap(),
            discount: "12.5".parse().unwrap(),
            ..answer.lines[0].clone()
        };
        let lines = vec![answer.lines[0].clone(), odd];
        let many = Answer { lines, stale: true, ..(*answer).clone() };
        let none = Answer { lines: vec![], unavailable: vec![], ..(*answer).clone() };
        let yen = Answer { currency: "JPY".parse().unwrap(), ..(*answer).clone() };
        let answered = [*answer, many, none, yen].map(|it| QuotationStatus::Answered(it.into()));
        let others = [
            QuotationStatus::Pending,
            QuotationStatus::Failed(FailureReason::NoTable),
            QuotationStatus::Failed(FailureReason::TotalTooLarge("\"P\" is".into())),
        ];
        for status in answered.into_iter().chain([answer_by_terms()]).chain(others) {
            for now in [Timestamp::default(), Timestamp::from_secs(30)] {
                let quotation = quotation(Dialect::Current, status.clone());
                let read = Frame::Quotation(QuotationFrame::new(&quotation, now));
                let written = render_quotation(&quotation, now).unwrap();
                assert_eq!(written, read.to_json().unwrap());
                assert_eq!(serde_json::from_str::<Frame>(&written).unwrap(), read);
            }
        }
        let accepted = render_accepted(&RequestId::new("\"7\"").unwrap(), Dialect::Current);
        let message = "quotation under analysis".to_owned();
        let read = Frame::Accepted { request_id: "\"7\"".into(), message };
        assert_eq!(accepted.unwrap(), read.to_json().unwrap());
    }

    #[test]
    fn the_original_dialect_has_numbers() {
        let json = render_quotation(&quotation(Dialect::Original, answer()), Timestamp::default());
        assert_eq!(
            json.unwrap(),
            concat!(
                r#"{"id":"7","products":[{"product_id":"P1","product_name":"Desk","qtd":2,"#,
                r#""original_value":500.00,"final_value":900.00,"discount":10}],"unavailable":["P9"]}"#
            )
        );
    }

    #[test]
    fn the_original_dialect_shows_the_price_that_counts() {
        let quotation = quotation(Dialect::Original, answer_by_terms());
        let json = render_quotation(&quotation, Timestamp::default()).unwrap();
        let line = |original_value: &str, discount: &str| {
            format!(
                concat!(
                    r#"{{"product_id":"P1","product_name":"Desk","qtd":2,"#,
                    r#""original_value":{},"final_value":1025.00,"discount":{}}}"#
                ),
                original_value, discount
            )
        };
        let lines = [line("500.00", "-2.5"), line("512.50", "0"), line("500.00", "-2.5")].join(",");
        let unavailable = r#"["P9","P\"7","P\"7"]"#;
        let all = format!(r#"{{"id":"7","products":[{lines}],"unavailable":{unavailable}}}"#);
        assert_eq!(json, all);
    }

    #[test]
    fn a_pending_quotation_fails_at_its_deadline() {
        let quotation = quotation(Dialect::Current, QuotationStatus::Pending);
        let early = QuotationFrame::new(&quotation, Timestamp::from_secs(29));
        assert_eq!(early.status, "pending");
        let late = QuotationFrame::new(&quotation, Timestamp::from_secs(30));
        assert_eq!(late.status, "failed");
        assert_eq!(late.reason, Some(FailureReason::DeadlinePassed.to_string()));
    }

    #[test]
    fn what_fits_one_message_does_in_both_dialects() {
        let QuotationStatus::Answered(small) = answer() else { panic!() };
        let with_names = |name: &str| {
            let line = AnswerLine { name: name.to_owned(), ..small.lines[0].clone() };
            Answer { lines: vec![line; 400], ..(*small).clone() }
        };
        let by_terms = |repeated: usize| {
            let QuotationStatus::Answered(mut answer) = answer_by_terms() else { panic!() };
            answer.lines = vec![answer.lines[0].clone(); repeated];
            answer.invalid = vec![answer.invalid[0].clone(); 400 - repeated];
            *answer
        };
        let names = ["", "Desk", &"n".repeat(150), &"\"".repeat(90), &"\n".repeat(300)];
        let answers = names.map(with_names).into_iter().chain([by_terms(400), by_terms(0)]);
        let mut fitting = vec![];
        for answer in answers {
            let name = answer.lines.first().map(|line| line.name.clone()).unwrap_or_default();
            fitting.push(fits_one_message(&answer));
            for dialect in [Dialect::Current, Dialect::Original] {
                let status = QuotationStatus::Answered(Box::new(answer.clone()));
                let quotation = quotation(dialect, status);
                let text = render_quotation(&quotation, Timestamp::default()).unwrap();
                assert!(text.len() <= MAX_MESSAGE_BYTES || !fitting.last().unwrap(), "{name}");
            }
        }
        assert_eq!(fitting, [true, true, true, true, false, false, true]);
    }
}
