//! The list prices and hashed names of all products, in little memory.

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

use super::details::Details;
use crate::model::ProductId;
use crate::pricing::{Category, Currency, Goods, Money, Product, QuantityRules, Rounding};

/// Products with their list prices, sorted by id. Each takes the bytes of its id and 24 more; details are
/// stored only for products that have some.
#[derive(Debug, Default)]
pub(super) struct ListedProducts {
    ids: String,
    /// Where each id ends in `ids`.
    ends: Vec<usize>,
    /// Prices in the currency of the catalogue; [`NO_PRICE`] means none.
    prices: Vec<i64>,
    /// The hash of each name, because the names would take more memory than everything else.
    names: Vec<u64>,
    details: Details,
}

/// Marks a missing price, because no price is negative.
const NO_PRICE: i64 = -1;

/// A product with its list price.
pub(super) struct ListedProduct<'a> {
    pub(super) id: &'a str,
    all: &'a ListedProducts,
    place: usize,
    name: u64,
}

/// The currency in which a customer buys, and that of the catalogue.
#[derive(Clone, Copy)]
pub(super) struct Currencies {
    pub(super) of_customer: Currency,
    pub(super) of_catalogue: Currency,
}

impl<'a> ListedProduct<'a> {
    /// Returns the inputs for calculated prices.
    pub(super) fn goods(&self, currencies: Currencies, rounding: Rounding) -> Goods {
        let Currencies { of_customer, of_catalogue } = currencies;
        let (details, place) = (&self.all.details, self.place);
        let list_price = match of_customer == of_catalogue {
            true => {
                let price = self.all.prices[place];
                (price != NO_PRICE).then_some(Money::from_minor(price))
            }
            false => details.price(place, of_customer),
        };
        Goods { list_price, floor: details.floor(place, of_customer), rounding }
    }

    /// Returns the product's category.
    pub(super) fn category(&self) -> Option<&'a Category> {
        self.all.details.category(self.place)
    }

    /// Returns the quantities in which the product is sold.
    pub(super) fn quantities(&self) -> QuantityRules {
        self.all.details.quantities(self.place)
    }

    /// Whether the product has this name.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.name == hash(name)
    }
}

fn hash(name: &str) -> u64 {
    BuildHasherDefault::<DefaultHasher>::new().hash_one(name)
}

impl ListedProducts {
    /// Sorts products. If an id occurs twice, the later product counts.
    pub(super) fn of(unsorted: Unsorted) -> Self {
        let Unsorted { products, is_sorted } = unsorted;
        if is_sorted {
            return products;
        }
        let mut order: Vec<usize> = (0..products.len()).collect();
        // The sort is stable, so the later of two products with the same id stays behind the other.
        order.sort_by(|a, b| products.id(*a).cmp(products.id(*b)));
        let is_last = |place: usize| {
            let next = order.get(place + 1);
            next.is_none_or(|next| products.id(*next) != products.id(order[place]))
        };
        let mut sorted = Self::default();
        let mut places = vec![];
        for (place, index) in order.iter().enumerate() {
            if is_last(place) {
                sorted.push(products.id(*index), products.prices[*index], products.names[*index]);
                places.push(*index);
            }
        }
        sorted.details = products.details.reordered(places.into_iter());
        sorted
    }

    fn push(&mut self, id: &str, price: i64, name: u64) {
        self.ids.push_str(id);
        self.ends.push(self.ids.len());
        self.prices.push(price);
        self.names.push(name);
    }

    /// Returns the number of products.
    pub(super) const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether any product has a floor.
    pub(super) const fn has_floors(&self) -> bool {
        self.details.has_floors()
    }

    fn id(&self, index: usize) -> &str {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.ids[start..self.ends[index]]
    }

    /// Returns the product at an index in the order of ids.
    pub(super) fn at(&self, index: usize) -> Option<ListedProduct<'_>> {
        let name = *self.names.get(index)?;
        Some(ListedProduct { id: self.id(index), all: self, place: index, name })
    }

    /// Returns the product with an id, if there is one.
    pub(super) fn get(&self, product: &ProductId) -> Option<ListedProduct<'_>> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.id(middle) < product.as_str() { low = middle + 1 } else { high = middle }
        }
        self.at(low).filter(|listed| listed.id == product.as_str())
    }
}

/// Products in the order in which a store lists them.
#[derive(Debug)]
pub(super) struct Unsorted {
    products: ListedProducts,
    /// Whether all products so far came in the order of ids without duplicates, as they do on some
    /// engines.
    is_sorted: bool,
}

impl Unsorted {
    pub(super) fn new() -> Self {
        Self { products: ListedProducts::default(), is_sorted: true }
    }

    pub(super) fn push(&mut self, product: &Product) {
        let id = product.id.as_str();
        let last = self.products.len().checked_sub(1).map(|last| self.products.id(last));
        self.is_sorted &= last.is_none_or(|last| last < id);
        self.products.details.push(self.products.len(), product);
        let price = product.price.map_or(NO_PRICE, Money::minor);
        self.products.push(id, price, hash(&product.name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::ProductDetail;

    const USD: Currencies = Currencies { of_customer: Currency::USD, of_catalogue: Currency::USD };

    fn price_of(listed: &ListedProduct<'_>, currencies: Currencies) -> Option<i64> {
        listed.goods(currencies, Rounding::HalfEven).list_price.map(Money::minor)
    }

    /// Returns all products. Their names must be equal to their ids.
    fn all_of(prices: &ListedProducts) -> Vec<(&str, i64)> {
        let all: Vec<_> = (0..).map_while(|index| prices.at(index)).collect();
        assert!(all.iter().all(|listed| listed.is_called(listed.id) && !listed.is_called("P")));
        all.into_iter().map(|listed| (listed.id, price_of(&listed, USD).unwrap())).collect()
    }

    fn product(id: &str, price: i64) -> Product {
        Product::new(ProductId::new(id).unwrap(), id.to_owned(), Money::from_minor(price))
    }

    #[test]
    fn prices_are_found_whatever_order_they_came_in() {
        let id = |id: &str| ProductId::new(id).unwrap();
        let mut unsorted = Unsorted::new();
        for (id, price) in [("P3", 3), ("P10", 10), ("P1", 7), ("P2", 2), ("P1", 1)] {
            unsorted.push(&product(id, price));
        }
        let prices = ListedProducts::of(unsorted);
        let all = all_of(&prices);
        assert_eq!(all, [("P1", 1), ("P10", 10), ("P2", 2), ("P3", 3)]);
        assert_eq!(price_of(&prices.get(&id("P10")).unwrap(), USD), Some(10));
        for none in ["A", "P", "P11", "P4"] {
            assert!(prices.get(&id(none)).is_none(), "{none}");
        }
        let mut in_order = Unsorted::new();
        for (id, price) in &all {
            in_order.push(&product(id, *price));
        }
        let in_order = ListedProducts::of(in_order);
        assert_eq!(all_of(&in_order), all);
        assert!(ListedProducts::default().get(&id("P1")).is_none());
    }

    #[test]
    fn what_a_product_has_beside_its_price_stays_with_it() {
        let euro: Currency = "EUR".parse().unwrap();
        let detail = |number: i64| ProductDetail {
            prices: [(euro, Money::from_minor(number * 10))].into(),
            floors: [(Currency::USD, Money::from_minor(number * 5))].into(),
            category: Some(format!("a/{}", number % 2).parse().unwrap()),
            quantities: QuantityRules::ANY,
        };
        // In order, in another order, and in another order with a duplicate.
        for order in [vec![1, 2, 3, 4], vec![4, 2, 1, 3], vec![3, 4, 3, 2, 1]] {
            let mut unsorted = Unsorted::new();
            for number in order {
                let plain = product(&format!("P{number}"), number);
                let is_detailed = number % 3 != 0;
                let product = if is_detailed { plain.with_detail(detail(number)) } else { plain };
                unsorted.push(&product);
            }
            let prices = ListedProducts::of(unsorted);
            let seen: Vec<_> = (0..4)
                .map(|place| {
                    let listed = prices.at(place).unwrap();
                    let in_euro = Currencies { of_customer: euro, ..USD };
                    let floor = listed.goods(USD, Rounding::HalfEven).floor.map(Money::minor);
                    let category = listed.category().map(ToString::to_string);
                    (price_of(&listed, in_euro), floor, category)
                })
                .collect();
            let expected = |number: i64| {
                let category = Some(format!("a/{}", number % 2));
                (Some(number * 10), Some(number * 5), category)
            };
            assert_eq!(seen, [expected(1), expected(2), (None, None, None), expected(4)]);
        }
    }
}
