//! Tests of requests of the HTTP API.

use std::path::Path;
use std::time::Duration;

use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use aws_lambda_events::encodings::Body;
use serde_json::{Value, json};

use super::stack::{Delivered, Stack};
use crate::data::{LoadOptions, load, read_texts};
use crate::lambda::EventError;
use crate::lambda::granted::Authorization;
use crate::lambda::http::on_request;
use crate::ports::{Ports, Queue};
use crate::pricing::Currency;
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

/// Reads a table. Returns the status, the text, and the query of the next page, if there is one.
async fn table(stack: &Stack, query: &str) -> (i64, String, Option<String>) {
    let event = http_event("GET /prices/{client}", Some("AAA"), query, "");
    let response = reply(stack, Authorization::None, event).await.unwrap();
    let Some(Body::Text(text)) = response.body else { panic!("{:?}", response.body) };
    let next = response.headers.get("link").map(|link| {
        let link = link.to_str().unwrap().strip_prefix("<AAA?").unwrap();
        link.split_once('>').unwrap().0.to_owned()
    });
    (response.status_code, text, next)
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
    let (_, whole, next) = table(&stack, "").await;
    assert_eq!((whole.lines().count(), next), (2, None));
    let (_, first, next) = table(&stack, "limit=1").await;
    let next = next.unwrap();
    assert!(next.contains("limit=1&"), "the next page is no larger: {next}");
    let (_, second, next) = table(&stack, &next).await;
    assert_eq!((first + &second, next), (whole, None));
}

#[tokio::test(start_paused = true)]
async fn pages_of_a_table_are_all_of_one_period() {
    const HALF_PRICE: &str = r#"{
        "price_lists": [{"price_list": "sale", "everyone": true, "from": "2027-01-15T08:01:00Z"}],
        "prices": [{"price_list": "sale", "percentage": 50}]}"#;
    let stack = Stack::new().await;
    let data = read_texts(&[(Path::new("f"), HALF_PRICE.as_bytes())], Currency::USD).unwrap();
    let Ports { store, clock, randomness, .. } = &stack.ports;
    let options = LoadOptions { currency: Currency::USD, prune: false, merge: false };
    load(&**store, &**clock, &**randomness, &data, options, &|_| {}).await.unwrap();
    assert_eq!(table(&stack, "limit=1").await.0, 202);
    assert_eq!(stack.deliver(Queue::Quotation).await, Delivered::all(1));
    let (_, first, next) = table(&stack, "limit=1").await;
    assert!(first.contains("\"500.00\""), "{first}");
    let next = next.unwrap();
    let (status, second, _) = table(&stack, &next).await;
    assert_eq!((status, second.contains("\"unit_price\":\"578.00\"")), (200, true), "{second}");
    // The same table has other prices from now on.
    tokio::time::advance(Duration::from_secs(60)).await;
    let (status, replaced, _) = table(&stack, &next).await;
    assert_eq!((status, replaced.contains("table_replaced")), (409, true), "{replaced}");
    let (_, first, next) = table(&stack, "limit=1").await;
    assert!(first.contains("\"unit_price\":\"250.00\""), "{first}");
    let (status, second, _) = table(&stack, &next.unwrap()).await;
    assert_eq!((status, second.contains("\"unit_price\":\"289.00\"")), (200, true), "{second}");
}
