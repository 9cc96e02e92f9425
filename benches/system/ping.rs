//! Measures a websocket's ping while large tables are refreshed, in turns with an idle server.

use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::{join_all, select};
use futures_util::{SinkExt, StreamExt};
use tokio::sync::watch;
use tokio::task::block_in_place;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::generated::Generated;
use crate::lab::{Scale, quantile};
use crate::results::{Line, Target, grouped};
use crate::stack::{Build, Stack};

const PRODUCTS: u64 = 100_000;
const DISCOUNTS: u64 = 5_000;
const ROUNDS: u32 = 3;
const SOCKETS: u32 = 4;
/// The pause of a socket between a pong and its next ping, which one socket may send.
const PAUSE: Duration = Duration::from_millis(4);
const IDLE: Duration = Duration::from_secs(4);
/// The target for the p99 while tables are refreshed, less that of an idle server.
const TARGET: Target = Target::AtMost(2.0, " ms more than idle");

/// The server of one build, with a new store.
struct Measured<'a> {
    stack: Stack<'a>,
    idle: Vec<Duration>,
    refreshing: Vec<Duration>,
    took: Duration,
}

pub async fn run(scale: Scale, builds: &[Build]) {
    let count = scale.of(200);
    let data = Generated::new(PRODUCTS, count.into(), DISCOUNTS);
    let users = data.users();
    let mut all = vec![];
    for build in builds {
        let mut stack = Stack::loaded(build, &data);
        stack.start();
        // The first tables, so that each round finds tables to replace.
        let before = stack.calculations();
        stack.subscribe(&users);
        stack.until_calculated(&before, users.len() as u64);
        all.push(Measured { stack, idle: vec![], refreshing: vec![], took: Duration::ZERO });
    }
    for round in 0..ROUNDS {
        for one in &mut all {
            let url = one.stack.server().url().to_owned();
            one.idle.extend(pings_while(&url, || thread::sleep(IDLE)).await);
            let stack = &one.stack;
            let (mut took, data) = (Duration::ZERO, &data);
            let refresh = || {
                let before = stack.calculations();
                stack.change_a_price(data, round + 1);
                took = stack.until_calculated(&before, count.into()).took;
            };
            one.refreshing.extend(pings_while(&url, refresh).await);
            one.took += took;
        }
    }
    all.iter().for_each(|one| one.show(count));
}

impl Measured<'_> {
    fn show(&self, count: u32) {
        let p99 = |times: &[Duration]| quantile(&mut times.to_vec(), 0.99).as_secs_f64() * 1000.0;
        let (idle, refreshing) = (p99(&self.idle), p99(&self.refreshing));
        let [products, discounts] = [PRODUCTS, DISCOUNTS].map(|count| grouped(count as f64));
        let what = format!(
            "ping while {count} customers × {products} products × {discounts} discounts are refreshed \
             in {:.1?}",
            self.took / ROUNDS
        );
        Line::new("ping", &self.stack.build.label(&what), &format!("p99 {refreshing:.2} ms"))
            .beside(&format!("idle: p99 {idle:.2} ms"), refreshing / idle)
            .target(TARGET, refreshing - idle)
            .print();
    }
}

/// Returns the times of pings over several sockets while something goes on.
async fn pings_while(url: &str, what: impl FnOnce()) -> Vec<Duration> {
    let (ended, watch) = watch::channel(());
    let pinging: Vec<_> =
        (0..SOCKETS).map(|_| tokio::spawn(pings(url.to_owned(), watch.clone()))).collect();
    block_in_place(what);
    drop(ended);
    join_all(pinging)
        .await
        .into_iter()
        .flat_map(|times| times.expect("a client ends well"))
        .collect()
}

async fn pings(url: String, mut until: watch::Receiver<()>) -> Vec<Duration> {
    let (mut socket, _) = connect_async(url).await.expect("the server takes sockets");
    let mut times = vec![];
    let pinging = Box::pin(async {
        loop {
            let sent = Instant::now();
            socket.send(Message::Ping(Bytes::new())).await.expect("the socket is open");
            let pong = socket.next().await.expect("it is open").expect("the frame is whole");
            assert!(pong.is_pong(), "{pong:?}");
            times.push(sent.elapsed());
            tokio::time::sleep(PAUSE).await;
        }
    });
    select(pinging, Box::pin(async { until.changed().await.is_err() })).await;
    times
}
