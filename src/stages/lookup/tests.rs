//! Quotes whose tables are read while a price list ends.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join;
use tokio::time::sleep;

use crate::data::apply;
use crate::memory::{Memory, TokioClock};
use crate::model::{Calculation, Cause, Dialect, Item, Quantity, Timestamp, UserId};
use crate::ports::prelude::*;
use crate::ports::testing::{one_price, price_list, received};
use crate::ports::{Ports, QuotationStatus, Record, RowChange, SystemRandomness};
use crate::pricing::{Answer, Currency, Money, PriceList, Product, Recipients};
use crate::stages::price_calc::PriceCalc;
use crate::stages::quotation_handler::{Ask, QuotationHandler};
use crate::stages::{BaseMaker, BaseShelf, Lookup, Policy};

const START: Timestamp = Timestamp::from_secs(1_800_000_000);
/// The time after the start when the price list ends.
const END: Duration = Duration::from_secs(5);
/// The time after the start when the missing table is made.
const MADE: Duration = Duration::from_secs(6);
const READING: Duration = Duration::from_secs(10);

/// A store that reads tables slowly: it waits before it reads, or before it answers.
struct Slow {
    inner: Ports,
    looks_late: bool,
}

layer!(
    #[over(inner.store)]
    impl PriceTables for Slow {
        async fn table_heads(&self, users: _) -> _ {
            let (before, after) = match self.looks_late {
                true => (READING, Duration::ZERO),
                false => (Duration::ZERO, READING),
            };
            sleep(before).await;
            let heads = self.inner.store.table_heads(users).await;
            sleep(after).await;
            heads
        }
    }
);

layer!(
    #[over(inner.store)]
    impl ActiveUsers, Bases, CatalogueStore, CustomerStore, DiscountStore, Loads, PriceListStore, Quotations,
        SettingsStore for Slow {}
);

/// A product of 1.00, which costs 0.50 while the price list is in force.
fn records() -> Vec<Record> {
    let everyone = Recipients { everyone: true, ..Recipients::default() };
    let list = PriceList { until: Some(START.plus(END)), ..price_list("W", everyone) };
    let prices = one_price(&list.id, Money::from_minor(50));
    let product = Product::new("P1".parse().unwrap(), "one".to_owned(), Money::from_minor(100));
    vec![Record::Product(product), Record::PriceList(list), Record::Prices(prices)]
}

/// Returns the answer to a quote at the start. The table is made `made_after` this time.
async fn answer(looks_late: bool, made_after: Duration) -> Answer {
    let clock = Arc::new(TokioClock::new(START));
    let inner = Memory::new(clock, Arc::new(SystemRandomness)).ports();
    let changes = records().into_iter().map(RowChange::Put).collect();
    apply(&inner, changes, Currency::USD).await.unwrap();
    let slow = Arc::new(Slow { inner: inner.clone(), looks_late });
    let slow = Ports { store: slow, ..inner.clone() };
    let handler = QuotationHandler::new(&slow, Lookup::new(&slow), Policy::default());
    let bases = Arc::new(BaseMaker::new(&inner, Arc::new(BaseShelf::new(inner.store.clone()))));
    let calc = PriceCalc::new(&inner, bases, Policy::default());

    let user: UserId = "AAA".parse().unwrap();
    let order = Calculation { user: user.clone(), cause: Cause::Subscribe { expires_at: START } };
    let order = received("1", &order, START);
    let made = async {
        sleep(made_after).await;
        calc.handle(&[order]).await
    };
    let quote = handler.quote(Ask {
        user,
        items: vec![Item { product: "P1".parse().unwrap(), quantity: Quantity::ONE }],
        request_id: None,
        dialect: Dialect::Current,
        connection: None,
    });
    let (outcomes, accepted) = join(made, quote).await;
    assert!(outcomes[0].is_done(), "{outcomes:?}");
    match accepted.unwrap().settled.expect("the table is there").status {
        QuotationStatus::Answered(answer) => *answer,
        status => panic!("it is {status:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_of_a_time_when_its_table_was_there() {
    let answer = answer(true, MADE).await;
    assert_eq!(answer.lines[0].unit_price, Money::from_minor(100));
    assert_eq!(answer.answered_at, START.plus(READING), "the list was in force before");
}

#[tokio::test(start_paused = true)]
async fn prices_that_come_into_force_during_the_read_are_read_then() {
    let answer = answer(false, Duration::ZERO).await;
    assert_eq!(answer.lines[0].unit_price, Money::from_minor(100));
    assert_eq!(answer.answered_at, START.plus(READING * 2));
}
