//! Clients that check what the system promises. Whatever happens to gateways, each quotation is asked again
//! until it is accepted, and then asked for until it has ended.

use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use ocache::protocol::Frame;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use tokio_util::sync::CancellationToken;

use super::account::Account;
use super::fleet::{Addresses, QUOTE_WITHIN_SECS};
use super::prices::{self, PRODUCTS};

/// The pause between two attempts to connect or to ask.
const PAUSE: Duration = Duration::from_millis(50);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// For whom a client quotes.
#[derive(Clone, Copy, Debug)]
pub enum Custom {
    /// Always the same user, whose table is warm.
    Warm(u64),
    /// Each time a new user, whom nobody has seen before.
    Cold(u64),
}

pub struct Client {
    custom: Custom,
    addresses: Addresses,
    account: Account,
    chance: StdRng,
    line: Option<Line>,
}

/// An open socket. Its frames go into the account even if nobody waits for them any more.
struct Line {
    writer: SplitSink<Socket, Message>,
    frames: mpsc::UnboundedReceiver<Frame>,
}

impl Client {
    pub fn new(custom: Custom, addresses: Addresses, account: Account, seed: u64) -> Self {
        let chance = StdRng::seed_from_u64(seed);
        Self { custom, addresses, account, chance, line: None }
    }

    /// Asks for one quotation after the other until it is told to stop.
    pub async fn run(mut self, stop: CancellationToken) -> Self {
        let mut number = 0;
        while !stop.is_cancelled() {
            let (name, user) = match self.custom {
                Custom::Warm(user) => (format!("warm-{user}"), prices::known_user(user)),
                Custom::Cold(client) => {
                    (format!("cold-{client}"), format!("cold-{client}-{number}"))
                }
            };
            self.quote(&format!("{name}-{number}"), &user).await;
            let pause = self.chance.random_range(100..500);
            stop.run_until_cancelled(sleep(Duration::from_millis(pause))).await;
            number += 1;
        }
        self
    }

    async fn quote(&mut self, id: &str, user: &str) {
        // Products from the first and the last part of a table, and from anywhere.
        let anywhere = self.chance.random_range(100..PRODUCTS - 20);
        let items = [(3, 2), (anywhere, 1), (PRODUCTS - 8, 3)];
        self.account.begin(id, user, &items);
        let named: Vec<Value> = items
            .iter()
            .map(|(index, quantity)| {
                json!({ "product": prices::product(*index), "quantity": quantity })
            })
            .collect();
        let quote = json!({ "action": "quote", "client": user, "items": named, "request_id": id });
        while self.ask(&quote, id, Wanted::Accepted, None).await.is_none() {
            sleep(PAUSE).await;
        }
        self.account.accepted(id);
        let deadline = Instant::now() + Duration::from_secs(QUOTE_WITHIN_SECS);
        if self.account.has_ended(id) || self.hear(id, Wanted::End, Some(deadline)).await.is_some()
        {
            return;
        }
        let get = json!({ "action": "get", "client": user, "request_id": id });
        // The first reply after the deadline may be to a frame from before it.
        let mut pending_after = 0;
        loop {
            let is_over = Instant::now() >= deadline;
            if let Some(status) = self.ask(&get, id, Wanted::End, Some(deadline)).await {
                if status != "pending" {
                    return;
                }
                pending_after += u32::from(is_over);
                assert!(pending_after < 2, "`{id}` is past its deadline and pending");
            }
            sleep(PAUSE).await;
        }
    }

    /// Sends a frame about a quotation and waits for the wanted reply. Returns `None` if the socket broke
    /// or the gateway could not do it.
    async fn ask(
        &mut self,
        frame: &Value,
        id: &str,
        wanted: Wanted,
        until: Option<Instant>,
    ) -> Option<String> {
        if self.line.is_none() {
            self.line = self.connect().await;
        }
        let line = self.line.as_mut()?;
        self.account.asked(id);
        if line.writer.send(Message::text(frame.to_string())).await.is_err() {
            self.line = None;
            return None;
        }
        self.hear(id, wanted, until).await
    }

    /// Waits for a frame about a quotation. Returns `None` if the socket broke, the gateway could not do
    /// it, or the time is over.
    async fn hear(&mut self, id: &str, wanted: Wanted, until: Option<Instant>) -> Option<String> {
        loop {
            let line = self.line.as_mut()?;
            // If the deadline has passed, the reply is still waited for.
            let until = until.filter(|until| *until > Instant::now());
            let frame = match until {
                Some(until) => timeout_at(until, line.frames.recv()).await.ok()?,
                None => line.frames.recv().await,
            };
            match frame {
                None => self.line = None,
                Some(Frame::Error { .. }) => return None,
                Some(Frame::Accepted { request_id, .. })
                    if request_id == id && wanted == Wanted::Accepted =>
                {
                    return Some("accepted".to_owned());
                }
                Some(Frame::Quotation(quotation))
                    if quotation.request_id == id && wanted == Wanted::End =>
                {
                    return Some(quotation.status);
                }
                Some(_) => {}
            }
        }
    }

    /// Opens a socket to one of the running gateways.
    async fn connect(&mut self) -> Option<Line> {
        let at = self.chance.random_range(0..2);
        let url =
            self.addresses[at].borrow().clone().or_else(|| self.addresses[1 - at].borrow().clone());
        let Ok((socket, _)) = connect_async(url?).await else { return None };
        let (writer, reader) = socket.split();
        let (heard, frames) = mpsc::unbounded_channel();
        tokio::spawn(listen(reader, self.account.clone(), heard));
        Some(Line { writer, frames })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Accepted,
    End,
}

/// Notes every end of a quotation that a socket reports, until the socket breaks.
async fn listen(
    mut reader: SplitStream<Socket>,
    account: Account,
    heard: mpsc::UnboundedSender<Frame>,
) {
    while let Some(Ok(message)) = reader.next().await {
        let Message::Text(text) = message else { continue };
        let frame: Frame = serde_json::from_str(&text).unwrap();
        if let Frame::Quotation(quotation) = &frame
            && quotation.status != "pending"
        {
            account.heard(quotation);
        }
        // The client may have stopped. What is pushed then still counts.
        let _ = heard.send(frame);
    }
}
