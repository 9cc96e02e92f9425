//! Tests that each answer has the data of one load, while prices, names and discounts are loaded together
//! again and again.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::editions::Size;
use super::fleet::{Fleet, Role};
use super::killing::{load, setting};
use super::line::Line;
use super::stack::Stack;

/// As many as an ordinary test run has time for.
const LOADS: u64 = 4;
const QUOTES: u64 = 200;
/// Fewer, because a load takes a call for each row there.
#[cfg(feature = "aws")]
const LOADS_ON_AWS: u64 = 2;
#[cfg(feature = "aws")]
const QUOTES_ON_AWS: u64 = 100;
/// More than one part of a packed table holds.
const PRODUCTS: u64 = 1_100;
const CLIENTS: u64 = 8;
/// Users who come again and again. The others come once.
const WARM: u64 = 10;
/// The pause between two loads.
const PAUSE: Duration = Duration::from_millis(200);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quotes_during_loads_on_the_embedded_store() {
    load_and_quote(Stack::embedded(), LOADS, QUOTES).await;
}

#[cfg(feature = "aws")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a local AWS: .ci/ministack cargo test"]
async fn quotes_during_loads_on_aws() {
    load_and_quote(Stack::aws().await, LOADS_ON_AWS, QUOTES_ON_AWS).await;
}

/// What clients heard.
#[derive(Default)]
struct Tally {
    warm: AtomicU64,
    cold: AtomicU64,
    /// How many users have come once so far.
    seen: AtomicU64,
    editions: Mutex<BTreeSet<u64>>,
    wrong: Mutex<Vec<String>>,
}

impl Tally {
    fn quotes(&self) -> u64 {
        self.warm.load(Ordering::Relaxed) + self.cold.load(Ordering::Relaxed)
    }
}

async fn load_and_quote(stack: Stack, loads: u64, quotes: u64) {
    let (loads, quotes) = (setting("OCACHE_LOADS", loads), setting("OCACHE_LOAD_QUOTES", quotes));
    let seed = setting("OCACHE_KILLS_SEED", 1);
    let size = Size { products: PRODUCTS, users: WARM + quotes };
    let stack = Arc::new(stack);
    let load_edition = async |edition| {
        load(&stack, &[&stack.file("edition.ndjson", size.file(edition))]).await;
    };
    load_edition(1).await;
    let mut fleet = Fleet::start(stack.clone(), &Role::ALL).await;
    let urls = [fleet.gateway_address().await, fleet.up_address().await];
    let (tally, stop) = (Arc::new(Tally::default()), CancellationToken::new());
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let url = urls[usize::from(number % 4 < 2)].clone();
            let chance = StdRng::seed_from_u64(seed * 1_000 + number);
            tokio::spawn(quote(url, number, size, tally.clone(), chance, stop.clone()))
        })
        .collect();
    let mut edition = 1;
    while edition <= loads || tally.quotes() < quotes {
        edition += 1;
        load_edition(edition).await;
        sleep(PAUSE).await;
        fleet.check_alive();
    }
    stop.cancel();
    for client in clients {
        client.await.unwrap();
    }
    drop(fleet);
    let wrong = tally.wrong.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let editions = tally.editions.lock().unwrap_or_else(PoisonError::into_inner).len();
    eprintln!(
        "| {}, seed {seed} | {} loads | {} quotes: {} of users seen before, {} of new ones | of \
         {editions} loads | {} mixed |",
        stack.engine,
        edition - 1,
        tally.quotes(),
        tally.warm.load(Ordering::Relaxed),
        tally.cold.load(Ordering::Relaxed),
        wrong.len(),
    );
    if let Ok(stack) = Arc::try_unwrap(stack) {
        stack.close().await;
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(editions > 1, "all answers are of one load");
}

/// Asks until it is told to stop. Every other client always asks for users who come again.
async fn quote(
    url: String,
    number: u64,
    size: Size,
    tally: Arc<Tally>,
    mut chance: StdRng,
    stop: CancellationToken,
) {
    let mut line = Line::open(&url, &format!("client-{number}")).await;
    while !stop.is_cancelled() {
        let (user, count) = match number % 2 {
            0 => (chance.random_range(0..WARM), &tally.warm),
            _ => (WARM + tally.seen.fetch_add(1, Ordering::Relaxed), &tally.cold),
        };
        let mut products = size.discounted(user);
        products.extend((0..5).map(|_| chance.random_range(0..size.products)));
        let items: Vec<_> = products.into_iter().map(|index| (index, 1 + index % 3)).collect();
        let answer = line.quote(user, &items).await;
        match size.edition_of(user, &items, &answer) {
            Ok(edition) => {
                tally.editions.lock().unwrap_or_else(PoisonError::into_inner).insert(edition);
            }
            Err(why) => {
                let why = format!("user {user}: {why}");
                tally.wrong.lock().unwrap_or_else(PoisonError::into_inner).push(why);
            }
        }
        count.fetch_add(1, Ordering::Relaxed);
    }
}
