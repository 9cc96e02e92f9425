//! Fuzzes what clients send over the websocket, in both dialects.
//!
//! What is understood agrees with another JSON parser, and means the same when it is written again.
//! Anything else is refused in a frame that is JSON.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ocache::model::Dialect;
use ocache::protocol::{Frame, MAX_ITEMS, Request, parse, parse_item};
use serde_json::{Value, json};

fuzz_target!(|input: &str| {
    // The notation of the command line.
    if let Ok(item) = parse_item(input) {
        let again = parse_item(&format!("{}:{}", item.product, item.quantity));
        assert_eq!(again.expect("an item reads again"), item);
    }
    let request = match parse(input) {
        Ok(request) => request,
        Err(error) => {
            let frame = Frame::Error { code: error.code().to_owned(), message: error.to_string() };
            let text = frame.to_json().expect("errors render");
            assert_eq!(serde_json::from_str::<Frame>(&text).expect("frames read back"), frame);
            return;
        }
    };
    let seen: Value = serde_json::from_str(input).expect("a request is JSON");
    match &request {
        Request::Quote { user, items, request_id, dialect } => {
            assert!((1..=MAX_ITEMS).contains(&items.len()));
            let (who, rows) = match dialect {
                Dialect::Current => (&seen["client"], &seen["items"]),
                Dialect::Original => {
                    let message = &seen["payload"]["message"];
                    (&message["user_id"], &message["products"])
                }
            };
            assert_eq!(who.as_str(), Some(user.as_str()));
            assert_eq!(rows.as_array().map(Vec::len), Some(items.len()));
            let items: Vec<_> = items
                .iter()
                .map(|item| json!({ "product": item.product, "quantity": item.quantity.to_string() }))
                .collect();
            let again = json!({
                "action": "quote", "client": user, "items": items, "request_id": request_id,
            });
            let again = parse(&again.to_string()).expect("a quote reads again");
            let Request::Quote { items: again, user: same, .. } = again else {
                panic!("{again:?}")
            };
            let Request::Quote { items, user, .. } = &request else { return };
            assert_eq!((again, &same), (items.clone(), user));
        }
        Request::Get { user, request_id } => {
            assert_eq!(seen["client"].as_str(), Some(user.as_str()));
            assert_eq!(seen["request_id"].as_str(), Some(request_id.as_str()));
        }
        Request::Ping { .. } => {}
    }
});
