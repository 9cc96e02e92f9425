//! Tests of quotes that find a table.

use std::time::Duration;

use ocache::runtime::Role;

use super::harness::{Engine, System};

pub async fn a_subscribed_user_is_quoted_from_the_warm_table(engine: Engine) {
    let mut system = System::with_fixtures(engine).await;
    system.run(&[Role::PriceCalc, Role::QuotationProvider]);
    system.subscribe("AAA").await;
    let head = system.head_when("AAA", |_| true).await;
    assert_eq!((head.version, head.products), (1, 5));

    let quotation = system.quote("AAA", "P1:2 P3:1").await;
    assert_eq!(quotation.status, "answered");
    assert_eq!((quotation.total.as_deref(), quotation.stale), (Some("1805.52"), false));
    let lines: Vec<_> = quotation
        .lines
        .iter()
        .map(|line| (line.unit_price.as_str(), line.total.as_str(), line.name.as_str()))
        .collect();
    assert_eq!(lines, [("450.00", "900.00", "name of P1"), ("905.52", "905.52", "name of P3")]);
    assert_eq!(system.head("AAA").await.unwrap().version, 1, "a warm quote calculates nothing");
    system.stop().await;
}

pub async fn a_repeated_request_is_answered_once_and_told_again(engine: Engine) {
    let mut system = System::with_fixtures(engine).await;
    system.run(&[Role::PriceCalc, Role::QuotationProvider]);
    let first = system.ask("AAA", "P1:2", "c", Some("7")).await;
    assert!(first.settled.is_none());
    let answer = system.pushed("c").await;

    let again = system.ask("AAA", "P1:2", "c", Some("7")).await;
    assert_eq!(again.request_id, first.request_id);
    let told = again.settled.expect("it was answered before");
    assert_eq!(told.request_id.as_str(), answer.request_id);
    // Another customer's 7 is another quotation.
    assert!(system.ask("BBB", "P1:2", "d", Some("7")).await.settled.is_none());
    assert_eq!(system.pushed("d").await.client, "BBB");
    assert!(!system.has_unread("c"));
    system.stop().await;
}

pub async fn the_answer_follows_the_client_to_its_new_connection(engine: Engine) {
    let mut system = System::with_fixtures(engine).await;
    system.ask("AAA", "P1:2", "old", Some("7")).await;
    system.ask("AAA", "P1:2", "new", Some("7")).await;
    system.run(&[Role::PriceCalc, Role::QuotationProvider]);
    assert_eq!(system.pushed("new").await.total.as_deref(), Some("900.00"));
    system.stop().await;
    assert!(!system.has_unread("old"));
}

pub async fn a_stale_table_answers_and_is_refreshed(engine: Engine) {
    let mut system = System::with_fixtures(engine).await;
    system.policy.refresh_every = Duration::from_secs(2);
    system.policy.fresh_for = Duration::ZERO;
    system.policy.usable_for = Duration::from_secs(600);
    system.run(&[Role::PriceCalc, Role::QuotationProvider]);
    system.subscribe("AAA").await;
    let head = system.head_when("AAA", |_| true).await;
    tokio::time::sleep(head.fresh_until.since(system.now())).await;

    let quotation = system.quote("AAA", "P1:2").await;
    assert_eq!((quotation.stale, quotation.total.as_deref()), (true, Some("900.00")));
    let refreshed = system.head_when("AAA", |head| head.version == 2).await;
    assert_eq!(refreshed.generation, head.generation, "nothing changed, so nothing was written");
    assert!(!system.quote("AAA", "P1:2").await.stale);
    system.stop().await;
}

pub async fn a_client_that_is_gone_leaves_the_answer_stored(engine: Engine) {
    let mut system = System::with_fixtures(engine).await;
    let accepted = system.ask("AAA", "P1:2", "c", Some("7")).await;
    system.close("c");
    system.run(&[Role::PriceCalc, Role::QuotationProvider]);
    let told = loop {
        let again = system.ask("AAA", "P1:2", "other", Some("7")).await;
        if let Some(settled) = again.settled {
            break settled;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert_eq!(told.request_id, accepted.request_id);
    system.stop().await;
}
