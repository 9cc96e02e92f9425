//! The stack as its outputs describe it, and calls to AWS that ocache itself never makes.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::process::Home;
use super::websocket::Socket;

/// The variable that names the file with the output of `terraform output -json`.
const OUTPUTS: &str = "OCACHE_TEST_DEPLOYED";
/// The variable with the endpoint of the local AWS.
const ENDPOINT: &str = "OCACHE_TEST_ENDPOINT_URL";

/// Gives one test at a time the stack, because some tests stop functions, and some look into all queues.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The deployed stack.
pub struct Stack {
    /// The home of the client.
    pub home: Home,
    pub endpoint: String,
    outputs: Value,
    _alone: MutexGuard<'static, ()>,
}

/// Runs a test on the stack, and checks that no role had too few rights for it.
pub fn on_the_stack(test: impl FnOnce(&Stack)) {
    let [outputs, endpoint] = [OUTPUTS, ENDPOINT].map(|name| std::env::var(name).unwrap());
    let alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let outputs = serde_json::from_slice(&std::fs::read(outputs).unwrap()).unwrap();
    let mut home = Home::new();
    // A local AWS takes these for the credentials of the account itself.
    home.environment = &[("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];
    let stack = Stack { home, endpoint, outputs, _alone: alone };
    stack.ok(&["load", concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/")]);
    test(&stack);
    for function in stack.functions() {
        let denied: Vec<_> =
            stack.log(&function).into_iter().filter(|line| line.contains("denied")).collect();
        assert!(denied.is_empty(), "{function} may not do what it did: {denied:#?}");
    }
}

impl Stack {
    pub fn name(&self) -> &str {
        self.outputs["environment"]["value"]["OCACHE_STACK"].as_str().unwrap()
    }

    /// Returns an output of Terraform.
    pub fn output(&self, name: &str) -> &str {
        self.outputs[name]["value"].as_str().unwrap()
    }

    /// Returns the id and the secret of a user who has one of the operators' policies and nothing else.
    pub fn access_key(&self, policy: &str) -> [String; 2] {
        let key = &self.outputs["access_keys"]["value"][policy];
        ["id", "secret"].map(|part| key[part].as_str().unwrap().to_owned())
    }

    /// Returns arguments with the flags that choose the stack.
    pub fn args<'a>(&'a self, args: &[&'a str]) -> Vec<&'a str> {
        [args, &["--endpoint-url", &self.endpoint, "--stack", self.name()]].concat()
    }

    pub fn ok(&self, args: &[&str]) -> String {
        self.home.ok(&self.args(args))
    }

    pub fn json(&self, args: &[&str]) -> Value {
        self.home.json(&self.args(args))
    }

    /// Returns the JSON of a command that may fail.
    pub fn try_json(&self, args: &[&str]) -> Option<Value> {
        let output = self.home.run(&[&self.args(args)[..], &["--output", "json"]].concat());
        output.status.success().then(|| serde_json::from_slice(&output.stdout).unwrap())
    }

    /// Makes a token with these arguments of `ocache token`.
    pub fn token(&self, args: &[&str]) -> String {
        self.ok(&[&["token"], args].concat()).trim().to_owned()
    }

    /// Returns the address at which a local AWS accepts websockets of the stack.
    pub fn websocket(&self) -> String {
        let address = self.endpoint.strip_prefix("http://").unwrap();
        format!("ws://{address}/_aws/execute-api/{}/live", self.output("websocket_api_id"))
    }

    /// Opens a websocket that may quote for every user.
    pub fn socket(&self) -> Socket {
        Socket::open(&self.websocket(), &self.token(&["--every-client"]))
    }

    /// Sends `PUT /subscribe` to the HTTP API, with a token for every user.
    pub fn subscribe(&self, user: &str) -> (u16, Value) {
        self.subscribe_with(Some(&self.token(&["--every-client"])), user)
    }

    pub fn subscribe_with(&self, token: Option<&str>, user: &str) -> (u16, Value) {
        let body = json!({ "user_id": user }).to_string();
        self.http(token, "PUT", "/subscribe", "application/json", &body)
    }

    /// Sends a request to the HTTP API.
    pub fn http(
        &self,
        token: Option<&str>,
        method: &str,
        path: &str,
        content: &str,
        body: &str,
    ) -> (u16, Value) {
        let api = self.output("http_api_id");
        let path = format!("/_aws/execute-api/{api}/$default{path}");
        let bearer = |token| format!("authorization: Bearer {token}\r\n");
        let headers = token.map_or_else(String::new, bearer);
        self.send(method, &path, &format!("{headers}content-type: {content}\r\n"), body)
    }

    /// Starts or stops the delivery of a queue to its function.
    pub fn deliver(&self, queue: &str, enabled: bool) {
        let id = self.outputs["event_source_mappings"]["value"][queue].as_str().unwrap();
        let path = format!("/2015-03-31/event-source-mappings/{id}");
        let headers = signed_for("lambda");
        let (status, said) = self.call("PUT", &path, &headers, &json!({ "Enabled": enabled }));
        assert_eq!(status / 100, 2, "{said}");
    }

    /// Calls an operation of a JSON protocol.
    pub fn operation(&self, service: &str, target: &str, body: &Value) -> Value {
        let (status, said) = self.try_operation(service, target, body, "");
        assert_eq!(status, 200, "{target}: {said}");
        said
    }

    /// Calls an operation that may be refused, with further headers.
    pub fn try_operation(
        &self,
        service: &str,
        target: &str,
        body: &Value,
        headers: &str,
    ) -> (u16, Value) {
        let headers = format!("{}x-amz-target: {target}\r\n{headers}", signed_for(service));
        self.call("POST", "/", &headers, body)
    }

    /// Returns the lines that a function has logged.
    pub fn log(&self, function: &str) -> Vec<String> {
        let group = format!("/aws/lambda/{function}");
        let said = self.operation(
            "logs",
            "Logs_20140328.FilterLogEvents",
            &json!({ "logGroupName": group, "limit": 10_000 }),
        );
        let lines = said["events"].as_array().unwrap().iter();
        lines.map(|line| line["message"].as_str().unwrap().to_owned()).collect()
    }

    fn functions(&self) -> Vec<String> {
        let names = self.outputs["functions"]["value"].as_object().unwrap().values();
        names.map(|name| name.as_str().unwrap().to_owned()).collect()
    }

    fn call(&self, method: &str, path: &str, headers: &str, body: &Value) -> (u16, Value) {
        let headers = format!("{headers}content-type: application/x-amz-json-1.0\r\n");
        self.send(method, path, &headers, &body.to_string())
    }

    fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, Value) {
        let address = self.endpoint.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{headers}\
             content-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        let (head, body) = reply.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or_else(|_| body.into()))
    }
}

/// Returns the header by which a local AWS knows the service. It does not check the account's own
/// signature.
fn signed_for(service: &str) -> String {
    let scope = format!("Credential=test/20260101/us-east-1/{service}/aws4_request");
    format!("authorization: AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0\r\n")
}
