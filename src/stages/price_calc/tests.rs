//! Batches in which one customer's price list cannot be read or priced, and tables that do not change.

use std::sync::Mutex;

use super::*;
use crate::data::apply;
use crate::memory::{Memory, TokioClock};
use crate::ports::prelude::*;
use crate::ports::testing::{one_price, price_list, received};
use crate::ports::{Chain, PortError, Record, RowChange, SystemRandomness};
use crate::pricing::{Currency, Customer, Money, Product, Recipients, Scope};
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

layer!(
    #[over(inner.store)]
    impl ActiveUsers, CatalogueStore, CustomerStore, DiscountStore, Loads, PriceTables, Quotations,
        SettingsStore for Faulty {}
);

const BEFORE: &str = "AAA";
/// The customer with the price list.
const GOLD: &str = "BBB";
const AFTER: &str = "CCC";

/// A product, and a price list that only one customer has.
fn records() -> Vec<Record> {
    let group = "gold".parse().unwrap();
    let recipients = Recipients { groups: [group].into(), ..Recipients::default() };
    let list = price_list("GOLD", recipients);
    let prices = one_price(&list.id, Money::ZERO);
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

const START: Timestamp = Timestamp::from_secs(1_800_000_000);
const EXPIRY: Timestamp = Timestamp::from_secs(2_000_000_000);

fn ordered(user: &str, cause: Cause) -> Received {
    let order = Calculation { user: user.parse().unwrap(), cause };
    received(user, &order, Timestamp::default())
}

fn order(user: &str) -> Received {
    ordered(user, Cause::Subscribe { expires_at: EXPIRY })
}

/// Returns an engine with the records, whose clock follows tokio's.
async fn loaded() -> Ports {
    let clock = Arc::new(TokioClock::new(START));
    let ports = Memory::new(clock, Arc::new(SystemRandomness)).ports();
    let changes = records().into_iter().map(RowChange::Put).collect();
    apply(&ports, changes, Currency::USD).await.unwrap();
    ports
}

fn price_calc(ports: &Ports, policy: Policy) -> PriceCalc {
    let shelf = Arc::new(BaseShelf::new(ports.store.clone()));
    PriceCalc::new(ports, Arc::new(BaseMaker::new(ports, shelf)), policy)
}

async fn head_of(ports: &Ports, user: &str) -> TableHead {
    let user: UserId = user.parse().unwrap();
    let heads = ports.store.table_heads(&[user]).await.unwrap();
    heads.into_iter().next().unwrap().1
}

#[tokio::test(start_paused = true)]
async fn a_customer_whose_price_list_fails_fails_alone() {
    for (fault, is_outage) in
        [(Fault::Unreadable, false), (Fault::Claimed, false), (Fault::Throttled, true)]
    {
        let inner = loaded().await;
        let store = Arc::new(Faulty { inner: inner.clone(), fault: Mutex::new(Some(fault)) });
        let ports = Ports { store: store.clone(), ..inner };
        let stage = price_calc(&ports, Policy::default());

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

#[tokio::test(start_paused = true)]
async fn an_unchanged_table_stays_fresh_although_its_ticks_are_not_handled_evenly() {
    for mins in [1, 4, 5, 15, 60] {
        let every = Duration::from_secs(60 * mins);
        let policy = Policy { refresh_every: every, ..Policy::default() };
        let ports = loaded().await;
        let stage = price_calc(&ports, policy.clone());
        let started = tokio::time::Instant::now();
        for (tick, late) in (0_u32..).zip([0, 900, 100, 950, 100]) {
            let handled_at = started + every * tick + Duration::from_millis(late);
            if tick > 0 {
                tokio::time::sleep_until(handled_at - Duration::from_millis(1)).await;
                let head = head_of(&ports, BEFORE).await;
                assert!(head.is_fresh(ports.clock.now()), "{mins} min, before {tick}: {head:?}");
            }
            tokio::time::sleep_until(handled_at).await;
            let cause = Cause::Scheduled {
                tick: tick.into(),
                due: START.plus(every * tick),
                interval_ms: 60_000 * mins,
                expires_at: EXPIRY,
            };
            let order = ordered(BEFORE, cause);
            assert!(stage.handle(std::slice::from_ref(&order)).await[0].is_done());
            let head = head_of(&ports, BEFORE).await;
            assert!(head.is_fresh(ports.clock.now()), "{mins} min, after {tick}: {head:?}");
            // If it is fresh for two intervals, each tick writes that. A repeated order writes nothing.
            if policy.fresh_for() == every * 2 {
                assert_eq!(head.version, u64::from(tick) + 1, "{mins} min");
            }
            assert!(stage.handle(&[order]).await[0].is_done());
            assert_eq!(head_of(&ports, BEFORE).await, head, "{mins} min, tick {tick}");
        }
    }
}
