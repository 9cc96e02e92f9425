//! Tests that only users who come are kept warm.

use std::time::Duration;

use ocache::model::Timestamp;
use ocache::runtime::Role;

use super::harness::{Engine, System, user};

const ALL: &[Role] = &[Role::Refresh, Role::PriceCalc, Role::QuotationProvider];

async fn sleep_until(system: &System, time: Timestamp) {
    tokio::time::sleep(time.since(system.now())).await;
}

pub async fn an_idle_user_is_refreshed_until_expiry_and_then_never_again(engine: Engine) {
    let tick = engine.tick;
    let mut system = System::with_fixtures(engine).await;
    system.policy.ttl = tick * 5;
    system.policy.refresh_every = tick;
    system.run(ALL);
    system.subscribe("AAA").await;
    let expires_at =
        system.ports.store.active_user(&user("AAA")).await.unwrap().unwrap().expires_at;
    // One tick may be on its way when the user expires.
    sleep_until(&system, expires_at.plus(tick / 2)).await;
    let expired = system.head("AAA").await.unwrap();
    // Five ticks, and up to a second more, after the first calculation. A table that was made less than four
    // fifths of a tick ago is not written again.
    assert!((3..=8).contains(&expired.version), "{expired:?}");
    assert!(expired.validated_at <= expires_at.plus(tick / 5), "{expired:?}");

    sleep_until(&system, expires_at.plus(tick * 3)).await;
    assert_eq!(system.head("AAA").await.unwrap(), expired, "nobody touched it again");
    system.stop().await;
}

pub async fn a_user_who_keeps_quoting_stays(engine: Engine) {
    let tick = engine.tick;
    let mut system = System::with_fixtures(engine).await;
    system.policy.ttl = tick * 4;
    system.policy.refresh_every = tick;
    // Every second tick writes that the table is right, and the tick after it may be late.
    system.policy.fresh_for = tick * 3;
    system.run(ALL);
    let started = system.now();
    while system.now().since(started) < tick * 12 {
        let quotation = system.quote("AAA", "P1:2").await;
        assert_eq!((quotation.status.as_str(), quotation.stale), ("answered", false));
        assert!(system.is_active("AAA").await);
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    system.stop().await;
    // The table was refreshed all the time, by the schedule alone.
    assert!(system.head("AAA").await.unwrap().version > 5);
}
