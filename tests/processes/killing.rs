//! Tests that every process is killed again and again under load, and nothing that was promised is lost.

use std::sync::Arc;
use std::time::Duration;

use ocache::model::{Timestamp, UserId};
use ocache::ports::{Clock as _, Depth, Ports, Queue, SystemClock};
use ocache::stages::{Setting, set};
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::account::Account;
use super::clients::{Client, Custom};
use super::fleet::{Fleet, Role};
use super::prices::{self, KNOWN_USERS};
use super::report::Report;
use super::stack::Stack;

/// As many as an ordinary test run has time for.
const KILLS: u64 = 8;
/// One more client for this many kills. A client whose quote was held by a killed process waits until the
/// message comes again.
const KILLS_PER_CLIENT: u64 = 2;
/// The pause between two looks at something that takes its time.
const LOOK: Duration = Duration::from_millis(200);

pub fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_on_the_embedded_store() {
    kill_and_check(Stack::embedded(), "direct").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_on_the_embedded_store_with_every_quote_on_the_topic() {
    kill_and_check(Stack::embedded(), "topic").await;
}

#[cfg(feature = "aws")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a local AWS: .ci/ministack cargo test"]
async fn killed_on_aws() {
    kill_and_check(Stack::aws().await, "direct").await;
}

#[cfg(feature = "aws")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a local AWS: .ci/ministack cargo test"]
async fn killed_on_aws_with_every_quote_on_the_topic() {
    kill_and_check(Stack::aws().await, "topic").await;
}

/// Kills processes and checks the result. `answer` is the setting that says where quotes with a usable
/// table are answered.
async fn kill_and_check(stack: Stack, answer: &str) {
    let kills = setting("OCACHE_KILLS", KILLS);
    let seed = setting("OCACHE_KILLS_SEED", 1);
    let mut chance = StdRng::seed_from_u64(seed);
    let stack = Arc::new(stack);
    let discounts = stack.file("discounts.ndjson", prices::discounts_file());
    load(&stack, &[&catalogue_file(&stack, 1), &discounts]).await;

    set(&*stack.ports.store, &[(Setting::Answer, answer.to_owned())]).await.unwrap();
    let mut fleet = Fleet::start(stack.clone(), &Role::ALL).await;
    let (account, stop) = (Account::default(), CancellationToken::new());
    let mut report = Report { engine: stack.engine, seed, ..Report::default() };
    let cold = 2 + kills / KILLS_PER_CLIENT;
    let warm = (2 + kills / KILLS_PER_CLIENT).min(KNOWN_USERS);
    let customs = (0..warm).map(Custom::Warm).chain((0..cold).map(Custom::Cold)).collect();
    let clients = spawn_clients(customs, &fleet, &account, &stop, seed);
    let loads = tokio::spawn(keep_loading(stack.clone(), stop.clone()));
    // The kills begin when work is under way.
    while account.all().values().filter(|entry| !entry.heard.is_empty()).count() < 5 {
        sleep(LOOK).await;
    }

    let mut roles = vec![];
    while report.kills < kills {
        if roles.is_empty() {
            roles = Role::ALL.to_vec();
            roles.shuffle(&mut chance);
        }
        let Some(role) = roles.pop() else { break };
        sleep(Duration::from_millis(chance.random_range(50..1_500))).await;
        report.kills += 1;
        report.in_flight += account.open();
        eprintln!("{}, seed {seed}, kill {}: {role:?}", stack.engine, report.kills);
        fleet.kill(role);
    }

    stop.cancel();
    let mut idle = vec![];
    for client in clients {
        idle.push(client.await.unwrap());
    }
    report.catalogues = loads.await.unwrap();
    fleet.check_alive();
    active_users_are_refreshed(&stack.ports, warm).await;
    fleet.drain(Role::Refresh).await;
    fleet.drain(Role::Up).await;
    report.violations.extend(left_in_queues(&stack.ports).await);
    // The clients listened until now, because something may be pushed twice.
    drop(idle);
    report.take(&account, &stack.ports).await;
    for role in [Role::Gateway, Role::Provider, Role::PriceCalc] {
        fleet.drain(role).await;
    }
    drop(fleet);
    if let Ok(stack) = Arc::try_unwrap(stack) {
        stack.close().await;
    }
    report.assert_kept();
}

fn spawn_clients(
    customs: Vec<Custom>,
    fleet: &Fleet,
    account: &Account,
    stop: &CancellationToken,
    seed: u64,
) -> Vec<tokio::task::JoinHandle<Client>> {
    customs
        .into_iter()
        .zip(1..)
        .map(|(custom, number)| {
            let client =
                Client::new(custom, fleet.addresses(), account.clone(), seed * 1_000 + number);
            tokio::spawn(client.run(stop.clone()))
        })
        .collect()
}

fn catalogue_file(stack: &Stack, catalogue: u64) -> String {
    stack.file(&format!("catalogue-{catalogue}.ndjson"), prices::products_file(catalogue))
}

/// Loads files with a process of its own, which nobody kills.
pub async fn load(stack: &Arc<Stack>, paths: &[&str]) {
    let stack = stack.clone();
    let args: Vec<String> =
        std::iter::once("load").chain(paths.iter().copied()).map(str::to_owned).collect();
    let loading = tokio::task::spawn_blocking(move || {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        stack.run(&args)
    });
    let output = loading.await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Loads one catalogue after the other. Returns how many there were.
async fn keep_loading(stack: Arc<Stack>, stop: CancellationToken) -> u64 {
    let mut catalogue = 1;
    while stop.run_until_cancelled(sleep(Duration::from_secs(1))).await.is_some() {
        catalogue += 1;
        load(&stack, &[&catalogue_file(&stack, catalogue)]).await;
    }
    catalogue
}

/// Waits until every active user's table was validated after now.
async fn active_users_are_refreshed(ports: &Ports, warm: u64) {
    let since: Timestamp = SystemClock.now();
    let users: Vec<UserId> =
        (0..warm).map(|n| UserId::new(&*prices::known_user(n)).unwrap()).collect();
    loop {
        let heads = ports.store.table_heads(&users).await.unwrap();
        if heads.iter().filter(|(_, head)| head.validated_at > since).count() == users.len() {
            return;
        }
        sleep(LOOK).await;
    }
}

/// Waits until the queues are empty, including messages that killed processes held. Returns the dead
/// letters.
async fn left_in_queues(ports: &Ports) -> Vec<String> {
    let mut given_up = vec![];
    for queue in Queue::ALL {
        loop {
            let depth = ports.queues.depth(queue).await.unwrap();
            if (Depth { dead: 0, ..depth }) == Depth::default() {
                if depth.dead > 0 {
                    given_up.push(format!("queue `{queue}`: {} dead letters", depth.dead));
                }
                break;
            }
            sleep(LOOK).await;
        }
    }
    given_up
}
