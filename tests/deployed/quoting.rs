//! Tests of quotes over the websocket of API Gateway.

use serde_json::json;

use super::stack::{Stack, on_the_stack};
use super::waiting::wait_for;

#[test]
#[ignore = "needs a deployed stack: infra/test"]
fn cold_and_warm_quotes_are_answered() {
    on_the_stack(|stack| {
        let args = ["quote", "--client", "nobody-yet", "P1:2", "P3:1"];
        stack.home.fails(4, &stack.args(&["prices", "nobody-yet"]));
        // Without --url the websocket is found by the stack's name.
        let cold = stack.json(&args);
        assert_eq!((&cold["total"], &cold["status"]), (&json!("2029.00"), &json!("answered")));
        let warm = stack.json(&args);
        assert_eq!((&warm["total"], &warm["priced_at"]), (&cold["total"], &cold["priced_at"]));

        let id = warm["request_id"].as_str().unwrap();
        assert_eq!(stack.json(&["quotation", id])["total"], "2029.00");
    });
}

#[test]
#[ignore = "needs a deployed stack: infra/test"]
fn every_route_replies_in_both_dialects() {
    on_the_stack(|stack| {
        let mut socket = stack.socket();
        socket.say(json!({ "action": "ping" }));
        assert_eq!(socket.hear()["type"], "pong");
        socket.say(json!({ "action": "PING" }));
        assert_eq!(socket.hear(), json!({ "message": "pong !" }));
        socket.say(json!({ "action": "no such action" }));
        assert_eq!(socket.hear()["type"], "error");
        socket.say("no JSON");
        assert_eq!(socket.hear()["type"], "error");

        socket.say(json!({
            "action": "quote", "client": "routes", "request_id": "r1",
            "items": [{ "product": "P1", "quantity": 2 }],
        }));
        let [accepted, answer] = socket.hear_two("total");
        assert_eq!(
            (&accepted["type"], &accepted["request_id"]),
            (&json!("accepted"), &json!("r1"))
        );
        assert_eq!((&answer["type"], &answer["total"]), (&json!("quotation"), &json!("1000.00")));
        socket.say(json!({ "action": "get", "client": "routes", "request_id": "r1" }));
        assert_eq!(socket.hear(), answer);

        socket.say(json!({ "action": "MESSAGE", "payload": { "message": {
            "user_id": "routes", "products": [{ "id": "P1", "qtd": 2 }],
        } } }));
        let [accepted, answer] = socket.hear_two("products");
        assert_eq!(accepted, json!({ "message": "quotation under analisys" }));
        assert_eq!(answer["products"][0]["product_id"], "P1");
        socket.close();
    });
}

#[test]
#[ignore = "needs a deployed stack: infra/test"]
fn a_client_that_left_before_its_answer_is_no_failure() {
    on_the_stack(|stack| {
        let left =
            (0..5).any(|attempt| leaves_before_its_answer(stack, &format!("gone-{attempt}")));
        assert!(left, "every client got its answer before it had left");
        // Only messages of deadlines are still to come.
        wait_for("an empty queue", || {
            let queue = &stack.json(&["status"])["queues"]["provider"];
            (queue["waiting"] == 0 && queue["in_flight"] == 0).then_some(())
        });
        assert_eq!(stack.json(&["dead-letters", "list"]), json!([]));
    });
}

/// Quotes, and leaves once the quote is accepted. Returns whether the answer reached nobody. A poll that
/// was under way when delivery was turned off may still bring the order, and then the answer may be faster.
fn leaves_before_its_answer(stack: &Stack, user: &str) -> bool {
    // Nobody calculates until the client has gone.
    stack.deliver("quotation", false);
    let mut socket = stack.socket();
    socket.say(json!({
        "action": "quote", "client": user, "request_id": "left",
        "items": [{ "product": "P1", "quantity": 1 }],
    }));
    assert_eq!(socket.hear()["type"], "accepted");
    // The local AWS considers a connection open until its function of that route has run.
    let disconnect = format!("{}-disconnect", stack.name());
    let seen_off = || {
        let log = stack.log(&disconnect);
        log.iter().filter(|line| line.contains("DISCONNECT")).count()
    };
    let before = seen_off();
    socket.close();
    wait_for("the function that sees connections off", || (seen_off() > before).then_some(()));
    stack.deliver("quotation", true);

    wait_for("the answer, heard or not", || {
        let status = stack.json(&["quotation", "left", "--client", user])["status"].clone();
        (status == "answered").then_some(())
    });
    let provider = format!("{}-quotation-provider", stack.name());
    wait_for("the provider's note", || {
        let log = stack.log(&provider);
        let mut of_this = log.into_iter().filter(|line| line.contains(user));
        of_this.find_map(|line| match line {
            line if line.contains("the client is gone") => Some(true),
            line if line.contains("\"answered\"") => Some(false),
            _ => None,
        })
    })
}
