//! Tests of requests of the HTTP API.

use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use aws_lambda_events::encodings::Body;
use serde_json::{Value, json};

use super::stack::{Delivered, Stack};
use crate::lambda::EventError;
use crate::lambda::granted::Authorization;
use crate::lambda::http::on_request;
use crate::ports::Queue;
use crate::runtime::gateway::{Behind, HttpApi};
use crate::stages::prices::Prices;
use crate::stages::quotation_handler::QuotationHandler;
use crate::stages::{Lookup, Policy};

const QUOTE: &str = r#"{"client":"AAA","request_id":"7",
    "items":[{"product":"P1","quantity":2},{"product":"P9","quantity":1}]}"#;

/// Returns a request as API Gateway delivers it.
pub fn http_event(route: &str, id: Option<&str>, query: &str, body: &str) -> Value {
    let (method, path) = route.split_once(' ').unwrap();
    json!({
        "version": "2.0", "routeKey": route, "rawPath": path, "rawQueryString": query,
        "headers": { "content-type": "application/json", "prefer": "wait=60" },
        "pathParameters": id.map(|id| json!({ "id": id, "client": id })),
        "requestContext": {
            "accountId": "anonymous", "apiId": "abc123", "domainName": "abc123.example.com",
            "http": { "method": method, "path": path, "protocol": "HTTP/1.1",
                      "sourceIp": "203.0.113.1", "userAgent": "curl" },
            "requestId": "r", "routeKey": route, "stage": "$default",
            "time": "22/Nov/2026:20:14:26 +0000", "timeEpoch": 1_795_378_466_007_i64,
        },
        "body": body, "isBase64Encoded": false,
    })
}

async fn ask(stack: &Stack, by: Authorization, event: Value) -> (i64, Value) {
    let response = reply(stack, by, event).await.unwrap();
    let Some(Body::Text(text)) = response.body else { panic!("{:?}", response.body) };
    (response.status_code, serde_json::from_str(&text).unwrap())
}

async fn reply(
    stack: &Stack,
    by: Authorization,
    event: Value,
) -> Result<ApiGatewayV2httpResponse, EventError> {
    let ports = &stack.ports;
    let lookup = Lookup::new(ports);
    let handler = QuotationHandler::new(ports, lookup.clone(), Policy::default());
    let prices = Prices::new(ports, lookup, &handler, Policy::default());
    let api = HttpApi::of_function(ports.clock.clone());
    let behind = Behind { handler: &handler, prices: &prices };
    on_request(&api, behind, by, serde_json::from_value(event).unwrap()).await
}

#[tokio::test(start_paused = true)]
async fn a_quote_is_held_for_a_while_and_then_has_a_place() {
    let stack = Stack::new().await;
    let begun = tokio::time::Instant::now();
    let event = || http_event("POST /quotes", None, "", QUOTE);
    let response = reply(&stack, Authorization::None, event()).await.unwrap();
    assert_eq!((response.status_code, begun.elapsed().as_secs()), (202, 5), "not a minute");
    assert_eq!(response.headers["preference-applied"], "wait=5");
    assert_eq!(response.headers["location"], "quotes/7?client=AAA");
    // From the topic to the answer, which is pushed to nobody. No message comes at the deadline.
    assert_eq!(stack.deliver(Queue::Provider).await, Delivered::all(1));
    assert_eq!(stack.deliver(Queue::Quotation).await, Delivered::all(1));
    assert_eq!(stack.deliver(Queue::Provider).await, Delivered::all(1));
    let get = http_event("GET /quotes/{id}", Some("7"), "client=AAA", "");
    let (status, answer) = ask(&stack, Authorization::None, get).await;
    assert_eq!((status, &answer["total"]), (200, &json!("1000.00")));
    assert_eq!(ask(&stack, Authorization::None, event()).await, (200, answer));
}

#[tokio::test(start_paused = true)]
async fn a_caller_asks_only_for_its_clients() {
    let stack = Stack::new().await;
    let event = |clients: &str| {
        let mut event = http_event("POST /quotes", None, "", QUOTE);
        event["requestContext"]["authorizer"] = json!({ "lambda": { "clients": clients } });
        event
    };
    let by = Authorization::Token;
    assert_eq!(ask(&stack, by, event(r#"["BBB"]"#)).await.0, 403);
    let without = http_event("POST /quotes", None, "", QUOTE);
    assert_eq!(ask(&stack, by, without).await.0, 403, "the authorizer said nothing");
    assert_eq!(stack.deliver(Queue::Provider).await, Delivered::NOTHING);
    assert_eq!(ask(&stack, by, event(r#"["AAA"]"#)).await.0, 202);
}

#[tokio::test]
async fn what_is_not_understood_is_refused() {
    let stack = Stack::new().await;
    let event = |route, id, query| http_event(route, id, query, "[");
    let post = event("POST /quotes", None, "");
    assert_eq!(ask(&stack, Authorization::None, post).await.0, 400);
    let get = event("GET /quotes/{id}", Some("none"), "client=AAA");
    assert_eq!(ask(&stack, Authorization::None, get).await.0, 404);
    let foreign = reply(&stack, Authorization::None, event("GET /else", None, "")).await;
    assert!(matches!(foreign, Err(EventError::Route { route }) if route == "/else"));
}

#[tokio::test(start_paused = true)]
async fn prices_are_shown_and_tables_come_in_pages() {
    let stack = Stack::new().await;
    let event = |query: &str| http_event("GET /prices/{client}", Some("AAA"), query, "");
    let (status, body) = ask(&stack, Authorization::None, event("product=P1")).await;
    assert_eq!((status, &body["code"]), (202, &json!("calculating")));
    assert_eq!(stack.deliver(Queue::Quotation).await, Delivered::all(1));
    assert_eq!(stack.deliver(Queue::Provider).await, Delivered::all(1));
    let (status, body) = ask(&stack, Authorization::None, event("product=P2&product=P9")).await;
    assert_eq!((status, &body["prices"][0]["unit_price"]), (200, &json!("578.00")));
    let text = async |query: &str| {
        let response = reply(&stack, Authorization::None, event(query)).await.unwrap();
        let Some(Body::Text(text)) = response.body else { panic!("{:?}", response.body) };
        (text, response.headers.get("link").map(|link| link.to_str().unwrap().to_owned()))
    };
    let (whole, link) = text("").await;
    assert_eq!((whole.lines().count(), link), (2, None));
    let (first, link) = text("limit=1").await;
    let next = link.unwrap();
    let next = next.strip_prefix("<AAA?").unwrap().split_once('>').unwrap().0.to_owned();
    let (second, link) = text(&next).await;
    assert_eq!((first + &second, link), (whole, None));
}
