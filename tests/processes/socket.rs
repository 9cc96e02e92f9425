//! A client that asks for many quotations at once and hears how each of them ends.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use ocache::protocol::Frame;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// How long after the deadline a client that was promised an outcome still listens.
const PATIENCE: Duration = Duration::from_secs(60);

/// One websocket.
pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub async fn open(url: &str) -> Self {
        Self(connect_async(url).await.unwrap().0)
    }

    /// Asks for one quotation for each user, with the user's name as its id.
    pub async fn quote(&mut self, users: &[String]) {
        for user in users {
            let quote = json!({
                "action": "quote", "client": user, "request_id": user,
                "items": [{ "product": "P0003", "quantity": 2 }]
            });
            self.0.send(Message::text(quote.to_string())).await.unwrap();
        }
    }

    /// Waits until this many quotations are accepted.
    pub async fn accepted(&mut self, count: usize) {
        let mut accepted = 0;
        while accepted < count {
            match self.hear().await {
                Frame::Accepted { .. } => accepted += 1,
                other => panic!("{other:?}"),
            }
        }
    }

    /// Returns how each quotation ended, by user. Those of which the client was not told are left out.
    pub async fn outcomes(&mut self, count: usize, within: Duration) -> BTreeMap<String, String> {
        let (mut outcomes, until) = (BTreeMap::new(), Instant::now() + within + PATIENCE);
        while outcomes.len() < count {
            match timeout_at(until, self.hear()).await {
                Ok(Frame::Quotation(quotation)) => {
                    outcomes.insert(quotation.client, quotation.status);
                }
                Ok(Frame::Accepted { .. }) => {}
                Ok(other) => panic!("{other:?}"),
                Err(_) => break,
            }
        }
        outcomes
    }

    async fn hear(&mut self) -> Frame {
        match self.0.next().await.unwrap().unwrap() {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?}"),
        }
    }
}
