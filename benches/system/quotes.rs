//! Warm quotes end to end, beside a websocket server that only sends back what it gets.

use std::io::BufRead as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{accept_async_with_config, connect_async_with_config};

use crate::lab::{Scale, cpu_time_of, line, quantile};

const SOCKETS: u32 = 50;
const ROUNDS: u32 = 4;
pub const QUOTE: &str = r#"{"action":"quote","client":"AAA","items":[{"product":"P1","quantity":2},{"product":"P2","quantity":1},{"product":"P3","quantity":1}]}"#;

/// A process that is ended with what is measured.
pub struct Server(Child, pub String);

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    /// Has it drain and end.
    pub fn stop(mut self) {
        let pid = self.0.id().to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(told.is_ok_and(|status| status.success()), "the server is there");
        let ended = self.0.wait().expect("the server can be waited for");
        assert!(ended.success(), "the server ended with {ended}");
    }
}

/// Starts a server, which says in a line where it listens.
pub fn start(command: &mut Command) -> Server {
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("a server can be started");
    let lines = std::io::BufReader::new(child.stdout.take().expect("its output is piped")).lines();
    let url = lines.map_while(Result::ok).find_map(|line| {
        let start = line.find("ws://")?;
        Some(line[start..].trim_end_matches(['"', ',']).to_owned())
    });
    Server(child, url.expect("it says where it listens"))
}

/// The other server: the same library with the same settings.
pub fn serve_echo() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime can be started").block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        println!("ws://{}", listener.local_addr().expect("it has an address"));
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = stream.set_nodelay(true);
                let config = WebSocketConfig::default().read_buffer_size(4096).write_buffer_size(0);
                let accepted = accept_async_with_config(stream, Some(config)).await;
                let Ok(mut socket) = accepted else { return };
                while let Some(Ok(message)) = socket.next().await {
                    if message.is_text() && socket.send(message).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
}

pub async fn run(scale: Scale) {
    let data = tempfile::tempdir().expect("a folder for the store");
    let mut up = Command::new(env!("CARGO_BIN_EXE_ocache"));
    up.args(["up", "--port", "0", "--output", "json", "--ttl", "1h", "--refresh-every", "10m"]);
    up.env("OCACHE_DATA_DIR", data.path());
    let up = start(&mut up);
    let this = std::env::current_exe().expect("this program has a path");
    let echo = start(Command::new(this).arg("echo"));
    let count = scale.of(2_000);
    // Warms the table, and both servers.
    measure(&up.1, "quotation", 20).await;
    measure(&echo.1, "quote", 20).await;
    let (mut ours, mut theirs) = (Totals::default(), Totals::default());
    for _ in 0..ROUNDS {
        theirs.add(&echo, measure(&echo.1, "quote", count)).await;
        ours.add(&up, measure(&up.1, "quotation", count)).await;
    }
    line("6", "warm quotes a second on `up`, 50 sockets", &ours.show());
    line("6", "websocket echo", &theirs.show());
    let ratios =
        format!("{:.2}, p99 {:.1} ×", ours.rate() / theirs.rate(), ours.p99() / theirs.p99());
    line("6", "ratio", &ratios);
    let each = format!("{} µs, echo {} µs", ours.cpu_micros(), theirs.cpu_micros());
    line("6", "CPU of the server for each", &each);
}

#[derive(Default)]
struct Totals {
    took: Duration,
    times: Vec<Duration>,
    cpu: Duration,
}

impl Totals {
    async fn add(
        &mut self,
        server: &Server,
        measured: impl Future<Output = (Duration, Vec<Duration>)>,
    ) {
        let before = cpu_time_of(server.0.id());
        let (took, times) = measured.await;
        self.cpu += cpu_time_of(server.0.id()) - before;
        self.took += took;
        self.times.extend(times);
        self.times.sort_unstable();
    }

    fn rate(&self) -> f64 {
        self.times.len() as f64 / self.took.as_secs_f64()
    }

    fn cpu_micros(&self) -> u128 {
        self.cpu.as_micros() / self.times.len() as u128
    }

    fn p99(&self) -> f64 {
        quantile(&mut self.times.clone(), 0.99).as_secs_f64() * 1000.0
    }

    fn show(&self) -> String {
        format!("{:.0}, p99 {:.2} ms", self.rate(), self.p99())
    }
}

/// Each socket sends a frame when the one before is answered by a frame with this word in it.
async fn measure(url: &str, answer: &'static str, count: u32) -> (Duration, Vec<Duration>) {
    let word = format!("\":\"{answer}\"");
    // As the servers are. The library's own client clears 128 KB for each frame it reads.
    let config = WebSocketConfig::default().read_buffer_size(4096).write_buffer_size(0);
    let connect = |_| connect_async_with_config(url, Some(config), true);
    let sockets = join_all((0..SOCKETS).map(connect)).await;
    let begun = Instant::now();
    let clients = sockets.into_iter().map(|socket| {
        let (mut socket, _) = socket.expect("the server takes sockets");
        let word = word.clone();
        tokio::spawn(async move {
            let mut times = vec![];
            for _ in 0..count {
                let sent = Instant::now();
                socket.send(Message::text(QUOTE)).await.expect("the socket is open");
                loop {
                    let frame = socket.next().await.expect("the socket is open");
                    let frame = frame.expect("the frame is whole");
                    if frame.to_text().is_ok_and(|text| text.contains(&word)) {
                        break;
                    }
                }
                times.push(sent.elapsed());
            }
            times
        })
    });
    let times = join_all(clients.collect::<Vec<_>>()).await;
    let took = begun.elapsed();
    (took, times.into_iter().flat_map(|times| times.expect("a client ends well")).collect())
}
