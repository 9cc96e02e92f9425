//! The peer: a plain and competent service for the same quotes, on `SQLite`. It has one row for each
//! customer's price of each product, prepared statements, a write-ahead log that is synced at every commit,
//! and one transaction for a quote. It speaks ocache's protocol, and the benchmark checks that its answers
//! are ocache's.
//!
//! Its prices are calculated once, before it listens. It never changes one.

mod database;

use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use database::{Database, Line};
use futures_util::{SinkExt, StreamExt};
use jiff::Timestamp;
use ocache::protocol::{Frame, QuotationFrame};
use serde::Deserialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_tungstenite::accept_async_with_config;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::inputs;

const ACCEPTED: &str = "quotation under analysis";

/// A quote, as it comes.
#[derive(Deserialize)]
struct Quote {
    client: String,
    items: Vec<Item>,
    request_id: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    product: String,
    quantity: u32,
}

/// A quote for the thread that has the database, and the channel for its answer.
struct Job {
    quote: Quote,
    answer: oneshot::Sender<Result<QuotationFrame, rusqlite::Error>>,
}

/// Serves the data of a folder until the process ends.
pub fn serve(folder: &Path) {
    let store = tempfile::tempdir().expect("a folder for the database");
    let database = Database::filled(store.path(), &inputs::read(folder));
    let database = database.expect("the database can be filled");
    let (jobs, waiting) = mpsc::channel();
    thread::spawn(move || answer_all(database, &waiting));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime can be started").block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        println!("ws://{}", listener.local_addr().expect("it has an address"));
        while let Ok((stream, _)) = listener.accept().await {
            let jobs = jobs.clone();
            tokio::spawn(async move {
                // A client that goes away ends only its own session.
                let _ = session(stream, jobs).await;
            });
        }
    });
}

fn answer_all(mut database: Database, jobs: &mpsc::Receiver<Job>) {
    for (number, Job { quote, answer }) in jobs.iter().enumerate() {
        let id = quote.request_id.clone().unwrap_or_else(|| format!("q_{number}"));
        let answered = database.answer(&id, &quote, |lines| frame(&id, &quote, lines));
        // The client may have gone.
        let _ = answer.send(answered);
    }
}

async fn session(stream: TcpStream, jobs: mpsc::Sender<Job>) -> Result<(), Error> {
    stream.set_nodelay(true)?;
    let config = WebSocketConfig::default().read_buffer_size(4096);
    let mut socket = accept_async_with_config(stream, Some(config)).await?;
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message? else { continue };
        let Ok(quote) = serde_json::from_str::<Quote>(&text) else { continue };
        let (answer, answered) = oneshot::channel();
        let sent = jobs.send(Job { quote, answer });
        sent.expect("the thread of the database runs");
        match answered.await.expect("every job is answered") {
            Ok(answer) => {
                let (request_id, message) = (answer.request_id.clone(), ACCEPTED.to_owned());
                socket.feed(text_of(&Frame::Accepted { request_id, message })).await?;
                socket.feed(text_of(&Frame::Quotation(answer))).await?;
            }
            Err(error) => {
                let (code, message) = ("unavailable".to_owned(), error.to_string());
                socket.feed(text_of(&Frame::Error { code, message })).await?;
            }
        }
        socket.flush().await?;
    }
    Ok(())
}

fn text_of(frame: &Frame) -> Message {
    Message::text(serde_json::to_string(frame).expect("a frame has a JSON form"))
}

fn frame(id: &str, quote: &Quote, lines: &[Line]) -> QuotationFrame {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let now = Timestamp::from_millisecond(now as i64).unwrap_or_default();
    let total = lines.iter().map(|line| line.unit_price * i64::from(line.quantity)).sum();
    let has = |item: &&Item| lines.iter().all(|line| line.product != item.product);
    QuotationFrame {
        request_id: id.to_owned(),
        client: quote.client.clone(),
        status: "answered".to_owned(),
        priced_at: Some(format!("{now:.3}")),
        validated_at: Some(format!("{now:.3}")),
        lines: lines.iter().map(Line::frame).collect(),
        unavailable: quote.items.iter().filter(has).map(|item| item.product.clone()).collect(),
        total: Some(database::cents(total)),
        currency: Some("USD".to_owned()),
        ..QuotationFrame::default()
    }
}
