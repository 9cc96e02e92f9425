//! Tests of a topic that delivers to nobody: clients whose quotes were accepted are told all the same.
//!
//! `OCACHE_DROPPED` says how many quotes are asked for, half of them warm.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sns::config::{BehaviorVersion, Credentials, Region};
use ocache::memory::MemoryConnections;
use ocache::model::{ConnectionId, ConnectionRef, Dialect, Item, UserId};
use ocache::ports::{Ports, Queue};
use ocache::protocol::Frame;
use ocache::runtime::metrics::Metrics;
use ocache::runtime::{Role, SHORT_POLL, Shutdown, Slots, Worker};
use ocache::stages::quotation_handler::{Ask, QuotationHandler};
use ocache::stages::subscribe::subscribe;
use ocache::stages::{Answering, Lookup, Policy, Setting, set};
use ocache::supervisor::Supervisor;
use tokio::time::{sleep, timeout};

use super::dead_hands::Running;
use super::killing::{load, setting};
use super::prices;
use super::socket::Socket;
use super::stack::Stack;

const QUOTES: u64 = 20;
const WITHIN: Duration = Duration::from_secs(3);
/// The same for a gateway, which on a busy machine needs seconds to answer those who have a table.
const AT_A_GATEWAY: Duration = Duration::from_secs(20);
/// How long after the deadline a client that was promised an outcome still listens.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(50);

/// Ends every subscription of the stack's topic.
async fn unsubscribe_all(stack: &Stack) {
    let config = aws_sdk_sns::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::for_tests())
        .endpoint_url(std::env::var("OCACHE_TEST_ENDPOINT_URL").unwrap())
        .build();
    let sns = aws_sdk_sns::Client::from_conf(config);
    let mut ended = 0;
    for subscription in sns.list_subscriptions().send().await.unwrap().subscriptions() {
        let topic = subscription.topic_arn().unwrap();
        if topic.ends_with(&format!(":{}-quotations", stack.name())) {
            let arn = subscription.subscription_arn().unwrap();
            sns.unsubscribe().subscription_arn(arn).send().await.unwrap();
            ended += 1;
        }
    }
    assert_eq!(ended, 1);
}

fn users(kind: &str, count: u64) -> Vec<String> {
    (0..count).map(|n| format!("{kind}-{n}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a local AWS: .ci/ministack cargo test"]
async fn all_clients_are_told_when_the_topic_drops_everything() {
    let stack = Arc::new(Stack::aws().await);
    let quotes = setting("OCACHE_DROPPED", QUOTES);
    let products = stack.file("products.ndjson", prices::products_file(1));
    load(&stack, &[&products]).await;
    let (warm, cold) = (users("warm", quotes / 2), users("cold", quotes - quotes / 2));
    warm_up(&stack, &warm).await;
    unsubscribe_all(&stack).await;
    let all: Vec<String> = warm.into_iter().chain(cold).collect();

    by_a_gateway(&stack, &all).await;
    by_functions(&stack.ports, &all).await;
    if let Ok(stack) = Arc::try_unwrap(stack) {
        stack.close().await;
    }
}

/// Makes the tables that quotes of these users will find.
async fn warm_up(stack: &Stack, users: &[String]) {
    let Ports { store, queues, clock, .. } = &stack.ports;
    let users: Vec<UserId> = users.iter().map(|user| UserId::new(&**user).unwrap()).collect();
    for user in &users {
        let hour = Duration::from_secs(3600);
        subscribe(&**store, &**queues, user, hour, clock.now()).await.unwrap();
    }
    let _worker = Running::start(&mut stack.command(&["worker", "price-calc"]));
    while store.table_heads(&users).await.unwrap().len() < users.len() {
        sleep(LOOK).await;
    }
}

/// Tests a local gateway, which watches the deadlines itself, without other processes. Users who have a
/// table are answered without the topic.
async fn by_a_gateway(stack: &Stack, users: &[String]) {
    let within = (Setting::QuoteWithin, format!("{}s", AT_A_GATEWAY.as_secs()));
    set(&*stack.ports.store, &[within]).await.unwrap();
    let args = ["serve", "--port", "0", "--output", "json"];
    let (_gateway, url) = Running::gateway(stack, &args);
    let mut socket = Socket::open(&url).await;
    socket.quote(users).await;
    let outcomes = socket.outcomes(users.len(), AT_A_GATEWAY).await;
    println!("a gateway: {} of {} clients told", outcomes.len(), users.len());
    assert_eq!(outcomes.len(), users.len());
    for (user, status) in &outcomes {
        let expected = if user.starts_with("warm") { "answered" } else { "failed" };
        assert_eq!(status, expected, "{user}");
    }
    assert_eq!(stack.ports.queues.depth(Queue::Provider).await.unwrap(), Default::default());
}

/// Tests functions. They do not stay alive, so the message of a deadline comes to the provider.
async fn by_functions(ports: &Ports, users: &[String]) {
    let connections = Arc::new(MemoryConnections::default());
    let ports = Ports { connections: connections.clone(), ..ports.clone() };
    let answering = Answering::Topic;
    let policy = Policy { quote_within: WITHIN, answering, ..Policy::default() };
    let handler = QuotationHandler::new(&ports, Lookup::new(&ports), policy.clone());
    let to = ConnectionRef {
        endpoint: "https://functions".to_owned(),
        id: ConnectionId::from_random([1; 16]),
    };
    let worker = Worker {
        ports: ports.clone(),
        lookup: Lookup::new(&ports),
        policy: policy.into(),
        slots: Slots::default(),
        poll_wait: SHORT_POLL,
        metrics: Metrics::new(),
        supervisor: Supervisor::new(),
    };
    let shutdown = Shutdown::new();
    let until = shutdown.clone();
    let working = tokio::spawn(async move { worker.run(&[Role::QuotationProvider], &until).await });
    for user in users {
        let item = Item { product: "P0003".parse().unwrap(), quantity: "2".parse().unwrap() };
        let ask = Ask {
            user: UserId::new(&**user).unwrap(),
            items: vec![item],
            request_id: None,
            dialect: Dialect::Current,
            connection: Some(to.clone()),
        };
        handler.quote(ask).await.unwrap();
    }
    let mut told = 0;
    let hearing = async {
        while told < users.len() {
            let frame = connections.next_frame(&to).await;
            match serde_json::from_slice(&frame).unwrap() {
                Frame::Quotation(quotation) if quotation.status == "failed" => told += 1,
                other => panic!("{other:?}"),
            }
        }
    };
    let _ = timeout(WITHIN + PATIENCE, hearing).await;
    println!("functions: {told} of {} clients told", users.len());
    assert_eq!(told, users.len());
    shutdown.begin();
    working.await.unwrap();
}
