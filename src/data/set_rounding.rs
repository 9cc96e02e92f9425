//! Sets another rounding of unit prices by a load: every stored price and amount is written again in the
//! new units, and comes into force together with the rounding.

use std::collections::BTreeMap;

use super::LoadError;
use super::committing::{CHUNK, Committing};
use super::load::MAX_TRIES;
use super::stored::{Halt, StoreAt, still};
use crate::model::ConnectionId;
use crate::ports::{
    CatalogueHead, Changes, Clock, Commit, LoadId, PortError, Randomness, Record, RowChange,
    Segment, Store, read_all,
};
use crate::pricing::{Ladder, Money, PriceRule, Product, Rung, UnitRounding};
use crate::stages::change::LoadChange;
use crate::stages::folding::tidy;

/// Sets how unit prices are rounded. Returns what changed for price tables, or `None` if the rounding was
/// the same before.
///
/// # Errors
/// [`LoadError`]. [`LoadError::DoesNotFit`] names a price that would have to be rounded. Nothing is changed
/// then.
pub async fn set_rounding(
    store: &dyn Store,
    clock: &dyn Clock,
    randomness: &dyn Randomness,
    rounding: UnitRounding,
) -> Result<Option<LoadChange>, LoadError> {
    for _ in 0..MAX_TRIES {
        tidy(store, clock).await?;
        let stored = store.catalogue_head().await?;
        let head = stored.clone().unwrap_or(CatalogueHead::EMPTY);
        if head.rounding == rounding {
            return Ok(None);
        }
        let at = StoreAt { store, head: &head };
        let units = Units { from: head.rounding.unit_decimals, to: rounding.unit_decimals };
        let changes = match rescaled(at, units).await {
            Ok(changes) => changes,
            Err(Halt::Moved) => continue,
            Err(Halt::Failed(error)) => return Err(error),
        };
        let load = LoadId(ConnectionId::from_random(randomness.bits()).to_string());
        // While no product was ever loaded, there is no base to make again.
        let products = head.base_version > 0;
        let changed = Changes { products, lists: head.lists_version > 0, ..Changes::NONE };
        let commit = Commit { load, currency: head.currency, rounding, changes: changed };
        let committing = Committing { store, clock, rows: changes.len() as u64, progress: &|_| () };
        let expected = stored.map(|head| head.version);
        let chunks = changes.chunks(CHUNK);
        if let Some(in_force) = committing.take_effect(chunks, &commit, expected).await? {
            let (load, version) = (commit.load.0, in_force.version);
            return Ok(Some(LoadChange {
                load,
                version,
                catalogue: true,
                ..LoadChange::default()
            }));
        }
    }
    Err(LoadError::Contended)
}

/// How many decimals amounts have beyond their currency, before and after.
#[derive(Clone, Copy)]
struct Units {
    from: u8,
    to: u8,
}

impl Units {
    /// Converts an amount to the new units.
    fn convert(self, money: Money, what: impl Fn() -> String) -> Result<Money, LoadError> {
        let does_not_fit = || LoadError::DoesNotFit { what: what(), unit_decimals: self.to };
        let (more, less) = (self.to.saturating_sub(self.from), self.from.saturating_sub(self.to));
        let scaled = money.minor().checked_mul(10_i64.pow(more.into())).ok_or_else(does_not_fit)?;
        let divisor = 10_i64.pow(less.into());
        let converted = Money::from_minor(scaled / divisor);
        let fits = scaled % divisor == 0 && converted <= Money::MAX_PRICE;
        fits.then_some(converted).ok_or_else(does_not_fit)
    }

    fn product(self, product: Product) -> Result<Product, LoadError> {
        let what = || format!("product `{}`", product.id);
        let price = product.price.map(|price| self.convert(price, what)).transpose()?;
        let detail = match product.detail {
            None => None,
            Some(mut detail) => {
                for amount in detail.prices.values_mut().chain(detail.floors.values_mut()) {
                    *amount = self.convert(*amount, what)?;
                }
                Some(detail)
            }
        };
        Ok(Product { price, detail, ..product })
    }

    fn ladder(self, ladder: &Ladder, what: impl Fn() -> String) -> Result<Ladder, LoadError> {
        let rungs = ladder.rungs().iter().map(|rung| {
            let rule = match rung.rule {
                PriceRule::Price(price) => PriceRule::Price(self.convert(price, &what)?),
                PriceRule::Amount(amount) => PriceRule::Amount(self.convert(amount, &what)?),
                rule @ PriceRule::Percentage(_) => rule,
            };
            Ok(Rung { rule, ..*rung })
        });
        let rungs = rungs.collect::<Result<Vec<_>, LoadError>>()?;
        Ladder::new(rungs).map_err(|error| PortError::corrupt(what(), error).into())
    }
}

/// Returns every stored row with an amount, in the new units and in the order of a journal, if the units
/// change.
async fn rescaled(at: StoreAt<'_>, units: Units) -> Result<Vec<RowChange>, Halt> {
    if units.from == units.to {
        return Ok(vec![]);
    }
    let StoreAt { store, head } = at;
    let mut changes = BTreeMap::new();
    let mut put = |record: Record| drop(changes.insert(record.key(), RowChange::Put(record)));
    let products = read_all(|from| store.list_products(head, Segment::ALL, from));
    for product in still(products.await?)? {
        put(Record::Product(units.product(product)?));
    }
    let users = read_all(|from| store.list_discounted_users(head, from));
    for users in still(users.await?)?.chunks(CHUNK) {
        let lists = still(store.discounts(users, head).await?)?.into_iter();
        for mut list in lists.filter(|list| !list.ladders.is_empty()) {
            let what = || format!("the own rows of customer `{}`", list.user);
            for own in &mut list.ladders.ladders {
                own.ladder = units.ladder(&own.ladder, what)?;
            }
            put(Record::Discounts(list));
        }
    }
    let lists = read_all(|from| store.list_price_lists(head, from));
    for mut list in still(lists.await?)? {
        let prices = read_all(|from| store.list_prices(&list.id, head, from));
        for mut prices in still(prices.await?)? {
            let what = || format!("price list `{}`, {}", prices.list, prices.scope);
            prices.ladder = units.ladder(&prices.ladder, what)?;
            put(Record::Prices(prices));
        }
        list.revision = head.version + 1;
        put(Record::PriceList(list));
    }
    Ok(changes.into_values().collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::memory::{ManualClock, Memory};
    use crate::model::Timestamp;
    use crate::ports::prelude::*;
    use crate::ports::{CatalogueStore as _, Ports, SystemRandomness};
    use crate::pricing::Currency;

    const FINE: UnitRounding = UnitRounding { unit_decimals: 2, ..UnitRounding::PLAIN };

    /// An engine whose folds can be made to fail.
    struct Unfolding {
        inner: Ports,
        fails: AtomicBool,
    }

    layer!(
        #[over(inner.store)]
        impl Loads for Unfolding {
            async fn fold(&self, load: _, version: _, changes: _, forget_at: _) -> _ {
                match self.fails.load(Ordering::Relaxed) {
                    true => Err(PortError::Throttled { what: "the rows".to_owned() }),
                    false => self.inner.store.fold(load, version, changes, forget_at).await,
                }
            }
        }
    );

    layer!(
        #[over(inner.store)]
        impl ActiveUsers, Bases, CatalogueStore, CustomerStore, DiscountStore, PriceListStore, PriceTables,
            Quotations, SettingsStore for Unfolding {}
    );

    #[tokio::test]
    async fn a_rounding_that_is_in_force_and_not_folded_still_changes_tables() {
        let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_800_000_000)));
        let inner = Memory::new(clock.clone(), Arc::new(SystemRandomness)).ports();
        let product = Product::new("P".parse().unwrap(), "P".to_owned(), Money::from_minor(500));
        crate::data::apply(&inner, vec![product.into()], Currency::USD).await.unwrap();
        let store = Unfolding { inner, fails: true.into() };
        let change = set_rounding(&store, &*clock, &SystemRandomness, FINE).await.unwrap().unwrap();
        assert_eq!((change.version, change.catalogue), (2, true));
        let head = store.catalogue_head().await.unwrap().unwrap();
        assert_eq!((head.rounding, head.unfolded.is_some()), (FINE, true));
        // The next call folds the load.
        store.fails.store(false, Ordering::Relaxed);
        assert!(set_rounding(&store, &*clock, &SystemRandomness, FINE).await.unwrap().is_none());
        assert_eq!(store.catalogue_head().await.unwrap().unwrap().unfolded, None);
    }
}
