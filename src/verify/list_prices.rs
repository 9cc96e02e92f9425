//! List prices of all products, and what they are called, in little memory.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::model::ProductId;

/// Products sorted by id, with their list prices in minor units: for each the bytes of its id and 24 more.
#[derive(Debug, Default)]
pub(super) struct ListPrices {
    ids: String,
    /// Where each id ends in `ids`.
    ends: Vec<usize>,
    prices: Vec<i64>,
    /// The hash of each name: names would take more than all the rest.
    names: Vec<u64>,
}

/// A product as it is listed.
pub(super) struct Listed<'a> {
    pub(super) id: &'a str,
    pub(super) price: i64,
    name: u64,
}

impl Listed<'_> {
    /// Whether this is what it is called.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.name == hash(name)
    }
}

fn hash(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

impl ListPrices {
    /// Of products in any order. Of two with one id the later one counts.
    pub(super) fn of(unsorted: Unsorted) -> Self {
        let Unsorted { products, is_sorted } = unsorted;
        if is_sorted {
            return products;
        }
        let mut order: Vec<usize> = (0..products.len()).collect();
        // Stable, so that of two with one id the later one stays behind.
        order.sort_by(|a, b| products.id(*a).cmp(products.id(*b)));
        let is_last = |place: usize| {
            let next = order.get(place + 1);
            next.is_none_or(|next| products.id(*next) != products.id(order[place]))
        };
        let mut sorted = Self::default();
        for (place, index) in order.iter().enumerate() {
            if is_last(place) {
                sorted.push(products.id(*index), products.prices[*index], products.names[*index]);
            }
        }
        sorted
    }

    fn push(&mut self, id: &str, price: i64, name: u64) {
        self.ids.push_str(id);
        self.ends.push(self.ids.len());
        self.prices.push(price);
        self.names.push(name);
    }

    /// How many products there are.
    pub(super) const fn len(&self) -> usize {
        self.ends.len()
    }

    fn id(&self, index: usize) -> &str {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.ids[start..self.ends[index]]
    }

    /// The product at a place in the order of ids.
    pub(super) fn at(&self, index: usize) -> Option<Listed<'_>> {
        let price = *self.prices.get(index)?;
        Some(Listed { id: self.id(index), price, name: self.names[index] })
    }

    /// The price of a product, if there is such a product.
    pub(super) fn get(&self, product: &ProductId) -> Option<i64> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.id(middle) < product.as_str() { low = middle + 1 } else { high = middle }
        }
        self.at(low).filter(|listed| listed.id == product.as_str()).map(|listed| listed.price)
    }
}

/// Products in the order in which a store lists them.
#[derive(Debug)]
pub(super) struct Unsorted {
    products: ListPrices,
    /// Whether they have come in the order of ids, each once, so far: they do on some engines.
    is_sorted: bool,
}

impl Unsorted {
    pub(super) fn new() -> Self {
        Self { products: ListPrices::default(), is_sorted: true }
    }

    pub(super) fn push(&mut self, product: &ProductId, price: i64, name: &str) {
        let id = product.as_str();
        let last = self.products.len().checked_sub(1).map(|last| self.products.id(last));
        self.is_sorted &= last.is_none_or(|last| last < id);
        self.products.push(id, price, hash(name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of products that are called as their ids are.
    fn all_of(prices: &ListPrices) -> Vec<(&str, i64)> {
        let all: Vec<_> = (0..).map_while(|index| prices.at(index)).collect();
        assert!(all.iter().all(|listed| listed.is_called(listed.id) && !listed.is_called("P")));
        all.into_iter().map(|listed| (listed.id, listed.price)).collect()
    }

    #[test]
    fn prices_are_found_whatever_order_they_came_in() {
        let product = |id: &str| ProductId::new(id).unwrap();
        let mut unsorted = Unsorted::new();
        for (id, price) in [("P3", 3), ("P10", 10), ("P1", 7), ("P2", 2), ("P1", 1)] {
            unsorted.push(&product(id), price, id);
        }
        let prices = ListPrices::of(unsorted);
        let all = all_of(&prices);
        assert_eq!(all, [("P1", 1), ("P10", 10), ("P2", 2), ("P3", 3)]);
        assert_eq!(prices.get(&product("P10")), Some(10));
        for none in ["A", "P", "P11", "P4"] {
            assert_eq!(prices.get(&product(none)), None, "{none}");
        }
        let mut in_order = Unsorted::new();
        for (id, price) in &all {
            in_order.push(&product(id), *price, id);
        }
        let in_order = ListPrices::of(in_order);
        assert_eq!(all_of(&in_order), all);
        assert_eq!(ListPrices::default().get(&product("P1")), None);
    }
}
