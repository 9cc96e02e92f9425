//! Calculates what a load would change, without changing it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::difference::Difference;
use super::effect::{Effect, MovedPrice, MovedPrices};
use super::given_lists::GivenLists;
use super::load::{LoadOptions, MAX_TRIES, compare};
use super::load_error::LoadError;
use super::moved::{Buyers, Owns, Sides};
use super::own_lists::LostRows;
use super::planned::{Planned, product_of};
use super::stored::{Halt, StoreAt, still};
use super::{Dataset, KindCounts, Mentions};
use crate::model::{ProductId, Timestamp, UserId};
use crate::ports::{
    CatalogueHead, Clock, RecordKey, RecordKind, Segment, Store, UserDiscounts, pages,
};
use crate::pricing::{Customer, Product};

/// How many customers are examined at once.
const CUSTOMERS: usize = 2_000;
/// How many products are examined at once, at most.
const PRODUCTS: usize = 500;
/// About how many rows of price lists are requested at once.
const ROWS: usize = 50_000;

/// What a load would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// The catalogue version with which the data was compared, or zero if nothing is loaded yet.
    pub version: u64,
    /// What the load would do to the rows of each kind.
    pub counts: KindCounts,
    /// Things that may be unintended.
    pub mentions: Mentions,
    /// Rows that own lists would lose because the data replaces these lists.
    pub lost: LostRows,
    /// Stored rows that cannot be read, and why. The data would replace them.
    pub unreadable: Vec<String>,
    /// How prices would change.
    pub effect: Effect,
}

/// How far a preview has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreviewProgress {
    /// This many rows are compared with the store.
    Compared(u64),
    /// The prices of this many products are compared.
    Priced(u64),
}

/// Calculates what a load would change, and writes nothing. `prices` receives each changed price.
///
/// # Errors
/// Those of a load, and [`LoadError::Changes`] if a changed price cannot be written.
pub async fn preview(
    store: &dyn Store,
    clock: &dyn Clock,
    data: &Dataset,
    options: LoadOptions,
    prices: &mut (dyn MovedPrices + Send + Sync),
    progress: &(dyn Fn(PreviewProgress) + Sync),
) -> Result<Preview, LoadError> {
    for _ in 0..MAX_TRIES {
        prices.restart().map_err(LoadError::Changes)?;
        let head = store.catalogue_head().await?.unwrap_or(CatalogueHead::EMPTY);
        let at = StoreAt { store, head: &head };
        let compared = |rows| progress(PreviewProgress::Compared(rows));
        let looking = async {
            let (difference, mentions) = compare(data, options, at, true, &compared).await?;
            let mut look = Look {
                at,
                difference: &difference,
                options,
                now: clock.now(),
                prices: &mut *prices,
                progress,
                products: 0,
            };
            let effect = look.effect().await?;
            let Difference { counts, unreadable, lost, .. } = difference;
            Ok(Preview { version: head.version, counts, mentions, lost, unreadable, effect })
        };
        match looking.await {
            Ok(preview) => return Ok(preview),
            Err(Halt::Moved) => {}
            Err(Halt::Failed(error)) => return Err(error),
        }
    }
    Err(LoadError::Contended)
}

struct Look<'a, 'd> {
    at: StoreAt<'a>,
    difference: &'a Difference<'d>,
    options: LoadOptions,
    now: Timestamp,
    prices: &'a mut (dyn MovedPrices + Send + Sync),
    progress: &'a (dyn Fn(PreviewProgress) + Sync),
    products: u64,
}

/// A product before and after.
type Pair = (Option<Product>, Option<Product>);

impl Look<'_, '_> {
    async fn effect(&mut self) -> Result<Effect, Halt> {
        let mut effect = Effect::default();
        let (before, after) = GivenLists::read(self.at, self.difference, self.now).await?;
        let (store, now) = (self.at.store, self.now);
        let mut pages = pages(|from| store.list_active_users(Segment::ALL, now, from));
        while let Some(page) = pages.next().await? {
            let active = page.into_iter().filter(|user| user.is_active(now));
            let users: Vec<UserId> = active.map(|user| user.user).collect();
            for users in users.chunks(CUSTOMERS) {
                effect.customers += users.len() as u64;
                effect.affected += self.look_at(users, &before, &after, &mut effect).await?;
            }
        }
        Ok(effect)
    }

    /// Compares the prices of some customers. Returns for how many of them a price changes.
    async fn look_at(
        &mut self,
        users: &[UserId],
        before: &GivenLists,
        after: &GivenLists,
        effect: &mut Effect,
    ) -> Result<u64, Halt> {
        let sides = Sides {
            before,
            after,
            catalogue: (self.at.head.currency, self.options.currency),
            rounding: self.at.head.rounding.rounding,
        };
        let customers = self.customers(users).await?;
        let owns = self.own_lists(users).await?;
        let buyers = Buyers::group(users, &customers, &owns, &sides);
        let mut affected = BTreeSet::new();
        let candidates = self.candidates(&owns);
        let size = (ROWS / buyers.lists(&sides).len().max(1)).clamp(1, PRODUCTS);
        for chunk in candidates.chunks(size) {
            let pairs = self.changed_products(chunk).await?;
            self.compare(&pairs, &buyers, &sides, effect, &mut affected).await?;
        }
        if self.changes_all(&buyers, &sides) {
            let at = self.at;
            let mut pages = pages(|from| at.store.list_products(at.head, Segment::ALL, from));
            while let Some(page) = pages.next().await? {
                let rest = still(page)?.into_iter();
                let rest = rest.filter(|product| candidates.binary_search(&product.id).is_err());
                let pairs: Vec<Pair> =
                    rest.map(|product| (Some(product.clone()), Some(product))).collect();
                for pairs in pairs.chunks(size) {
                    self.compare(pairs, &buyers, &sides, effect, &mut affected).await?;
                }
            }
        }
        Ok(affected.len() as u64)
    }

    /// Returns the records of customers, before and after.
    async fn customers(
        &self,
        users: &[UserId],
    ) -> Result<HashMap<UserId, (Customer, Customer)>, Halt> {
        let stored = still(self.at.store.customers(users, self.at.head).await?)?;
        let mut stored: HashMap<UserId, Customer> =
            stored.into_iter().map(|customer| (customer.user.clone(), customer)).collect();
        let pair = |user: &UserId| {
            let unknown = || Customer::unknown(user.clone());
            let before = stored.remove(user).unwrap_or_else(unknown);
            let after = match self.difference.find(RecordKind::Customer, user.as_str(), None) {
                Some(Planned::Customer(customer)) => (*customer).clone(),
                Some(_) => unknown(),
                None => before.clone(),
            };
            (user.clone(), (before, after))
        };
        Ok(users.iter().map(pair).collect())
    }

    /// Returns the own lists of customers, before and after.
    async fn own_lists(&self, users: &[UserId]) -> Result<Owns, Halt> {
        let stored = still(self.at.store.discounts(users, self.at.head).await?)?;
        let mut stored: HashMap<UserId, UserDiscounts> =
            stored.into_iter().map(|list| (list.user.clone(), list)).collect();
        let pair = |user: &UserId| {
            let before = stored.remove(user);
            let after = match self.difference.find(RecordKind::Discounts, user.as_str(), None) {
                Some(Planned::Discounts(list)) => Some((*list).clone()),
                Some(Planned::Own(list)) => Some((**list).clone()),
                Some(_) => None,
                None => before.clone(),
            };
            (user.clone(), (before, after))
        };
        Ok(users.iter().map(pair).collect())
    }

    /// Returns the products that change, have a row that changes, or are in an own list that changes.
    /// Sorted.
    fn candidates(&self, owns: &Owns) -> Vec<ProductId> {
        let planned = self.difference.planned().iter();
        let changed = planned.filter_map(|planned| match planned {
            Planned::Product(product) => Some(product.id.clone()),
            Planned::Prices(prices) => product_of(&prices.scope).cloned(),
            Planned::Delete(RecordKey::Product(id)) => Some(id.clone()),
            Planned::Delete(RecordKey::Prices(_, scope)) => product_of(scope).cloned(),
            _ => None,
        });
        let mut candidates: BTreeSet<ProductId> = changed.collect();
        for (before, after) in owns.values().filter(|(before, after)| before != after) {
            for list in before.iter().chain(after) {
                let discounts = list.discounts.as_slice().iter();
                candidates.extend(discounts.map(|discount| discount.product_id.clone()));
                let ladders = list.ladders.ladders.iter();
                candidates.extend(ladders.map(|ladder| ladder.product_id.clone()));
            }
        }
        candidates.into_iter().collect()
    }

    async fn changed_products(&self, ids: &[ProductId]) -> Result<Vec<Pair>, Halt> {
        let stored = still(self.at.store.products(ids, self.at.head).await?)?;
        let mut stored: BTreeMap<ProductId, Product> =
            stored.into_iter().map(|product| (product.id.clone(), product)).collect();
        let pair = |id: &ProductId| {
            let before = stored.remove(id);
            let after = match self.difference.find(RecordKind::Product, id.as_str(), None) {
                Some(Planned::Product(product)) => Some((*product).clone()),
                Some(_) => None,
                None => before.clone(),
            };
            (before, after)
        };
        Ok(ids.iter().map(pair).collect())
    }

    /// Whether any product may change its price for one of the customers.
    fn changes_all(&self, buyers: &Buyers<'_>, sides: &Sides<'_>) -> bool {
        let wide = self.difference.planned().iter().filter_map(|planned| match planned {
            Planned::Prices(prices) if prices.scope.is_wide() => Some(&prices.list),
            Planned::Delete(RecordKey::Prices(list, scope)) if scope.is_wide() => Some(list),
            _ => None,
        });
        let wide: BTreeSet<_> = wide.collect();
        let changes_wide = buyers.lists(sides).iter().any(|list| wide.contains(list));
        sides.catalogue.0 != sides.catalogue.1 || buyers.change_terms(sides) || changes_wide
    }

    async fn compare(
        &mut self,
        pairs: &[Pair],
        buyers: &Buyers<'_>,
        sides: &Sides<'_>,
        effect: &mut Effect,
        affected: &mut BTreeSet<UserId>,
    ) -> Result<(), Halt> {
        let rows = buyers.rows(pairs, sides, self.at).await?;
        for pair in pairs {
            let mut add = |price: &MovedPrice| {
                effect.add(price);
                if !affected.contains(&price.customer) {
                    affected.insert(price.customer.clone());
                }
                self.prices.moved(price).map_err(LoadError::Changes)
            };
            buyers.compare(pair, sides, &rows, self.difference, &mut add)?;
        }
        self.products += pairs.len() as u64;
        (self.progress)(PreviewProgress::Priced(self.products));
        Ok(())
    }
}
