//! Tests of processes whose clocks differ.

use std::sync::Arc;
use std::time::Duration;

use ocache::model::{
    Calculation, Cause, ProviderMessage, QuotationKey, QuotationRequest, RequestId,
};
use ocache::ports::{FailureReason, Ports, Queue, QuotationStatus};
use ocache::runtime::Role;
use ocache::stages::price_calc::PriceCalc;
use ocache::stages::quotation_provider::QuotationProvider;
use ocache::stages::{BaseMaker, Lookup};

use super::harness::{Engine, System, items, received, user};

const HOUR_SECS: i64 = 3600;
const HOUR: Duration = Duration::from_secs(3600);

/// Returns an order of a refresher whose clock is an hour behind.
fn old_tick(system: &System, tick: u64) -> Calculation {
    let now = system.now();
    let cause = Cause::Scheduled {
        tick,
        due: now.minus(HOUR),
        interval_ms: 60_000,
        expires_at: now.plus(HOUR),
    };
    Calculation { user: user("AAA"), cause }
}

fn bases(ports: &Ports) -> Arc<BaseMaker> {
    Arc::new(BaseMaker::new(ports, Lookup::new(ports).bases().clone()))
}

fn price_calc(system: &System) -> PriceCalc {
    let ports = &system.ports;
    PriceCalc::new(ports, bases(ports), system.policy.clone())
}

pub async fn a_tick_of_an_hour_ago_still_refreshes(engine: Engine) {
    let system = System::with_fixtures(engine).await;
    let outcomes = price_calc(&system).handle(&[received(&old_tick(&system, 1), 1)]).await;
    assert!(outcomes[0].is_done(), "{outcomes:?}");
    assert_eq!(system.head("AAA").await.unwrap().version, 1);
}

pub async fn a_backlog_of_old_ticks_costs_one_calculation(engine: Engine) {
    let system = System::with_fixtures(engine).await;
    let backlog: Vec<_> = (1..=9).map(|tick| received(&old_tick(&system, tick), 1)).collect();
    let outcomes = price_calc(&system).handle(&backlog).await;
    assert!(outcomes.iter().all(ocache::stages::Outcome::is_done), "{outcomes:?}");
    assert_eq!(system.head("AAA").await.unwrap().version, 1);
}

pub async fn a_failure_that_a_client_saw_is_final(engine: Engine) {
    let mut system = System::with_fixtures(engine).await;
    system.policy.quote_within = Duration::ZERO;
    let tick = received(&old_tick(&system, 1), 1);
    assert!(price_calc(&system).handle(&[tick]).await[0].is_done());
    let request_id = RequestId::new("1").unwrap();
    system.ask("AAA", "P1:2", "c", Some("1")).await;
    let handler = system.handler();
    let seen = handler.get(&user("AAA"), &request_id, &system.connection("c")).await.unwrap();
    let failed = QuotationStatus::Failed(FailureReason::DeadlinePassed);
    assert_eq!(seen.unwrap().status, failed);

    // By this clock there is still time to answer it.
    let key = QuotationKey::new(&user("AAA"), &request_id);
    let stored = system.ports.store.quotation(&key).await.unwrap().unwrap();
    let message = ProviderMessage::Quote(QuotationRequest {
        key: key.clone(),
        request_id,
        user: user("AAA"),
        items: items("P1:2"),
        deadline: stored.deadline,
        attempt: 0,
        unreadable: None,
    });
    let ports = system.ports_off_by(-60);
    let behind = QuotationProvider::new(&ports, Lookup::new(&ports));
    assert!(behind.handle(&[received(&message, 1)]).await[0].is_done());
    assert_eq!(system.pushed("c").await.status, "failed");
    let stored = system.ports.store.quotation(&key).await.unwrap().unwrap();
    assert_eq!(stored.status, failed);
}

pub async fn a_provider_whose_clock_is_behind_orders_tables(engine: Engine) {
    let system = System::with_fixtures(engine).await;
    system.ask("AAA", "P1:2", "c", Some("1")).await;
    let wait = Duration::from_secs(5);
    let asked = loop {
        let asked = system.ports.queues.receive(Queue::Provider, 1, wait, wait).await.unwrap();
        if !asked.is_empty() {
            break asked;
        }
    };
    let ports = system.ports_off_by(-3600);
    let behind = QuotationProvider::new(&ports, Lookup::new(&ports));
    assert!(behind.handle(&asked).await[0].is_done());
    let ordered = system.ports.queues.depth(Queue::Quotation).await.unwrap();
    let deadline = system.ports.queues.depth(Queue::Provider).await.unwrap();
    assert_eq!((ordered.waiting, deadline.delayed), (1, 1));
}

pub async fn a_calculator_whose_clock_is_off_makes_tables_that_answer(engine: Engine) {
    quotes_of_calculators_that_are_off(System::with_fixtures(engine).await).await;
}

pub async fn a_calculator_whose_clock_is_off_makes_bases_that_answer(engine: Engine) {
    let mut system = System::with_fixtures(engine).await;
    // By the process's own clock a base would be too old before it is stored.
    system.policy.keep_tables = Duration::from_secs(60);
    system.policy.usable_for = Duration::ZERO;
    assert!(system.policy.keep_tables() < HOUR);
    quotes_of_calculators_that_are_off(system).await;
}

async fn quotes_of_calculators_that_are_off(mut system: System) {
    system.run(&[Role::QuotationProvider]);
    for off_by in [-HOUR_SECS, HOUR_SECS] {
        system.run_off_by(off_by, &[Role::PriceCalc]);
        let quotation = system.quote(&format!("cold {off_by}"), "P1:2").await;
        assert_eq!(quotation.total.as_deref(), Some("1000.00"), "{off_by}: {quotation:?}");
        system.stop().await;
        system.run(&[Role::QuotationProvider]);
    }
    system.stop().await;
}

pub async fn calculators_two_hours_apart_neither_freeze_nor_mix(engine: Engine) {
    const CATALOGUES: i64 = 6;
    let mut system = System::new(engine);
    system.policy.refresh_every = Duration::from_millis(200);
    let every_price = |minor: i64| (0..1_500).map(move |n| (format!("P{n:04}"), minor));
    system.load(every_price(100)).await;
    system.run(&[Role::Refresh, Role::QuotationProvider]);
    for off_by in [-HOUR_SECS, HOUR_SECS] {
        system.run_off_by(off_by, &[Role::PriceCalc]);
    }
    let mut newest = 1;
    for catalogue in 2..=CATALOGUES {
        system.load(every_price(catalogue * 100)).await;
        // Only refreshes are used, whichever of the two processes does them.
        while newest < catalogue {
            let quotation = system.quote("AAA", "P0000:1 P1499:1").await;
            let prices: Vec<i64> = quotation
                .lines
                .iter()
                .map(|line| line.unit_price.strip_suffix(".00").unwrap().parse().unwrap())
                .collect();
            assert_eq!((prices.len(), prices[0]), (2, prices[1]), "{quotation:?}");
            assert!(prices[0] >= newest, "{newest}, and then {quotation:?}");
            newest = prices[0];
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    system.stop().await;
}
