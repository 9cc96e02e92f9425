//! Details that only some products have, in little memory.

use std::collections::HashMap;

use crate::pricing::{Category, Currency, Money, Product, ProductDetail, QuantityRules};

/// The details of products by index. Indexes start at 0, in the order in which products are added.
#[derive(Debug, Default)]
pub(super) struct Details {
    /// The detail at each index; empty until the first product with a detail.
    of: Vec<Option<Box<Detail>>>,
    /// Each category once, because many products share one.
    categories: Vec<Category>,
    numbers: HashMap<Category, u32>,
    has_floors: bool,
}

/// A list price and a floor in a currency.
type CurrencyAmounts = (Currency, Option<Money>, Option<Money>);

#[derive(Clone, Debug)]
struct Detail {
    amounts: Box<[CurrencyAmounts]>,
    category: Option<u32>,
    quantities: QuantityRules,
}

impl Details {
    /// Stores the detail of a product. Products must be added in the order of their indexes.
    pub(super) fn push(&mut self, place: usize, product: &Product) {
        if let Some(detail) = product.detail.as_deref() {
            let detail = self.detail(detail);
            self.of.resize_with(place, || None);
            self.of.push(Some(Box::new(detail)));
        }
    }

    fn detail(&mut self, detail: &ProductDetail) -> Detail {
        let ProductDetail { prices, floors, category, quantities } = detail;
        self.has_floors |= !floors.is_empty();
        let mut currencies: Vec<Currency> = prices.keys().chain(floors.keys()).copied().collect();
        currencies.sort_unstable();
        currencies.dedup();
        let amounts = currencies.into_iter().map(|currency| {
            (currency, prices.get(&currency).copied(), floors.get(&currency).copied())
        });
        Detail {
            amounts: amounts.collect(),
            category: category.as_ref().map(|category| self.number(category)),
            quantities: *quantities,
        }
    }

    fn number(&mut self, category: &Category) -> u32 {
        if let Some(number) = self.numbers.get(category) {
            return *number;
        }
        let number = self.categories.len() as u32;
        self.categories.push(category.clone());
        self.numbers.insert(category.clone(), number);
        number
    }

    /// Returns the details in another order: at each index the detail that was at the index from the
    /// iterator.
    pub(super) fn reordered(mut self, places: impl Iterator<Item = usize>) -> Self {
        if self.of.is_empty() {
            return self;
        }
        let mut of = std::mem::take(&mut self.of);
        self.of = places.map(|place| of.get_mut(place).and_then(Option::take)).collect();
        self
    }

    /// Whether any product has a floor.
    pub(super) const fn has_floors(&self) -> bool {
        self.has_floors
    }

    fn get(&self, place: usize) -> Option<&Detail> {
        self.of.get(place)?.as_deref()
    }

    /// Returns the list price in another currency than that of the catalogue.
    pub(super) fn price(&self, place: usize, currency: Currency) -> Option<Money> {
        self.amount(place, currency)?.1
    }

    pub(super) fn floor(&self, place: usize, currency: Currency) -> Option<Money> {
        self.amount(place, currency)?.2
    }

    fn amount(&self, place: usize, currency: Currency) -> Option<&CurrencyAmounts> {
        self.get(place)?.amounts.iter().find(|(of, ..)| *of == currency)
    }

    pub(super) fn category(&self, place: usize) -> Option<&Category> {
        let number = self.get(place)?.category?;
        self.categories.get(number as usize)
    }

    pub(super) fn quantities(&self, place: usize) -> QuantityRules {
        self.get(place).map_or(QuantityRules::ANY, |detail| detail.quantities)
    }
}
