//! A client of the websocket: what `ocache quote` and the ready check talk to a gateway with.

use std::error::Error;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::model::{Item, RequestId, UserId};
use crate::protocol::Frame;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A polite close waits this long for the other side's.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Why a gateway cannot be talked to.
#[derive(Debug, Error)]
pub enum ClientError {
    /// It cannot be reached, or is no websocket.
    #[error("gateway {url} cannot be reached")]
    Connect {
        /// Its URL.
        url: String,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// It does not answer.
    #[error("gateway {url} did not answer within {} s", CONNECT_TIMEOUT.as_secs())]
    Silent {
        /// Its URL.
        url: String,
    },
    /// The connection broke.
    #[error("the connection to the gateway broke")]
    Broken(#[source] Box<dyn Error + Send + Sync>),
    /// The gateway closed the connection.
    #[error("the gateway closed the connection: {reason}")]
    Closed {
        /// What it gave as a reason.
        reason: String,
    },
    /// It sent what this protocol does not have.
    #[error("the gateway sent a frame that is not ocache's")]
    Frame(#[source] serde_json::Error),
}

/// A frame as received: its text, and what it says.
#[derive(Clone, Debug)]
pub struct ReceivedFrame {
    /// The JSON as it came.
    pub text: String,
    /// What it says.
    pub frame: Frame,
}

/// An open websocket to a gateway.
pub struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    /// Opens a websocket.
    ///
    /// # Errors
    /// [`ClientError::Connect`] or [`ClientError::Silent`].
    pub async fn connect(url: &str) -> Result<Self, ClientError> {
        match timeout(CONNECT_TIMEOUT, connect_async(url)).await {
            Ok(Ok((socket, _))) => Ok(Self(socket)),
            Ok(Err(error)) => {
                Err(ClientError::Connect { url: url.to_owned(), source: reason(error) })
            }
            Err(_) => Err(ClientError::Silent { url: url.to_owned() }),
        }
    }

    /// Sends a quote.
    ///
    /// # Errors
    /// [`ClientError::Broken`].
    pub async fn quote(
        &mut self,
        user: &UserId,
        items: &[Item],
        request_id: Option<&RequestId>,
    ) -> Result<(), ClientError> {
        let items: Vec<_> = items
            .iter()
            .map(|item| {
                json!({ "product": item.product.as_str(), "quantity": item.quantity.to_string() })
            })
            .collect();
        let mut frame = json!({ "action": "quote", "client": user.as_str(), "items": items });
        if let Some(id) = request_id {
            frame["request_id"] = id.as_str().into();
        }
        self.0.send(Message::text(frame.to_string())).await.map_err(broken)
    }

    /// The next frame of the gateway. Cancelling loses nothing.
    ///
    /// # Errors
    /// When the connection has ended, or the frame is not ocache's.
    pub async fn next(&mut self) -> Result<ReceivedFrame, ClientError> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => {
                    let frame = serde_json::from_str(&text).map_err(ClientError::Frame)?;
                    return Ok(ReceivedFrame { text: text.to_string(), frame });
                }
                Some(Ok(Message::Close(frame))) => {
                    let reason = frame.map(|frame| format!("{} {}", frame.code, frame.reason));
                    let reason = reason.unwrap_or_else(|| "without a reason".to_owned());
                    return Err(ClientError::Closed { reason });
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(broken(error)),
                None => return Err(ClientError::Closed { reason: "without a word".to_owned() }),
            }
        }
    }

    /// Says goodbye.
    pub async fn close(mut self) {
        // If the other side does not answer, the socket is closed all the same.
        let _ = timeout(CLOSE_TIMEOUT, self.0.close(None)).await;
    }
}

fn broken(error: SocketError) -> ClientError {
    ClientError::Broken(reason(error))
}

/// The reason, without a wrapper that says the same again.
fn reason(error: SocketError) -> Box<dyn Error + Send + Sync> {
    match error {
        SocketError::Io(error) => Box::new(error),
        error => Box::new(error),
    }
}
