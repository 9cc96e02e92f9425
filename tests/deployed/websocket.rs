//! A websocket as a client that is not ours uses it.

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// An open websocket. What it does blocks.
pub struct Socket {
    runtime: Runtime,
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Socket {
    pub fn open(url: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (stream, _) = runtime.block_on(connect_async(url)).unwrap();
        Self { runtime, stream }
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

    /// The next two frames, in the order of some field: API Gateway may deliver the
    /// acknowledgement and the answer in either.
    pub fn hear_two(&mut self, key: &str) -> [Value; 2] {
        let mut two = [self.hear(), self.hear()];
        two.sort_by_key(|frame| frame.get(key).is_some());
        two
    }

    /// Closes it and waits for the other side to agree.
    pub fn close(mut self) {
        self.runtime.block_on(async {
            self.stream.close(None).await.unwrap();
            while let Some(Ok(_)) = self.stream.next().await {}
        });
    }
}
