//! Tests of quotes that are answered directly.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use ocache::meter::{Meter, Operation, Resource, metered};
use ocache::model::{ConnectionRef, QuotationKey, RequestId};
use ocache::ports::{Connections, Delivery, FailureReason, NewTable, PortError, QuotationStatus};
use ocache::pricing::{Money, Product};
use ocache::protocol::MAX_ITEMS;
use ocache::runtime::Role;
use ocache::stages::subscribe::unsubscribe;

use super::harness::{Engine, System, user};

/// Connections that refuse frames while they fail.
struct Failing {
    inner: Arc<dyn Connections>,
    fails: AtomicBool,
}

#[async_trait]
impl Connections for Failing {
    async fn push(&self, to: &ConnectionRef, frame: Bytes) -> Result<Delivery, PortError> {
        match self.fails.load(Ordering::SeqCst) {
            true => Err(PortError::Throttled { what: "the gateway".to_owned() }),
            false => self.inner.push(to, frame).await,
        }
    }
}

/// Returns a system with a table of AAA in which nothing is calculated any more, and the meter of its
/// calls.
async fn warm(engine: Engine) -> (System, Arc<Meter>) {
    let mut system = System::with_fixtures(engine).await;
    system.run(&[Role::PriceCalc]);
    system.subscribe("AAA").await;
    system.head_when("AAA", |_| true).await;
    system.stop().await;
    let meter = Arc::new(Meter::new());
    system.ports = metered(system.ports.clone(), &meter);
    (system, meter)
}

/// Returns the number of items of an operation.
fn items_of(meter: &Meter, operation: Operation) -> u64 {
    let is_meant =
        |resource, action| (resource, action) == (operation.resource(), operation.action());
    meter.usage().total(|line| is_meant(line.resource, line.action)).items
}

fn calls_to(meter: &Meter, resource: Resource) -> u64 {
    meter.usage().total(|line| line.resource == resource).calls
}

async fn stored(system: &System, id: &str) -> QuotationStatus {
    let key = QuotationKey::new(&user("AAA"), &RequestId::new(id).unwrap());
    system.ports.store.quotation(&key).await.unwrap().unwrap().status
}

pub async fn a_warm_quote_costs_one_write_and_no_message(engine: Engine) {
    let (system, meter) = warm(engine).await;
    let accepted = system.ask("AAA", "P1:2 P3:1", "c", Some("1")).await;
    assert!(accepted.settled.is_none(), "it is pushed, and not told a second time");
    let answer = system.pushed("c").await;
    assert_eq!((answer.total.as_deref(), answer.stale), (Some("1805.52"), false));
    let QuotationStatus::Answered(stored) = stored(&system, "1").await else { panic!() };
    assert_eq!(stored.total, Money::from_minor(180_552));

    let writes = Operation::write(Resource::Quotations);
    let sent = [Resource::RefreshQueue, Resource::QuotationQueue, Resource::ProviderQueue];
    assert_eq!(items_of(&meter, writes), 1);
    assert_eq!(items_of(&meter, Operation::PUBLISH), 0);
    assert_eq!(sent.map(|queue| calls_to(&meter, queue)), [0; 3]);
    // One frame for the acknowledgement, and one for the answer.
    assert_eq!(items_of(&meter, Operation::FRAME_OUT), 2);
    let counted = system.metrics.render().unwrap();
    assert!(counted.contains(r#"ocache_quotations_total{outcome="answered",warmth="warm"} 1"#));
}

pub async fn a_gateway_that_stays_tells_the_answer_itself(engine: Engine) {
    let (system, _) = warm(engine).await;
    let gateway = system.handler().watched();
    let accepted = system.ask_of(&gateway, "AAA", "P1:2", "c", Some("1")).await;
    let told = accepted.settled.expect("the gateway tells it");
    assert_eq!(told.status, stored(&system, "1").await);
    assert!(matches!(told.status, QuotationStatus::Answered(_)));
    assert!(!system.has_unread("c"));
}

pub async fn an_answer_that_cannot_be_pushed_is_pushed_by_the_provider(engine: Engine) {
    let (mut system, meter) = warm(engine).await;
    let connections =
        Arc::new(Failing { inner: system.ports.connections.clone(), fails: AtomicBool::new(true) });
    system.ports.connections = connections.clone();
    system.ask("AAA", "P1:2", "c", Some("1")).await;
    assert!(!system.has_unread("c"));
    connections.fails.store(false, Ordering::SeqCst);
    // Prices change meanwhile. What is pushed is what was stored.
    system.load([("P1".to_owned(), 1)]).await;
    system.run(&[Role::QuotationProvider]);
    assert_eq!(system.pushed("c").await.total.as_deref(), Some("900.00"));
    system.stop().await;
    assert!(!system.has_unread("c"), "it is pushed once");
    assert_eq!(items_of(&meter, Operation::PUBLISH), 0);
}

pub async fn a_client_that_is_gone_is_no_failure(engine: Engine) {
    let (system, meter) = warm(engine).await;
    system.close("c");
    system.ask("AAA", "P1:2", "c", Some("1")).await;
    assert_eq!(calls_to(&meter, Resource::ProviderQueue), 0);
    let again = system.ask("AAA", "P1:2", "d", Some("1")).await;
    assert_eq!(again.settled.unwrap().status, stored(&system, "1").await);
}

pub async fn a_reason_is_told_at_once_too(engine: Engine) {
    let mut system = System::new(engine);
    let ids: Vec<String> = (0..MAX_ITEMS).map(|number| format!("P{number}")).collect();
    let named =
        |id: &String| Product::new(id.parse().unwrap(), "n".repeat(400), Money::from_minor(100));
    system.change(ids.iter().map(|id| named(id).into()).collect()).await;
    system.run(&[Role::PriceCalc]);
    system.subscribe("AAA").await;
    system.head_when("AAA", |_| true).await;
    system.ask("AAA", &ids.join(" "), "c", Some("1")).await;
    let failed = system.pushed("c").await;
    assert!(failed.reason.unwrap().contains("fewer products"));
    let reason = QuotationStatus::Failed(FailureReason::AnswerTooLarge);
    assert_eq!(stored(&system, "1").await, reason);
    system.stop().await;
}

pub async fn a_table_that_is_not_usable_takes_the_topic(engine: Engine) {
    let (mut system, meter) = warm(engine).await;
    let published = |wanted: u64| {
        assert_eq!(items_of(&meter, Operation::PUBLISH), wanted);
        assert!(!system.has_unread("c"));
    };
    system.ask("nobody", "P1:1", "c", None).await;
    published(1);
    // First a head whose own rows do not exist, then one that is too old.
    let head = system.head("AAA").await.unwrap();
    let lost = ocache::model::Generation::from_random([7; 16]);
    let late = system.now().plus(Duration::from_secs(3600));
    let own = ocache::ports::OwnStorage::Parts(vec![0]);
    let broken = ocache::ports::TableHead { generation: lost, own, version: 2, ..head };
    let (store, aaa) = (system.ports.store.clone(), user("AAA"));
    store.put_table(NewTable::new(&aaa, &broken, late).replacing(Some(1))).await.unwrap();
    system.ask("AAA", "P1:1", "c", None).await;
    published(2);
    let past = ocache::ports::TableHead { usable_until: system.now(), version: 3, ..broken };
    store.put_table(NewTable::new(&aaa, &past, late).replacing(Some(2))).await.unwrap();
    system.ask("AAA", "P1:1", "c", None).await;
    published(3);
    system.run(&[Role::PriceCalc, Role::QuotationProvider]);
    for _ in 0..3 {
        assert_eq!(system.pushed("c").await.status, "answered");
    }
    system.stop().await;
}

pub async fn a_request_that_waits_is_not_answered_a_second_time(engine: Engine) {
    let mut system = System::with_fixtures(engine).await;
    system.subscribe("AAA").await;
    system.ask("AAA", "P1:2", "old", Some("7")).await;
    system.run(&[Role::PriceCalc]);
    system.head_when("AAA", |_| true).await;
    // It still waits for the provider, although the table exists now.
    let again = system.ask("AAA", "P1:2", "new", Some("7")).await;
    assert!(again.settled.is_none() && !system.has_unread("new"));
    assert_eq!(stored(&system, "7").await, QuotationStatus::Pending);
    system.run(&[Role::QuotationProvider]);
    assert_eq!(system.pushed("new").await.total.as_deref(), Some("900.00"));
    system.stop().await;
}

pub async fn a_visit_orders_no_table_that_is_fresh_or_ordered(engine: Engine) {
    let (system, meter) = warm(engine).await;
    let aaa = user("AAA");
    let orders =
        || [Resource::QuotationQueue, Resource::RefreshQueue].map(|queue| calls_to(&meter, queue));
    system.ports.store.remove_active_user(&aaa).await.unwrap();
    assert!(!system.quote("AAA", "P1:2").await.stale);
    assert!(system.is_active("AAA").await);
    assert_eq!(orders(), [0, 0]);
    // The loader of this load died before it ordered anything.
    system.load([("P1".to_owned(), 60_000)]).await;
    system.ports.store.remove_active_user(&aaa).await.unwrap();
    let gateway = system.handler();
    for _ in 0..3 {
        system.ask_of(&gateway, "AAA", "P1:2", "c", None).await;
        let quotation = system.pushed("c").await;
        assert_eq!((quotation.stale, quotation.total.as_deref()), (true, Some("900.00")));
    }
    assert!(system.is_active("AAA").await);
    assert_eq!(orders(), [0, 1], "once for each version of the table, behind all cold quotes");
}

pub async fn a_visit_is_remembered_for_a_tenth_of_the_ttl(engine: Engine) {
    let (mut system, meter) = warm(engine).await;
    system.policy.ttl = Duration::from_secs(40);
    let (gateway, aaa) = (system.handler(), user("AAA"));
    let looks = || calls_to(&meter, Resource::ActiveUsers);
    let quote = async || {
        let before = looks();
        system.ask_of(&gateway, "AAA", "P1:2", "AAA", None).await;
        system.pushed("AAA").await;
        looks() - before
    };
    assert_eq!(quote().await, 1, "it is read");
    assert_eq!(quote().await, 0, "it is remembered");
    unsubscribe(&*system.ports.store, Some(gateway.visits()), &aaa).await.unwrap();
    assert_eq!(quote().await, 2, "it is read, and written");
    assert!(system.is_active("AAA").await);
    assert_eq!(quote().await, 0);
    // This holds whatever another process does meanwhile.
    unsubscribe(&*system.ports.store, None, &aaa).await.unwrap();
    assert_eq!(quote().await, 0);
    tokio::time::sleep(system.policy.touched_after()).await;
    assert_eq!(quote().await, 2);
    assert!(system.is_active("AAA").await);
}

pub async fn every_quotation_takes_the_topic_when_so_configured(engine: Engine) {
    let (mut system, meter) = warm(engine).await;
    system.ask("AAA", "P1:2", "c", Some("1")).await;
    assert_eq!(stored(&system, "1").await, QuotationStatus::Pending);
    assert_eq!(items_of(&meter, Operation::PUBLISH), 1);
    assert!(!system.has_unread("c"));
    system.run(&[Role::QuotationProvider]);
    assert_eq!(system.pushed("c").await.total.as_deref(), Some("900.00"));
    system.stop().await;
}
