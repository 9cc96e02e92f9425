//! Parses clients' requests in either dialect.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::items::check_items;
use super::object::Object;
use super::original;
use super::request::{ProtocolError, QuoteBody, Request, fields, read_item};
use crate::model::{Dialect, RequestId, UserId};

const QUOTE: &str = "quote";

#[derive(Deserialize)]
struct FrameAction {
    action: String,
}

/// Texts without escapes are borrowed from the frame.
#[derive(Deserialize)]
struct Quote<'a> {
    #[serde(borrow)]
    action: Cow<'a, str>,
    #[serde(borrow)]
    client: Cow<'a, str>,
    #[serde(borrow)]
    items: Vec<Object<QuoteItem<'a>>>,
    #[serde(borrow)]
    request_id: Option<Cow<'a, str>>,
}

/// The fields of a quote that needs no action. Unknown fields are an error, because a quote whose misspelled
/// request id is ignored would not be safe to repeat.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body<'a> {
    #[serde(borrow)]
    client: Cow<'a, str>,
    #[serde(borrow)]
    items: Vec<Object<QuoteItem<'a>>>,
    #[serde(borrow)]
    request_id: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct QuoteItem<'a> {
    #[serde(borrow)]
    product: Cow<'a, str>,
    #[serde(borrow)]
    quantity: &'a RawValue,
}

#[derive(Deserialize)]
struct Get {
    client: String,
    request_id: String,
}

/// Parses a text frame.
///
/// # Errors
/// [`ProtocolError`], to be sent back as an error frame.
pub fn parse(text: &str) -> Result<Request, ProtocolError> {
    // Nearly every frame is a quote, so it is parsed as one first. If that fails, it is parsed for its
    // action, so that the error says what is wrong.
    if let Ok(Object(quote)) = serde_json::from_str::<Object<Quote<'_>>>(text)
        && quote.action == QUOTE
    {
        return read_quote(quote);
    }
    let Object(FrameAction { action }) =
        serde_json::from_str(text).map_err(ProtocolError::NotJson)?;
    match action.as_str() {
        QUOTE => read_quote(fields(QUOTE, text)?),
        "get" => {
            let get: Get = fields("get", text)?;
            // Ids that an earlier version accepted are still valid here.
            Ok(Request::Get {
                user: UserId::stored(get.client)?,
                request_id: RequestId::stored(get.request_id)?,
            })
        }
        "ping" => Ok(Request::Ping { dialect: Dialect::Current }),
        original::QUOTE => original::parse_quote(text),
        original::PING => Ok(Request::Ping { dialect: Dialect::Original }),
        _ => Err(ProtocolError::UnknownAction(action.chars().take(64).collect())),
    }
}

/// Parses the body of a quote over HTTP.
///
/// # Errors
/// [`ProtocolError`], which says what is wrong.
pub fn parse_quote_body(body: &[u8]) -> Result<QuoteBody, ProtocolError> {
    let wanted = r#"{"client": "…", "items": [{"product": "…", "quantity": 1}]}"#;
    let Object::<Body<'_>>(body) =
        serde_json::from_slice(body).map_err(|why| ProtocolError::BadBody { wanted, why })?;
    checked(body.client, body.items, body.request_id)
}

fn read_quote(quote: Quote<'_>) -> Result<Request, ProtocolError> {
    let QuoteBody { user, items, request_id } =
        checked(quote.client, quote.items, quote.request_id)?;
    Ok(Request::Quote { user, items, request_id, dialect: Dialect::Current })
}

fn checked(
    client: Cow<'_, str>,
    items: Vec<Object<QuoteItem<'_>>>,
    request_id: Option<Cow<'_, str>>,
) -> Result<QuoteBody, ProtocolError> {
    let items = items.into_iter().map(|Object(item)| read_item(item.product, item.quantity));
    Ok(QuoteBody {
        user: UserId::new(client)?,
        items: check_items(items.collect::<Result<_, _>>()?)?,
        request_id: request_id.map(RequestId::new).transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(request: Request) -> Vec<(String, String)> {
        let Request::Quote { items, .. } = request else { panic!("{request:?}") };
        items.into_iter().map(|i| (i.product.to_string(), i.quantity.to_string())).collect()
    }

    #[test]
    fn both_dialects_say_the_same() {
        let current = parse(
            r#"{"action":"quote","client":"AAA","request_id":"7",
                "items":[{"product":"P1","quantity":2},{"product":"P3","quantity":"0.5"}]}"#,
        );
        let original = parse(
            r#"{"action":"MESSAGE","payload":{"message":{"user_id":"AAA",
                "products":[{"id":"P1","qtd":2},{"id":"P3","qtd":0.5}]}}}"#,
        );
        assert_eq!(items(current.unwrap()), items(original.unwrap()));
    }

    #[test]
    fn escapes_and_other_fields_change_nothing() {
        let plain =
            r#"{"action":"quote","client":"A b","items":[{"product":"P1","quantity":"2.5"}]}"#;
        let escaped = r#"{"x":{"action":1},"items":[{"quantity":"2\u002e5","y":[],
            "product":"P\u0031"}],"\u0061ction":"qu\u006fte","client":"A\u0020b"}"#;
        assert_eq!(parse(plain).unwrap(), parse(escaped).unwrap());
        // A field that is named twice is an error.
        let twice = plain.replace("\"client\"", "\"client\":\"B\",\"client\"");
        assert_eq!(parse(&twice).unwrap_err().code(), "bad_frame");
    }

    #[test]
    fn a_body_is_a_frame_without_its_action() {
        let fields =
            r#""client":"A","items":[{"product":"P1","quantity":"2.5"}],"request_id":"7"}"#;
        let body = parse_quote_body(format!("{{{fields}").as_bytes()).unwrap();
        let frame = parse(&format!(r#"{{"action":"quote",{fields}"#)).unwrap();
        let QuoteBody { user, items, request_id } = body;
        let dialect = Dialect::Current;
        assert_eq!(frame, Request::Quote { user, items, request_id, dialect });
        for (body, code) in [
            ("", "not_json"),
            ("[]", "bad_frame"),
            ("{}", "bad_frame"),
            (r#"{"client":"A","items":[],"id":"7"}"#, "bad_frame"),
            (r#"["A",[{"product":"P1","quantity":1}],"7"]"#, "bad_frame"),
            (r#"{"client":"A","items":[["P1",1]]}"#, "bad_frame"),
            (r#"{"client":"A","items":[]}"#, "bad_items"),
            (r#"{"client":"","items":[{"product":"P1","quantity":1}]}"#, "bad_id"),
        ] {
            assert_eq!(parse_quote_body(body.as_bytes()).unwrap_err().code(), code, "{body}");
        }
    }

    #[test]
    fn bad_frames_have_codes() {
        let quote = |rest: &str| format!(r#"{{"action":"quote","client":"A","items":{rest}}}"#);
        let many: Vec<String> =
            (0..401).map(|i| format!(r#"{{"product":"P{i}","quantity":1}}"#)).collect();
        for (frame, code) in [
            ("".into(), "not_json"),
            ("[]".into(), "not_json"),
            (r#"["ping"]"#.into(), "not_json"),
            (r#"["quote","A",[{"product":"P1","quantity":1}],null]"#.into(), "not_json"),
            (quote(r#"[["P1",1]]"#), "bad_frame"),
            ("{\"action\":1}".into(), "not_json"),
            (r#"{"action":"buy"}"#.into(), "unknown_action"),
            (r#"{"action":"quote"}"#.into(), "bad_frame"),
            (r#"{"action":"get","client":""}"#.into(), "bad_frame"),
            (r#"{"action":"get","client":"","request_id":"1"}"#.into(), "bad_id"),
            (quote("[]"), "bad_items"),
            (quote(r#"[{"product":"P1","quantity":0}]"#), "bad_items"),
            (quote(r#"[{"product":"P1","quantity":1e308}]"#), "bad_items"),
            (quote(r#"[{"product":"P1","quantity":null}]"#), "bad_items"),
            (
                quote(r#"[{"product":"P1","quantity":1},{"product":"P1","quantity":2}]"#),
                "bad_items",
            ),
            (quote(&format!("[{}]", many.join(","))), "bad_items"),
        ] {
            assert_eq!(parse(&frame).unwrap_err().code(), code, "{frame:.80}");
        }
    }
}
