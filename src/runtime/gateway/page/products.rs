//! Finds products by a part of their id, by the beginning of a word of their name, or by whole ids.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;
use tokio::time::Instant;
use tracing::{debug, warn};

use super::folded::folded;
use super::query::Search;
use crate::model::ProductId;
use crate::ports::{AtHead, CatalogueStore, Chain, PortError, Segment, products_now};
use crate::pricing::{Currency, Money, Product};

/// The shortest time between two checks whether the products have changed.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// The most products that can be searched. Others of a larger catalogue are found by their whole id only.
const MAX_SEARCHED: usize = 200_000;
/// The number of ranks: how well a product matches a search.
const RANKS: usize = 5;

/// Products that were found.
#[derive(Debug, Serialize)]
pub(super) struct FoundProducts {
    /// The best matches first, up to the limit. Products that were requested by their ids are in that
    /// order.
    products: Vec<FoundProduct>,
    /// How many products match in total.
    total: usize,
    /// Whether every product was searched.
    complete: bool,
    currency: String,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct FoundProduct {
    product: String,
    name: String,
    /// The list price in the currency of the stack, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    list_price: Option<String>,
    /// The id by which it was requested. It may differ from the product's id in case.
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<String>,
}

/// A search index of all products. It is built at the first search.
pub(super) struct Products {
    store: Arc<dyn CatalogueStore>,
    /// Held while products are read, so that only one task reads them.
    seen: Mutex<CheckedIndex>,
}

#[derive(Default)]
struct CheckedIndex {
    looked_at: Option<Instant>,
    index: Arc<Index>,
}

/// The products of one version of the catalogue, sorted by id.
#[derive(Default)]
struct Index {
    version: Option<u64>,
    currency: Option<Currency>,
    unit_decimals: u8,
    entries: Vec<IndexedProduct>,
    complete: bool,
}

struct IndexedProduct {
    product: Product,
    /// The folded id and name.
    id: String,
    name: String,
}

impl Products {
    pub(super) fn new(store: Arc<dyn CatalogueStore>) -> Self {
        Self { store, seen: Mutex::default() }
    }

    /// Searches the products. If the store cannot be read, the previous index is used.
    pub(super) async fn search(&self, search: Search) -> Result<FoundProducts, PortError> {
        let index = self.index().await?;
        let typed = search.typed.clone();
        let found = searching(index.clone(), move |index| index.search(&search)).await?;
        match found.total {
            0 if !index.complete => self.named(vec![typed]).await,
            _ => Ok(found),
        }
    }

    /// Returns the products with these ids, in the order of the ids. Ids without a product are left out.
    pub(super) async fn named(&self, ids: Vec<String>) -> Result<FoundProducts, PortError> {
        let index = self.index().await?;
        let mut products = searching(index.clone(), move |index| {
            let named = ids.into_iter().map(|id| (index.named(&id).cloned(), id));
            named.collect::<Vec<_>>()
        })
        .await?;
        if !index.complete {
            let rest = products.iter().filter(|(product, _)| product.is_none());
            let rest: Vec<ProductId> =
                rest.filter_map(|(_, id)| ProductId::stored(id.as_str()).ok()).collect();
            let others = products_now(&*self.store, &rest).await?;
            for (product, id) in products.iter_mut().filter(|(product, _)| product.is_none()) {
                *product = others.iter().find(|other| other.id.as_str() == id).cloned();
            }
        }
        let there = products.iter().filter_map(|(product, id)| Some((product.as_ref()?, id)));
        let mut found =
            index.found(there.clone().map(|(product, _)| product), there.clone().count());
        for (product, (_, id)) in found.products.iter_mut().zip(there) {
            product.asked = Some(id.clone());
        }
        Ok(found)
    }

    async fn index(&self) -> Result<Arc<Index>, PortError> {
        let mut seen = self.seen.lock().await;
        if seen.looked_at.is_none_or(|looked_at| looked_at.elapsed() >= LOOK_EVERY) {
            match self.read(&seen.index).await {
                Ok(Some(index)) => seen.index = Arc::new(index),
                Ok(None) => {}
                Err(error) if seen.index.version.is_some() => {
                    warn!(error = %Chain(&error), "products were not read again");
                }
                Err(error) => return Err(error),
            }
            seen.looked_at = Some(Instant::now());
        }
        Ok(seen.index.clone())
    }

    /// Reads the products. Returns `None` if they have not changed, or change while they are read.
    async fn read(&self, known: &Index) -> Result<Option<Index>, PortError> {
        let Some(head) = self.store.catalogue_head().await? else { return Ok(None) };
        if known.version == Some(head.base_version) {
            return Ok(None);
        }
        let mut entries = Vec::new();
        let mut from = None;
        let complete = loop {
            let AtHead::Read(page) = self.store.list_products(&head, Segment::ALL, from).await?
            else {
                return Ok(None);
            };
            let room = MAX_SEARCHED - entries.len();
            let fits = page.items.len() <= room;
            entries.extend(page.items.into_iter().take(room).map(IndexedProduct::new));
            from = page.next;
            match from {
                _ if !fits => break false,
                None => break true,
                Some(_) => {}
            }
        };
        entries.sort_unstable_by(|a, b| a.product.id.cmp(&b.product.id));
        debug!(
            version = head.version,
            products = entries.len(),
            complete,
            "products read to be searched"
        );
        Ok(Some(Index {
            version: Some(head.base_version),
            currency: Some(head.currency),
            unit_decimals: head.rounding.unit_decimals,
            entries,
            complete,
        }))
    }
}

/// Searches on another thread, because there may be many products.
async fn searching<T: Send + 'static>(
    index: Arc<Index>,
    look: impl FnOnce(&Index) -> T + Send + 'static,
) -> Result<T, PortError> {
    let looking = spawn_blocking(move || look(&index)).await;
    looking.map_err(|error| PortError::unavailable("the search", error))
}

impl Index {
    fn currency(&self) -> Currency {
        self.currency.unwrap_or(Currency::USD)
    }

    fn search(&self, search: &Search) -> FoundProducts {
        let Search { text, limit, offset, .. } = search;
        let wanted = limit.saturating_add(*offset);
        let mut ranks: [Vec<&Product>; RANKS] = Default::default();
        let mut total = 0;
        for entry in &self.entries {
            if let Some(rank) = entry.rank(text) {
                total += 1;
                if ranks[rank].len() < wanted {
                    ranks[rank].push(&entry.product);
                }
            }
        }
        self.found(ranks.into_iter().flatten().skip(*offset).take(*limit), total)
    }

    fn found<'a>(
        &self,
        products: impl Iterator<Item = &'a Product>,
        total: usize,
    ) -> FoundProducts {
        let (currency, decimals) = (self.currency(), self.unit_decimals);
        FoundProducts {
            products: products
                .map(|product| FoundProduct::new(product, currency, decimals))
                .collect(),
            total,
            complete: self.complete,
            currency: currency.to_string(),
        }
    }

    /// Returns the product with an id. If there is none, returns the only product whose id differs from
    /// it in case or accents alone.
    fn named(&self, id: &str) -> Option<&Product> {
        let exact = self.entries.binary_search_by(|entry| entry.product.id.as_str().cmp(id));
        if let Ok(place) = exact {
            return Some(&self.entries[place].product);
        }
        let text = folded(id);
        let mut alike = self.entries.iter().filter(|entry| entry.id == text);
        match (alike.next(), alike.next()) {
            (Some(only), None) => Some(&only.product),
            _ => None,
        }
    }
}

impl IndexedProduct {
    fn new(product: Product) -> Self {
        let (id, name) = (folded(product.id.as_str()), folded(&product.name));
        Self { product, id, name }
    }

    /// Returns how well the entry matches; 0 is best. Returns `None` if it does not match.
    fn rank(&self, text: &str) -> Option<usize> {
        let in_words = || {
            let words = self.name.char_indices().filter(|(_, letter)| !letter.is_alphanumeric());
            words
                .into_iter()
                .any(|(at, letter)| self.name[at + letter.len_utf8()..].starts_with(text))
        };
        match () {
            () if self.id == text => Some(0),
            () if self.id.starts_with(text) => Some(1),
            () if self.name.starts_with(text) => Some(2),
            () if in_words() => Some(3),
            () if self.id.contains(text) => Some(4),
            () => None,
        }
    }
}

impl FoundProduct {
    fn new(product: &Product, currency: Currency, unit_decimals: u8) -> Self {
        let shown = |price: Money| price.shown_as_unit(currency, unit_decimals).to_string();
        Self {
            product: product.id.to_string(),
            name: product.name.clone(),
            list_price: product.price.map(shown),
            asked: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> Index {
        let products = [
            ("P1", "Notebook stand"),
            ("P10", "Desk"),
            ("P2", "Standing desk"),
            ("stand", "Ångström-meter"),
            ("X", "p1 clone"),
        ];
        let mut entries = products.map(|(id, name)| {
            let (id, price) = (ProductId::new(id).unwrap(), Money::from_minor(1050));
            IndexedProduct::new(Product::new(id, name.to_owned(), price))
        });
        entries.sort_unstable_by(|a, b| a.product.id.cmp(&b.product.id));
        Index {
            version: Some(1),
            currency: Some(Currency::USD),
            unit_decimals: 0,
            entries: entries.into(),
            complete: true,
        }
    }

    fn search(text: &str, limit: usize, offset: usize) -> FoundProducts {
        index().search(&Search { text: folded(text), limit, offset, ..Search::default() })
    }

    fn found(text: &str, limit: usize) -> (Vec<String>, usize) {
        let found = search(text, limit, 0);
        (found.products.into_iter().map(|product| product.product).collect(), found.total)
    }

    #[test]
    fn ids_come_before_names_and_names_before_their_words() {
        let all = |text: &str| found(text, 10).0;
        assert_eq!(all("p1"), ["P1", "P10", "X"]);
        assert_eq!(all("STAND"), ["stand", "P2", "P1"]);
        assert_eq!(all("meter"), ["stand"]);
        assert_eq!(all("ång"), ["stand"]);
        assert_eq!(all("ANGSTROM"), ["stand"], "typed without accents");
        assert_eq!(all("tand"), ["stand"], "inside an id, and not in the middle of a word");
        assert_eq!(all("10"), ["P10"], "inside an id");
        assert_eq!(all("").len(), 5);
    }

    #[test]
    fn the_list_is_limited_and_the_total_is_not() {
        assert_eq!(found("p", 2), (vec!["P1".to_owned(), "P10".to_owned()], 4));
        let found = search("p", 2, 2);
        let rest: Vec<_> = found.products.iter().map(|it| it.product.as_str()).collect();
        assert_eq!((rest.as_slice(), found.total), (["P2", "X"].as_slice(), 4));
        let found = search("p10", 1, 0);
        assert_eq!(found.products[0].list_price.as_deref(), Some("10.50"));
    }

    #[test]
    fn a_product_is_named_by_its_id_whatever_its_case_unless_two_are_alike() {
        let mut index = index();
        let named = |index: &Index, id: &str| index.named(id).map(|it| it.id.to_string());
        assert_eq!(named(&index, "P10").as_deref(), Some("P10"));
        assert_eq!(named(&index, "p10").as_deref(), Some("P10"));
        assert_eq!(named(&index, "P"), None, "a part of an id is no id");
        let id = ProductId::new("p10").unwrap();
        index
            .entries
            .insert(4, IndexedProduct::new(Product::new(id, "Lamp".to_owned(), Money::ZERO)));
        assert_eq!(named(&index, "p10").as_deref(), Some("p10"));
        index.entries.remove(4);
        let id = ProductId::new("Ｐ10").unwrap();
        index.entries.push(IndexedProduct::new(Product::new(id, "Lamp".to_owned(), Money::ZERO)));
        assert_eq!(named(&index, "p10"), None, "either may be meant");
    }
}
