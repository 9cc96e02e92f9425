//! Tests that urgent work goes first.

use std::time::Duration;

use ocache::model::Timestamp;
use ocache::ports::Queue;
use ocache::runtime::Role;
use ocache::stages::refresh::{Tick, refresh};

use super::harness::{Engine, System, user};

const BACKLOG: usize = 5_000;

pub async fn a_cold_quote_overtakes_a_backlog_of_refreshes(engine: Engine) {
    let mut system = System::with_fixtures(engine).await;
    let now = system.now();
    let expires_at = Timestamp::from_secs(now.plus(Duration::from_secs(3600)).secs_rounded_up());
    for n in 0..BACKLOG {
        let user = user(&format!("user {n}"));
        system.ports.store.record_visit(&user, now, expires_at).await.unwrap();
    }
    let tick = Tick::at(now, Duration::from_secs(3600));
    let refreshed = refresh(&*system.ports.store, &*system.ports.queues, tick, 1, now).await;
    assert_eq!(refreshed.unwrap().ordered, BACKLOG);
    system.run(&[Role::QuotationProvider]);
    system.ask("Foo", "P1:2", "Foo", None).await;
    // The order for the cold user is in its queue before the worker starts, so the count shows the worker's
    // own choice.
    system.waiting_when(Queue::Quotation, 1).await;
    system.run(&[Role::PriceCalc]);
    assert_eq!(system.pushed("Foo").await.status, "answered");
    let waiting = system.ports.queues.depth(Queue::Refresh).await.unwrap();
    let done = BACKLOG - usize::try_from(waiting.waiting + waiting.in_flight).unwrap();
    assert!(done <= system.slots.refresh, "{done} refreshes were done before the quote");
    system.stop().await;
}
