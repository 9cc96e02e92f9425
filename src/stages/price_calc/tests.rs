//! Batches in which one customer's price list cannot be read or priced.

use std::sync::Mutex;

use super::*;
use crate::data::apply;
use crate::memory::{Memory, TokioClock};
use crate::ports::prelude::*;
use crate::ports::testing::{price_list, received};
use crate::ports::{Chain, PortError, Record, RowChange, SystemRandomness};
use crate::pricing::{
    Currency, Customer, Ladder, ListPrices, MinQuantity, Money, PriceRule, Product, Recipients,
    Rung, Scope,
};
use crate::stages::{BaseShelf, Policy};

/// The fault of a calculation that needs the price list.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Unreadable,
    Throttled,
    /// Another process has claimed the base of the terms.
    Claimed,
}

struct Faulty {
    inner: Ports,
    fault: Mutex<Option<Fault>>,
}

impl Faulty {
    fn fault(&self) -> Option<Fault> {
        *self.fault.lock().unwrap()
    }
}

layer!(
    #[over(inner.store)]
    impl PriceListStore for Faulty {
        async fn list_prices(&self, list: _, at: _, from: _) -> _ {
            let what = format!("price list `{}`", list.as_str());
            match self.fault() {
                Some(Fault::Unreadable) => Err(PortError::corrupt(what, "half of it is missing")),
                Some(Fault::Throttled) => Err(PortError::Throttled { what }),
                _ => self.inner.store.list_prices(list, at, from).await,
            }
        }
    }
);

layer!(
    #[over(inner.store)]
    impl Bases for Faulty {
        async fn claim_base(&self, name: _, claim: _, now: _) -> _ {
            match self.fault() {
                Some(Fault::Claimed) if name.terms.is_some() => Ok(false),
                _ => self.inner.store.claim_base(name, claim, now).await,
            }
        }
    }
);

macro_rules! straight_down {
    ($($Port:ident)*) => { $(layer!(#[over(inner.store)] impl $Port for Faulty {});)* };
}

straight_down! {
    ActiveUsers CatalogueStore CustomerStore DiscountStore Loads PriceTables Quotations SettingsStore
}

const BEFORE: &str = "AAA";
/// The customer with the price list.
const GOLD: &str = "BBB";
const AFTER: &str = "CCC";

/// A product, and a price list that only one customer has.
fn records() -> Vec<Record> {
    let group = "gold".parse().unwrap();
    let recipients = Recipients { groups: [group].into(), ..Recipients::default() };
    let list = price_list("GOLD", recipients);
    let rung = Rung { min_quantity: MinQuantity::ZERO, rule: PriceRule::Price(Money::ZERO) };
    let ladder = Ladder::new(vec![rung]).unwrap();
    let prices = ListPrices { list: list.id.clone(), scope: Scope::All, ladder };
    let customer = Customer {
        groups: list.recipients.groups.clone(),
        ..Customer::unknown(GOLD.parse().unwrap())
    };
    let product = Product::new("P1".parse().unwrap(), "one".to_owned(), Money::from_minor(100));
    vec![
        Record::Product(product),
        Record::PriceList(list),
        Record::Prices(prices),
        Record::Customer(customer),
    ]
}

fn order(user: &str) -> Received {
    let cause = Cause::Subscribe { expires_at: Timestamp::from_secs(2_000_000_000) };
    let order = Calculation { user: user.parse().unwrap(), cause };
    received(user, &order, Timestamp::default())
}

#[tokio::test(start_paused = true)]
async fn a_customer_whose_price_list_fails_fails_alone() {
    for (fault, is_outage) in
        [(Fault::Unreadable, false), (Fault::Claimed, false), (Fault::Throttled, true)]
    {
        let clock = Arc::new(TokioClock::new(Timestamp::from_secs(1_800_000_000)));
        let inner = Memory::new(clock, Arc::new(SystemRandomness)).ports();
        let changes = records().into_iter().map(RowChange::Put).collect();
        apply(&inner, changes, Currency::USD).await.unwrap();
        let store = Arc::new(Faulty { inner: inner.clone(), fault: Mutex::new(Some(fault)) });
        let ports = Ports { store: store.clone(), ..inner };
        let shelf = Arc::new(BaseShelf::new(ports.store.clone()));
        let bases = Arc::new(BaseMaker::new(&ports, shelf));
        let stage = PriceCalc::new(&ports, bases, Policy::default());

        let outcomes = stage.handle(&[BEFORE, GOLD, AFTER].map(order)).await;
        assert!(outcomes[0].is_done() && outcomes[2].is_done(), "{fault:?}: {outcomes:?}");
        let Outcome::Again { error, .. } = &outcomes[1] else { panic!("{fault:?}: it is done") };
        assert_eq!(error.is_downstream(), is_outage, "{fault:?}: {}", Chain(error));
        let users = [BEFORE, GOLD, AFTER].map(|user| user.parse().unwrap());
        assert_eq!(ports.store.table_heads(&users).await.unwrap().len(), 2, "{fault:?}");

        // Without the fault, the calculation succeeds.
        *store.fault.lock().unwrap() = None;
        assert!(stage.handle(&[order(GOLD)]).await[0].is_done(), "{fault:?}");
    }
}
