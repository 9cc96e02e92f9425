//! Tests of which calculations are ordered, in which queue, and how often.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use ocache::meter::{Action, Meter, Resource, metered};
use ocache::model::{Calculation, Cause, Dialect, RequestId};
use ocache::ports::{Queue, UserDiscounts};
use ocache::pricing::Discounts;
use ocache::runtime::Role;
use ocache::stages::StageError;
use ocache::stages::quotation_handler::Ask;

use super::harness::{Engine, System, items, user};

const USERS: usize = 20;

/// Returns a system whose schedule is too slow to explain any result, and the meter of its calls.
async fn counted(engine: Engine) -> (System, Arc<Meter>) {
    let mut system = System::with_fixtures(engine).await;
    system.policy.refresh_every = Duration::from_secs(3600);
    let meter = Arc::new(Meter::new());
    system.ports = metered(system.ports.clone(), &meter);
    (system, meter)
}

/// Returns how many messages were sent to a queue, including duplicates that the queue dropped.
fn sent(meter: &Meter, queue: Resource) -> u64 {
    let to_queue =
        meter.usage().total(|line| line.resource == queue && line.action == Action::Send);
    to_queue.items
}

/// Takes the orders that wait in the urgent queue.
async fn urgent_orders(system: &System) -> Vec<Cause> {
    let (wait, hidden) = (Duration::ZERO, Duration::from_secs(60));
    let received = system.ports.queues.receive(Queue::Quotation, 10, wait, hidden).await.unwrap();
    let receipts: Vec<_> = received.iter().map(|message| message.receipt.clone()).collect();
    system.ports.queues.acknowledge(Queue::Quotation, &receipts).await.unwrap();
    let orders = received.iter().map(|message| {
        let order: Calculation = serde_json::from_str(&message.body).unwrap();
        order.cause
    });
    orders.collect()
}

pub async fn a_stale_table_is_ordered_once_and_behind_every_cold_quote(engine: Engine) {
    let (mut system, meter) = counted(engine).await;
    let users: Vec<String> = (0..USERS).map(|n| format!("user {n}")).collect();
    system.run(&[Role::PriceCalc]);
    for who in &users {
        system.subscribe(who).await;
        system.head_when(who, |_| true).await;
    }
    let urgent_before = sent(&meter, Resource::QuotationQueue);
    for round in 1..=2 {
        system.stop().await;
        // The loader died before it ordered anything, so quotes find their tables stale.
        system.load([("P1".to_owned(), 60_000 + round)]).await;
        system.run(&[Role::QuotationProvider]);
        let gateway = system.handler();
        for _ in 0..3 {
            // Two at once, so that one batch has both.
            let twice = users.iter().chain(&users);
            join_all(twice.map(|who| system.ask_of(&gateway, who, "P1:1", who, None))).await;
            for who in users.iter().chain(&users) {
                assert!(system.pushed(who).await.stale);
            }
        }
        let orders = sent(&meter, Resource::RefreshQueue);
        assert_eq!(orders, USERS as u64 * round.unsigned_abs(), "one for each table that is stale");
        system.run(&[Role::PriceCalc]);
        for who in &users {
            system.head_when(who, |head| head.version == 1 + round.unsigned_abs()).await;
        }
    }
    assert_eq!(sent(&meter, Resource::QuotationQueue), urgent_before);
    system.stop().await;
}

pub async fn the_quote_of_a_new_user_orders_one_calculation(engine: Engine) {
    let (mut system, meter) = counted(engine).await;
    system.run(&[Role::QuotationProvider]);
    system.ask("Foo", "P1:1", "Foo", None).await;
    system.waiting_when(Queue::Quotation, 1).await;
    assert!(system.is_active("Foo").await);
    system.run(&[Role::PriceCalc]);
    assert_eq!(system.pushed("Foo").await.total.as_deref(), Some("500.00"));
    system.stop().await;
    assert_eq!(sent(&meter, Resource::QuotationQueue), 1);
}

pub async fn a_visit_orders_what_its_quote_does_not(engine: Engine) {
    let (mut system, _) = counted(engine).await;
    system.run(&[Role::PriceCalc, Role::QuotationProvider]);
    system.ask("AAA", "P1:1", "AAA", Some("7")).await;
    system.pushed("AAA").await;
    system.stop().await;
    let aaa = user("AAA");
    // First a quote that was answered before, so that nothing is published; then one that is refused,
    // because its id is taken.
    for (products, is_accepted) in [("P1:1", true), ("P2:1", false)] {
        system.ports.store.remove_active_user(&aaa).await.unwrap();
        // The expiry differs from the previous one, so that the order is not a duplicate of an earlier one.
        system.policy.ttl += Duration::from_secs(10);
        let handler = system.handler();
        let ask = Ask {
            user: aaa.clone(),
            items: items(products),
            request_id: Some(RequestId::new("7").unwrap()),
            dialect: Dialect::Current,
            connection: Some(system.connection("AAA")),
        };
        match handler.quote(ask).await {
            Ok(accepted) => assert!(is_accepted && accepted.settled.is_some()),
            Err(error) => {
                assert!(!is_accepted && matches!(error, StageError::RequestIdTaken { .. }))
            }
        }
        assert!(system.is_active("AAA").await);
        let orders = urgent_orders(&system).await;
        assert!(matches!(orders[..], [Cause::Subscribe { .. }]), "{products}: {orders:?}");
    }
}

pub async fn a_user_who_returns_to_a_table_from_before_a_load_orders_one_calculation(
    engine: Engine,
) {
    let (mut system, _) = counted(engine).await;
    system.run(&[Role::PriceCalc, Role::QuotationProvider]);
    system.quote("AAA", "P1:1").await;
    system.stop().await;
    let aaa = user("AAA");
    for is_loaded in [false, true] {
        system.ports.store.remove_active_user(&aaa).await.unwrap();
        if is_loaded {
            // Nobody orders the table of a user who is not active.
            let discounts = UserDiscounts::new(aaa.clone(), Discounts::default());
            system.change(vec![discounts.into()]).await;
        }
        system.policy.ttl += Duration::from_secs(10);
        system.run(&[Role::QuotationProvider]);
        let quotation = system.quote("AAA", "P1:1").await;
        system.stop().await;
        assert!(!quotation.stale);
        let orders = urgent_orders(&system).await;
        assert_eq!(orders.len(), usize::from(is_loaded), "{orders:?}");
        assert!(orders.iter().all(|order| matches!(order, Cause::Subscribe { .. })), "{orders:?}");
    }
}
