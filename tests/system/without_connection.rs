//! Tests of quotes over HTTP, whose clients ask for their answers. Nothing is pushed to them.

use std::time::Duration;

use ocache::ports::{Queue, Quotation, QuotationStatus};
use ocache::runtime::Role;
use ocache::stages::Answering;
use ocache::stages::quotation_handler::{Ask, QuotationHandler};

use super::harness::{Engine, System, user};

fn without_connection(system: &System, id: &str) -> Ask {
    Ask { connection: None, ..system.quoted("AAA", "P1:2 P3:1", "none", Some(id)) }
}

/// Returns the quotation once it is settled.
async fn settled(handler: &QuotationHandler, id: &str) -> Quotation {
    let id = id.parse().unwrap();
    loop {
        let found = handler.look_up(&user("AAA"), &id).await.unwrap().unwrap();
        if found.status != QuotationStatus::Pending {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn total(quotation: &Quotation) -> i64 {
    let QuotationStatus::Answered(answer) = &quotation.status else { panic!("{quotation:?}") };
    answer.total.minor()
}

pub async fn a_cold_quote_is_answered_where_it_is_asked_for(engine: Engine) {
    let mut system = System::with_fixtures(engine).await;
    let handler = system.handler();
    let ask = without_connection(&system, "1");
    assert!(handler.quote(ask.clone()).await.unwrap().settled.is_none());
    // Nobody must be told when the deadline has passed. A client that asks then is told that the quotation
    // failed.
    assert_eq!(system.ports.queues.depth(Queue::Provider).await.unwrap().delayed, 0);
    // Asking again makes no second quotation.
    assert!(handler.quote(ask).await.unwrap().settled.is_none());
    system.run(&[Role::PriceCalc, Role::QuotationProvider]);
    let quotation = settled(&handler, "1").await;
    assert_eq!((total(&quotation), quotation.connection), (180_552, None));
    system.stop().await;
}

pub async fn a_warm_quote_is_answered_at_once(engine: Engine) {
    let mut system = System::with_fixtures(engine).await;
    system.run(&[Role::PriceCalc, Role::QuotationProvider]);
    system.subscribe("AAA").await;
    system.head_when("AAA", |_| true).await;
    let handler = system.handler();
    let accepted = handler.quote(without_connection(&system, "1")).await.unwrap();
    let quotation = match system.policy.answering {
        Answering::Direct => *accepted.settled.unwrap(),
        Answering::Topic => settled(&handler, "1").await,
    };
    assert_eq!(total(&quotation), 180_552);
    // The answer is stored, and returned again to a client that asks in any way.
    assert_eq!(settled(&handler, "1").await, quotation);
    let again = handler.quote(without_connection(&system, "1")).await.unwrap();
    assert_eq!(*again.settled.unwrap(), quotation);
    system.stop().await;
}

/// Tests a client that uses both ways: its websocket gets the answer, and a lookup meanwhile takes nothing
/// away.
pub async fn a_websocket_takes_over_and_is_not_robbed(engine: Engine) {
    let mut system = System::with_fixtures(engine).await;
    let handler = system.handler();
    handler.quote(without_connection(&system, "1")).await.unwrap();
    let (who, id) = (user("AAA"), "1".parse().unwrap());
    let found = handler.get(&who, &id, &system.connection("c")).await.unwrap().unwrap();
    assert_eq!(found.status, QuotationStatus::Pending);
    // The websocket is told once at the deadline, if no answer comes.
    handler.get(&who, &id, &system.connection("c")).await.unwrap();
    assert_eq!(system.ports.queues.depth(Queue::Provider).await.unwrap().delayed, 1);
    let looked_up = handler.look_up(&who, &id).await.unwrap().unwrap();
    assert_eq!(looked_up.connection, Some(system.connection("c")));
    handler.quote(without_connection(&system, "1")).await.unwrap();
    system.run(&[Role::PriceCalc, Role::QuotationProvider]);
    assert_eq!(system.pushed("c").await.total.as_deref(), Some("1805.52"));
    assert_eq!(total(&settled(&handler, "1").await), 180_552);
    system.stop().await;
}
