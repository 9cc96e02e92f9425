//! Whether a gateway that entered itself still runs: its port may be another's by now.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use thiserror::Error;
use tokio::time::timeout;

use super::registry::GatewayRecord;

const PATIENCE: Duration = Duration::from_secs(2);
/// More than any health is long.
const MAX_BYTES: usize = 4096;

/// Why a gateway cannot be used.
#[derive(Debug, Error)]
pub enum ProbeError {
    /// Nobody listens there any more.
    #[error("gateway {endpoint} cannot be reached")]
    Unreachable {
        /// Its endpoint.
        endpoint: String,
        /// Why.
        #[source]
        source: ClientError,
    },
    /// It listens, and does not answer.
    #[error("gateway {endpoint} did not answer within {} s", PATIENCE.as_secs())]
    Silent {
        /// Its endpoint.
        endpoint: String,
    },
    /// Another server has its port now.
    #[error("gateway {endpoint} is gone, and another server has its port")]
    Another {
        /// Its endpoint.
        endpoint: String,
    },
}

impl ProbeError {
    /// Whether the gateway is known to have ended.
    #[must_use]
    pub const fn is_dead(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Another { .. })
    }
}

#[derive(Deserialize)]
struct Health {
    instance: String,
}

/// Asks a gateway for its health, and sees that it is the one that made the entry.
///
/// # Errors
/// [`ProbeError`].
pub async fn probe(record: &GatewayRecord) -> Result<(), ProbeError> {
    let endpoint = || record.endpoint.clone();
    match timeout(PATIENCE, instance(&record.endpoint)).await {
        Ok(Ok(Some(instance))) if instance == record.instance => Ok(()),
        Ok(Ok(_)) => Err(ProbeError::Another { endpoint: endpoint() }),
        Ok(Err(source)) => Err(ProbeError::Unreachable { endpoint: endpoint(), source }),
        Err(_) => Err(ProbeError::Silent { endpoint: endpoint() }),
    }
}

/// The instance that the server there says it is; none when what it says is not ocache's.
async fn instance(endpoint: &str) -> Result<Option<String>, ClientError> {
    let Ok(uri) = format!("{endpoint}/health").parse() else { return Ok(None) };
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let response = match client.get(uri).await {
        Ok(response) => response,
        Err(error) if error.is_connect() => return Err(error),
        // Somebody took the connection and does not speak HTTP.
        Err(_) => return Ok(None),
    };
    let Ok(body) = Limited::new(response.into_body(), MAX_BYTES).collect().await else {
        return Ok(None);
    };
    let health = serde_json::from_slice::<Health>(&body.to_bytes());
    Ok(health.ok().map(|health| health.instance))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    async fn answering(reply: &'static str) -> GatewayRecord {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 1024]).await.unwrap();
            stream.write_all(reply.as_bytes()).await.unwrap();
        });
        GatewayRecord {
            websocket: format!("ws://{address}"),
            endpoint: format!("http://{address}"),
            instance: "mine".into(),
            engine: "embedded".into(),
            pid: 1,
            keys: None,
        }
    }

    #[tokio::test]
    async fn only_the_gateway_that_entered_itself_is_it() {
        let health = "HTTP/1.1 200 OK\r\ncontent-length: 19\r\n\r\n{\"instance\":\"mine\"}";
        assert!(probe(&answering(health).await).await.is_ok());
        for other in [
            "HTTP/1.1 200 OK\r\ncontent-length: 19\r\n\r\n{\"instance\":\"your\"}",
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi",
            "220 mail.example.com ESMTP\r\n",
        ] {
            let error = probe(&answering(other).await).await.unwrap_err();
            assert!(matches!(error, ProbeError::Another { .. }), "{error:?}");
        }
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let gone = GatewayRecord { endpoint: format!("http://{free}"), ..answering("").await };
        let error = probe(&gone).await.unwrap_err();
        assert!(matches!(error, ProbeError::Unreachable { .. }) && error.is_dead());
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_does_not_answer_may_only_be_slow() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let record = GatewayRecord { endpoint: format!("http://{address}"), ..answering("").await };
        let error = probe(&record).await.unwrap_err();
        assert!(matches!(error, ProbeError::Silent { .. }) && !error.is_dead());
    }
}
