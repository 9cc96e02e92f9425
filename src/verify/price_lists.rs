//! Price lists as they are stored: all lists without their rows, and the rows of the lists that are
//! needed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::VerifyError;
use super::error::still;
use crate::model::{CustomerGroup, PriceListId, ProductId, Timestamp, UserId};
use crate::ports::{CatalogueHead, PriceListStore, pages};
use crate::pricing::{Category, Currency, Customer, Ladder, PriceList, Scope};

/// About how many bytes of rows are kept. All lists of one customer are kept while they are needed,
/// whatever their size.
const KEPT_BYTES: usize = 256 * 1024 * 1024;

/// All price lists at a head, indexed by recipient.
#[derive(Default)]
pub(super) struct PriceLists {
    lists: Vec<Arc<PriceList>>,
    for_everyone: Vec<usize>,
    by_group: HashMap<CustomerGroup, Vec<usize>>,
    by_user: HashMap<UserId, Vec<usize>>,
}

impl PriceLists {
    pub(super) async fn read(
        store: &(impl PriceListStore + ?Sized),
        head: &CatalogueHead,
    ) -> Result<Self, VerifyError> {
        let mut all = Self::default();
        // A store that never had a list need not be asked.
        if head.lists_version == 0 {
            return Ok(all);
        }
        let mut pages = pages(|from| store.list_price_lists(head, from));
        while let Some(page) = pages.next().await? {
            still(page)?.into_iter().for_each(|list| all.add(list));
        }
        Ok(all)
    }

    fn add(&mut self, list: PriceList) {
        let place = self.lists.len();
        if list.recipients.everyone {
            self.for_everyone.push(place);
        }
        for group in &list.recipients.groups {
            self.by_group.entry(group.clone()).or_default().push(place);
        }
        for user in &list.recipients.users {
            self.by_user.entry(user.clone()).or_default().push(place);
        }
        self.lists.push(Arc::new(list));
    }

    /// Returns the lists that a customer is given, whether in force or not, in any currency.
    pub(super) fn given_to(&self, customer: &Customer) -> Vec<Arc<PriceList>> {
        let groups = customer.groups.iter().filter_map(|group| self.by_group.get(group)).flatten();
        let own = self.by_user.get(&customer.user).into_iter().flatten();
        let places: BTreeSet<usize> =
            self.for_everyone.iter().chain(groups).chain(own).copied().collect();
        places.into_iter().map(|place| self.lists[place].clone()).collect()
    }
}

/// Returns the next time at which one of the lists in a currency begins or ends.
pub(super) fn next_edge(
    lists: &[Arc<PriceList>],
    currency: Currency,
    after: Timestamp,
) -> Option<Timestamp> {
    let lists = lists.iter().filter(|list| list.is_for(currency));
    let edges = lists.flat_map(|list| [list.from, list.until]).flatten();
    edges.filter(|edge| *edge > after).min()
}

/// The rows of one list.
pub(super) struct PriceListRows {
    of_products: HashMap<ProductId, Ladder>,
    wide: Vec<(Scope, Ladder)>,
    bytes: usize,
}

impl PriceListRows {
    /// Returns the rows whose scope includes a product.
    pub(super) fn of<'a>(
        &'a self,
        product: &'a ProductId,
        category: Option<&'a Category>,
    ) -> impl Iterator<Item = (Scope, &'a Ladder)> {
        let own = self.of_products.get(product);
        let own = own.map(|ladder| (Scope::Product(product.clone()), ladder));
        let wide = self.wide.iter().filter(move |(scope, _)| scope.includes(product, category));
        own.into_iter().chain(wide.map(|(scope, ladder)| (scope.clone(), ladder)))
    }
}

/// The rows of recently used lists, at one head.
#[derive(Default)]
pub(super) struct KeptRows {
    /// The rows, each with the number of its last use.
    kept: BTreeMap<PriceListId, (u64, Arc<PriceListRows>)>,
    uses: u64,
}

impl KeptRows {
    /// Returns the rows of some lists, in the order of the lists.
    pub(super) async fn of(
        &mut self,
        store: &(impl PriceListStore + ?Sized),
        lists: &[Arc<PriceList>],
        head: &CatalogueHead,
    ) -> Result<Vec<Arc<PriceListRows>>, VerifyError> {
        let mut rows = vec![];
        for list in lists {
            self.uses += 1;
            if let Some((used, kept)) = self.kept.get_mut(&list.id) {
                *used = self.uses;
                rows.push(kept.clone());
                continue;
            }
            let read = Arc::new(read_rows(store, &list.id, head).await?);
            self.kept.insert(list.id.clone(), (self.uses, read.clone()));
            self.make_room();
            rows.push(read);
        }
        Ok(rows)
    }

    fn make_room(&mut self) {
        let mut bytes: usize = self.kept.values().map(|(_, rows)| rows.bytes).sum();
        while bytes > KEPT_BYTES && self.kept.len() > 1 {
            let oldest = self.kept.iter().min_by_key(|(_, (used, _))| *used);
            let Some(oldest) = oldest.map(|(id, _)| id.clone()) else { return };
            bytes -= self.kept.remove(&oldest).map_or(0, |(_, rows)| rows.bytes);
        }
    }
}

async fn read_rows(
    store: &(impl PriceListStore + ?Sized),
    list: &PriceListId,
    head: &CatalogueHead,
) -> Result<PriceListRows, VerifyError> {
    /// The approximate size of a row without its id and rungs, and of a rung.
    const ROW_BYTES: usize = 96;
    const RUNG_BYTES: usize = 24;
    let mut rows = PriceListRows { of_products: HashMap::new(), wide: vec![], bytes: 0 };
    let mut pages = pages(|from| store.list_prices(list, head, from));
    while let Some(page) = pages.next().await? {
        for row in still(page)? {
            rows.bytes += ROW_BYTES + row.ladder.rungs().len() * RUNG_BYTES;
            match row.scope {
                Scope::Product(product) => {
                    rows.bytes += product.as_str().len();
                    rows.of_products.insert(product, row.ladder);
                }
                scope => rows.wide.push((scope, row.ladder)),
            }
        }
    }
    Ok(rows)
}
