//! Tests of commands with the rights of exactly one of `operator_policies`.

use serde_json::{Value, json};

use super::process::{Home, text};
use super::stack::{Stack, on_the_stack};

const DENIED: i32 = 7;
const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/");

/// Returns a home for a user who has one of the policies. `infra/test` has made a user for each.
fn home_of(stack: &Stack, policy: &str) -> Home {
    let key = stack.access_key(policy);
    let mut home = Home::new();
    // The tests are few and end soon, and what is leaked is a hundred bytes.
    let key = key.map(|part| &*part.leak());
    home.environment =
        vec![("AWS_ACCESS_KEY_ID", key[0]), ("AWS_SECRET_ACCESS_KEY", key[1])].leak();
    home
}

fn sqs(stack: &Stack, operation: &str, mut body: Value, queue: &str) -> Value {
    body["QueueUrl"] = url_of(stack, queue);
    stack.operation("sqs", &format!("AmazonSQS.{operation}"), &body)
}

fn url_of(stack: &Stack, queue: &str) -> Value {
    let name = json!({ "QueueName": format!("{}-{queue}", stack.name()) });
    stack.operation("sqs", "AmazonSQS.GetQueueUrl", &name)["QueueUrl"].clone()
}

/// Returns how many processes beside the functions count as alive.
fn workers(stack: &Stack) -> usize {
    let status = stack.json(&["status"]);
    let processes = status["processes"].as_array().unwrap().iter();
    processes.filter(|process| process["machine"] != "AWS Lambda").count()
}

#[test]
#[ignore = "needs a deployed stack: infra/test"]
fn who_may_provision_makes_what_is_missing_and_mends_what_differs() {
    on_the_stack(|stack| {
        let home = home_of(stack, "provision");
        let meter = json!({ "TableName": format!("{}-meter", stack.name()) });
        stack.operation("dynamodb", "DynamoDB_20120810.DeleteTable", &meter);
        let attributes = json!({ "Attributes": { "VisibilityTimeout": "7" } });
        sqs(stack, "SetQueueAttributes", attributes, "provider-dlq");

        home.ok(&stack.args(&["provision", "--fix", "--yes"]));
        let again = home.run(&stack.args(&["provision"]));
        assert!(text(&again.stderr).contains("nothing to do"), "{}", text(&again.stderr));
        home.fails(DENIED, &stack.args(&["load", FIXTURES]));
        home.fails(DENIED, &stack.args(&["keys", "list"]));
    });
}

#[test]
#[ignore = "needs a deployed stack: infra/test"]
fn who_may_examine_sees_everything_and_changes_nothing() {
    on_the_stack(|stack| {
        let home = home_of(stack, "doctor");
        let checks = home.json(&stack.args(&["doctor"]));
        assert!(checks.as_array().unwrap().iter().all(|check| check["ok"] == true), "{checks:#?}");
        home.fails(DENIED, &stack.args(&["load", FIXTURES]));
        home.fails(DENIED, &stack.args(&["config", "set", "ttl", "6m"]));
    });
}

#[test]
#[ignore = "needs a deployed stack: infra/test"]
fn who_may_load_changes_prices_and_orders_the_tables_of_active_users() {
    on_the_stack(|stack| {
        let home = home_of(stack, "load");
        assert_eq!(stack.subscribe("kept-warm").0, 202);
        let dearer = home.file("products.json", r#"[{"id":"P1","name":"Stand","price":"501.00"}]"#);
        let loaded = home.json(&stack.args(&["load", &dearer]));
        assert_eq!(loaded["products"]["changed"], 1, "{loaded}");
        assert!(loaded["tables_ordered"].as_u64().unwrap() > 0, "{loaded}");
        home.ok(&stack.args(&["load", FIXTURES]));
        home.fails(DENIED, &stack.args(&["keys", "list"]));
        home.fails(DENIED, &stack.args(&["dead-letters", "list"]));
    });
}

#[test]
#[ignore = "needs a deployed stack: infra/test"]
fn who_may_work_calculates_and_answers() {
    on_the_stack(|stack| {
        let home = home_of(stack, "worker");
        let queues = ["quotation", "refresh", "provider"];
        for queue in queues {
            stack.deliver(queue, false);
        }
        let endpoint = stack.output("management_endpoint");
        let args = ["worker", "all", "--management-endpoint", endpoint];
        let mut worker = home.start(&stack.args(&args));
        worker.stderr_line("working");
        assert_eq!(workers(stack), 1, "it says that it is alive");
        let quote = stack.json(&["quote", "--client", "worked-for", "P1:2"]);
        assert_eq!(quote["total"], "1000.00");
        let (code, said) = worker.interrupt();
        assert_eq!(code, Some(0));
        assert!(!said.contains("denied"), "{said}");
        assert_eq!(workers(stack), 0, "it counts as alive after its end");
        for queue in queues {
            stack.deliver(queue, true);
        }
        home.fails(DENIED, &stack.args(&["keys", "list"]));
    });
}

#[test]
#[ignore = "needs a deployed stack: infra/test"]
fn who_may_redrive_lists_redrives_and_drops() {
    on_the_stack(|stack| {
        let home = home_of(stack, "redrive");
        stack.deliver("provider", false);
        for body in ["one", "another"] {
            sqs(stack, "SendMessage", json!({ "MessageBody": body }), "provider-dlq");
        }
        let list = ["dead-letters", "list", "--queue", "provider"];
        let letters = home.json(&stack.args(&list));
        let ids: Vec<_> = letters
            .as_array()
            .unwrap()
            .iter()
            .map(|letter| letter["id"].as_str().unwrap())
            .collect();
        assert_eq!(ids.len(), 2, "{letters}");
        let redriven = home.json(&stack.args(&["dead-letters", "redrive", ids[0]]));
        assert_eq!(redriven, json!({ "redriven": 1 }));
        home.ok(&stack.args(&["dead-letters", "drop", ids[1]]));
        assert_eq!(home.json(&stack.args(&list)), json!([]));
        sqs(stack, "PurgeQueue", json!({}), "provider");
        stack.deliver("provider", true);
        home.fails(DENIED, &stack.args(&["load", FIXTURES]));
    });
}

#[test]
#[ignore = "needs a deployed stack: infra/test"]
fn who_may_change_keys_makes_tokens() {
    on_the_stack(|stack| {
        let home = home_of(stack, "keys");
        home.ok(&stack.args(&["keys", "rotate"]));
        let keys = home.json(&stack.args(&["keys", "list"]));
        assert!(keys.as_array().is_some_and(|keys| keys.len() >= 2), "{keys}");
        home.ok(&stack.args(&["token", "--client", "AAA"]));
        home.fails(DENIED, &stack.args(&["load", FIXTURES]));
    });
}

/// Tests that queues refuse unencrypted requests of every principal.
#[test]
#[ignore = "needs a deployed stack: infra/test"]
fn queues_refuse_requests_that_are_not_encrypted() {
    on_the_stack(|stack| {
        for queue in ["provider", "provider-dlq", "quotation.fifo", "refresh-dlq.fifo"] {
            let asked = json!({ "QueueUrl": url_of(stack, queue), "AttributeNames": ["QueueArn"] });
            let asking = |headers| {
                stack.try_operation("sqs", "AmazonSQS.GetQueueAttributes", &asked, headers).0
            };
            // A proxy that ends TLS says with this header whether the request was encrypted.
            assert_eq!(asking("x-forwarded-proto: https\r\n"), 200, "{queue}");
            assert_eq!(asking("x-forwarded-proto: http\r\n"), 403, "{queue}");
        }
    });
}

/// Tests the length of a log line that `ocache cost forecast` assumes.
#[test]
#[ignore = "needs a deployed stack: infra/test"]
fn lines_of_logs_are_about_as_long_as_they_are_billed() {
    on_the_stack(|stack| {
        stack.json(&["quote", "--client", "logged", "P1:2"]);
        let functions = ["quotation-handler", "quotation-provider", "price-calc", "refresh"];
        let lines: Vec<String> = functions
            .iter()
            .flat_map(|function| stack.log(&format!("{}-{function}", stack.name())))
            .filter(|line| line.contains(r#""level":"INFO""#))
            .collect();
        // CloudWatch counts 26 bytes for each line beside its text.
        let bytes: usize = lines.iter().map(|line| line.len() + 26).sum();
        let ratio = bytes as f64 / lines.len() as f64 / ocache::cost::LOG_LINE_BYTES;
        assert!(
            (0.75..1.25).contains(&ratio),
            "{ratio} of {} lines: {:#?}",
            lines.len(),
            lines.first()
        );
    });
}

/// Tests that the topic of `alarm_topic_arns` is told of an alarm.
#[test]
#[ignore = "needs a deployed stack: infra/test"]
fn somebody_is_told_of_an_alarm() {
    on_the_stack(|stack| {
        for alarm in ["provider-age", "throttles-table-products-reads", "http-5xx", "lost"] {
            let name = format!("{}-{alarm}", stack.name());
            let state =
                json!({ "AlarmName": name, "StateValue": "ALARM", "StateReason": "a test" });
            let target = "GraniteServiceVersion20100801.SetAlarmState";
            stack.operation("monitoring", target, &state);
            let received = json!({ "WaitTimeSeconds": 10, "MaxNumberOfMessages": 1 });
            let told = sqs(stack, "ReceiveMessage", received, "told");
            let body = told["Messages"][0]["Body"].as_str().unwrap_or_default();
            assert!(body.contains(&name), "{alarm}: {told}");
            let receipt = json!({ "ReceiptHandle": told["Messages"][0]["ReceiptHandle"] });
            sqs(stack, "DeleteMessage", receipt, "told");
        }
    });
}
