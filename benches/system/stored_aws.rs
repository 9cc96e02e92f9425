//! Measures stored bytes on a local AWS: `.ci/ministack cargo bench --bench system -- stored-aws`. It is
//! too slow for so many customers, so two smaller stacks are measured, and what a customer adds is
//! extrapolated.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Map, Value, json};

use crate::generated::Generated;
use crate::lab::Scale;
use crate::results::Line;
use crate::stack::{Build, Stack};
use crate::stored::{CUSTOMERS, DISCOUNTS, OVERHEAD, PRODUCTS, TARGET, two_generations};

/// The variable with the endpoint of the local AWS.
const ENDPOINT: &str = "OCACHE_TEST_ENDPOINT_URL";
/// The numbers of customers, at full scale.
const SAMPLES: [u32; 2] = [100, 300];
/// What a load and a table leave behind.
const KEPT: [&str; 3] = ["prices-by-user", "products", "discounts"];

pub fn run(scale: Scale, builds: &[Build]) {
    let Ok(endpoint) = std::env::var(ENDPOINT) else {
        println!("stored-aws: no local AWS; run it by .ci/ministack");
        return;
    };
    let samples = SAMPLES.map(|count| scale.of(count));
    for build in builds {
        let [few, more] = samples.map(|customers| stored(build, &endpoint, customers) as f64);
        let each = (more - few) / f64::from(samples[1] - samples[0]);
        let all = few + each * f64::from(CUSTOMERS - samples[0]);
        let what = format!(
            "items on AWS, {CUSTOMERS} customers × 10,000 products × {DISCOUNTS} discounts, twice, \
             by {} and {} customers",
            samples[0], samples[1]
        );
        let figure = format!("{:.1} MB, {each:.0} bytes a customer", all / 1e6);
        Line::new("stored-aws", &build.label(&what), &figure).target(TARGET, all / 1e6).print();
    }
}

/// Returns the bytes of the items of two generations.
fn stored(build: &Build, endpoint: &str, customers: u32) -> u64 {
    let data = Generated::new(PRODUCTS, customers.into(), DISCOUNTS);
    let name = format!("bench-{}-{customers}-{}", std::process::id(), build.name);
    let mut stack = Stack::on_aws(build, endpoint, &name, &data);
    two_generations(&mut stack, &data);
    let tables = KEPT.map(|table| format!("{name}-{table}"));
    let bytes = tables.iter().map(|table| bytes_of(endpoint, table)).sum();
    stack.run(&["destroy", "--yes"]);
    bytes
}

/// Returns what DynamoDB counts for all items of a table.
fn bytes_of(endpoint: &str, table: &str) -> u64 {
    let (mut bytes, mut from) = (0, None);
    loop {
        let mut scan = json!({ "TableName": table });
        if let Some(from) = from {
            scan["ExclusiveStartKey"] = from;
        }
        let mut page = call(endpoint, "Scan", &scan);
        let items = page["Items"].as_array().expect("a scan has items");
        bytes += items.iter().filter_map(Value::as_object).map(item_bytes).sum::<u64>();
        from = page.get_mut("LastEvaluatedKey").map(Value::take);
        if from.is_none() {
            return bytes;
        }
    }
}

/// Returns the size of an item by the rules that AWS documents.
fn item_bytes(item: &Map<String, Value>) -> u64 {
    let attributes = item.iter().map(|(name, value)| name.len() as u64 + value_bytes(value));
    OVERHEAD + attributes.sum::<u64>()
}

fn value_bytes(value: &Value) -> u64 {
    let Some((kind, value)) = value.as_object().and_then(|value| value.iter().next()) else {
        return 0;
    };
    let text = value.as_str().unwrap_or_default();
    match (kind.as_str(), value) {
        ("S", _) => text.len() as u64,
        // The number of bytes that the base64 stands for.
        ("B", _) => (text.trim_end_matches('=').len() * 3 / 4) as u64,
        ("N", _) => 1 + text.bytes().filter(u8::is_ascii_digit).count().div_ceil(2) as u64,
        ("L", Value::Array(list)) => 3 + list.iter().map(|one| 1 + value_bytes(one)).sum::<u64>(),
        ("M", Value::Object(map)) => {
            let entries = map.iter().map(|(name, one)| 1 + name.len() as u64 + value_bytes(one));
            3 + entries.sum::<u64>()
        }
        _ => 1,
    }
}

/// Makes a call that ocache itself never makes. A local AWS reads only the service from the signature.
fn call(endpoint: &str, action: &str, body: &Value) -> Value {
    let address = endpoint.strip_prefix("http://").expect("a local AWS has no TLS");
    let mut stream = TcpStream::connect(address).expect("the local AWS is there");
    let body = body.to_string();
    write!(
        stream,
        "POST / HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, \
         SignedHeaders=host, Signature=0\r\nx-amz-target: DynamoDB_20120810.{action}\r\n\
         content-type: application/x-amz-json-1.0\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("it takes requests");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("it answers with text");
    let (head, body) = reply.split_once("\r\n\r\n").expect("it answers with HTTP");
    assert!(head.starts_with("HTTP/1.1 2"), "{reply}");
    serde_json::from_str(body).expect("it answers with JSON")
}
