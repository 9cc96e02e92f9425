//! Tests of what is counted.

use std::sync::Arc;
use std::time::Duration;

use ocache::model::{
    Calculation, Cause, ProviderMessage, QuotationKey, QuotationRequest, RequestId,
};
use ocache::ports::Queue;
use ocache::runtime::Role;
use ocache::stages::price_calc::PriceCalc;
use ocache::stages::quotation_provider::QuotationProvider;
use ocache::stages::{BaseMaker, Lookup};

use super::harness::{Engine, System, items, received, user};

fn counted(system: &System, metric: &str) -> u64 {
    let text = system.metrics.render().unwrap();
    let value = text.lines().find_map(|line| line.strip_prefix(metric)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("no `{metric}` in\n{text}")).parse().unwrap()
}

pub async fn a_quotation_is_counted_once_however_often_its_message_comes(engine: Engine) {
    let mut system = System::with_fixtures(engine).await;
    // Nobody calculates before the provider has looked, so the first quote is certainly cold.
    system.run(&[Role::QuotationProvider]);
    system.ask("AAA", "P1:2", "c", Some("1")).await;
    system.waiting_when(Queue::Quotation, 1).await;
    system.run(&[Role::PriceCalc]);
    assert_eq!(system.pushed("c").await.status, "answered");
    system.ask("AAA", "P1:2", "c", Some("2")).await;
    assert_eq!(system.pushed("c").await.status, "answered");
    system.stop().await;

    let request_id = RequestId::new("1").unwrap();
    let message = ProviderMessage::Quote(QuotationRequest {
        key: QuotationKey::new(&user("AAA"), &request_id),
        request_id,
        user: user("AAA"),
        items: items("P1:2"),
        deadline: system.now().plus(Duration::from_secs(30)),
        attempt: 0,
        unreadable: None,
    });
    let provider = QuotationProvider::new(&system.ports, Lookup::new(&system.ports));
    let provider = provider.observed_by(Arc::new(system.metrics.clone()));
    assert!(provider.handle(&[received(&message, 2)]).await[0].is_done());
    assert!(system.has_unread("c"), "it is told again");
    let quotations = |outcome: &str, warmth: &str| {
        let labels = format!("outcome=\"{outcome}\",warmth=\"{warmth}\"");
        counted(&system, &format!("ocache_quotations_total{{{labels}}}"))
    };
    assert_eq!((quotations("answered", "cold"), quotations("answered", "warm")), (1, 1));
    assert_eq!((quotations("failed", "cold"), quotations("failed", "warm")), (0, 0));
    assert_eq!(counted(&system, "ocache_price_age_seconds_count"), 2);
}

pub async fn a_table_is_counted_by_what_became_of_it(engine: Engine) {
    let system = System::with_fixtures(engine).await;
    let bases = BaseMaker::new(&system.ports, Lookup::new(&system.ports).bases().clone());
    let stage = PriceCalc::new(&system.ports, Arc::new(bases), system.policy.clone());
    let stage = stage.observed_by(Arc::new(system.metrics.clone()));
    let now = system.now();
    let order = |expires_at, tick| {
        let cause = Cause::Scheduled { tick, due: now, interval_ms: 60_000, expires_at };
        received(&Calculation { user: user("AAA"), cause }, 1)
    };
    let later = now.plus(Duration::from_secs(3600));
    let orders = [order(later, 1), order(later, 2), order(now.minus(Duration::from_secs(1)), 3)];
    for order in orders {
        assert!(stage.handle(&[order]).await[0].is_done());
    }
    let recalculations = |effect: &str| {
        let labels = format!("reason=\"scheduled\",effect=\"{effect}\"");
        counted(&system, &format!("ocache_recalculations_total{{{labels}}}"))
    };
    let effects = ["written", "unchanged", "expired", "unneeded", "too_late"].map(recalculations);
    assert_eq!(effects, [1, 1, 1, 0, 0]);
    assert_eq!(
        counted(&system, "ocache_recalculation_seconds_count"),
        2,
        "of those that were done"
    );
}
