//! A server on loopback that answers from a script and remembers its requests.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use crate::aws::backoff::Backoff;
use crate::aws::client::AwsClients;
use crate::aws::engine::Aws;
use crate::aws::names::Names;
use crate::aws::queue_client::Timeouts;
use crate::ports::Randomness;

/// One answer.
#[derive(Clone)]
pub struct ScriptedAnswer {
    status: u16,
    body: String,
    delay: Duration,
}

pub fn ok(body: impl Into<String>) -> ScriptedAnswer {
    status(200, body)
}

pub fn status(status: u16, body: impl Into<String>) -> ScriptedAnswer {
    ScriptedAnswer { status, body: body.into(), delay: Duration::ZERO }
}

/// Returns the answer of DynamoDB that has this item.
pub fn got(item: &Value) -> ScriptedAnswer {
    ok(json!({ "Item": item }).to_string())
}

/// Returns an error of the JSON protocols.
pub fn error(code: &str) -> ScriptedAnswer {
    status(400, format!(r#"{{"__type":"com.amazonaws#{code}","message":"said the service"}}"#))
}

/// Returns the answer for a condition that failed on this item.
pub fn refused(item: &Value) -> ScriptedAnswer {
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
        "message": "The conditional request failed",
        "Item": item,
    });
    status(400, body.to_string())
}

impl ScriptedAnswer {
    /// Delays the answer, as a long poll does.
    pub fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct RecordedRequest {
    /// The operation, in the JSON protocols.
    pub operation: String,
    pub path: String,
    pub body: String,
}

impl RecordedRequest {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// The server, and an engine that is connected to it.
pub struct Script {
    pub aws: Aws,
    pub endpoint: String,
    state: Arc<ScriptState>,
}

struct ScriptState {
    answers: Mutex<VecDeque<ScriptedAnswer>>,
    asked: Mutex<Vec<RecordedRequest>>,
}

/// Randomness that always has the same bits, so that a test knows every nonce.
pub struct Sevens;

impl Randomness for Sevens {
    fn bits(&self) -> [u8; 16] {
        [7; 16]
    }
}

/// The nonce that [`Sevens`] gives.
pub const NONCE: &str = "07070707070707070707070707070707";
/// How many rounds in a row may make no progress.
pub const ROUNDS: u32 = 2;
/// How long an attempt may take, apart from a long poll's wait.
pub const ATTEMPT: Duration = Duration::from_millis(500);

impl Script {
    /// Starts a server with these answers, and an engine whose SDK attempts every call up to `max_attempts`
    /// times.
    pub async fn new(max_attempts: u32, answers: impl IntoIterator<Item = ScriptedAnswer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(ScriptState {
            answers: Mutex::new(answers.into_iter().collect()),
            asked: Mutex::default(),
        });
        tokio::spawn(accept(listener, Arc::clone(&state)));
        let aws = engine(&endpoint, max_attempts);
        Self { aws, endpoint, state }
    }

    /// Returns all requests so far.
    pub fn asked(&self) -> Vec<RecordedRequest> {
        self.state.asked.lock().unwrap().clone()
    }

    /// Returns the operations of all requests so far.
    pub fn operations(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.operation).collect()
    }
}

/// Returns an engine for an endpoint.
pub fn engine(endpoint: &str, max_attempts: u32) -> Aws {
    let credentials = Credentials::new("test", "test", None, None, "test");
    let retry = RetryConfig::standard().with_max_attempts(max_attempts);
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT).build();
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(retry.with_initial_backoff(Duration::from_millis(1)))
        .timeout_config(timeouts)
        .build();
    let names = Names::new("test").unwrap();
    let clients = AwsClients::from_config(config, names, "eu-west-1".to_owned(), None);
    let timeouts = Timeouts { attempt: ATTEMPT, operation: ATTEMPT * 10 };
    let millisecond = Duration::from_millis(1);
    let backoff = Backoff { base: millisecond, cap: millisecond, rounds: ROUNDS };
    Aws::new(clients, timeouts, backoff, Arc::new(Sevens))
}

async fn accept(listener: TcpListener, state: Arc<ScriptState>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, Arc::clone(&state)));
    }
}

async fn serve(stream: TcpStream, state: Arc<ScriptState>) {
    let service = service_fn(|request| answer(request, &state));
    // In some tests the client goes away in the middle.
    drop(
        hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await,
    );
}

async fn answer(
    request: Request<Incoming>,
    state: &ScriptState,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
    let operation = target.and_then(|target| target.split('.').next_back()).unwrap_or_default();
    let (operation, path) = (operation.to_owned(), request.uri().path().to_owned());
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let body = String::from_utf8_lossy(&body).into_owned();
    state.asked.lock().unwrap().push(RecordedRequest { operation, path, body });
    let answer = state.answers.lock().unwrap().pop_front();
    let answer = answer.unwrap_or_else(|| status(500, "the script is over"));
    tokio::time::sleep(answer.delay).await;
    let response = Response::builder().status(answer.status);
    Ok(response.body(Full::from(answer.body)).unwrap())
}
