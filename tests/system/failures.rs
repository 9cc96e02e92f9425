//! Tests of quotes that cannot be answered, and of work that cannot be done.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use ocache::data::{LoadOptions, load, read_texts};
use ocache::embedded::Embedded;
use ocache::model::{
    Calculation, Cause, ConnectionRef, DeduplicationId, GroupId, ProviderMessage, QuotationKey,
    QuotationRequest, RequestId,
};
use ocache::ports::{
    ActiveUsers as _, Clock as _, Connections, Delivery, FailureReason, MAX_RECEIVES, NewTable,
    Outgoing, PortError, Posting, Queue, Received, RowChange, SystemClock, SystemRandomness,
    Verdict,
};
use ocache::pricing::{Currency, Money, Product};
use ocache::protocol::MAX_ITEMS;
use ocache::runtime::Role;
use ocache::stages::price_calc::PriceCalc;
use ocache::stages::quotation_provider::QuotationProvider;
use ocache::stages::{BaseMaker, Lookup};
use ocache::supervisor::Supervisor;

use super::harness::{Engine, System, received, user};

pub async fn a_quote_without_a_calculator_fails_at_its_deadline(engine: Engine) {
    let mut system = System::with_fixtures(engine).await;
    system.policy.quote_within = Duration::from_secs(1);
    system.run(&[Role::QuotationProvider]);
    let quotation = system.quote("AAA", "P1:2").await;
    assert_eq!(quotation.status, "failed");
    assert!(quotation.reason.unwrap().contains("deadline"));
    system.stop().await;
    assert!(!system.has_unread("AAA"), "it failed once");
}

pub async fn an_empty_catalogue_is_a_reason(engine: Engine) {
    let mut system = System::new(engine);
    system.run(&[Role::PriceCalc, Role::QuotationProvider]);
    let quotation = system.quote("AAA", "P1:2").await;
    assert_eq!(quotation.status, "failed");
    assert!(quotation.reason.unwrap().contains("no products"));
    // Once there are products, nothing prevents an answer, not even the empty table.
    system.load([("P1".to_owned(), 100)]).await;
    assert_eq!(system.quote("AAA", "P1:2").await.total.as_deref(), Some("2.00"));
    system.stop().await;
}

pub async fn an_answer_too_large_for_a_message_is_a_reason(engine: Engine) {
    let mut system = System::new(engine);
    let ids: Vec<String> = (0..MAX_ITEMS).map(|number| format!("P{number}")).collect();
    system.load(ids.iter().map(|id| (id.clone(), 100))).await;
    let named =
        |id: &String| Product::new(id.parse().unwrap(), "n".repeat(400), Money::from_minor(100));
    system.change(ids.iter().map(named).map(RowChange::from).collect()).await;
    system.run(&[Role::PriceCalc, Role::QuotationProvider]);
    let quotation = system.quote("AAA", &ids.join(" ")).await;
    assert_eq!(quotation.status, "failed");
    assert!(quotation.reason.unwrap().contains("fewer products"));
    assert_eq!(system.quote("AAA", "P1 P2").await.total.as_deref(), Some("2.00"));
    system.stop().await;
}

pub async fn a_damaged_table_is_calculated_anew(engine: Engine) {
    let mut system = System::with_fixtures(engine).await;
    system.run(&[Role::PriceCalc, Role::QuotationProvider]);
    system.subscribe("AAA").await;
    let head = system.head_when("AAA", |_| true).await;
    system.stop().await;
    // The head names a generation that nobody has written.
    let lost = ocache::model::Generation::from_random([7; 16]);
    let broken = ocache::ports::TableHead { generation: lost, version: 2, ..head };
    let late = system.now().plus(Duration::from_secs(3600));
    let aaa = user("AAA");
    let table = NewTable::new(&aaa, &broken, late).replacing(Some(1));
    system.ports.store.put_table(table).await.unwrap();

    system.run(&[Role::PriceCalc, Role::QuotationProvider]);
    assert_eq!(system.quote("AAA", "P1:2").await.total.as_deref(), Some("900.00"));
    system.stop().await;
}

pub async fn an_unreadable_message_ends_in_the_dead_letters(engine: Engine) {
    let mut system = System::with_fixtures(engine).await;
    let group = GroupId::of(&user("poison"));
    let deduplication = DeduplicationId::from_random([1; 16]);
    let poison = Outgoing {
        body: "{\"not\": \"an order\"}".to_owned(),
        posting: Posting::Fifo { group, deduplication },
    };
    assert!(system.ports.queues.send(Queue::Quotation, &[poison]).await.unwrap().is_empty());
    // Received so often that the next failure is its last.
    for _ in 1..MAX_RECEIVES {
        let wait = Duration::from_secs(5);
        let got = system.ports.queues.receive(Queue::Quotation, 1, wait, wait).await.unwrap();
        let receipts = [got[0].receipt.clone()];
        let visible =
            system.ports.queues.change_visibility(Queue::Quotation, &receipts, Duration::ZERO);
        visible.await.unwrap();
    }
    system.run(&[Role::PriceCalc, Role::QuotationProvider]);
    // It does not delay other messages.
    assert_eq!(system.quote("AAA", "P1:2").await.status, "answered");
    system.stop().await;
    let depth = system.ports.queues.depth(Queue::Quotation).await.unwrap();
    assert_eq!(depth.waiting + depth.in_flight + depth.dead, 1, "{depth:?}");
}

pub async fn a_failure_that_was_not_pushed_is_pushed_again(engine: Engine) {
    let system = System::with_fixtures(engine).await;
    system.ask("AAA", "P1:2", "c", Some("1")).await;
    let key = QuotationKey::new(&user("AAA"), &RequestId::new("1").unwrap());
    let failed = Verdict::Failure(FailureReason::DeadlinePassed);
    system.ports.store.settle_quotation(&key, &failed, system.now()).await.unwrap();
    let message = ProviderMessage::Deadline { user: user("AAA"), key };
    let provider = QuotationProvider::new(&system.ports, Lookup::new(&system.ports));
    // A copy of the message may have settled the quotation without reaching the client.
    assert!(provider.handle(&[received(&message, 1)]).await[0].is_done());
    assert!(system.has_unread("c"));
}

fn price_calc(system: &System) -> PriceCalc {
    let ports = &system.ports;
    let bases = BaseMaker::new(ports, Lookup::new(ports).bases().clone());
    PriceCalc::new(ports, Arc::new(bases), system.policy.clone())
}

/// Returns an order of the schedule.
fn tick(system: &System, id: &str) -> Calculation {
    let now = system.now();
    let expires_at = now.plus(Duration::from_secs(3600));
    let cause = Cause::Scheduled { tick: 1, due: now, interval_ms: 60_000, expires_at };
    Calculation { user: user(id), cause }
}

pub async fn a_row_that_cannot_be_read_stops_nobody_else(engine: Engine) {
    let file = engine.dir.as_ref().unwrap().join("store.db");
    let system = System::with_fixtures(engine).await;
    let damage = rusqlite::Connection::open(file).unwrap();
    let damaged = damage.execute("UPDATE discounts SET list = 'x' WHERE user = 'AAA'", []);
    assert_eq!(damaged.unwrap(), 1);
    let batch = ["AAA", "BBB"].map(|id| received(&tick(&system, id), 1));
    let outcomes = price_calc(&system).handle(&batch).await;
    assert_eq!([outcomes[0].is_done(), outcomes[1].is_done()], [false, true], "{outcomes:?}");
    assert!(system.head("AAA").await.is_none() && system.head("BBB").await.is_some());
}

pub async fn the_longest_name_is_quoted_and_a_longer_one_is_not_loaded(engine: Engine) {
    let mut system = System::with_fixtures(engine).await;
    let data = |bytes: usize| {
        let name = "n".repeat(bytes);
        let text = format!("id,name,price\nLONG,{name},1.00\n");
        read_texts(&[(Path::new("f.csv"), text.as_bytes())], Currency::USD)
    };
    let errors = data(Product::MAX_NAME_BYTES + 1).unwrap_err();
    let expected = "f.csv:2:6: `name` has 65537 bytes, 65536 are allowed";
    assert_eq!(errors.errors[0].to_string(), expected);

    let (data, ports) = (data(Product::MAX_NAME_BYTES).unwrap(), &system.ports);
    let options = LoadOptions { currency: Currency::USD, prune: false, merge: false };
    load(&*ports.store, &*ports.clock, &*ports.randomness, &data, options, &|_| ()).await.unwrap();
    system.run(&[Role::PriceCalc, Role::QuotationProvider]);
    assert_eq!(system.quote("AAA", "P1:1 LONG:1").await.total.as_deref(), Some("451.00"));
    system.stop().await;
}

/// Returns how often this process has a file open.
fn times_open(file: &Path) -> usize {
    let open = std::fs::read_dir("/proc/self/fd").unwrap();
    let links = open.filter_map(|link| std::fs::read_link(link.ok()?.path()).ok());
    links.filter(|link| link == file).count()
}

pub async fn a_process_that_waits_for_a_restore_opens_the_restored_store() {
    let open = |dir: &Path| {
        let (clock, randomness) = (Arc::new(SystemClock), Arc::new(SystemRandomness));
        Embedded::open(dir, clock, randomness, &Supervisor::new()).unwrap()
    };
    let (dir, backup) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (restored, now) = (open(backup.path()), SystemClock.now());
    restored.record_visit(&user("ann"), now, now).await.unwrap();
    restored.close().await;
    open(dir.path()).close().await;
    let file = dir.path().join("store.db");
    let restoring = rusqlite::Connection::open(&file).unwrap();
    let lock = "PRAGMA journal_mode = DELETE; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE";
    restoring.execute_batch(lock).unwrap();
    let folder = dir.path().to_owned();
    let opening = std::thread::spawn(move || open(&folder));
    while times_open(&file) < 2 {
        std::thread::yield_now();
    }
    std::fs::rename(backup.path().join("store.db"), &file).unwrap();
    drop(restoring);
    let store = opening.join().unwrap();
    assert!(store.active_user(&user("ann")).await.unwrap().is_some());
}

pub async fn an_order_that_comes_too_late_still_tells_the_client(engine: Engine) {
    let mut system = System::with_fixtures(engine).await;
    system.policy.quote_within = Duration::ZERO;
    system.ask("AAA", "P1:2", "c", Some("1")).await;
    let (queues, wait) = (&system.ports.queues, Duration::from_secs(5));
    // The message of the deadline may come first. It is not part of this test.
    let next_quote = async || loop {
        let received = queues.receive(Queue::Provider, 1, wait, wait).await.unwrap();
        let receipts = [received[0].receipt.clone()];
        if let Ok(ProviderMessage::Quote(request)) = serde_json::from_str(&received[0].body) {
            return (received, receipts, request);
        }
        queues.acknowledge(Queue::Provider, &receipts).await.unwrap();
    };
    let (_, asked, request) = next_quote().await;
    queues.acknowledge(Queue::Provider, &asked).await.unwrap();
    // Another process had the same message, settled the quotation, and died before the push.
    let failed = Verdict::Failure(FailureReason::DeadlinePassed);
    system.ports.store.settle_quotation(&request.key, &failed, system.now()).await.unwrap();

    let sent_at = request.deadline;
    let cause = Cause::Quotation(QuotationRequest { attempt: 1, ..request });
    let order = received(&Calculation { user: user("AAA"), cause }, 1);
    let order = Received { sent_at, ..order };
    assert!(price_calc(&system).handle(&[order]).await[0].is_done());
    assert!(system.head("AAA").await.is_none(), "nothing is calculated any more");
    let (published, ..) = next_quote().await;
    let provider = QuotationProvider::new(&system.ports, Lookup::new(&system.ports));
    assert!(provider.handle(&published).await[0].is_done());
    assert_eq!(system.pushed("c").await.status, "failed");
}

/// Panics if something is pushed to one connection.
struct PanicsFor(&'static str, Arc<dyn Connections>);

#[async_trait]
impl Connections for PanicsFor {
    async fn push(&self, to: &ConnectionRef, frame: Bytes) -> Result<Delivery, PortError> {
        assert_ne!(to.id.as_str(), self.0, "planted by a test");
        self.1.push(to, frame).await
    }
}

pub async fn a_panic_over_one_message_fails_no_other(engine: Engine) {
    let mut system = System::with_fixtures(engine).await;
    system.ports.connections = Arc::new(PanicsFor("bad", system.ports.connections.clone()));
    system.run(&[Role::PriceCalc]);
    system.subscribe("AAA").await;
    system.head_when("AAA", |_| true).await;
    // Asked before anybody takes the messages, so that they come in one batch.
    for connection in ["one", "bad", "two", "three"] {
        system.ask("AAA", "P1:2", connection, None).await;
    }
    system.run(&[Role::QuotationProvider]);
    for connection in ["one", "two", "three"] {
        assert_eq!(system.pushed(connection).await.total.as_deref(), Some("900.00"));
    }
    // The message itself comes again, like any that fails.
    while system.metrics.stage_panics() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    system.stop().await;
}
