//! A websocket, for a client that is not ocache's.

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Returns a request with its token in a header, as back ends send it.
pub fn with_header(url: &str, token: &str) -> Request {
    let mut request = url.into_client_request().unwrap();
    let bearer = format!("Bearer {token}").parse().unwrap();
    request.headers_mut().insert("authorization", bearer);
    request
}

/// Returns a request with its token in the URL, as browsers send it.
pub fn in_url(url: &str, token: &str) -> Request {
    format!("{url}?token={token}").into_client_request().unwrap()
}

/// An open websocket whose methods block.
pub struct Socket {
    runtime: Runtime,
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Socket {
    pub fn open(url: &str, token: &str) -> Self {
        Self::try_open(&with_header(url, token)).unwrap()
    }

    /// Opens a websocket. Returns the status if it is refused.
    pub fn try_open(request: &Request) -> Result<Self, u16> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        match runtime.block_on(connect_async(request.clone())) {
            Ok((stream, _)) => Ok(Self { runtime, stream }),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    pub fn say(&mut self, frame: impl ToString) {
        self.runtime.block_on(self.stream.send(Message::text(frame.to_string()))).unwrap();
    }

    pub fn hear(&mut self) -> Value {
        match self.runtime.block_on(self.stream.next()).unwrap().unwrap() {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// Returns the next two frames, ordered by whether they have a field. API Gateway may deliver the
    /// acknowledgement and the answer in either order.
    pub fn hear_two(&mut self, key: &str) -> [Value; 2] {
        let mut two = [self.hear(), self.hear()];
        two.sort_by_key(|frame| frame.get(key).is_some());
        two
    }

    /// Closes the websocket and waits until the other side agrees.
    pub fn close(mut self) {
        self.runtime.block_on(async {
            self.stream.close(None).await.unwrap();
            while let Some(Ok(_)) = self.stream.next().await {}
        });
    }
}
