//! Processes that do not agree what time it is.

use std::sync::Arc;
use std::time::Duration;

use ocache::model::{Calculation, Cause};
use ocache::stages::CatalogueCache;
use ocache::stages::price_calc::PriceCalc;

use super::harness::{Engine, System, received, user};

const HOUR: Duration = Duration::from_secs(3600);

/// What a refresher orders whose clock is an hour behind.
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

fn price_calc(system: &System) -> PriceCalc {
    let ports = &system.ports;
    let catalogue = CatalogueCache::new(ports.store.clone(), ports.clock.clone());
    PriceCalc::new(ports, Arc::new(catalogue), system.policy.clone())
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
