//! A stand-in for AWS: tables and queues as far as the functions use them, and a record of who called what.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

use super::calls::{Call, call, caller};
use super::server::{Asked, Reply, serve};
use super::table::{Item, Refused, Table};

pub const STACK: &str = "roles";
const XML: &str = "http://sns.amazonaws.com/doc/2010-03-31/";

/// The stored data, and the calls.
#[derive(Default)]
struct State {
    tables: BTreeMap<String, Table>,
    /// The bodies of messages, by queue, that nobody has received yet.
    queues: BTreeMap<String, Vec<String>>,
    calls: BTreeMap<String, BTreeSet<Call>>,
    frames: Vec<Value>,
    /// The secrets by name, without the stack.
    secrets: BTreeMap<String, String>,
}

/// The stand-in, and its address.
#[derive(Clone)]
pub struct Aws {
    state: Arc<Mutex<State>>,
    pub address: SocketAddr,
}

impl Aws {
    pub fn start() -> Self {
        let state = Arc::<Mutex<State>>::default();
        let inside = Arc::clone(&state);
        let address = serve(move |asked| inside.lock().unwrap().answer(asked));
        Self { state, address }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub fn put(&self, table: &str, item: Value) {
        let Value::Object(item) = item else { panic!("{item} is no item") };
        self.state().tables.entry(table.to_owned()).or_default().put(table, item);
    }

    pub fn put_secret(&self, name: &str, text: String) {
        self.state().secrets.insert(name.to_owned(), text);
    }

    pub fn remove(&self, table: &str, is_it: impl Fn(&Item) -> bool) {
        self.state().tables.entry(table.to_owned()).or_default().remove(is_it);
    }

    /// Takes the messages that were sent to a queue.
    pub fn take(&self, queue: &str) -> Vec<String> {
        self.state().queues.remove(queue).unwrap_or_default()
    }

    /// Returns how many frames were pushed.
    pub fn pushed(&self) -> usize {
        self.state().frames.len()
    }

    /// Returns the calls of each function.
    pub fn calls(&self) -> BTreeMap<String, BTreeSet<Call>> {
        self.state().calls.clone()
    }
}

impl State {
    fn answer(&mut self, asked: &Asked) -> Reply {
        let target = asked.header("x-amz-target");
        if let Some(operation) = target.strip_prefix("DynamoDB_20120810.") {
            return self.dynamodb(asked, operation);
        }
        if let Some(operation) = target.strip_prefix("AmazonSQS.") {
            return self.sqs(asked, operation);
        }
        if let Some(operation) = target.strip_prefix("secretsmanager.") {
            return self.secrets(asked, operation);
        }
        if asked.path.contains("/@connections/") {
            assert_eq!(asked.method, "POST");
            self.record(asked, call("execute-api", "ManageConnections", ""));
            self.frames.push(serde_json::from_str(&asked.body).unwrap());
            return Reply::new(200, "");
        }
        let form: BTreeMap<String, String> = asked.body.split('&').filter_map(field).collect();
        match form["Action"].as_str() {
            "GetCallerIdentity" => Reply::new(
                200,
                "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>1</Account>\
                 <Arn>arn:aws:sts::1:assumed-role/r/s</Arn></GetCallerIdentityResult>\
                 </GetCallerIdentityResponse>",
            ),
            "PublishBatch" => self.publish(asked, &form),
            other => panic!("{other} is not expected"),
        }
    }

    fn record(&mut self, asked: &Asked, call: Option<Call>) {
        self.calls.entry(caller(asked)).or_default().extend(call);
    }

    fn table(&mut self, asked: &Asked, operation: &str, name: &str) -> (String, &mut Table) {
        let name = ours(name);
        self.record(asked, call("dynamodb", operation, &name));
        let table = self.tables.entry(name.clone()).or_default();
        (name, table)
    }

    fn dynamodb(&mut self, asked: &Asked, operation: &str) -> Reply {
        let request: Value = serde_json::from_str(&asked.body).unwrap();
        if let Some(requests) = request["RequestItems"].as_object() {
            return self.batch(asked, operation, requests);
        }
        let name = request["TableName"].as_str().unwrap();
        let (name, table) = self.table(asked, operation, name);
        match operation {
            "GetItem" => match table.get(&name, request["Key"].as_object().unwrap()) {
                Some(item) => ok(json!({ "Item": item })),
                None => ok(json!({})),
            },
            "Scan" => {
                // All items are in the first segment.
                let first = request["Segment"].as_u64().unwrap_or(0) == 0;
                let items = if first { table.all() } else { vec![] };
                ok(json!({ "Count": items.len(), "ScannedCount": items.len(), "Items": items }))
            }
            "Query" => ok(json!({ "Items": table.query(&request) })),
            "PutItem" => match table.put_if(&name, &request) {
                Ok(()) => ok(json!({})),
                Err(refused) => refuse(refused),
            },
            "UpdateItem" => match (table.update(&name, &request), &request["ReturnValues"]) {
                (Ok((_, after)), values) if values == "ALL_NEW" => {
                    ok(json!({ "Attributes": after }))
                }
                (Ok((before, _)), values) if values == "ALL_OLD" => {
                    ok(json!({ "Attributes": before }))
                }
                (Ok(_), _) => ok(json!({})),
                (Err(refused), _) => refuse(refused),
            },
            other => panic!("{other} is not expected"),
        }
    }

    fn batch(
        &mut self,
        asked: &Asked,
        operation: &str,
        requests: &serde_json::Map<String, Value>,
    ) -> Reply {
        let mut responses = json!({});
        for (full, request) in requests {
            let (name, table) = self.table(asked, operation, full);
            if operation == "BatchGetItem" {
                let keys = request["Keys"].as_array().unwrap().iter();
                let items = keys.filter_map(|key| table.get(&name, key.as_object().unwrap()));
                responses[full] = items.collect();
                continue;
            }
            for write in request.as_array().unwrap() {
                match write["PutRequest"]["Item"].as_object() {
                    Some(item) => table.put(&name, item.clone()),
                    None => {
                        table.delete(&name, write["DeleteRequest"]["Key"].as_object().unwrap());
                    }
                }
            }
        }
        ok(json!({ "Responses": responses, "UnprocessedKeys": {}, "UnprocessedItems": {} }))
    }

    fn sqs(&mut self, asked: &Asked, operation: &str) -> Reply {
        let request: Value = serde_json::from_str(&asked.body).unwrap();
        let name = request["QueueName"].as_str().or(request["QueueUrl"].as_str()).unwrap();
        let name = name.rsplit('/').next().unwrap();
        let queue = ours(name.trim_end_matches(".fifo"));
        self.record(asked, call("sqs", operation, &queue));
        if operation == "GetQueueUrl" {
            return ok(json!({ "QueueUrl": format!("http://queues.example/1/{name}") }));
        }
        let entries = request["Entries"].as_array().unwrap();
        let waiting = self.queues.entry(queue).or_default();
        waiting.extend(
            entries.iter().filter_map(|entry| entry["MessageBody"].as_str().map(Into::into)),
        );
        let done =
            |entry: &Value| json!({ "Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "" });
        ok(json!({ "Successful": entries.iter().map(done).collect::<Vec<_>>(), "Failed": [] }))
    }

    fn secrets(&mut self, asked: &Asked, operation: &str) -> Reply {
        assert_eq!(operation, "GetSecretValue");
        let request: Value = serde_json::from_str(&asked.body).unwrap();
        let full = request["SecretId"].as_str().unwrap();
        let name = full.strip_prefix(&format!("{STACK}/")).unwrap();
        self.record(asked, call("secretsmanager", operation, name));
        ok(json!({ "Name": full, "SecretString": self.secrets[name] }))
    }

    /// Publishes to the one subscriber.
    fn publish(&mut self, asked: &Asked, form: &BTreeMap<String, String>) -> Reply {
        let topic = ours(form["TopicArn"].rsplit(':').next().unwrap());
        self.record(asked, call("sns", "PublishBatch", &topic));
        let bodies = (1..)
            .map_while(|at| form.get(&format!("PublishBatchRequestEntries.member.{at}.Message")));
        let bodies: Vec<String> = bodies.cloned().collect();
        let done = (0..bodies.len()).map(|id| format!("<member><Id>{id}</Id></member>"));
        let done: String = done.collect();
        self.queues.entry("provider".to_owned()).or_default().extend(bodies);
        Reply::new(
            200,
            format!(
                "<PublishBatchResponse xmlns=\"{XML}\"><PublishBatchResult><Failed/>\
                 <Successful>{done}</Successful></PublishBatchResult></PublishBatchResponse>"
            ),
        )
    }
}

/// Returns a name without the stack.
fn ours(name: &str) -> String {
    name.strip_prefix(&format!("{STACK}-")).unwrap_or_else(|| panic!("{name}?")).to_owned()
}

fn ok(body: Value) -> Reply {
    Reply::new(200, body.to_string())
}

fn refuse(Refused(item): Refused) -> Reply {
    let code = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
    let mut refusal = json!({ "__type": code, "message": "refused" });
    if !item.is_empty() {
        refusal["Item"] = Value::Object(item);
    }
    Reply::new(400, refusal.to_string())
}

/// Parses a field of a form.
fn field(pair: &str) -> Option<(String, String)> {
    let (name, value) = pair.split_once('=')?;
    let mut bytes = vec![];
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(str::from_utf8(&digits).ok()?, 16).ok()?
            }
            other => other,
        });
    }
    Some((name.to_owned(), String::from_utf8(bytes).ok()?))
}
