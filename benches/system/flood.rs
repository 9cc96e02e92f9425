//! Measures the quotes of well-behaved clients while another client sends as fast as it can, in turns with
//! a calm server.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::lab::{Scale, quantile};
use crate::results::Line;
use crate::stack::{Build, Stack};

const QUOTE: &str = r#"{"action":"quote","client":"AAA","items":[{"product":"P1","quantity":2},{"product":"P2","quantity":1},{"product":"P3","quantity":1}]}"#;
const CLIENTS: u32 = 8;
const ROUNDS: u32 = 4;
/// The pause of a client between an answer and its next quote.
const PAUSE: Duration = Duration::from_millis(20);

pub async fn run(scale: Scale, builds: &[Build]) {
    for build in builds {
        flooded(scale, build).await;
    }
}

async fn flooded(scale: Scale, build: &Build) {
    let mut stack = Stack::empty(build);
    let up = stack.start_limited();
    let count = scale.of(150);
    // This warms the table.
    measure(up.url(), 10).await;
    let (mut calm, mut flooded, mut refused) = (vec![], vec![], 0);
    for _ in 0..ROUNDS {
        calm.extend(measure(up.url(), count).await);
        let flood = tokio::spawn(flood(up.url().to_owned()));
        flooded.extend(measure(up.url(), count).await);
        flood.abort();
        // A flood that is aborted returns nothing. One that ended by itself was closed by the server.
        refused += flood.await.unwrap_or(0);
    }
    assert_eq!(refused, 0, "a flood is told to slow down, not closed");
    let p99 = |times: &mut Vec<Duration>| quantile(times, 0.99).as_secs_f64() * 1000.0;
    let (calm, flooded) = (p99(&mut calm), p99(&mut flooded));
    let what = build.label("quotes of 8 clients while one socket floods with quotes");
    Line::new("flood", &what, &format!("p99 {flooded:.2} ms"))
        .beside(&format!("without the flood: p99 {calm:.2} ms"), flooded / calm)
        .print();
}

/// Returns the times that quotes take. Every one of them must be answered.
async fn measure(url: &str, count: u32) -> Vec<Duration> {
    let clients = (0..CLIENTS).map(|_| async move {
        let (mut socket, _) = connect_async(url).await.expect("the server takes sockets");
        let mut times = vec![];
        for _ in 0..count {
            tokio::time::sleep(PAUSE).await;
            let sent = Instant::now();
            socket.send(Message::text(QUOTE)).await.expect("the socket is open");
            loop {
                let frame = socket.next().await.expect("it is open").expect("the frame is whole");
                let text = frame.to_text().expect("it is text");
                assert!(!text.contains("rate_limited"), "an honest client is limited");
                if text.contains("\":\"quotation\"") {
                    break;
                }
            }
            times.push(sent.elapsed());
        }
        times
    });
    join_all(clients).await.into_iter().flatten().collect()
}

/// Sends quotes without waiting, and reads the replies. Ends when the server closes the connection.
async fn flood(url: String) -> usize {
    let (socket, _) = connect_async(url).await.expect("the server takes sockets");
    let (mut sending, mut receiving) = socket.split();
    let sending = async { while sending.send(Message::text(QUOTE)).await.is_ok() {} };
    let receiving = async { while receiving.next().await.is_some_and(|frame| frame.is_ok()) {} };
    tokio::join!(sending, receiving);
    1
}
