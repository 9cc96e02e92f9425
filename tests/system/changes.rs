//! Tests of what a load does for active users.

use std::sync::Arc;
use std::time::Duration;

use ocache::data::{Dataset, LoadOptions, LoadReport, load};
use ocache::model::{Calculation, Cause, Timestamp, UserId};
use ocache::ports::{Queue, Record, RowChange, UserDiscounts};
use ocache::pricing::{
    Currency, Discount, Discounts, Ladder, ListPrices, MinQuantity, Money, PriceList, PriceRule,
    Product, Recipients, Rung, Scope,
};
use ocache::runtime::Role;
use ocache::stages::change::{self, Ordered};
use ocache::stages::price_calc::PriceCalc;
use ocache::stages::{BaseMaker, Lookup};

use super::harness::{Engine, System, received, user};

const WORK: &[Role] = &[Role::PriceCalc, Role::QuotationProvider];
const ALL: &[Role] = &[Role::Refresh, Role::PriceCalc, Role::QuotationProvider];

fn discount(of: &str, percentage: &str) -> UserDiscounts {
    let discount =
        Discount { product_id: "P1".parse().unwrap(), percentage: percentage.parse().unwrap() };
    UserDiscounts::new(user(of), Discounts::new(vec![discount]).unwrap())
}

fn price(minor: i64) -> Product {
    let price = Money::from_minor(minor);
    Product::new("P1".parse().unwrap(), "Notebook stand".into(), price)
}

/// Loads without ordering any table.
async fn load_only(
    system: &System,
    products: Vec<Product>,
    discounts: Vec<UserDiscounts>,
) -> LoadReport {
    let data = Dataset { products, discounts, ..Dataset::default() };
    let options = LoadOptions { currency: Currency::USD, prune: false, merge: false };
    let ports = &system.ports;
    load(&*ports.store, &*ports.clock, &*ports.randomness, &data, options, &|_| ()).await.unwrap()
}

async fn order(system: &System, report: &LoadReport) -> Ordered {
    let ports = &system.ports;
    change::order(&*ports.store, &*ports.queues, &report.change, system.now()).await.unwrap()
}

/// Returns a system with two active users, whose schedule is too slow to explain any result.
async fn two_active_users(engine: Engine) -> System {
    let mut system = System::with_fixtures(engine).await;
    system.policy.refresh_every = Duration::from_secs(3600);
    system.run(WORK);
    for who in ["AAA", "BBB"] {
        system.subscribe(who).await;
        system.head_when(who, |_| true).await;
    }
    system
}

pub async fn discounts_reach_the_active_users_they_are_of_and_nobody_else(engine: Engine) {
    let mut system = two_active_users(engine).await;
    // Two changes under one catalogue version: the second must not count as a duplicate of the first.
    for (percentage, total) in [("20", "400.00"), ("30", "350.00")] {
        let before = system.head("AAA").await.unwrap();
        let lists = vec![discount("AAA", percentage), discount("idle", percentage)];
        let report = load_only(&system, vec![], lists).await;
        assert_eq!(order(&system, &report).await, Ordered { ordered: 1, failed: 0 });
        // A loader that was not sure sends the order again, which costs nothing.
        order(&system, &report).await;
        system.head_when("AAA", |head| head.generation != before.generation).await;
        assert_eq!(system.quote("AAA", "P1:1").await.total.as_deref(), Some(total));
        assert_eq!(system.head("AAA").await.unwrap().version, before.version + 1);
    }
    assert_eq!(system.head("BBB").await.unwrap().version, 1);
    assert_eq!(system.head("idle").await, None);
    system.stop().await;
}

pub async fn prices_reach_every_active_user(engine: Engine) {
    let mut system = two_active_users(engine).await;
    let report = load_only(&system, vec![price(60_000)], vec![]).await;
    assert_eq!(order(&system, &report).await, Ordered { ordered: 2, failed: 0 });
    for who in ["AAA", "BBB"] {
        system.head_when(who, |head| head.catalogue_version == report.version).await;
    }
    assert_eq!(system.quote("BBB", "P1:1").await.total.as_deref(), Some("600.00"));
    system.stop().await;
}

pub async fn who_came_last_comes_first_and_behind_every_cold_quote(engine: Engine) {
    let system = System::with_fixtures(engine).await;
    let now = system.now();
    for (secs, who) in [(1, "first"), (3, "last"), (2, "second")] {
        let at = now.plus(Duration::from_secs(secs));
        let expires_at = at.plus(Duration::from_secs(300));
        system.ports.store.record_visit(&user(who), at, expires_at).await.unwrap();
    }
    let [came, left] = [60, 30].map(|secs| now.minus(Duration::from_secs(secs)));
    system.ports.store.record_visit(&user("gone"), came, left).await.unwrap();
    let report = load_only(&system, vec![price(1)], vec![discount("second", "1")]).await;
    assert_eq!(order(&system, &report).await.ordered, 3);

    let queues = &system.ports.queues;
    assert_eq!(queues.depth(Queue::Quotation).await.unwrap().waiting, 0);
    let received =
        queues.receive(Queue::Refresh, 10, Duration::ZERO, Duration::from_secs(60)).await.unwrap();
    let orders: Vec<(UserId, bool)> = received
        .iter()
        .map(|message| {
            let order: Calculation = serde_json::from_str(&message.body).unwrap();
            match order.cause {
                Cause::Change { version, discounts } if version == report.version => {
                    (order.user, discounts.is_some())
                }
                other => panic!("{other:?}"),
            }
        })
        .collect();
    assert_eq!(orders, [(user("last"), false), (user("second"), true), (user("first"), false)]);
}

pub async fn a_table_of_an_older_catalogue_is_stale_at_once(engine: Engine) {
    let mut system = two_active_users(engine).await;
    assert!(!system.quote("AAA", "P4:1").await.stale);
    // Here the loader dies before it orders anything.
    let report = load_only(&system, vec![price(60_000)], vec![]).await;
    // So long a process may not know of the load.
    tokio::time::sleep(system.ports.store.head_kept_for()).await;
    let quotation = system.quote("AAA", "P1:1").await;
    assert_eq!((quotation.stale, quotation.total.as_deref()), (true, Some("450.00")));
    // The quote itself ordered the calculation.
    system.head_when("AAA", |head| head.catalogue_version == report.version).await;
    let quotation = system.quote("AAA", "P1:1").await;
    assert_eq!((quotation.stale, quotation.total.as_deref()), (false, Some("540.00")));
    system.stop().await;
}

pub async fn the_schedule_finds_what_a_dead_loader_did_not_order(engine: Engine) {
    let mut system = System::with_fixtures(engine).await;
    system.policy.refresh_every = Duration::from_millis(200);
    system.run(ALL);
    system.subscribe("AAA").await;
    let before = system.head_when("AAA", |_| true).await;
    load_only(&system, vec![], vec![discount("AAA", "50")]).await;
    system.head_when("AAA", |head| head.generation != before.generation).await;
    assert_eq!(system.quote("AAA", "P1:1").await.total.as_deref(), Some("250.00"));
    system.stop().await;
}

/// Returns a price list without rows, for a group that has no customers.
fn list_of_others() -> RowChange {
    let groups = ["others".parse().unwrap()].into();
    list("OTHERS", Recipients { groups, ..Recipients::default() }, None)
}

fn list(id: &str, recipients: Recipients, from: Option<Timestamp>) -> RowChange {
    RowChange::Put(Record::PriceList(PriceList {
        id: id.parse().unwrap(),
        priority: 0,
        currency: None,
        from,
        until: None,
        is_wide: recipients.everyone,
        recipients,
        revision: 1,
    }))
}

/// Returns a list by which everything costs half from a time on.
fn half_price_from(from: Timestamp) -> Vec<RowChange> {
    let rule = PriceRule::Percentage("50".parse().unwrap());
    let ladder = Ladder::new(vec![Rung { min_quantity: MinQuantity::ZERO, rule }]).unwrap();
    let rows = ListPrices { list: "HALF".parse().unwrap(), scope: Scope::All, ladder };
    let everyone = Recipients { everyone: true, ..Recipients::default() };
    vec![list("HALF", everyone, Some(from)), RowChange::Put(Record::Prices(rows))]
}

/// Calculates the table of AAA for a cause, without a worker.
async fn calculate(system: &System, cause: Cause) {
    calculate_in(system, 0, cause).await;
}

/// The same, this many seconds later.
async fn calculate_in(system: &System, secs: i64, cause: Cause) {
    let ports = system.ports_off_by(secs);
    let bases = BaseMaker::new(&ports, Lookup::new(&ports).bases().clone());
    let stage = PriceCalc::new(&ports, Arc::new(bases), system.policy.clone());
    let order = Calculation { user: user("AAA"), cause };
    assert!(stage.handle(&[received(&order, 1)]).await[0].is_done());
}

pub async fn a_check_after_a_load_that_changed_nothing_for_the_user_ends_staleness(engine: Engine) {
    let system = System::with_fixtures(engine).await;
    let expires_at = system.now().plus(Duration::from_secs(3600));
    calculate(&system, Cause::Subscribe { expires_at }).await;
    let before = system.head("AAA").await.unwrap();
    // The loaders die before they order anything. A quote orders the first check, a tick the second.
    let scheduled =
        Cause::Scheduled { tick: 1, due: system.now(), interval_ms: 60_000, expires_at };
    for cause in [Cause::Stale { version: before.version }, scheduled] {
        let version = system.change(vec![list_of_others()]).await;
        calculate(&system, cause.clone()).await;
        let head = system.head("AAA").await.unwrap();
        assert_eq!(head.generation, before.generation, "{cause:?}");
        assert_eq!(head.catalogue_version, version, "{cause:?}");
    }
}

/// Tests that a table is not fresh without prices for the present, although it was checked lately.
pub async fn a_visit_after_an_edge_orders_the_prices_that_begin_there(engine: Engine) {
    let mut system = System::with_fixtures(engine).await;
    system.policy.fresh_for = Duration::from_secs(600);
    // Further ahead than prices are prepared.
    let edge = system.now().plus(Duration::from_secs(300));
    let expires_at = system.now().plus(Duration::from_secs(3600));
    system.change(half_price_from(edge)).await;
    calculate(&system, Cause::Subscribe { expires_at }).await;
    let before = system.head("AAA").await.unwrap();
    assert_eq!(before.usable_until, edge);
    assert!(before.is_fresh(edge.minus(Duration::from_secs(1))) && !before.is_fresh(edge));
    calculate_in(&system, 301, Cause::Subscribe { expires_at }).await;
    let after = system.head("AAA").await.unwrap();
    assert!(after.priced_at >= edge && after.is_fresh(edge.plus(Duration::from_secs(1))));
}

pub async fn a_user_who_returns_has_what_was_loaded_meanwhile(engine: Engine) {
    let mut system = System::with_fixtures(engine).await;
    let expires_at = system.now().plus(Duration::from_secs(3600));
    calculate(&system, Cause::Subscribe { expires_at }).await;
    // The user is not active, so the load orders nothing.
    let report = load_only(&system, vec![], vec![discount("AAA", "50")]).await;
    assert_eq!(order(&system, &report).await, Ordered::default());
    calculate(&system, Cause::Subscribe { expires_at }).await;
    system.run(&[Role::QuotationProvider]);
    assert_eq!(system.quote("AAA", "P1:1").await.total.as_deref(), Some("250.00"));
    system.stop().await;
}
