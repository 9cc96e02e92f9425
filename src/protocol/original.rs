//! The frames of the original proof of concept, including its spelling.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::items::check_items;
use super::object::Object;
use super::request::{ProtocolError, Request, fields, read_item};
use crate::model::{Dialect, UserId};
use crate::ports::{Quotation, QuotationStatus};
use crate::pricing::{Answer, AnswerLine, Money};

pub(super) const QUOTE: &str = "MESSAGE";
pub(super) const PING: &str = "PING";

pub(super) const ACCEPTED: &str = r#"{"message":"quotation under analisys"}"#;
pub(super) const PONG: &str = r#"{"message":"pong !"}"#;

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    payload: Object<Payload<'a>>,
}

#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    message: Object<QuoteMessage<'a>>,
}

#[derive(Deserialize)]
struct QuoteMessage<'a> {
    user_id: String,
    #[serde(borrow)]
    products: Vec<Object<AskedProduct<'a>>>,
}

#[derive(Deserialize)]
struct AskedProduct<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    qtd: &'a RawValue,
}

pub(super) fn parse_quote(text: &str) -> Result<Request, ProtocolError> {
    let envelope: Envelope<'_> = fields(QUOTE, text)?;
    let Object(QuoteMessage { user_id, products }) = envelope.payload.0.message;
    let items = products.into_iter().map(|Object(product)| read_item(product.id, product.qtd));
    Ok(Request::Quote {
        user: UserId::new(user_id)?,
        items: check_items(items.collect::<Result<_, _>>()?)?,
        request_id: None,
        dialect: Dialect::Original,
    })
}

#[derive(Serialize)]
struct Reply<'a> {
    id: &'a str,
    products: Vec<QuotedProduct<'a>>,
    unavailable: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// Numbers are JSON numbers here. They are written from exact decimals.
#[derive(Serialize)]
struct QuotedProduct<'a> {
    product_id: &'a str,
    product_name: &'a str,
    qtd: Box<RawValue>,
    original_value: Box<RawValue>,
    final_value: Box<RawValue>,
    discount: Box<RawValue>,
}

fn quoted<'a>(answer: &Answer, line: &'a AnswerLine) -> serde_json::Result<QuotedProduct<'a>> {
    let number = RawValue::from_string;
    let unit =
        |price: Money| price.shown_as_unit(answer.currency, answer.unit_decimals).to_string();
    Ok(QuotedProduct {
        product_id: line.product.as_str(),
        product_name: &line.name,
        qtd: number(line.quantity.to_string())?,
        original_value: number(unit(line.list_price.unwrap_or(line.unit_price)))?,
        final_value: number(line.total.format(answer.currency))?,
        discount: number(line.discount.to_string())?,
    })
}

/// Returns the products without a line. Clients of this dialect do not know quantities in which a product is
/// not sold.
fn unavailable(answer: &Answer) -> Vec<&str> {
    let invalid = answer.invalid.iter().map(|item| &item.product);
    answer.unavailable.iter().chain(invalid).map(|product| product.as_str()).collect()
}

/// Renders the settled quotation for clients of the original dialect. A failure is a `message`, without
/// products.
pub(super) fn render_quotation(
    quotation: &Quotation,
    status: &QuotationStatus,
) -> serde_json::Result<String> {
    let id = quotation.request_id.as_str();
    let reply = match status {
        QuotationStatus::Answered(answer) => Reply {
            id,
            products: answer
                .lines
                .iter()
                .map(|line| quoted(answer, line))
                .collect::<Result<_, _>>()?,
            unavailable: unavailable(answer),
            message: None,
        },
        QuotationStatus::Failed(reason) => {
            Reply { id, products: vec![], unavailable: vec![], message: Some(reason.to_string()) }
        }
        QuotationStatus::Pending => return Ok(ACCEPTED.to_owned()),
    };
    serde_json::to_string(&reply)
}
