//! Measures prices and quotes over HTTP: 50 prices in turns with a bare server that answers 50 constant
//! lines, and quotes in turns with the websocket.

use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use hyper::{Method, StatusCode};
use ocache::load_generator::{Amount, ServerKind, Tally};
use serde_json::Value;

use crate::generated::Generated;
use crate::http::{Asked, HttpTally, exchange, send};
use crate::lab::Scale;
use crate::quotes::{SOCKETS, Workload};
use crate::results::{Line, Target, grouped, line};
use crate::server::{Server, cpu_time_of};
use crate::stack::{Build, Stack};

const PRODUCTS: u64 = 10_000;
const CUSTOMERS: u32 = 1_000;
const DISCOUNTS: u64 = 100;
/// How many prices one request asks for.
const SHOWN: usize = 50;
/// How many different requests are sent, again and again.
const REQUESTS: usize = 4_000;
/// How many requests are sent in each round if none was sent before. A gateway keeps replies to far fewer.
const NEW_REQUESTS: usize = 40_000;
const ROUNDS: u32 = 4;
const ROUND: Duration = Duration::from_secs(4);
/// The target for prices a second, divided by those of the bare server.
const TARGET: Target = Target::AtLeast(0.5);

const BARE: &str = "bare hyper server";

/// One of the servers that are measured in turns.
struct Contestant<'a> {
    name: &'static str,
    server: &'a Server,
    tally: HttpTally,
    cpu: Duration,
}

impl<'a> Contestant<'a> {
    fn new(name: &'static str, server: &'a Server) -> Self {
        Self { name, server, tally: HttpTally::begin(), cpu: Duration::ZERO }
    }

    async fn measure(&mut self, requests: &Rc<Vec<Asked>>, time: Duration) {
        let before = self.server.cpu_time();
        self.tally.merge(&send(self.server.url(), requests.clone(), SOCKETS, time).await);
        self.cpu += self.server.cpu_time() - before;
    }

    fn cpu_micros(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.tally.answered as f64
    }
}

pub async fn run(scale: Scale, builds: &[Build]) {
    let customers = scale.of(CUSTOMERS);
    let data = Generated::new(PRODUCTS, customers.into(), DISCOUNTS);
    let workload = Workload::of(&data);
    let mut stacks: Vec<Stack> = builds.iter().map(|build| Stack::loaded(build, &data)).collect();
    for stack in &mut stacks {
        workload.warm(&stack.start().destination()).await;
    }
    stacks.iter().for_each(Stack::until_quiet);
    let time = ROUND.mul_f64(scale.0.min(1.0));
    let [products, shown] = [PRODUCTS as f64, customers.into()].map(grouped);
    let what = format!("{products} products, {shown} customers, {SOCKETS} connections");
    let again = Rc::new(price_requests(&data, 0..REQUESTS));
    prices(&what, |_| again.clone(), &stacks, time).await;
    let new = |round| {
        let first = REQUESTS + round as usize * NEW_REQUESTS;
        Rc::new(price_requests(&data, first..first + NEW_REQUESTS))
    };
    prices(&format!("{what}, none asked before"), new, &stacks, time).await;
    let now = stacks.last().expect("this build is measured");
    quotes(&what, &workload, now.server(), time).await;
}

async fn prices(
    what: &str,
    requests_of: impl Fn(u32) -> Rc<Vec<Asked>>,
    stacks: &[Stack<'_>],
    time: Duration,
) {
    let requests = requests_of(0);
    let file = tempfile::NamedTempFile::new().expect("a file for the constant lines");
    for stack in stacks {
        let (status, sample) = exchange(stack.server().url(), &requests[0]).await;
        assert_eq!(status, StatusCode::OK);
        let shown: Value = serde_json::from_slice(&sample).expect("it is JSON");
        assert_eq!(shown["prices"].as_array().map(Vec::len), Some(SHOWN));
        std::fs::write(file.path(), &sample).expect("the file can be written");
    }
    let path = file.path().to_str().expect("temporary files have plain names");
    let bare = Server::of_this_program(&["bare", path]);
    let mut all = vec![Contestant::new(BARE, &bare)];
    all.extend(stacks.iter().map(|it| Contestant::new(it.build.name, it.server())));
    let mut generator = Duration::ZERO;
    for round in 0..ROUNDS {
        let requests = requests_of(round);
        let before = cpu_time_of("self");
        for one in &mut all {
            one.measure(&requests, time).await;
        }
        generator += cpu_time_of("self") - before;
    }
    let (now, others) = all.split_last().expect("this build is measured");
    let name = format!("`GET /prices` of {SHOWN} products a second, {what}");
    for other in others {
        let ratio = now.tally.per_sec() / other.tally.per_sec();
        let beside = format!("{}: {}", other.name, shown(&other.tally));
        let line = Line::new("doors", &name, &shown(&now.tally)).beside(&beside, ratio);
        let line = if other.name == BARE { line.target(TARGET, ratio) } else { line };
        line.print();
        let micros = |one: &Contestant<'_>| format!("{:.1} µs", one.cpu_micros());
        Line::new("doors", "processor time of the server for each", &micros(now))
            .beside(
                &format!("{}: {}", other.name, micros(other)),
                now.cpu_micros() / other.cpu_micros(),
            )
            .print();
    }
    let answered: u64 = all.iter().map(|one| one.tally.answered).sum();
    let figure = format!("{:.1} µs", generator.as_secs_f64() * 1e6 / answered as f64);
    line("doors", "processor time of the load generator for each", &figure);
}

fn shown(tally: &HttpTally) -> String {
    let (rate, p99) = (tally.per_sec(), tally.millis(0.99));
    format!("{}, p99 {p99:.2} ms", grouped(rate))
}

/// Returns different requests of many customers. Each has products of its own, spread over all parts of the
/// base.
fn price_requests(data: &Generated, numbers: Range<usize>) -> Vec<Asked> {
    let dataset = data.read();
    let (users, products) = (&dataset.discounts, &dataset.products);
    let request = |number: usize| {
        let user = &users[number % users.len()].user;
        let mut target = format!("/prices/{user}");
        for place in 0..SHOWN {
            let product =
                &products[(number * 7_919 + place * products.len() / SHOWN) % products.len()];
            target.push(if place == 0 { '?' } else { '&' });
            target.push_str(&format!("product={}", product.id));
        }
        target.push_str(&format!("&quantity={}", 1 + number / products.len()));
        Asked { method: Method::GET, target, body: bytes::Bytes::new() }
    };
    numbers.map(request).collect()
}

async fn quotes(what: &str, workload: &Workload, ocache: &Server, time: Duration) {
    let body = |number| {
        let mut frame: Value =
            serde_json::from_str(&workload.frame_of(number)).expect("a frame is JSON");
        frame.as_object_mut().expect("and an object").remove("action");
        Asked { method: Method::POST, target: "/quotes".into(), body: frame.to_string().into() }
    };
    let requests = Rc::new((0..REQUESTS as u64).map(body).collect::<Vec<_>>());
    let mut over_http = HttpTally::begin();
    let mut over_websocket = Tally::begin().expect("times can be counted");
    for _ in 0..ROUNDS {
        let to = ocache.destination();
        let quoted = workload.quote(&to, ServerKind::Gateway, Amount::For(time), SOCKETS).await;
        over_websocket.merge(&quoted);
        over_http.merge(&send(ocache.url(), requests.clone(), SOCKETS, time).await);
    }
    let websocket = format!(
        "websocket: {}, p99 {:.2} ms",
        grouped(over_websocket.per_sec()),
        over_websocket.until_answered.millis(0.99)
    );
    let ratio = over_http.per_sec() / over_websocket.per_sec();
    Line::new("doors", &format!("`POST /quotes` a second, warm, {what}"), &shown(&over_http))
        .beside(&websocket, ratio)
        .print();
}
