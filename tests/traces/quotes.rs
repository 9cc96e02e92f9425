//! Tests of the one trace of a quote, as a collector sees it.

use std::collections::{HashMap, HashSet};

use super::collector::{Collector, Span};
use super::process::{Home, Running};
use super::raw_socket::RawSocket;

/// Starts a process with the variables of OpenTelemetry.
fn traced(home: &Home, collector: &Collector, service: &str, args: &[&str]) -> Running {
    let mut command = home.command(args);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url).env("OTEL_SERVICE_NAME", service);
    Running::of(command)
}

/// Returns the spans of a trace by their ids. Each must have its parent there, except the root.
fn tree(spans: Vec<Span>, trace: &str, root: &str) -> HashMap<String, Span> {
    let spans = spans.into_iter().filter(|span| span.trace == trace);
    let spans: HashMap<_, _> = spans.map(|span| (span.id.clone(), span)).collect();
    for span in spans.values() {
        assert!(span.parent == root || spans.contains_key(&span.parent), "{span:?}: {spans:#?}");
    }
    spans
}

/// Returns the names from a span up to the root.
fn ancestry<'a>(spans: &'a HashMap<String, Span>, span: &'a Span) -> Vec<&'a str> {
    let above = |span: &&'a Span| spans.get(&span.parent);
    std::iter::successors(Some(span), above).map(|span| span.name.as_str()).collect()
}

fn only<'a>(spans: &'a HashMap<String, Span>, name: &str, key: &str, value: &str) -> &'a Span {
    let fits = |span: &&Span| span.name == name && span.attribute(key) == Some(value);
    let found: Vec<_> = spans.values().filter(fits).collect();
    assert_eq!(found.len(), 1, "{name} with {key} {value}: {spans:#?}");
    found[0]
}

#[test]
fn a_cold_quote_is_one_trace_through_every_process() {
    cold_quote(&Home::with_fixtures(), &[], "ocache");
}

#[cfg(feature = "aws")]
#[test]
#[ignore = "needs a local AWS: .ci/ministack cargo test"]
fn a_cold_quote_is_one_trace_on_aws() {
    let stack = super::stack::Stack::new();
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/");
    stack.home.ok(&stack.args(&["provision", "--yes"]));
    stack.home.ok(&stack.args(&["load", fixtures]));
    cold_quote(&stack.home, &stack.args(&[]), "aws_sqs");
}

fn cold_quote(home: &Home, target: &[&str], system: &str) {
    let collector = Collector::start();
    let start =
        |service: &str, args: &[&str]| traced(home, &collector, service, &[args, target].concat());
    let mut serve = start("gateway", &["serve", "--port", "0", "--output", "json"]);
    let websocket = serve.stdout_json()["websocket"].as_str().unwrap().to_owned();
    let mut provider = start("provider", &["worker", "quotation-provider"]);
    provider.stderr_line("working");
    let mut socket = RawSocket::open(&websocket);
    let frame = r#"{"action":"quote","client":"AAA","items":[{"product":"P1","quantity":2}],
        "request_id":"seven"}"#;
    socket.say(frame);
    assert_eq!(socket.hear()["type"], "accepted");
    // Nobody could calculate before this, so it is not a warm quote.
    provider.stderr_line("no usable table; ordering one");
    let mut calc = start("calc", &["worker", "price-calc"]);
    calc.stderr_line("working");
    let quotation = socket.hear();
    assert_eq!(quotation["status"], "answered", "{quotation}");
    let calculated = ["price_calc", "quotation_provider", "quotation_handler", "frame"];
    for process in [serve, provider, calc] {
        let (code, stderr) = process.interrupt();
        assert_eq!(code, Some(0), "{stderr}");
    }

    let all = collector.spans();
    let frame = all.iter().find(|span| span.name == "frame").unwrap();
    let spans = tree(all.clone(), &frame.trace, "");
    let of_quote = only(&spans, "price_calc", "ocache.cause", "quotation");
    assert_eq!(ancestry(&spans, of_quote), calculated);
    // The visit of a quote orders no table of its own.
    assert_eq!(all.iter().filter(|span| span.name == "price_calc").count(), 1, "{all:#?}");
    let push = only(&spans, "push", "messaging.message.conversation_id", "seven");
    let pushed = [&["push", "quotation_provider"], &calculated[..]].concat();
    assert_eq!(ancestry(&spans, push), pushed);
    assert_eq!(of_quote.attribute("messaging.system"), Some(system));
    assert_eq!(of_quote.attribute("messaging.destination.name"), Some("quotation"));
    assert_eq!(of_quote.attribute("messaging.operation.type"), Some("process"));
    assert_eq!(of_quote.whole["kind"], 5, "a consumer");
    // The request has no other spans, and none was sent twice.
    let ids: HashSet<_> = all.iter().map(|span| &span.id).collect();
    assert_eq!(ids.len(), all.len());
    assert!(all.iter().all(|span| span.trace == frame.trace), "{all:#?}");
    // Traces must not contain prices.
    for request in collector.requests() {
        let body = request.body.to_string();
        // With their points, because random ids begin with any digits.
        for secret in ["900.", "450.", "Notebook"] {
            assert!(!body.contains(&format!("\"{secret}")), "{body}");
        }
    }
    let requests = collector.requests();
    let head = requests[0].head.to_lowercase();
    assert!(head.starts_with("post /v1/traces ") && head.contains("application/json"), "{head}");
    let services: HashSet<_> = requests.iter().map(|request| service(&request.body)).collect();
    assert_eq!(services, ["gateway", "provider", "calc"].map(str::to_owned).into());
}

fn service(body: &serde_json::Value) -> String {
    let attributes = body["resourceSpans"][0]["resource"]["attributes"].as_array().unwrap();
    let name = attributes.iter().find(|attribute| attribute["key"] == "service.name").unwrap();
    name["value"]["stringValue"].as_str().unwrap().to_owned()
}

#[test]
fn up_goes_on_with_the_trace_of_the_client_and_sends_all_of_it_before_it_ends() {
    let (home, collector) = (Home::with_fixtures(), Collector::start());
    let up = ["up", "--port", "0", "--output", "json"];
    let mut up = traced(&home, &collector, "shop", &up);
    let websocket = up.stdout_json()["websocket"].as_str().unwrap().to_owned();
    let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let quote = |flags: &str, request: &str| {
        let frame = serde_json::json!({
            "action": "quote", "client": "Foo", "request_id": request,
            "items": [{ "product": "P1", "quantity": 1 }],
            "traceparent": format!("00-{trace}-{span}-{flags}"),
        });
        let mut socket = RawSocket::open(&websocket);
        socket.say(&frame.to_string());
        assert_eq!(socket.hear()["type"], "accepted");
        assert_eq!(socket.hear()["status"], "answered");
    };
    quote("01", "recorded");
    // The client that began this trace has decided that it is not recorded.
    quote("00", "not-recorded");
    let (code, stderr) = up.interrupt();
    assert_eq!(code, Some(0), "{stderr}");

    let spans = tree(collector.spans(), trace, span);
    let push = only(&spans, "push", "messaging.message.conversation_id", "recorded");
    let names = ancestry(&spans, push);
    assert_eq!(names[..2], ["push", "quotation_provider"]);
    assert_eq!(names[names.len() - 2..], ["quotation_handler", "frame"]);
    let calculated = spans.values().any(|span| span.name == "price_calc");
    assert!(calculated, "a table was made for it: {spans:#?}");
    let not_recorded =
        |span: &Span| span.attribute("messaging.message.conversation_id") == Some("not-recorded");
    assert!(!collector.spans().iter().any(not_recorded));
}

#[test]
fn a_subscription_continues_the_trace_of_its_header() {
    let (home, collector) = (Home::with_fixtures(), Collector::start());
    let up = ["up", "-v", "--port", "0", "--output", "json"];
    let mut up = traced(&home, &collector, "shop", &up);
    let subscribe = up.stdout_json()["subscribe"].as_str().unwrap().to_owned();
    let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    put(&subscribe, &format!("traceparent: 00-{trace}-{span}-01\r\n"), r#"{"user_id":"Zoe"}"#);
    up.stderr_line("user=Zoe cause=\"subscribe\"");
    assert_eq!(up.interrupt().0, Some(0));
    let spans = tree(collector.spans(), trace, span);
    let calculated = only(&spans, "price_calc", "user.id", "Zoe");
    assert_eq!(ancestry(&spans, calculated), ["price_calc", "subscribe"]);
}

fn put(url: &str, headers: &str, body: &str) {
    use std::io::{Read as _, Write as _};
    let (address, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(
        stream,
        "PUT /{path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{headers}\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    assert!(reply.starts_with("HTTP/1.1 202"), "{reply}");
}

#[test]
fn a_collector_that_is_away_is_told_once_and_harms_nothing() {
    let home = Home::with_fixtures();
    let mut command = home.command(&["up", "--port", "0", "--output", "json"]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1");
    command.env("OTEL_BSP_SCHEDULE_DELAY", "20");
    let mut up = Running::of(command);
    assert_eq!(up.stdout_json()["ready"], true);
    up.stderr_line("traces are not exported");
    let quote = ["quote", "--client", "AAA", "P1:2"];
    assert_eq!(home.json(&quote)["total"], "900.00");
    assert_eq!(home.json(&quote)["total"], "900.00");
    let (code, stderr) = up.interrupt();
    assert_eq!(code, Some(0), "{stderr}");
    assert!(!stderr.contains("not exported"), "{stderr}");
}

#[test]
fn the_variables_of_opentelemetry_are_heard() {
    let (home, collector) = (Home::with_fixtures(), Collector::start());
    let mut command = home.command(&["up", "--port", "0", "--output", "json"]);
    command
        .env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", format!("{}/own/path", collector.url))
        .env("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20secret")
        .env("OTEL_RESOURCE_ATTRIBUTES", "service.name=other,deployment.environment.name=test")
        .env("OTEL_SERVICE_NAME", "shop")
        // Only traces that a client records are recorded.
        .env("OTEL_TRACES_SAMPLER", "parentbased_always_off");
    let mut up = Running::of(command);
    let websocket = up.stdout_json()["websocket"].as_str().unwrap().to_owned();
    let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    for traceparent in [serde_json::Value::Null, format!("00-{trace}-{span}-01").into()] {
        let frame = serde_json::json!({
            "action": "quote", "client": "AAA", "items": [{ "product": "P1", "quantity": 1 }],
            "traceparent": traceparent,
        });
        let mut socket = RawSocket::open(&websocket);
        socket.say(&frame.to_string());
        assert_eq!(socket.hear()["type"], "accepted");
        assert_eq!(socket.hear()["status"], "answered");
    }
    let (code, stderr) = up.interrupt();
    assert_eq!(code, Some(0), "{stderr}");
    let spans = collector.spans();
    assert!(!spans.is_empty() && spans.iter().all(|span| span.trace == trace), "{spans:#?}");
    let request = &collector.requests()[0];
    let head = request.head.to_lowercase();
    assert!(head.starts_with("post /own/path "), "{head}");
    assert!(head.contains("authorization: bearer secret"), "{head}");
    assert_eq!(service(&request.body), "shop");
    let resource = request.body["resourceSpans"][0]["resource"]["attributes"].to_string();
    assert!(resource.contains("deployment.environment.name"), "{resource}");
}

#[test]
fn a_variable_without_meaning_is_a_usage_error() {
    let home = Home::new();
    let mut command = home.command(&["status"]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318");
    let output = command.output().unwrap();
    let stderr = super::process::text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("OTEL_EXPORTER_OTLP_ENDPOINT: it is not a URL"), "{stderr}");
    assert!(stderr.contains("such as http://localhost:4318"), "{stderr}");
    assert!(stderr.contains("hint:"), "{stderr}");
}
