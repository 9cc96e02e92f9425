//! Tests of the commands that manage a deployed stack.

use serde_json::json;

use super::process::text;
use super::stack::on_the_stack;

#[test]
#[ignore = "needs a deployed stack: infra/test"]
fn a_deployed_stack_is_complete_and_provisioning_has_nothing_to_do() {
    on_the_stack(|stack| {
        let checks = stack.json(&["doctor"]);
        let checks = checks.as_array().unwrap();
        assert!(checks.iter().all(|check| check["ok"] == true), "{checks:#?}");
        let found = |what: &str| checks.iter().find(|check| check["what"] == what).unwrap();
        assert_eq!(found("schedule")["found"], "rate(1 minute)");
        assert_eq!(found("deployed gateway")["found"], stack.websocket());

        let provisioned = stack.home.run(&stack.args(&["provision"]));
        let stderr = text(&provisioned.stderr);
        assert!(provisioned.status.success() && stderr.contains("nothing to do"), "{stderr}");
    });
}

#[test]
#[ignore = "needs a deployed stack: infra/test"]
fn the_settings_are_those_of_terraform_until_they_are_set() {
    on_the_stack(|stack| {
        let shown = |name: &str| {
            let all = stack.json(&["config", "show"]);
            let all = all.as_array().unwrap().clone();
            let found = all.into_iter().find(|setting| setting["setting"] == name).unwrap();
            (found["value"].clone(), found["origin"].clone())
        };
        assert_eq!(shown("refresh-every"), (json!("1m"), json!("stack")));
        assert_eq!(shown("require-token"), (json!("true"), json!("stack")));
        stack.ok(&["config", "set", "ttl", "6m"]);
        assert_eq!(shown("ttl"), (json!("6m"), json!("stack")));
        assert_eq!(shown("keep-tables"), (json!("1d"), json!("stack")), "all else stays");
        stack.ok(&["config", "set", "ttl", "5m"]);
    });
}

#[test]
#[ignore = "needs a deployed stack: infra/test"]
fn loading_and_looking_work() {
    on_the_stack(|stack| {
        let again = stack.json(&["load", concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/")]);
        assert_eq!(
            (&again["products"]["unchanged"], &again["products"]["added"]),
            (&json!(5), &json!(0))
        );
        let status = stack.json(&["status"]);
        assert_eq!(status["queues"]["provider"]["dead_letters"], 0, "{status}");
        assert_eq!(stack.json(&["dead-letters", "list"]), json!([]));
    });
}
