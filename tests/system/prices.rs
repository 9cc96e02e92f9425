//! Tests of prices that are shown without a quote.

use std::time::Duration;

use ocache::model::Generation;
use ocache::ports::{NewTable, OwnStorage, Queue, TableHead};
use ocache::pricing::ItemPrice;
use ocache::runtime::Role;
use ocache::stages::Lookup;
use ocache::stages::prices::{Prices, Question};

use super::harness::{Engine, System, items, user};

/// Returns the stage of a process that has just been started.
fn prices(system: &System) -> Prices {
    Prices::new(&system.ports, Lookup::new(&system.ports), &system.handler(), system.policy.clone())
}

/// Returns unit prices in cents, and whether they are stale.
async fn look(prices: &Prices, who: &str, what: &str) -> Option<(Vec<Option<i64>>, bool)> {
    let question = Question { user: user(who), items: items(what) };
    let shown = prices.of(&question, |found| {
        let cents = found.prices.iter().map(|(found, _)| match found {
            ItemPrice::Price(entry) => Some(entry.unit_price.minor()),
            _ => None,
        });
        (cents.collect(), found.stale)
    });
    shown.await.unwrap()
}

async fn look_when_ready(prices: &Prices, who: &str, what: &str) -> (Vec<Option<i64>>, bool) {
    loop {
        if let Some(seen) = look(prices, who, what).await {
            return seen;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub async fn looking_is_a_visit_and_orders_a_missing_table_once(engine: Engine) {
    let mut system = System::with_fixtures(engine).await;
    let prices = prices(&system);
    for _ in 0..3 {
        assert_eq!(look(&prices, "AAA", "P1").await, None);
    }
    assert!(system.is_active("AAA").await);
    let depth = system.ports.queues.depth(Queue::Quotation).await.unwrap();
    assert_eq!(depth.waiting, 1, "one order, however often it is asked for");
    system.run(&[Role::PriceCalc, Role::QuotationProvider]);
    let (seen, stale) = look_when_ready(&prices, "AAA", "P1 P9 P3 P5").await;
    assert_eq!(seen, [Some(45_000), None, Some(90_552), Some(1_084_300)]);
    assert!(!stale);
    // Nothing was stored, and nothing was pushed.
    let quotations = system.ports.store.list_quotations(None).await.unwrap();
    assert!(quotations.items.is_empty());
    // What was published for the order is taken, or still under way when the workers stop. It never fails.
    system.stop().await;
    assert_eq!(system.ports.queues.depth(Queue::Provider).await.unwrap().dead, 0);
}

pub async fn a_stale_table_is_shown_and_ordered_behind_all_quotes(engine: Engine) {
    let mut system = System::with_fixtures(engine).await;
    system.run(&[Role::PriceCalc]);
    system.subscribe("AAA").await;
    system.head_when("AAA", |_| true).await;
    system.stop().await;
    system.load([("P1".to_owned(), 60_000)]).await;
    let prices = prices(&system);
    for _ in 0..2 {
        assert_eq!(look(&prices, "AAA", "P1").await, Some((vec![Some(45_000)], true)));
    }
    // A receive that a worker gave up when it stopped goes on in the local AWS, and may have taken the order.
    let ordered = system.ports.queues.depth(Queue::Refresh).await.unwrap();
    assert_eq!(ordered.waiting + ordered.in_flight, 1);
    assert_eq!(system.ports.queues.depth(Queue::Quotation).await.unwrap().waiting, 0);
    system.run(&[Role::PriceCalc]);
    system.head_when("AAA", |head| head.version > 1).await;
    assert_eq!(look(&prices, "AAA", "P1").await, Some((vec![Some(54_000)], false)));
    system.stop().await;
}

pub async fn an_empty_table_is_shown_until_there_are_products(engine: Engine) {
    let mut system = System::new(engine);
    system.run(&[Role::PriceCalc, Role::QuotationProvider]);
    assert_eq!(look_when_ready(&prices(&system), "AAA", "P1").await, (vec![None], false));
    system.load([("P1".to_owned(), 100)]).await;
    // The stage of another process, because this one has just ordered the table.
    assert_eq!(look_when_ready(&prices(&system), "AAA", "P1").await, (vec![Some(100)], false));
    system.stop().await;
}

pub async fn a_table_that_cannot_be_read_is_replaced(engine: Engine) {
    let mut system = System::with_fixtures(engine).await;
    system.run(&[Role::PriceCalc]);
    system.subscribe("AAA").await;
    let head = system.head_when("AAA", |_| true).await;
    system.stop().await;
    // The head names parts that nobody has written.
    let lost = Generation::from_random([7; 16]);
    let broken =
        TableHead { generation: lost, version: 2, own: OwnStorage::Parts(vec![0]), ..head };
    let late = system.now().plus(Duration::from_secs(3600));
    let aaa = user("AAA");
    let table = NewTable::new(&aaa, &broken, late).replacing(Some(1));
    system.ports.store.put_table(table).await.unwrap();
    let prices = prices(&system);
    assert_eq!(look(&prices, "AAA", "P1").await, None);
    system.run(&[Role::PriceCalc, Role::QuotationProvider]);
    assert_eq!(look_when_ready(&prices, "AAA", "P1").await, (vec![Some(45_000)], false));
    system.stop().await;
}

pub async fn the_whole_table_is_read_in_order_and_from_where_one_stopped(engine: Engine) {
    let mut system = System::with_fixtures(engine).await;
    // More than one part of the base.
    system.load((0..2_000).map(|number| (format!("Q{number:04}"), 100 + number))).await;
    system.run(&[Role::PriceCalc, Role::QuotationProvider]);
    let prices = prices(&system);
    look_when_ready(&prices, "AAA", "P1").await;
    let question = Question { user: user("AAA"), items: vec![] };
    let table = prices.table(&question).await.unwrap().unwrap();
    let mut read = vec![];
    let mut rows = table.rows(None).await.unwrap();
    while let Some(some) = rows.next().await.unwrap() {
        read.extend(some);
    }
    assert_eq!(read.len(), 2_005);
    assert!(read.is_sorted_by(|a, b| a.product < b.product));
    assert_eq!(read[0].entry.as_ref().unwrap().unit_price.minor(), 45_000);
    for after in [0, 4, 999, 2_003, 2_004] {
        let mut rest = vec![];
        let mut rows = table.rows(Some(read[after].product.clone())).await.unwrap();
        while let Some(some) = rows.next().await.unwrap() {
            rest.extend(some);
        }
        assert_eq!(rest, read[after + 1..], "behind {after}");
    }
    let mut rows = table.rows(Some("A".parse().unwrap())).await.unwrap();
    assert_eq!(rows.next().await.unwrap().unwrap()[0], read[0], "behind none");
    system.stop().await;
}
