//! Tests that a worker is killed while it holds cold quotes, and another one takes over.
//!
//! `OCACHE_DEAD_HANDS` says how often.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use ocache::ports::{Depth, Queue};
use ocache::stages::{Policy, Setting, set};
use tokio::time::sleep;

use super::killing::{load, setting};
use super::socket::Socket;
use super::stack::Stack;

const ROUNDS: u64 = 2;
/// How many cold quotes the worker holds.
const QUOTES: usize = 50;
const PRODUCTS: u32 = 5_000;
/// Enough for a busy machine to accept all quotes, to start two workers, and to answer.
const QUOTE_WITHIN: Duration = Duration::from_secs(120);
/// The pause between two looks at what the worker holds. It does not hold it for long.
const LOOK: Duration = Duration::from_millis(5);
/// The pause between two looks at a queue that is emptied.
const LOOK_AT_QUEUE: Duration = Duration::from_millis(100);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quotes_in_dead_hands_are_answered_on_the_embedded_store() {
    kill_workers(Stack::embedded()).await;
}

#[cfg(feature = "aws")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a local AWS: .ci/ministack cargo test"]
async fn quotes_in_dead_hands_are_answered_on_aws() {
    kill_workers(Stack::aws().await).await;
}

/// A process that ends with the test.
pub struct Running(Child);

impl Running {
    pub fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }

    /// Starts a gateway. Also returns the address of its websocket.
    pub fn gateway(stack: &Stack, args: &[&str]) -> (Self, String) {
        let mut command = stack.command(args);
        let command = command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let url = super::fleet::websocket(std::io::BufReader::new(stdout)).unwrap();
        (Self(child), url)
    }

    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The process may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns so many products that a worker that has just started still reads them when it has received its
/// orders.
fn products_file() -> String {
    let line = |n| format!("{{\"id\":\"P{n:04}\",\"name\":\"product {n}\",\"price\":{n}.50}}\n");
    (0..PRODUCTS).map(line).collect()
}

async fn depth(stack: &Stack, queue: Queue) -> Depth {
    stack.ports.queues.depth(queue).await.unwrap()
}

async fn drained(stack: &Stack, queue: Queue) {
    while depth(stack, queue).await != Depth::default() {
        sleep(LOOK_AT_QUEUE).await;
    }
}

/// Waits until a worker holds all orders. Returns `None` if it was faster and has done them.
async fn held(stack: &Stack) -> Option<Depth> {
    loop {
        let depth = depth(stack, Queue::Quotation).await;
        if depth == Depth::default() {
            return None;
        }
        if depth.waiting == 0 && depth.in_flight >= QUOTES as u64 {
            return Some(depth);
        }
        sleep(LOOK).await;
    }
}

async fn kill_workers(stack: Stack) {
    let rounds = setting("OCACHE_DEAD_HANDS", ROUNDS);
    let stack = Arc::new(stack);
    // By default too, messages in dead hands come again long before the deadline.
    assert!(Queue::Quotation.visibility() * 2 < Policy::default().quote_within);
    let within = (Setting::QuoteWithin, format!("{}s", QUOTE_WITHIN.as_secs()));
    set(&*stack.ports.store, &[within]).await.unwrap();
    let products = stack.file("products.ndjson", products_file());
    load(&stack, &[&products]).await;
    let (gateway, url) = Running::gateway(&stack, &["serve", "--port", "0", "--output", "json"]);
    let provider = Running::start(&mut quiet(&stack, &["worker", "quotation-provider"]));
    // A first visit and a quote are two messages for each user.
    let slots = (4 * QUOTES).to_string();
    let worker = ["worker", "price-calc", "--urgent-slots", &slots];
    let (mut killed, mut tried, mut answered) = (0, 0, 0);
    while killed < rounds {
        tried += 1;
        let users: Vec<String> = (0..QUOTES).map(|n| format!("cold-{tried}-{n}")).collect();
        let mut socket = Socket::open(&url).await;
        socket.quote(&users).await;
        socket.accepted(QUOTES).await;
        // When the provider has nothing left, all tables are ordered.
        drained(&stack, Queue::Provider).await;
        let mut victim = Running::start(&mut quiet(&stack, &worker));
        let held = held(&stack).await;
        victim.kill();
        let Some(held) = held else { continue };
        killed += 1;
        let survivor = Running::start(&mut quiet(&stack, &worker));
        let outcomes = socket.outcomes(QUOTES, QUOTE_WITHIN).await;
        let in_time = outcomes.values().filter(|status| *status == "answered").count();
        answered += in_time;
        eprintln!("{}, kill {killed}: {held:?}, {in_time} of {QUOTES} answered", stack.engine);
        assert_eq!(outcomes.len(), QUOTES, "all clients were told");
        drained(&stack, Queue::Quotation).await;
        drop(survivor);
    }
    let asked = QUOTES as u64 * rounds;
    println!("{}: {answered} of {asked} answered by their deadline", stack.engine);
    assert_eq!(answered as u64, asked);
    drop((gateway, provider));
    if let Ok(stack) = Arc::try_unwrap(stack) {
        stack.close().await;
    }
}

/// Returns a command that prints nothing to the test's own output.
fn quiet(stack: &Stack, args: &[&str]) -> Command {
    let mut command = stack.command(args);
    command.stderr(Stdio::null());
    command
}
