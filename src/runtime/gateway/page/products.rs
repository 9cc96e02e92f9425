//! Products by the beginning of their id or of a word of their name.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;
use tokio::time::Instant;
use tracing::{debug, warn};

use super::query::Search;
use crate::model::ProductId;
use crate::ports::{AtHead, CatalogueStore, Chain, PortError, products_now};
use crate::pricing::{Currency, Money, Product};

/// Whether the products have changed is not looked at more often than this.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// So many products can be searched. A larger catalogue's others are found by their whole id.
const MAX_SEARCHED: usize = 200_000;

/// Products that were found.
#[derive(Debug, Serialize)]
pub(super) struct Found {
    /// The best first, at most as many as asked for.
    products: Vec<FoundProduct>,
    /// How many there are in all.
    total: usize,
    /// Whether every product was searched.
    complete: bool,
    currency: String,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct FoundProduct {
    product: String,
    name: String,
    /// In the currency of the stack, if it has one in that.
    #[serde(skip_serializing_if = "Option::is_none")]
    list_price: Option<String>,
}

/// All products, in the shape that searching wants; read when somebody searches for the first time.
pub(super) struct Products {
    store: Arc<dyn CatalogueStore>,
    /// Held while products are read, so that only one task reads them.
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    looked_at: Option<Instant>,
    index: Arc<Index>,
}

/// The products of one version of the catalogue, sorted by id.
#[derive(Default)]
struct Index {
    version: Option<u64>,
    currency: Option<Currency>,
    unit_decimals: u8,
    entries: Vec<Entry>,
    complete: bool,
}

struct Entry {
    product: Product,
    /// Id and name without the difference of upper and lower case.
    id: String,
    name: String,
}

impl Products {
    pub(super) fn new(store: Arc<dyn CatalogueStore>) -> Self {
        Self { store, seen: Mutex::default() }
    }

    /// Searches. Of a store that cannot be read, what was read of it before is searched.
    pub(super) async fn search(&self, search: Search) -> Result<Found, PortError> {
        let index = self.index().await?;
        let whole =
            (!index.complete).then(|| ProductId::stored(search.text.as_str()).ok()).flatten();
        let Search { text, limit } = search;
        let index_currency = (index.currency(), index.unit_decimals);
        let searching = spawn_blocking(move || index.search(&text, limit)).await;
        let mut found = searching.map_err(|error| PortError::unavailable("the search", error))?;
        if let Some(id) = whole
            && found.products.is_empty()
        {
            let others = products_now(&*self.store, &[id]).await?;
            found.total = others.len();
            let (currency, decimals) = index_currency;
            found.products =
                others.iter().map(|other| FoundProduct::new(other, currency, decimals)).collect();
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

    /// The products, if they have changed.
    async fn read(&self, known: &Index) -> Result<Option<Index>, PortError> {
        let Some(head) = self.store.catalogue_head().await? else { return Ok(None) };
        if known.version == Some(head.base_version) {
            return Ok(None);
        }
        let mut entries = Vec::new();
        let mut from = None;
        let complete = loop {
            let AtHead::Read(page) = self.store.list_products(&head, from).await? else {
                return Ok(None);
            };
            let room = MAX_SEARCHED - entries.len();
            let fits = page.items.len() <= room;
            entries.extend(page.items.into_iter().take(room).map(Entry::new));
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

impl Index {
    fn currency(&self) -> Currency {
        self.currency.unwrap_or(Currency::USD)
    }

    fn search(&self, text: &str, limit: usize) -> Found {
        let text = text.to_lowercase();
        let mut ranks: [Vec<&Entry>; 4] = Default::default();
        let mut total = 0;
        for entry in &self.entries {
            if let Some(rank) = entry.rank(&text) {
                total += 1;
                if ranks[rank].len() < limit {
                    ranks[rank].push(entry);
                }
            }
        }
        let (currency, decimals) = (self.currency(), self.unit_decimals);
        let best = ranks.into_iter().flatten().take(limit);
        Found {
            products: best
                .map(|entry| FoundProduct::new(&entry.product, currency, decimals))
                .collect(),
            total,
            complete: self.complete,
            currency: currency.to_string(),
        }
    }
}

impl Entry {
    fn new(product: Product) -> Self {
        let (id, name) = (product.id.as_str().to_lowercase(), product.name.to_lowercase());
        Self { product, id, name }
    }

    /// How well it fits, 0 best; `None` when it does not.
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
        let entries = products.map(|(id, name)| {
            let (id, price) = (ProductId::new(id).unwrap(), Money::from_minor(1050));
            Entry::new(Product::new(id, name.to_owned(), price))
        });
        Index {
            version: Some(1),
            currency: Some(Currency::USD),
            unit_decimals: 0,
            entries: entries.into(),
            complete: true,
        }
    }

    fn found(text: &str, limit: usize) -> (Vec<String>, usize) {
        let found = index().search(text, limit);
        (found.products.into_iter().map(|product| product.product).collect(), found.total)
    }

    #[test]
    fn ids_come_before_names_and_names_before_their_words() {
        let all = |text: &str| found(text, 10).0;
        assert_eq!(all("p1"), ["P1", "P10", "X"]);
        assert_eq!(all("STAND"), ["stand", "P2", "P1"]);
        assert_eq!(all("meter"), ["stand"]);
        assert_eq!(all("ång"), ["stand"]);
        assert_eq!(all("tand"), [""; 0], "not in the middle of a word");
        assert_eq!(all("").len(), 5);
    }

    #[test]
    fn the_list_is_limited_and_the_total_is_not() {
        assert_eq!(found("p", 2), (vec!["P1".to_owned(), "P10".to_owned()], 4));
        let found = index().search("p10", 1);
        assert_eq!(found.products[0].list_price.as_deref(), Some("10.50"));
    }
}
