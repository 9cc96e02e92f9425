//! Connects to a gateway from the registry, after checking that its port is not another server's by now.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1::{self, Parts, SendRequest};
use hyper::header::HOST;
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::registry::{GatewayRecord, GatewayRegistry};
use super::secret::Challenge;
use crate::ports::{Randomness as _, SystemRandomness};

const PATIENCE: Duration = Duration::from_secs(2);
/// No reply of `/health` is longer.
const MAX_BYTES: usize = 4096;

/// Why a gateway cannot be used.
#[derive(Debug, Error)]
pub enum ProbeError {
    /// No connection to it can be opened.
    #[error("gateway {endpoint} cannot be reached")]
    Unreachable {
        /// The gateway's endpoint.
        endpoint: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The gateway accepts a connection and does not answer.
    #[error("gateway {endpoint} did not answer within {} s", PATIENCE.as_secs())]
    Silent {
        /// The gateway's endpoint.
        endpoint: String,
    },
    /// The server may be the gateway, and accepts no connection now.
    #[error("gateway {endpoint} accepts no more connections")]
    Busy {
        /// The gateway's endpoint.
        endpoint: String,
    },
    /// Another server has its port now.
    #[error("gateway {endpoint} is gone, and another server has its port")]
    Another {
        /// The gateway's endpoint.
        endpoint: String,
    },
    /// The entries of this machine's gateways cannot be read now.
    #[error("whether gateway {endpoint} is on this machine cannot be read")]
    Unlisted {
        /// The endpoint.
        endpoint: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// No gateway with this endpoint is registered.
    #[error("no gateway at {endpoint} is known on this machine")]
    Unknown {
        /// The endpoint.
        endpoint: String,
    },
}

impl ProbeError {
    /// Whether the gateway is known to have ended.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        match self {
            // Any other error, such as too many open files, is this process's own.
            Self::Unreachable { source, .. } => source.kind() == io::ErrorKind::ConnectionRefused,
            Self::Another { .. } | Self::Unknown { .. } => true,
            Self::Silent { .. } | Self::Busy { .. } | Self::Unlisted { .. } => false,
        }
    }
}

/// The result of a challenge.
enum ChallengeResult {
    Proven,
    NotNow,
    NotProven,
}

/// Returns the running gateway of an engine on this machine. Removes the entries of gateways that died.
pub async fn running(registry: &GatewayRegistry, engine: &str) -> Option<GatewayRecord> {
    for record in registry.records().into_iter().filter(|record| record.engine == engine) {
        match probe(&record).await {
            Ok(()) => return Some(record),
            Err(error) if error.is_dead() => registry.forget(&record),
            Err(_) => {}
        }
    }
    None
}

/// Checks that a gateway runs, and that it made the entry.
///
/// # Errors
/// Returns [`ProbeError`].
pub async fn probe(record: &GatewayRecord) -> Result<(), ProbeError> {
    connect(record).await.map(drop)
}

/// Opens a connection to a gateway and has it prove that it made the entry. The connection may then be
/// used for any request, and the gateway knows that its client may read the entry.
///
/// # Errors
/// Returns [`ProbeError`]. In this case only a challenge was sent.
pub async fn connect(record: &GatewayRecord) -> Result<TcpStream, ProbeError> {
    let endpoint = || record.endpoint.clone();
    let Some(address) = address(&record.endpoint) else {
        return Err(ProbeError::Unknown { endpoint: endpoint() });
    };
    let proven = async {
        let opened = TcpStream::connect(address).await.and_then(|stream| {
            stream.set_nodelay(true)?;
            Ok(stream)
        });
        let stream =
            opened.map_err(|source| ProbeError::Unreachable { endpoint: endpoint(), source })?;
        challenge(stream, record).await
    };
    let silent = |_| ProbeError::Silent { endpoint: endpoint() };
    timeout(PATIENCE, proven).await.map_err(silent)?
}

/// Parses the address of an endpoint. It is an IP address, so no name is looked up.
fn address(endpoint: &str) -> Option<SocketAddr> {
    endpoint.parse::<Uri>().ok()?.authority()?.as_str().parse().ok()
}

/// Requests `/health`, and returns the connection if the reply contains the proof.
async fn challenge(stream: TcpStream, record: &GatewayRecord) -> Result<TcpStream, ProbeError> {
    let endpoint = || record.endpoint.clone();
    let busy = |_| ProbeError::Busy { endpoint: endpoint() };
    let another = || ProbeError::Another { endpoint: endpoint() };
    let challenge = Challenge::new(record.secret.clone(), SystemRandomness.bits());
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(busy)?;
    let (answer, connection) =
        tokio::join!(ask(sender, &challenge, record), connection.without_shutdown());
    match (answer, connection) {
        (Ok(ChallengeResult::Proven), Ok(Parts { io, read_buf, .. })) if read_buf.is_empty() => {
            Ok(io.into_inner())
        }
        (Ok(ChallengeResult::NotProven), _) => Err(another()),
        // The server does not speak HTTP.
        (Err(error), _) if error.is_parse() => Err(another()),
        // A full gateway may break off before it sends its reply.
        (Ok(ChallengeResult::NotNow | ChallengeResult::Proven) | Err(_), _) => {
            Err(ProbeError::Busy { endpoint: endpoint() })
        }
    }
}

async fn ask(
    mut sender: SendRequest<Empty<Bytes>>,
    challenge: &Challenge,
    record: &GatewayRecord,
) -> Result<ChallengeResult, hyper::Error> {
    let host = record.endpoint.trim_start_matches("http://");
    let mut request = Request::get("/health").header(HOST, host);
    for (name, value) in challenge.headers().into_iter().flatten() {
        request = request.header(name, value);
    }
    let Ok(request) = request.body(Empty::new()) else { return Ok(ChallengeResult::NotProven) };
    let response = sender.send_request(request).await?;
    let (head, body) = response.into_parts();
    match head.status {
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
            Ok(ChallengeResult::NotNow)
        }
        StatusCode::OK if challenge.is_met(&head.headers) => {
            // The rest of the reply must be read before the connection can be used again.
            let whole = Limited::new(body, MAX_BYTES).collect().await.is_ok();
            Ok(if whole { ChallengeResult::Proven } else { ChallengeResult::NotNow })
        }
        _ => Ok(ChallengeResult::NotProven),
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    fn record(address: SocketAddr) -> GatewayRecord {
        GatewayRecord::of_test("mine", &format!("http://{address}"))
    }

    /// Starts a server that gives the same reply to any request.
    async fn answering(reply: &'static str) -> GatewayRecord {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 1024]).await.unwrap();
            stream.write_all(reply.as_bytes()).await.unwrap();
        });
        record(address)
    }

    #[tokio::test]
    async fn who_only_says_what_the_gateway_said_is_another() {
        for other in [
            "HTTP/1.1 200 OK\r\ncontent-length: 19\r\n\r\n{\"instance\":\"mine\"}",
            "HTTP/1.1 200 OK\r\nocache-proof: AAAA\r\ncontent-length: 2\r\n\r\nhi",
            "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
            "220 mail.example.com ESMTP\r\n",
        ] {
            let error = probe(&answering(other).await).await.unwrap_err();
            assert!(matches!(error, ProbeError::Another { .. }) && error.is_dead(), "{error:?}");
        }
    }

    #[tokio::test]
    async fn one_that_nobody_listens_for_is_dead() {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let error = probe(&record(free)).await.unwrap_err();
        assert!(matches!(error, ProbeError::Unreachable { .. }) && error.is_dead());
        let strange = GatewayRecord { endpoint: "http://example.com".into(), ..record(free) };
        assert!(probe(&strange).await.unwrap_err().is_dead(), "no gateway has such an endpoint");
    }

    #[tokio::test]
    async fn one_that_is_full_is_not_dead() {
        for full in ["HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n", ""] {
            let error = probe(&answering(full).await).await.unwrap_err();
            assert!(matches!(error, ProbeError::Busy { .. }) && !error.is_dead(), "{error:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_does_not_answer_may_only_be_slow() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let record = record(listener.local_addr().unwrap());
        tokio::spawn(async move {
            let taken = listener.accept().await;
            pending::<()>().await;
            drop(taken);
        });
        let error = probe(&record).await.unwrap_err();
        assert!(matches!(error, ProbeError::Silent { .. }) && !error.is_dead(), "{error:?}");
    }
}
