//! Another rounding of unit prices, as a load: every stored price and amount is written anew in the new
//! units, and all of it comes into force together with the rounding.

use std::collections::BTreeMap;

use super::LoadError;
use super::load::MAX_TRIES;
use super::stored::StoreAt;
use crate::model::ConnectionId;
use crate::ports::{
    AtHead, CatalogueHead, Changes, Clock, Commit, Committed, Cursor, LoadId, Page, PortError,
    Randomness, Record, RowChange, Store,
};
use crate::pricing::{Ladder, Money, PriceRule, Product, Rung, UnitRounding};
use crate::stages::change::Change;
use crate::stages::folding::{fold, tidy};

/// So many changes are written at once.
const CHUNK: usize = 5_000;

/// Sets how unit prices are rounded. Returns what has changed for price tables; `None` when it was so
/// before.
///
/// # Errors
/// [`LoadError`]; [`LoadError::DoesNotFit`] names a price that would have to be rounded. Nothing is changed
/// then.
pub async fn set_rounding(
    store: &dyn Store,
    clock: &dyn Clock,
    randomness: &dyn Randomness,
    rounding: UnitRounding,
) -> Result<Option<Change>, LoadError> {
    for _ in 0..MAX_TRIES {
        tidy(store, clock).await?;
        let stored = store.catalogue_head().await?;
        let head = stored.clone().unwrap_or(CatalogueHead::EMPTY);
        if head.rounding == rounding {
            return Ok(None);
        }
        let at = StoreAt { store, head: &head };
        let units = Units { from: head.rounding.unit_decimals, to: rounding.unit_decimals };
        let changes = match units.from == units.to {
            true => AtHead::Read(vec![]),
            false => rescaled(at, units).await?,
        };
        let AtHead::Read(changes) = changes else { continue };
        let load = LoadId(ConnectionId::from_random(randomness.bits()).to_string());
        store.begin_load(&load, clock.now()).await?;
        for chunk in changes.chunks(CHUNK) {
            if !store.write_journal(&load, chunk).await? {
                return Err(LoadError::Dropped);
            }
        }
        // Where no product was ever loaded, there is no base to make anew.
        let products = head.base_version > 0;
        let changed = Changes { products, lists: head.lists_version > 0, ..Changes::NONE };
        let commit = Commit { load, currency: head.currency, rounding, changes: changed };
        match store.commit_load(&commit, stored.map(|head| head.version)).await? {
            Committed::Conflict => store.drop_journal(&commit.load).await?,
            Committed::Dropped => return Err(LoadError::Dropped),
            Committed::Version(version) => {
                let change = Change {
                    load: commit.load.0.clone(),
                    version,
                    catalogue: true,
                    ..Change::default()
                };
                fold(store, clock, &commit.load, version, &|_| ()).await?;
                return Ok(Some(change));
            }
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
    /// An amount in the new units.
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

/// Every stored row with an amount, in the new units, in the order of a journal.
async fn rescaled(at: StoreAt<'_>, units: Units) -> Result<AtHead<Vec<RowChange>>, LoadError> {
    let (store, head) = (at.store, at.head);
    let mut changes = BTreeMap::new();
    let mut put = |record: Record| drop(changes.insert(record.key(), RowChange::Put(record)));
    let products = all(async |from| store.list_products(head, from).await).await?;
    let AtHead::Read(products) = products else { return Ok(AtHead::Moved) };
    for product in products {
        put(Record::Product(units.product(product)?));
    }
    let users = all(async |from| store.list_discounted_users(head, from).await).await?;
    let AtHead::Read(users) = users else { return Ok(AtHead::Moved) };
    for users in users.chunks(CHUNK) {
        let AtHead::Read(lists) = store.discounts(users, head).await? else {
            return Ok(AtHead::Moved);
        };
        for mut list in lists.into_iter().filter(|list| !list.ladders.is_empty()) {
            let what = || format!("the own rows of customer `{}`", list.user);
            for own in &mut list.ladders.ladders {
                own.ladder = units.ladder(&own.ladder, what)?;
            }
            put(Record::Discounts(list));
        }
    }
    let lists = all(async |from| store.list_price_lists(head, from).await).await?;
    let AtHead::Read(lists) = lists else { return Ok(AtHead::Moved) };
    for mut list in lists {
        let prices = all(async |from| store.list_prices(&list.id, head, from).await).await?;
        let AtHead::Read(prices) = prices else { return Ok(AtHead::Moved) };
        for mut prices in prices {
            let what = || format!("price list `{}`, {}", prices.list, prices.scope);
            prices.ladder = units.ladder(&prices.ladder, what)?;
            put(Record::Prices(prices));
        }
        list.revision = head.version + 1;
        put(Record::PriceList(list));
    }
    Ok(AtHead::Read(changes.into_values().collect()))
}

/// All rows of a listing.
async fn all<T>(
    page: impl AsyncFn(Option<Cursor>) -> Result<AtHead<Page<T>>, PortError>,
) -> Result<AtHead<Vec<T>>, PortError> {
    let (mut rows, mut from) = (vec![], None);
    loop {
        let AtHead::Read(page) = page(from).await? else { return Ok(AtHead::Moved) };
        rows.extend(page.items);
        from = page.next;
        if from.is_none() {
            return Ok(AtHead::Read(rows));
        }
    }
}
