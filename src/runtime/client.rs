//! A client of the websocket. `ocache quote` and the ready check use it to talk to a gateway.

use std::error::Error;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, HeaderValue};
use serde::Deserialize;
use serde_json::json;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message, Utf8Bytes};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, client_async_with_config, connect_async_with_config,
};

use super::gateway::{GatewayRecord, connect};
use crate::model::{Item, RequestId, UserId};
use crate::protocol::Frame;
use crate::tokens::Token;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a polite close waits for the close frame of the other side.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Why a gateway cannot be talked to.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The gateway cannot be reached, or does not speak websocket.
    #[error("gateway {url} cannot be reached")]
    Connect {
        /// The gateway's URL.
        url: String,
        /// The cause.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The gateway requires a token, or refused the one that it got.
    #[error("gateway {url} refused the connection: {reason}")]
    Denied {
        /// The gateway's URL.
        url: String,
        /// The reason that the gateway gave.
        reason: String,
    },
    /// The gateway does not answer in time.
    #[error("gateway {url} did not answer within {} s", CONNECT_TIMEOUT.as_secs())]
    Silent {
        /// The gateway's URL.
        url: String,
    },
    /// The connection broke.
    #[error("the connection to the gateway broke")]
    Broken(#[source] Box<dyn Error + Send + Sync>),
    /// The gateway closed the connection.
    #[error("the gateway closed the connection: {reason}")]
    Closed {
        /// The reason that the gateway gave.
        reason: String,
    },
    /// The gateway sent a frame that the protocol does not have.
    #[error("the gateway sent a frame that is not ocache's")]
    Frame(#[source] serde_json::Error),
}

/// A received frame, as text and parsed.
#[derive(Clone, Debug)]
pub struct ReceivedFrame {
    /// The JSON as it was received.
    pub text: String,
    /// The parsed frame.
    pub frame: Frame,
}

/// The gateway to which a websocket is opened.
#[derive(Clone, Debug)]
pub enum Destination {
    /// A gateway at a URL that the caller chose.
    Url(String),
    /// A gateway from this machine's registry. It proves that it made its entry before it is sent
    /// anything.
    Entered(Box<GatewayRecord>),
}

impl Destination {
    /// Returns the URL of its websocket.
    #[must_use]
    pub fn url(&self) -> &str {
        match self {
            Self::Url(url) => url,
            Self::Entered(record) => &record.websocket,
        }
    }
}

/// An open websocket to a gateway.
pub struct GatewayClient(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl GatewayClient {
    /// Opens a websocket, with the token if one is given.
    ///
    /// # Errors
    /// Returns [`ClientError::Connect`], [`ClientError::Denied`] or [`ClientError::Silent`].
    pub async fn connect(to: &Destination, token: Option<&Token>) -> Result<Self, ClientError> {
        let url = to.url();
        match timeout(CONNECT_TIMEOUT, open(to, token)).await {
            Ok(Ok(socket)) => Ok(Self(socket)),
            Ok(Err(SocketError::Http(response))) if is_denial(response.status()) => {
                Err(ClientError::Denied { url: shown(url), reason: denial(&response) })
            }
            Ok(Err(error)) => Err(ClientError::Connect { url: shown(url), source: reason(error) }),
            Err(_) => Err(ClientError::Silent { url: shown(url) }),
        }
    }

    /// Sends a quote.
    ///
    /// # Errors
    /// Returns [`ClientError::Broken`].
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
        self.send(frame.to_string()).await
    }

    /// Sends a frame that is rendered already.
    ///
    /// # Errors
    /// Returns [`ClientError::Broken`].
    pub async fn send(&mut self, frame: String) -> Result<(), ClientError> {
        self.0.send(Message::text(frame)).await.map_err(broken)
    }

    /// Returns the next frame of the gateway. Cancelling loses nothing.
    ///
    /// # Errors
    /// Fails when the connection has ended, or the frame is not ocache's.
    pub async fn next(&mut self) -> Result<ReceivedFrame, ClientError> {
        let text = self.next_text().await?;
        let frame = serde_json::from_str(&text).map_err(ClientError::Frame)?;
        Ok(ReceivedFrame { text: text.to_string(), frame })
    }

    /// Returns the text of the next frame, whatever it contains. Cancelling loses nothing.
    ///
    /// # Errors
    /// Fails when the connection has ended.
    pub async fn next_text(&mut self) -> Result<Utf8Bytes, ClientError> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text),
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

    /// Closes the websocket.
    pub async fn close(mut self) {
        // If the other side does not answer, the socket is closed all the same.
        let _ = timeout(CLOSE_TIMEOUT, self.0.close(None)).await;
    }
}

async fn open(
    to: &Destination,
    token: Option<&Token>,
) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>, SocketError> {
    // The library's default read buffer has 128 KB, which it clears for each frame that it reads.
    let config = WebSocketConfig::default().read_buffer_size(4096).write_buffer_size(0);
    let request = request(to.url(), token)?;
    let (socket, _) = match to {
        Destination::Url(_) => connect_async_with_config(request, Some(config), true).await?,
        Destination::Entered(record) => {
            let stream = connect(record).await.map_err(std::io::Error::other)?;
            let stream = MaybeTlsStream::Plain(stream);
            client_async_with_config(request, stream, Some(config)).await?
        }
    };
    Ok(socket)
}

fn request(url: &str, token: Option<&Token>) -> Result<Request, SocketError> {
    let mut request = url.into_client_request()?;
    if let Some(token) = token {
        let bearer = HeaderValue::from_str(&format!("Bearer {}", token.as_str()));
        let mut bearer = bearer.map_err(hyper::http::Error::from)?;
        bearer.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, bearer);
    }
    Ok(request)
}

/// Returns a URL as it may be shown, without its query, which may contain a token.
fn shown(url: &str) -> String {
    url.split_once('?').map_or(url, |(start, _)| start).to_owned()
}

fn is_denial(status: StatusCode) -> bool {
    [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status)
}

/// Returns the reason in a refusal. The local gateway and API Gateway use the same format.
fn denial(response: &Response) -> String {
    let body = response.body().as_deref().unwrap_or_default();
    let body: Option<Denial> = serde_json::from_slice(body).ok();
    body.map(|body| body.message)
        .filter(|message| !message.is_empty())
        .unwrap_or_else(|| response.status().to_string())
}

#[derive(Deserialize)]
struct Denial {
    message: String,
}

fn broken(error: SocketError) -> ClientError {
    ClientError::Broken(reason(error))
}

/// Returns the cause without a wrapper that repeats it.
fn reason(error: SocketError) -> Box<dyn Error + Send + Sync> {
    match error {
        SocketError::Io(error) => Box::new(error),
        error => Box::new(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_token_is_shown() {
        assert_eq!(shown("ws://127.0.0.1:7070/x?token=a.b.c"), "ws://127.0.0.1:7070/x");
        assert_eq!(shown("ws://127.0.0.1:7070"), "ws://127.0.0.1:7070");
        let token = Token::from("a.b.c".to_owned());
        let request = request("ws://127.0.0.1:7070", Some(&token)).unwrap();
        assert_eq!(request.headers()[AUTHORIZATION], "Bearer a.b.c");
        assert!(!format!("{request:?}").contains("a.b.c"));
    }

    #[tokio::test]
    async fn what_can_be_no_token_is_not_sent() {
        let token = Token::from("a\nb".to_owned());
        let to = Destination::Url("ws://127.0.0.1:1".to_owned());
        let error = GatewayClient::connect(&to, Some(&token)).await.err().unwrap();
        assert!(matches!(error, ClientError::Connect { .. }), "{error:?}");
        assert!(!format!("{error:?}").contains("a\\nb"), "{error:?}");
    }
}
