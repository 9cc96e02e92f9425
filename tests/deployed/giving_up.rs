//! Tests of a message that always fails.

use serde_json::{Value, json};

use super::stack::{Stack, on_the_stack};
use super::waiting::wait_for;

/// After how many receives a message is given up here. Ten of them would take minutes.
const RECEIVES: u32 = 2;

fn give_up_early(stack: &Stack) {
    let queue = format!("{}-quotation.fifo", stack.name());
    let call =
        |operation: &str, body| stack.operation("sqs", &format!("AmazonSQS.{operation}"), &body);
    let url = call("GetQueueUrl", json!({ "QueueName": queue }))["QueueUrl"].clone();
    let asked = json!({ "QueueUrl": url, "AttributeNames": ["RedrivePolicy"] });
    let policy = call("GetQueueAttributes", asked)["Attributes"]["RedrivePolicy"].clone();
    let mut policy: Value = serde_json::from_str(policy.as_str().unwrap()).unwrap();
    policy["maxReceiveCount"] = RECEIVES.into();
    let attributes = json!({ "RedrivePolicy": policy.to_string() });
    call("SetQueueAttributes", json!({ "QueueUrl": url, "Attributes": attributes }));
}

/// Changes discounts without ocache's knowledge.
fn change_discounts(stack: &Stack, operation: &str, mut change: Value) {
    change["TableName"] = format!("{}-discounts", stack.name()).into();
    stack.operation("dynamodb", &format!("DynamoDB_20120810.{operation}"), &change);
}

#[test]
#[ignore = "needs a deployed stack: infra/test"]
fn a_message_that_always_fails_is_given_up_alone_and_can_be_redriven() {
    on_the_stack(|stack| {
        // No version of ocache has written discounts like these.
        let row = json!({ "user_id": { "S": "broken" }, "discounts": { "N": "5" } });
        change_discounts(stack, "PutItem", json!({ "Item": row }));
        give_up_early(stack);
        // The first visits of three users come in one batch.
        stack.deliver("quotation", false);
        for user in ["sound-1", "broken", "sound-2"] {
            assert_eq!(stack.subscribe(user).0, 202);
        }
        stack.deliver("quotation", true);
        for user in ["sound-1", "sound-2"] {
            wait_for(user, || stack.try_json(&["prices", user]));
        }
        let letters = wait_for("the dead letter", || {
            let letters = stack.json(&["dead-letters", "list", "--queue", "quotation"]);
            (letters != json!([])).then_some(letters)
        });
        assert_eq!(letters.as_array().unwrap().len(), 1, "{letters}");
        assert_eq!(letters[0]["body"]["user"], "broken");
        stack.home.fails(4, &stack.args(&["prices", "broken"]));

        // After the row is corrected, the message gets another chance.
        change_discounts(stack, "DeleteItem", json!({ "Key": { "user_id": { "S": "broken" } } }));
        let id = letters[0]["id"].as_str().unwrap();
        assert_eq!(stack.json(&["dead-letters", "redrive", id]), json!({ "redriven": 1 }));
        let table = wait_for("the table", || stack.try_json(&["prices", "broken"]));
        assert_eq!(table["prices"][0]["unit_price"], "500.00");
        assert_eq!(stack.json(&["dead-letters", "list"]), json!([]));

        // Provisioning finds the queue that was changed, and corrects it.
        stack.ok(&["provision", "--fix", "--yes"]);
    });
}
