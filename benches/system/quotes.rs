//! Measures warm quotes end to end, in turns: this build, the previous one, a plain service on `SQLite`,
//! and a websocket server that only returns what it gets.

use std::sync::Arc;
use std::time::Duration;

use ocache::load_generator::{
    Amount, ExpectedPrices, LoadRun, QuoteMix, RequestNames, ServerKind, Tally,
};
use ocache::model::{ProductId, UserId};
use ocache::protocol::{Frame, QuotationFrame};
use ocache::runtime::client::{Destination, GatewayClient};

use crate::generated::{Generated, Prices};
use crate::lab::Scale;
use crate::results::{Line, Target, grouped, line};
use crate::server::{Server, cpu_time_of};
use crate::stack::{Build, Stack};

const PRODUCTS: u64 = 10_000;
const CUSTOMERS: u32 = 1_000;
const DISCOUNTS: u64 = 100;
const LINES: usize = 3;
/// Each line is of 1 to this many pieces.
const PIECES: u64 = 4;
pub const SOCKETS: usize = 50;
const ROUNDS: u32 = 4;
/// How long each server is measured in a round, at full scale.
const ROUND: Duration = Duration::from_secs(4);
const PATIENCE: Duration = Duration::from_secs(60);
/// How many quotes are sent to both ocache and the peer to compare their answers.
const COMPARED: u64 = 200;
const ECHO: &str = "websocket echo";
/// The target for quotes a second, divided by the echo's.
const RATE: Target = Target::AtLeast(0.3);
/// The target for the p99, divided by the echo's.
const P99: Target = Target::AtMost(5.0, "");
/// The target for the server's processor time for each quote.
const CPU: Target = Target::AtMost(30.0, " µs");

/// What is quoted, for whom, and at which prices.
#[derive(Clone)]
pub struct Workload {
    mix: Arc<QuoteMix>,
    /// What each answer must contain, if that is known.
    expected: Option<Arc<dyn ExpectedPrices>>,
    pub customers: u64,
}

impl Workload {
    /// Returns quotes of all customers with discounts, for all products.
    pub fn of(data: &Generated) -> Self {
        let dataset = data.read();
        let users: Vec<UserId> = dataset.discounts.iter().map(|list| list.user.clone()).collect();
        Self::for_users(&users, &dataset)
    }

    /// Returns quotes of these customers, for all products.
    pub fn for_users(users: &[UserId], dataset: &ocache::data::Dataset) -> Self {
        let products = dataset.products.iter().map(|product| product.id.clone());
        let products: Vec<ProductId> = products.collect();
        let mix = QuoteMix::new(users, &products, LINES).of_up_to(PIECES);
        let expected = Arc::new(Prices::new(dataset));
        Self { mix: Arc::new(mix), expected: Some(expected), customers: users.len() as u64 }
    }

    /// Returns the frame of the quote with a number.
    pub fn frame_of(&self, number: u64) -> String {
        self.mix.frame_of(number)
    }

    /// Returns the same quotes without expected prices, because prices change.
    pub fn of_any_price(self) -> Self {
        Self { expected: None, ..self }
    }

    /// Sends quotes over this many sockets. Every one of them must be answered rightly.
    pub async fn quote(
        &self,
        to: &Destination,
        peer: ServerKind,
        amount: Amount,
        sockets: usize,
    ) -> Tally {
        let run = LoadRun {
            mix: self.mix.clone(),
            names: RequestNames::Made,
            amount,
            sockets,
            rate: None,
            patience: PATIENCE,
            peer,
            check_every: 32,
            expected: self.expected.clone(),
            on_end: Arc::new(|| ()),
        };
        let tally = run.go(to, None).await.expect("the server takes quotes");
        let unanswered = tally.asked - tally.answered;
        assert_eq!(unanswered, 0, "not answered, or wrongly: {:?}", tally.complaint);
        tally
    }

    /// Quotes every customer twice: the first makes the tables, the second finds them.
    pub async fn warm(&self, to: &Destination) {
        for _ in 0..2 {
            self.quote(to, ServerKind::Gateway, Amount::Quotes(self.customers), SOCKETS).await;
        }
    }
}

/// One of the servers that are measured in turns.
struct Contestant<'a> {
    name: &'static str,
    server: &'a Server,
    peer: ServerKind,
    tally: Tally,
    cpu: Duration,
}

impl<'a> Contestant<'a> {
    fn new(name: &'static str, server: &'a Server, peer: ServerKind) -> Self {
        let tally = Tally::begin().expect("times can be counted");
        Self { name, server, peer, tally, cpu: Duration::ZERO }
    }

    async fn measure(&mut self, workload: &Workload, time: Duration) {
        let before = self.server.cpu_time();
        let to = self.server.destination();
        let tally = workload.quote(&to, self.peer, Amount::For(time), SOCKETS).await;
        self.cpu += self.server.cpu_time() - before;
        self.tally.merge(&tally);
    }

    fn p99(&self) -> f64 {
        self.tally.until_answered.millis(0.99)
    }

    fn cpu_micros(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.tally.answered as f64
    }

    /// Prints lines that compare it with another.
    fn compare(&self, what: &str, other: &Self) {
        let per_sec = |one: &Self| grouped(one.tally.per_sec());
        let p99 = |one: &Self| format!("{:.2} ms", one.p99());
        let micros = |one: &Self| format!("{:.1} µs", one.cpu_micros());
        let beside = |figure: String| format!("{}: {figure}", other.name);
        let ratio = self.tally.per_sec() / other.tally.per_sec();
        let rate = Line::new("quotes", &format!("warm quotes a second, {what}"), &per_sec(self))
            .beside(&beside(per_sec(other)), ratio);
        let late = self.p99() / other.p99();
        let wait = Line::new("quotes", "their p99", &p99(self)).beside(&beside(p99(other)), late);
        let cpu = self.cpu_micros();
        let cost = Line::new("quotes", "processor time of the server for each", &micros(self))
            .beside(&beside(micros(other)), cpu / other.cpu_micros());
        let lines = match other.name {
            ECHO => [rate.target(RATE, ratio), wait.target(P99, late), cost.target(CPU, cpu)],
            _ => [rate, wait, cost],
        };
        lines.iter().for_each(Line::print);
    }
}

pub async fn run(scale: Scale, builds: &[Build]) {
    large(scale, builds).await;
    small(scale, builds).await;
}

/// Measures a shop of a usual size.
async fn large(scale: Scale, builds: &[Build]) {
    let customers = scale.of(CUSTOMERS);
    let data = Generated::new(PRODUCTS, customers.into(), DISCOUNTS);
    let workload = Workload::of(&data);
    let mut stacks: Vec<Stack> = builds.iter().map(|build| Stack::loaded(build, &data)).collect();
    for stack in &mut stacks {
        workload.warm(&stack.start().destination()).await;
    }
    let folder = data.folder().to_str().expect("temporary folders have plain names");
    let peer = Server::of_this_program(&["peer", folder]);
    workload.warm(&peer.destination()).await;
    for stack in &stacks {
        stack.until_quiet();
        compare(&workload, stack.server(), &peer).await;
    }
    let [products, shown] = [PRODUCTS as f64, customers.into()].map(grouped);
    let what = format!("{products} products, {shown} customers, {SOCKETS} sockets");
    in_turns(&what, &workload, &stacks, Some(&peer), scale).await;
}

/// Measures five products and one customer.
async fn small(scale: Scale, builds: &[Build]) {
    let dataset = ocache::data::fixtures::dataset().expect("the fixtures can be read");
    let workload = Workload::for_users(&[UserId::new("AAA").expect("it is an id")], &dataset);
    let mut stacks: Vec<Stack> = builds.iter().map(Stack::empty).collect();
    for stack in &mut stacks {
        workload.warm(&stack.start().destination()).await;
    }
    let what = format!("5 products, one customer, {SOCKETS} sockets");
    in_turns(&what, &workload, &stacks, None, scale).await;
}

async fn in_turns(
    what: &str,
    workload: &Workload,
    stacks: &[Stack<'_>],
    peer: Option<&Server>,
    scale: Scale,
) {
    let echo = Server::of_this_program(&["echo"]);
    let mut all = vec![Contestant::new(ECHO, &echo, ServerKind::Echo)];
    all.extend(peer.map(|peer| Contestant::new("SQLite peer", peer, ServerKind::Gateway)));
    let ocaches = stacks.iter();
    all.extend(ocaches.map(|it| Contestant::new(it.build.name, it.server(), ServerKind::Gateway)));
    let generator = cpu_time_of("self");
    for _ in 0..ROUNDS {
        for one in &mut all {
            one.measure(workload, ROUND.mul_f64(scale.0.min(1.0))).await;
        }
    }
    let generator = (cpu_time_of("self") - generator).as_secs_f64() * 1e6;
    let (now, others) = all.split_last().expect("this build is measured");
    for other in others {
        now.compare(what, other);
    }
    let quotes: u64 = all.iter().map(|one| one.tally.answered).sum();
    let checked: u64 = all.iter().map(|one| one.tally.checked).sum();
    let figure = format!("{:.1} µs", generator / quotes as f64);
    line("quotes", "processor time of the load generator for each", &figure);
    line("quotes", "answers checked, all right", &grouped(checked as f64));
}

/// Checks that the peer answers as ocache does.
async fn compare(workload: &Workload, ocache: &Server, peer: &Server) {
    let mut answers = vec![];
    for server in [ocache, peer] {
        let mut client = connect(server).await;
        let mut some = vec![];
        for number in 0..COMPARED {
            client.send(workload.mix.frame_of(number)).await.expect("the socket is open");
            some.push(answer(&mut client).await);
        }
        client.close().await;
        answers.push(some);
    }
    for (ocache, peer) in answers[0].iter().zip(&answers[1]) {
        let shown = |it: &QuotationFrame| {
            let it = it.clone();
            (it.client, it.status, it.stale, it.lines, it.unavailable, it.total, it.currency)
        };
        assert_eq!(shown(ocache), shown(peer), "the peer answers otherwise");
    }
}

pub async fn connect(server: &Server) -> GatewayClient {
    GatewayClient::connect(&server.destination(), None).await.expect("the server takes sockets")
}

/// Returns the next answer, and panics at an error.
async fn answer(client: &mut GatewayClient) -> QuotationFrame {
    loop {
        match client.next().await.expect("the socket is open").frame {
            Frame::Quotation(answer) => return answer,
            Frame::Accepted { .. } | Frame::Pong => {}
            Frame::Error { message, .. } => panic!("{message}"),
        }
    }
}
