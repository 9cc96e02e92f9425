//! HTTP/1.1 over connections that stay open: a load generator, and a bare server for comparison.

use std::convert::Infallible;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hdrhistogram::Histogram;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;

/// A request that is sent again and again, among others.
pub struct Asked {
    pub method: Method,
    pub target: String,
    pub body: Bytes,
}

/// The results of requests.
pub struct HttpTally {
    pub answered: u64,
    pub took: Duration,
    /// The times until the answers, in microseconds.
    pub until_answered: Histogram<u64>,
}

impl HttpTally {
    pub fn begin() -> Self {
        let until_answered = Histogram::new(3).expect("times can be counted");
        Self { answered: 0, took: Duration::ZERO, until_answered }
    }

    pub fn merge(&mut self, other: &Self) {
        self.answered += other.answered;
        self.took += other.took;
        self.until_answered.add(&other.until_answered).expect("both count alike");
    }

    pub fn per_sec(&self) -> f64 {
        self.answered as f64 / self.took.as_secs_f64()
    }

    pub fn millis(&self, quantile: f64) -> f64 {
        self.until_answered.value_at_quantile(quantile) as f64 / 1e3
    }
}

/// Makes one request. Returns the status and the body.
pub async fn exchange(url: &str, asked: &Asked) -> (StatusCode, Bytes) {
    let mut connection = Connection::open(address(url)).await;
    connection.exchange(asked).await
}

/// Sends requests over this many connections, one after the other on each, until the time is over. All of
/// them must be answered with 200.
pub async fn send(
    url: &str,
    requests: Rc<Vec<Asked>>,
    connections: usize,
    time: Duration,
) -> HttpTally {
    let address = address(url).to_owned();
    let begun = Instant::now();
    let local = LocalSet::new();
    let all = (0..connections).map(|number| {
        let (requests, address) = (requests.clone(), address.clone());
        local.spawn_local(async move {
            let mut tally = HttpTally::begin();
            let mut connection = Connection::open(&address).await;
            let mut next = number * requests.len() / connections;
            while begun.elapsed() < time {
                let sent = Instant::now();
                let (status, _) = connection.exchange(&requests[next]).await;
                assert_eq!(status, StatusCode::OK, "{}", requests[next].target);
                let micros = u64::try_from(sent.elapsed().as_micros()).unwrap_or(u64::MAX);
                tally.until_answered.record(micros).expect("any time can be counted");
                tally.answered += 1;
                next = (next + 1) % requests.len();
            }
            tally
        })
    });
    let all: Vec<_> = all.collect();
    let mut sum = HttpTally::begin();
    local
        .run_until(async {
            for one in all {
                sum.merge(&one.await.expect("a connection does not fail"));
            }
        })
        .await;
    sum.took = begun.elapsed();
    sum
}

struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: String,
}

impl Connection {
    async fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.expect("the server takes connections");
        stream.set_nodelay(true).expect("the socket takes options");
        let (sender, connection) =
            handshake(TokioIo::new(stream)).await.expect("the server speaks HTTP");
        tokio::task::spawn(connection);
        Self { sender, host: address.to_owned() }
    }

    async fn exchange(&mut self, asked: &Asked) -> (StatusCode, Bytes) {
        let request = Request::builder()
            .method(asked.method.clone())
            .uri(&asked.target)
            .header(HOST, &self.host)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(asked.body.clone()))
            .expect("the request is one");
        self.sender.ready().await.expect("the connection stays open");
        let reply = self.sender.send_request(request).await.expect("the server answers");
        let status = reply.status();
        let body = reply.into_body().collect().await.expect("the answer is whole");
        (status, body.to_bytes())
    }
}

fn address(url: &str) -> &str {
    url.trim_start_matches("ws://").trim_end_matches('/')
}

/// Serves the text of a file to every request, until the process ends.
pub fn serve(file: &Path) {
    let body = Bytes::from(std::fs::read(file).expect("the file can be read"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime can be started").block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        // In the form of the other servers of this program.
        println!("ws://{}", listener.local_addr().expect("it has an address"));
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let body = body.clone();
            let service = service_fn(move |_| {
                let mut reply = Response::new(Full::new(body.clone()));
                let json = hyper::header::HeaderValue::from_static("application/json");
                reply.headers_mut().insert(CONTENT_TYPE, json);
                async move { Ok::<_, Infallible>(reply) }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
}
