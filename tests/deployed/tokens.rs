//! Tests of the authorizer of both APIs, which decides who is let in.

use serde_json::json;

use super::forged::SigningKey;
use super::stack::{Stack, on_the_stack};
use super::waiting::wait_for;
use super::websocket::{Socket, in_url, with_header};

/// Returns the key that signs, from the place where ocache keeps it.
fn first_key(stack: &Stack) -> SigningKey {
    let secret = json!({ "SecretId": format!("{}/token-keys", stack.name()) });
    let said = stack.operation("secretsmanager", "secretsmanager.GetSecretValue", &secret);
    SigningKey::of(said["SecretString"].as_str().unwrap().as_bytes())
}

#[test]
#[ignore = "needs a deployed stack: infra/test"]
fn nobody_gets_in_without_a_token_that_is_good() {
    on_the_stack(|stack| {
        let url = stack.websocket();
        let refused = |request| Socket::try_open(&request).err();
        assert_eq!(refused(in_url(&url, "")), Some(403));
        assert_eq!(stack.subscribe_with(None, "AAA").0, 401);

        let key = first_key(stack);
        let bad = key.bad_tokens();
        for (what, token) in &bad {
            assert_eq!(refused(with_header(&url, token)), Some(403), "{what}");
            assert_eq!(refused(in_url(&url, token)), Some(403), "{what}");
            assert_eq!(stack.subscribe_with(Some(token), "AAA").0, 403, "{what}");
        }
        let good = key.token(60);
        assert_eq!(refused(with_header(&url, &good)), None);
        assert_eq!(refused(in_url(&url, &good)), None);
        assert_eq!(stack.subscribe_with(Some(&good), "AAA").0, 202);

        let log = stack.log(&format!("{}-authorizer", stack.name())).concat();
        assert!(log.contains("kept out") && log.contains("let in"), "{log}");
        assert!(!log.contains(key.secret()), "{log}");
        for token in bad.iter().map(|(_, token)| token).chain([&good]) {
            for part in token.split('.').skip(1).chain([token.as_str()]) {
                assert!(!log.contains(part), "{part} in {log}");
            }
        }
    });
}

#[test]
#[ignore = "needs a deployed stack: infra/test"]
fn a_token_is_good_for_its_own_users() {
    on_the_stack(|stack| {
        let token = stack.token(&["--client", "own"]);
        assert_eq!(stack.subscribe_with(Some(&token), "foreign").0, 403);

        let mut socket = Socket::open(&stack.websocket(), &token);
        let quote = |user: &str| {
            let items = json!([{ "product": "P1", "quantity": 1 }]);
            json!({ "action": "quote", "client": user, "request_id": "r1", "items": items })
        };
        socket.say(quote("foreign"));
        let refused = socket.hear();
        assert_eq!((&refused["type"], &refused["code"]), (&json!("error"), &json!("forbidden")));
        socket.say(json!({ "action": "get", "client": "foreign", "request_id": "r1" }));
        assert_eq!(socket.hear()["code"], "forbidden");
        socket.say(quote("own"));
        let [accepted, answer] = socket.hear_two("total");
        assert_eq!((&accepted["type"], &answer["total"]), (&json!("accepted"), &json!("500.00")));
        socket.close();
        stack.home.fails(4, &stack.args(&["quotation", "r1", "--client", "foreign"]));
    });
}

#[test]
#[ignore = "needs a deployed stack: infra/test"]
fn after_a_rotation_tokens_of_both_keys_are_good() {
    on_the_stack(|stack| {
        let before = stack.token(&["--client", "rotated"]);
        assert_eq!(stack.subscribe_with(Some(&before), "rotated").0, 202);
        stack.ok(&["keys", "rotate"]);
        let after = stack.token(&["--client", "rotated"]);
        // Keys that were read within this second are not read again for a token with a newer key.
        let is_let_in = |token: &str| stack.subscribe_with(Some(token), "rotated").0 == 202;
        wait_for("the new key", || is_let_in(&after).then_some(()));
        assert!(is_let_in(&before));
    });
}
