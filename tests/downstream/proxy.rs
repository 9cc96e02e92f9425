//! A proxy that passes requests on to a local AWS, until it is told to fail.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::replies::{Service, broken, halved, throttled, undone, with_field};

/// How the proxy fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It does not listen.
    Refuses,
    /// It accepts connections and reads requests, but does not answer.
    Silent,
    /// It breaks connections, every other time after the request was done.
    Resets,
    /// It delays every answer by this time.
    Slow(Duration),
    /// It answers every request with a 500.
    Fails,
    /// It throttles every request.
    Throttles,
    /// It does nothing of any batch.
    Undone,
    /// It leaves the second half of every batch of the tables undone.
    Halves,
}

/// A fault and its service. Without a service all are affected.
type Trouble = Option<(Fault, Option<Service>)>;

/// What passed through the proxy.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// How often each operation was requested.
    pub requests: BTreeMap<String, u64>,
    /// How many messages were received.
    pub messages: u64,
    /// The highest receive count of a message.
    pub most_receives: u64,
}

impl Counts {
    pub fn of(&self, operation: &str) -> u64 {
        self.requests.get(operation).copied().unwrap_or_default()
    }

    pub fn total(&self) -> u64 {
        self.requests.values().sum()
    }
}

pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

struct Shared {
    /// The endpoint of the local AWS.
    upstream: String,
    trouble: watch::Sender<Trouble>,
    counts: Mutex<Counts>,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// Breaks the connection instead of answering.
#[derive(Debug, thiserror::Error)]
#[error("the proxy breaks the connection")]
struct Broken;

impl Proxy {
    /// Starts a proxy to an endpoint, without a fault.
    pub async fn start(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            upstream: upstream.to_owned(),
            trouble: watch::Sender::new(None),
            counts: Mutex::default(),
            client: Client::builder(TokioExecutor::new()).build_http(),
        });
        let accepting = tokio::spawn(accept(listener, address, shared.clone()));
        Self { address, shared, accepting }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Begins a fault, for one service or for all, and forgets what was counted.
    pub fn break_with(&self, fault: Fault, service: Option<Service>) {
        *self.shared.counts() = Counts::default();
        self.shared.trouble.send_replace(Some((fault, service)));
    }

    /// Ends the fault. Returns what was requested meanwhile.
    pub fn mend(&self) -> Counts {
        self.shared.trouble.send_replace(None);
        std::mem::take(&mut *self.shared.counts())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Shared {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count_messages(&self, answer: &[u8]) {
        let Ok(answer) = serde_json::from_slice::<Value>(answer) else { return };
        let Some(messages) = answer["Messages"].as_array() else { return };
        let mut counts = self.counts();
        for message in messages {
            counts.messages += 1;
            let receives = message["Attributes"]["ApproximateReceiveCount"].as_str();
            let receives = receives.and_then(|count| count.parse().ok()).unwrap_or_default();
            counts.most_receives = counts.most_receives.max(receives);
        }
    }

    fn trouble_with(&self, service: Service) -> Option<Fault> {
        let trouble = *self.trouble.borrow();
        trouble.filter(|(_, of)| of.is_none_or(|of| of == service)).map(|(fault, _)| fault)
    }
}

/// Accepts connections while it may. A port that was released is bound again at the end of the fault.
async fn accept(listener: TcpListener, address: SocketAddr, shared: Arc<Shared>) {
    let mut listener = Some(listener);
    let mut trouble = shared.trouble.subscribe();
    let mut connections = JoinSet::new();
    loop {
        if matches!(*trouble.borrow_and_update(), Some((Fault::Refuses, _))) {
            listener = None;
            connections.shutdown().await;
        } else if listener.is_none() {
            listener = Some(bound_again(address).await);
        }
        let next = async {
            match &listener {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = trouble.changed() => if changed.is_err() { return },
            Ok((stream, _)) = next => {
                connections.spawn(serve(stream, shared.clone()));
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn bound_again(address: SocketAddr) -> TcpListener {
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(error) => panic!("{address}: {error}"),
        }
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(|request| answer(request, &shared));
    // Broken connections are the purpose of this proxy.
    drop(
        hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await,
    );
}

/// Returns the service of a request, and its operation.
fn operation(head: &Parts, body: &[u8]) -> (Service, String) {
    let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    if let Some((service, operation)) = target.and_then(|target| target.split_once('.')) {
        let is_queue = service.starts_with("AmazonSQS");
        let service = if is_queue { Service::Sqs } else { Service::DynamoDb };
        return (service, operation.to_owned());
    }
    let form = String::from_utf8_lossy(body);
    let action = form.split('&').find_map(|field| field.strip_prefix("Action="));
    let operation = action.unwrap_or_default().to_owned();
    let is_identity = operation == "GetCallerIdentity";
    (if is_identity { Service::Sts } else { Service::Sns }, operation)
}

async fn answer(
    request: Request<Incoming>,
    shared: &Shared,
) -> Result<Response<Full<Bytes>>, Broken> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Broken)?.to_bytes();
    let (service, operation) = operation(&head, &body);
    let count = {
        let mut counts = shared.counts();
        let count = counts.requests.entry(operation.clone()).or_default();
        *count += 1;
        *count
    };
    match shared.trouble_with(service) {
        None => {}
        Some(Fault::Slow(delay)) => tokio::time::sleep(delay).await,
        Some(Fault::Silent) => std::future::pending().await,
        Some(Fault::Refuses) => return Err(Broken),
        Some(Fault::Resets) => {
            if count.is_multiple_of(2) {
                forward(&head, body, shared).await?;
            }
            return Err(Broken);
        }
        Some(Fault::Fails) => return Ok(broken(service)),
        Some(Fault::Throttles) => return Ok(throttled(service)),
        Some(Fault::Undone) => {
            if let Some(reply) = undone(&operation, &body) {
                return Ok(reply);
            }
        }
        Some(Fault::Halves) => {
            if let Some((half, field, rest)) = halved(&operation, &body) {
                let answer = forward(&head, half, shared).await?;
                return Ok(with_field(answer, field, rest));
            }
        }
    }
    let answer = forward(&head, body, shared).await?;
    if operation == "ReceiveMessage" {
        shared.count_messages(answer.body());
    }
    Ok(answer.map(Full::new))
}

async fn forward(head: &Parts, body: Bytes, shared: &Shared) -> Result<Response<Bytes>, Broken> {
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let uri = format!("{}{path}", shared.upstream);
    let mut request = Request::builder().method(head.method.clone()).uri(uri);
    for (name, value) in &head.headers {
        // The other headers are about the original body, or about the connection.
        if !["content-length", "host", "connection"].contains(&name.as_str()) {
            request = request.header(name, value);
        }
    }
    let request = request.body(Full::new(body)).map_err(|_| Broken)?;
    let answer = shared.client.request(request).await.map_err(|_| Broken)?;
    let (mut head, body) = answer.into_parts();
    head.headers.remove("content-length");
    head.headers.remove("transfer-encoding");
    // The checksum is of the whole answer, which may be changed.
    head.headers.remove("x-amz-crc32");
    let body = body.collect().await.map_err(|_| Broken)?.to_bytes();
    Ok(Response::from_parts(head, body))
}
