//! A websocket's ping while large tables are refreshed, beside an idle server, in turns.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::{join_all, select};
use futures_util::{SinkExt, StreamExt};
use ocache::model::UserId;
use tokio::sync::watch;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::inputs;
use crate::lab::{Build, Lab, Scale, line, quantile};
use crate::quotes::Server;

const PRODUCTS: u64 = 100_000;
const DISCOUNTS: u64 = 5_000;
const ROUNDS: u32 = 3;
const SOCKETS: u32 = 4;
/// A socket pings so long after its last pong: within what one socket may send.
const PAUSE: Duration = Duration::from_millis(4);
const IDLE: Duration = Duration::from_secs(4);

/// One build's server, with a store of its own.
struct Measured<'a> {
    build: &'a Build,
    lab: Lab,
    up: Server,
    idle: Vec<Duration>,
    refreshing: Vec<Duration>,
    took: Duration,
}

pub async fn run(scale: Scale, builds: &[Build]) {
    let count = scale.of(200);
    let mut users: Vec<UserId> = vec![];
    let mut all = vec![];
    for build in builds {
        let mut lab = Lab::new(inputs::dataset(PRODUCTS, count.into(), DISCOUNTS)).await;
        users = lab.dataset.discounts.iter().map(|list| list.user.clone()).collect();
        let up = lab.up(build);
        // The first tables, so that each round finds tables to replace.
        lab.order_refreshes(&users).await;
        lab.until_refreshed().await;
        let (idle, refreshing, took) = (vec![], vec![], Duration::ZERO);
        all.push(Measured { build, lab, up, idle, refreshing, took });
    }
    for _ in 0..ROUNDS {
        for one in &mut all {
            one.lab.change_the_catalogue().await;
            one.idle.extend(pings_while(&one.up, tokio::time::sleep(IDLE)).await);
            one.lab.order_refreshes(&users).await;
            let begun = Instant::now();
            one.refreshing.extend(pings_while(&one.up, one.lab.until_refreshed()).await);
            one.took += begun.elapsed();
        }
    }
    for one in all {
        one.show(count);
        drop(one.up);
        one.lab.close().await;
    }
}

impl Measured<'_> {
    fn show(&self, count: u32) {
        let name = self.build.name;
        let p99 = |times: &[Duration]| quantile(&mut times.to_vec(), 0.99).as_secs_f64() * 1000.0;
        let (idle, refreshing) = (p99(&self.idle), p99(&self.refreshing));
        let figure = |p99: f64, times: &[Duration]| format!("p99 {p99:.2} ms of {}", times.len());
        line("–", &format!("ping of an idle server, {name}"), &figure(idle, &self.idle));
        let what = format!(
            "while {count} users × {PRODUCTS} products × {DISCOUNTS} discounts are refreshed, {name}"
        );
        line("–", &what, &figure(refreshing, &self.refreshing));
        let took = self.took / ROUNDS;
        let more = format!("{:.2} ms, refreshed in {took:.1?}", refreshing - idle);
        line("–", &format!("more than idle, {name}"), &more);
    }
}

/// The times that pings of some sockets take while something goes on.
async fn pings_while(up: &Server, what: impl Future<Output = ()>) -> Vec<Duration> {
    let (ended, watch) = watch::channel(());
    let pinging: Vec<_> =
        (0..SOCKETS).map(|_| tokio::spawn(pings(up.1.clone(), watch.clone()))).collect();
    what.await;
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
