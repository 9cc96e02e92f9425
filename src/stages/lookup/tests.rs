//! A quote whose table is made while it waits for it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join;
use tokio::time::sleep;

use crate::data::apply;
use crate::memory::{Memory, TokioClock};
use crate::model::{Calculation, Cause, Dialect, Item, Quantity, Timestamp, UserId};
use crate::ports::prelude::*;
use crate::ports::{
    Ports, QuotationStatus, Receipt, Received, Record, RowChange, SystemRandomness,
};
use crate::pricing::{
    Currency, Ladder, ListPrices, MinQuantity, Money, PriceList, PriceRule, Product, Recipients,
    Rung, Scope,
};
use crate::stages::price_calc::PriceCalc;
use crate::stages::quotation_handler::{Ask, QuotationHandler};
use crate::stages::{BaseMaker, BaseShelf, Lookup, Policy};

const START: Timestamp = Timestamp::from_secs(1_800_000_000);
/// When the price list ends, the table is made, and it is read.
const END: Duration = Duration::from_secs(5);
const MADE: Duration = Duration::from_secs(6);
const READ: Duration = Duration::from_secs(10);

/// A store that takes its time to read tables.
struct Slow {
    inner: Ports,
}

layer!(
    #[over(inner.store)]
    impl PriceTables for Slow {
        async fn table_heads(&self, users: _) -> _ {
            sleep(READ).await;
            self.inner.store.table_heads(users).await
        }
    }
);

macro_rules! straight_down {
    ($($Port:ident)*) => { $(layer!(#[over(inner.store)] impl $Port for Slow {});)* };
}

straight_down! {
    ActiveUsers Bases CatalogueStore CustomerStore DiscountStore Loads PriceListStore Quotations SettingsStore
}

/// A product of 1.00, which costs 0.50 while a price list lasts.
fn records() -> Vec<Record> {
    let list = PriceList {
        id: "W".parse().unwrap(),
        priority: 0,
        currency: None,
        from: None,
        until: Some(START.plus(END)),
        recipients: Recipients { everyone: true, ..Recipients::default() },
        is_wide: true,
        revision: 1,
    };
    let rule = PriceRule::Price(Money::from_minor(50));
    let ladder = Ladder::new(vec![Rung { min_quantity: MinQuantity::ZERO, rule }]).unwrap();
    let prices = ListPrices { list: list.id.clone(), scope: Scope::All, ladder };
    let product = Product::new("P1".parse().unwrap(), "one".to_owned(), Money::from_minor(100));
    vec![Record::Product(product), Record::PriceList(list), Record::Prices(prices)]
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_of_a_time_when_its_table_was_there() {
    let clock = Arc::new(TokioClock::new(START));
    let inner = Memory::new(clock, Arc::new(SystemRandomness)).ports();
    let changes = records().into_iter().map(RowChange::Put).collect();
    apply(&inner, changes, Currency::USD).await.unwrap();
    let slow = Ports { store: Arc::new(Slow { inner: inner.clone() }), ..inner.clone() };
    let handler = QuotationHandler::new(&slow, Lookup::new(&slow), Policy::default());
    let bases = Arc::new(BaseMaker::new(&inner, Arc::new(BaseShelf::new(inner.store.clone()))));
    let calc = PriceCalc::new(&inner, bases, Policy::default());

    let user: UserId = "AAA".parse().unwrap();
    let quote = handler.quote(Ask {
        user: user.clone(),
        items: vec![Item { product: "P1".parse().unwrap(), quantity: Quantity::ONE }],
        request_id: None,
        dialect: Dialect::Current,
        connection: None,
    });
    let order = Calculation { user, cause: Cause::Subscribe { expires_at: START.plus(READ) } };
    let order = Received {
        id: "1".to_owned(),
        body: serde_json::to_string(&order).unwrap(),
        receipt: Receipt("1".to_owned()),
        group: None,
        receive_count: 1,
        sent_at: START,
    };
    let made = async {
        sleep(MADE).await;
        calc.handle(&[order]).await
    };
    let (accepted, outcomes) = join(quote, made).await;
    assert!(outcomes[0].is_done(), "{outcomes:?}");
    let quotation = accepted.unwrap().settled.expect("the table is there");
    let QuotationStatus::Answered(answer) = quotation.status else { panic!("it has failed") };
    assert_eq!(answer.lines[0].unit_price, Money::from_minor(100));
    assert_eq!(answer.answered_at, START.plus(READ), "the list still was in force before");
}
