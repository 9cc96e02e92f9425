//! Tests of quotes, prices and loads over the HTTP API of API Gateway.

use serde_json::{Value, json};

use super::stack::{Stack, on_the_stack};

fn ask(stack: &Stack, token: Option<&str>, method: &str, path: &str, body: &Value) -> (u16, Value) {
    stack.http(token, method, path, "application/json", &body.to_string())
}

#[test]
#[ignore = "needs a deployed stack: infra/test"]
fn a_quote_is_asked_for_until_it_is_answered() {
    on_the_stack(|stack| {
        let (own, other) = (stack.token(&["--client", "AAA"]), stack.token(&["--client", "BBB"]));
        let items = json!([{ "product": "P1", "quantity": 2 }, { "product": "P3", "quantity": 1 }]);
        let quote = json!({ "client": "AAA", "request_id": "over-http", "items": items });
        assert_eq!(ask(stack, None, "POST", "/quotes", &quote).0, 401);
        assert_eq!(ask(stack, Some(&other), "POST", "/quotes", &quote).0, 403);
        let (status, said) = ask(stack, Some(&own), "POST", "/quotes", &quote);
        assert!(matches!(status, 200 | 202), "{said}");
        let answer = loop {
            let path = "/quotes/over-http?client=AAA";
            let (status, said) = ask(stack, Some(&own), "GET", path, &json!(""));
            assert_eq!(status, 200, "{said}");
            if said["status"] != "pending" {
                break said;
            }
        };
        assert_eq!((&answer["status"], &answer["total"]), (&json!("answered"), &json!("1805.52")));
        let (status, again) = ask(stack, Some(&own), "POST", "/quotes", &quote);
        assert_eq!((status, again), (200, answer));
        let path = "/prices/AAA?product=P1&product=P9";
        let (status, shown) = ask(stack, Some(&own), "GET", path, &json!(""));
        assert_eq!((status, &shown["prices"][0]["unit_price"]), (200, &json!("450.00")));
        assert_eq!(shown["unavailable"], json!(["P9"]));
    });
}

#[test]
#[ignore = "needs a deployed stack: infra/test"]
fn only_a_token_that_may_load_does() {
    on_the_stack(|stack| {
        let csv = "id,name,price\nP77,Lamp,9.50\n";
        let load = |token: &str| stack.http(Some(token), "POST", "/load", "text/csv", csv);
        assert_eq!(load(&stack.token(&["--every-client"])).0, 403);
        let (status, said) = load(&stack.token(&["--load"]));
        assert_eq!((status, &said["products"]["added"]), (200, &json!(1)), "{said}");
    });
}
