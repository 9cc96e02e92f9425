//! A client that asks one quote after the other and waits for each answer.

use futures_util::{SinkExt as _, StreamExt as _};
use ocache::protocol::{Frame, QuotationFrame};
use serde_json::json;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::editions;

/// An open websocket.
pub struct Line {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    name: String,
    asked: u64,
}

impl Line {
    /// Connects. No other client may have this `name`.
    pub async fn open(url: &str, name: &str) -> Self {
        let (socket, _) = connect_async(url).await.unwrap();
        Self { socket, name: name.to_owned(), asked: 0 }
    }

    /// Asks for a quote of a user. Returns the answer or failure.
    pub async fn quote(&mut self, user: u64, items: &[(u64, u64)]) -> QuotationFrame {
        self.asked += 1;
        let id = format!("{}-{}", self.name, self.asked);
        let (client, named) = (editions::user(user), editions::items(items));
        let quote =
            json!({ "action": "quote", "client": client, "items": named, "request_id": id });
        self.socket.send(Message::text(quote.to_string())).await.unwrap();
        loop {
            let message = self.socket.next().await.expect("the socket stays open").unwrap();
            let Message::Text(text) = message else { continue };
            match serde_json::from_str(&text).unwrap() {
                Frame::Quotation(told) if told.request_id == id && told.status != "pending" => {
                    return told;
                }
                Frame::Error { .. } => panic!("`{id}` was refused: {text}"),
                _ => {}
            }
        }
    }
}
