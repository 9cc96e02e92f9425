//! Tests of the command line on a local AWS, as real processes.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::process::{Home, text};
use super::schema::Schemas;
use super::stack::Stack;

impl Stack {
    /// Makes a call that ocache itself never makes. A local AWS reads only the service from the signature.
    fn post(&self, service: &str, path: &str, headers: &str, body: &Value) -> Value {
        let address = self.flags[1].strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let scope = format!("Credential=test/20260101/us-east-1/{service}/aws4_request");
        let body = body.to_string();
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
             authorization: AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0\r\n\
             {headers}content-type: application/x-amz-json-1.1\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        let (head, body) = reply.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 2"), "{reply}");
        serde_json::from_str(body).unwrap()
    }
}

#[test]
#[ignore = "needs a local AWS: .ci/ministack cargo test"]
fn a_setting_that_functions_ignore_is_set_with_a_note() {
    let stack = Stack::new();
    stack.home.ok(&stack.args(&["provision", "--yes"]));
    for (key, quiet, is_noted) in [
        ("max-active-users", false, true),
        ("max-active-users", true, false),
        ("ttl", false, false),
    ] {
        let value = if key == "ttl" { "6m" } else { "7" };
        let set = stack.args(&["config", "set", key, value]);
        let quiet: &[&str] = if quiet { &["-q"] } else { &[] };
        let set = stack.home.run(&[&set[..], quiet].concat());
        let stderr = text(&set.stderr);
        assert!(set.status.success(), "{stderr}");
        assert_eq!(stderr.contains("functions ignore max-active-users"), is_noted, "{stderr}");
    }
}

#[test]
#[ignore = "needs a local AWS: .ci/ministack cargo test"]
fn the_four_lines_on_aws() {
    let stack = Stack::new();
    let home = &stack.home;
    let missing = home.fails(4, &stack.args(&["subscribe", "AAA"]));
    assert!(missing.contains("is missing") && missing.contains("ocache provision"), "{missing}");

    let made = home.run(&stack.args(&["provision", "--yes", "--output", "json"]));
    let changes: Vec<Value> = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!(changes.len(), 17);
    let (said, name) = (text(&made.stderr), stack.flags.last().unwrap());
    for queue in ["refresh-dlq.fifo", "quotation-dlq.fifo", "provider-dlq"] {
        let dimension = format!("--dimensions Name=QueueName,Value={name}-{queue}");
        let makes = |line: &str| {
            line.contains("aws cloudwatch put-metric-alarm") && line.ends_with(&dimension)
        };
        assert!(said.lines().any(makes), "no alarm of {queue} in {said}");
    }
    let again = home.run(&stack.args(&["provision"]));
    assert!(again.status.success());
    assert!(text(&again.stderr).contains("nothing to do"), "{}", text(&again.stderr));

    home.ok(&stack.args(&["load", concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/")]));
    home.ok(&stack.args(&["subscribe", "AAA"]));
    let mut worker = home.start(&stack.args(&["worker", "price-calc"]));
    worker.stderr_line("URGENT calculation");
    let warm = home.json(&stack.args(&["quote", "--client", "AAA", "P1:2", "P3:1"]));
    assert_eq!(warm["total"], "1805.52");
    // Right before this, another process that polled the same queue has ended.
    let cold = home.json(&stack.args(&["quote", "--client", "José Núñez 株式会社", "P1:2", "P9"]));
    assert_eq!((&cold["total"], &cold["unavailable"][0]), (&"1000.00".into(), &"P9".into()));
    let alone = home.run(&stack.args(&["doctor"]));
    assert_eq!(alone.status.code(), Some(1), "{}", text(&alone.stdout));
    assert!(text(&alone.stdout).contains("no process runs refresh"), "{}", text(&alone.stdout));
    assert_eq!(worker.interrupt().0, Some(0));
    let worker = home.worker_of(&stack.args(&["worker", "all"]));

    let status = home.json(&stack.args(&["status"]));
    assert_eq!(status["tables"]["stored"], 2);
    let table = home.json(&stack.args(&["prices", "AAA"]));
    assert_eq!(table["prices"][0]["unit_price"], "450.00");
    let checks = home.json(&stack.args(&["doctor"]));
    assert!(checks.as_array().unwrap().iter().all(|check| check["ok"] == true), "{checks}");
    assert_eq!(status["processes"].as_array().unwrap().len(), 1, "{status}");
    assert_eq!(worker.interrupt().0, Some(0));
    let missing = home.fails(5, &stack.args(&["quote", "--client", "another", "P1"]));
    assert!(missing.contains("no process of this stack runs price-calc"), "{missing}");
}

#[test]
#[ignore = "needs a local AWS: .ci/ministack cargo test"]
fn what_is_made_and_deleted_is_printed_as_its_schema_says() {
    let stack = Stack::new();
    let mut schemas = Schemas::read();
    let mut printed = |name: &str, flags: &[&str]| {
        let value = stack.home.json(&stack.args(&[&[name], flags].concat()));
        schemas.check(name, &value);
        value
    };
    let missing = printed("provision", &["--dry-run"]);
    assert!(missing.as_array().unwrap().iter().all(|it| it["state"] == "missing"), "{missing}");
    assert_eq!(printed("destroy", &["--dry-run"]), json!({ "would_be_deleted": [] }));
    printed("provision", &["--yes"]);
    let queue = format!("http://queue/000000000000/{}-provider", stack.flags[3]);
    let attributes = json!({ "QueueUrl": queue, "Attributes": { "VisibilityTimeout": "7" } });
    stack.post("sqs", "/", "x-amz-target: AmazonSQS.SetQueueAttributes\r\n", &attributes);
    let differs = printed("provision", &["--dry-run"]);
    assert!(differs.as_array().unwrap().iter().any(|it| it["state"] == "differs"), "{differs}");
    let set = printed("provision", &["--fix", "--yes"]);
    assert!(set.as_array().unwrap().iter().any(|it| it["state"] == "set"), "{set}");
    assert_ne!(printed("destroy", &["--dry-run"]), json!({ "would_be_deleted": [] }));
    assert_ne!(printed("destroy", &["--yes"]), json!({ "deleted": [] }));
    for name in ["provision", "destroy"] {
        assert_eq!(schemas.unseen(name), Vec::<String>::new(), "{name}");
    }
}

#[test]
#[ignore = "needs a local AWS: .ci/ministack cargo test"]
fn everything_in_one_process_on_aws() {
    let stack = Stack::new();
    let (up, _) = stack.home.up(&stack.args(&["--provision", "--refresh-every", "1s"]));
    let quotation = stack.home.json(&stack.args(&["quote", "--client", "AAA", "P1:2", "P3:1"]));
    assert_eq!(quotation["total"], "1805.52");
    let (code, stderr) = up.interrupt();
    assert_eq!(code, Some(0), "{stderr}");
}

#[test]
#[ignore = "needs a local AWS: .ci/ministack cargo test"]
fn a_forecast_is_within_a_tenth_of_what_a_local_aws_reports() {
    let stack = Stack::new();
    stack.home.ok(&stack.args(&["provision", "--yes"]));
    stack.home.ok(&stack.args(&["load", concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/")]));
    let flags: Vec<&str> = stack.flags.iter().map(String::as_str).collect();
    let cost = super::costing::worked_until_seen(&stack.home, &flags);
    super::costing::the_lines_agree(&cost);
}

#[test]
#[ignore = "needs a local AWS: .ci/ministack cargo test"]
fn tokens_are_signed_with_the_secret_of_the_stack() {
    let stack = Stack::new();
    let home = &stack.home;
    let required = ["up", "--port", "0", "--provision", "--require-token"];
    for args in [&required[..], &["token", "--client", "AAA"], &["keys", "list"]] {
        let stderr = home.fails(4, &stack.args(args));
        assert!(stderr.contains("token-keys") && stderr.contains("keys rotate"), "{stderr}");
    }
    home.ok(&stack.args(&["keys", "rotate"]));
    let token = home.ok(&stack.args(&["token", "--client", "AAA"]));
    let rotated = home.json(&stack.args(&["keys", "rotate"]));
    assert_eq!(rotated.as_array().unwrap().len(), 2);

    let (up, url) = home.up(&stack.args(&required[3..]));
    assert_eq!(home.json(&stack.args(&["quote", "--client", "AAA", "P1:2"]))["total"], "900.00");
    let stranger = ["quote", "--client", "AAA", "--url", &url, "P1:2"];
    home.fails(7, &stranger);
    let with_token = [&stranger[..], &["--token", token.trim()]].concat();
    assert_eq!(home.json(&with_token)["total"], "900.00");
    assert_eq!(up.interrupt().0, Some(0));
}

#[test]
#[ignore = "needs a local AWS: .ci/ministack cargo test"]
fn a_deployed_schedule_and_gateway_are_found() {
    let stack = Stack::new();
    let (home, name) = (&stack.home, stack.flags.last().unwrap());
    home.ok(&stack.args(&["provision", "--yes"]));
    home.ok(&stack.args(&["load", concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/")]));
    let found = |what: &str| {
        let checks = home.json(&stack.args(&["doctor"]));
        let checks = checks.as_array().unwrap().clone();
        checks.into_iter().find(|check| check["what"] == what).unwrap()
    };
    assert_eq!(found("schedule")["found"], "not deployed");
    assert_eq!(found("deployed gateway")["found"], "not deployed");

    let rule = json!({ "Name": format!("{name}-refresh"), "ScheduleExpression": "rate(1 minute)" });
    stack.post("events", "/", "x-amz-target: AWSEvents.PutRule\r\n", &rule);
    assert_eq!(found("schedule")["found"], "rate(1 minute)");

    let api = json!({
        "name": format!("{name}-websocket"),
        "protocolType": "WEBSOCKET",
        "routeSelectionExpression": "$request.body.action",
    });
    let api = stack.post("apigateway", "/v2/apis", "", &api);
    let id = api["apiId"].as_str().unwrap();
    stack.post("apigateway", &format!("/v2/apis/{id}/stages"), "", &json!({ "stageName": "live" }));
    let url = found("deployed gateway")["found"].as_str().unwrap().to_owned();
    assert!(url.starts_with("ws://") && url.ends_with(&format!("/{id}/live")), "{url}");
}

#[test]
#[ignore = "needs a local AWS: .ci/ministack cargo test"]
fn what_cannot_be_reached_or_is_not_allowed_says_so() {
    let stack = Stack::new();
    let home = &stack.home;
    home.fails(2, &stack.args(&["provision"]));
    let nobody = home.fails(6, &["status", "--endpoint-url", "http://127.0.0.1:1"]);
    assert!(nobody.contains("is unavailable"), "{nobody}");
    home.fails(2, &["status", "--endpoint-url", "not a url"]);
    let strangers = Home::new();
    let stderr = strangers.fails(7, &["status", "--endpoint-url", "http://127.0.0.1:1"]);
    assert!(stderr.contains("AWS_ACCESS_KEY_ID"), "{stderr}");
    let stderr = home.fails(7, &["status", "--profile", "no-such-profile", "--region", "x-1"]);
    assert!(stderr.contains("no-such-profile"), "{stderr}");
    let stderr = strangers.fails(2, &["status", "--backend", "aws"]);
    assert!(stderr.contains("region"), "{stderr}");
}
