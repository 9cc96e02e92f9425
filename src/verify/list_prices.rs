//! List prices of all products, in little memory.

use crate::model::ProductId;

/// Products sorted by id, with their list prices in minor units: for each the bytes of its id and 16 more.
#[derive(Debug, Default)]
pub(super) struct ListPrices {
    ids: String,
    /// Where each id ends in `ids`.
    ends: Vec<usize>,
    prices: Vec<i64>,
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
                sorted.push(products.id(*index), products.prices[*index]);
            }
        }
        sorted
    }

    fn push(&mut self, id: &str, price: i64) {
        self.ids.push_str(id);
        self.ends.push(self.ids.len());
        self.prices.push(price);
    }

    /// How many products there are.
    pub(super) const fn len(&self) -> usize {
        self.ends.len()
    }

    fn id(&self, index: usize) -> &str {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.ids[start..self.ends[index]]
    }

    /// The product at a place in the order of ids, and its price.
    pub(super) fn at(&self, index: usize) -> Option<(&str, i64)> {
        let price = self.prices.get(index)?;
        Some((self.id(index), *price))
    }

    /// The price of a product, if there is such a product.
    pub(super) fn get(&self, product: &ProductId) -> Option<i64> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.id(middle) < product.as_str() { low = middle + 1 } else { high = middle }
        }
        self.at(low).filter(|(id, _)| *id == product.as_str()).map(|(_, price)| price)
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

    pub(super) fn push(&mut self, product: &ProductId, price: i64) {
        let id = product.as_str();
        let last = self.products.len().checked_sub(1).map(|last| self.products.id(last));
        self.is_sorted &= last.is_none_or(|last| last < id);
        self.products.push(id, price);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_found_whatever_order_they_came_in() {
        let product = |id: &str| ProductId::new(id).unwrap();
        let mut unsorted = Unsorted::new();
        for (id, price) in [("P3", 3), ("P10", 10), ("P1", 7), ("P2", 2), ("P1", 1)] {
            unsorted.push(&product(id), price);
        }
        let prices = ListPrices::of(unsorted);
        let all: Vec<_> = (0..).map_while(|index| prices.at(index)).collect();
        assert_eq!(all, [("P1", 1), ("P10", 10), ("P2", 2), ("P3", 3)]);
        assert_eq!(prices.get(&product("P10")), Some(10));
        for none in ["A", "P", "P11", "P4"] {
            assert_eq!(prices.get(&product(none)), None, "{none}");
        }
        let mut in_order = Unsorted::new();
        for (id, price) in &all {
            in_order.push(&product(id), *price);
        }
        let in_order = ListPrices::of(in_order);
        assert!((0..).map_while(|index| in_order.at(index)).eq(all));
        assert_eq!(ListPrices::default().get(&product("P1")), None);
    }
}
