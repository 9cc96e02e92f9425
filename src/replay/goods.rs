//! What is sold to whom, and how that changes.

use crate::data::{Dataset, Draws};
use crate::model::{Item, ProductId, Quantity, UserId};
use crate::ports::UserDiscounts;
use crate::pricing::{Discount, Discounts, Money, Percentage, Product};

const PRODUCTS: u64 = 0x51;
const LISTS: u64 = 0x52;
const CHANGES: u64 = 0x53;
const QUOTES: u64 = 0x54;

/// One product in so many changes with a load of prices.
const PRODUCTS_A_CHANGE: u64 = 100;
/// One user in so many changes with a load of discounts.
const USERS_A_CHANGE: u64 = 30;

/// Products and users' discounts, each state of them made from the seed alone.
pub(super) struct Goods {
    seed: u64,
    products: Vec<ProductId>,
    users: Vec<UserId>,
    discounts: u64,
}

impl Goods {
    pub(super) fn new(seed: u64, products: u64, discounts: u64, users: Vec<UserId>) -> Self {
        let ids = (0..products).filter_map(|row| ProductId::new(format!("P{row:06}")).ok());
        let products: Vec<ProductId> = ids.collect();
        let discounts = discounts.min(products.len() as u64);
        Self { seed, products, users, discounts }
    }

    /// Everything, as it is in the beginning.
    pub(super) fn first(&self) -> Dataset {
        let products = (0..self.products.len()).map(|row| self.product(row, 0)).collect();
        let discounts = (0..self.users.len()).map(|row| self.list(row, 0)).collect();
        dataset(products, discounts)
    }

    /// The load of prices of an edition, which begins with 1.
    pub(super) fn other_prices(&self, edition: u64) -> Dataset {
        let rows = self.some(2 * edition, self.products.len(), PRODUCTS_A_CHANGE);
        dataset(rows.into_iter().map(|row| self.product(row, edition)).collect(), vec![])
    }

    /// The load of discounts of an edition, which begins with 1.
    pub(super) fn other_discounts(&self, edition: u64) -> Dataset {
        let rows = self.some(2 * edition + 1, self.users.len(), USERS_A_CHANGE);
        dataset(vec![], rows.into_iter().map(|row| self.list(row, edition)).collect())
    }

    /// What the quote of a number asks for.
    pub(super) fn items(&self, quote: u64, lines: u32) -> Vec<Item> {
        let count = self.products.len() as u64;
        let mut draws = Draws::new(self.seed, QUOTES, quote);
        let rows = draws.distinct(u64::from(lines).min(count), count);
        let products = rows.into_iter().filter_map(|row| self.products.get(row as usize));
        products.map(|id| Item { product: id.clone(), quantity: Quantity::ONE }).collect()
    }

    fn some(&self, edition: u64, of: usize, one_in: u64) -> Vec<usize> {
        let of = of as u64;
        let count = (of / one_in).max(1);
        let mut draws = Draws::new(self.seed, CHANGES, edition);
        draws.distinct(count, of).into_iter().map(|row| row as usize).collect()
    }

    /// No two editions have the same price.
    fn product(&self, row: usize, edition: u64) -> Product {
        let mut draws = Draws::new(self.seed, PRODUCTS, row as u64);
        let minor = 100 + draws.below(1_000_000) + edition;
        let id = self.products[row].clone();
        let price = Money::from_minor(minor.cast_signed());
        let name = format!("Product {id}");
        Product::new(id, name, price)
    }

    fn list(&self, row: usize, edition: u64) -> UserDiscounts {
        let mut draws = Draws::new(self.seed ^ edition, LISTS, row as u64);
        let rows = draws.distinct(self.discounts, self.products.len() as u64);
        let list = rows.into_iter().filter_map(|product| {
            let millionths = u32::try_from(1_000_000 * (1 + draws.below(40))).ok()?;
            let percentage = Percentage::from_millionths(millionths)?;
            Some(Discount { product_id: self.products.get(product as usize)?.clone(), percentage })
        });
        let discounts = Discounts::new(list.collect()).unwrap_or_default();
        UserDiscounts::new(self.users[row].clone(), discounts)
    }
}

fn dataset(products: Vec<Product>, discounts: Vec<UserDiscounts>) -> Dataset {
    Dataset { products, discounts, ..Dataset::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goods() -> Goods {
        let users = (0..90).map(|n| UserId::new(format!("u{n}")).unwrap()).collect();
        Goods::new(7, 500, 20, users)
    }

    #[test]
    fn a_change_changes_something_and_only_a_share() {
        let goods = goods();
        let first = goods.first();
        assert_eq!((first.products.len(), first.discounts.len()), (500, 90));
        assert!(first.discounts.iter().all(|list| list.discounts.as_slice().len() == 20));
        for edition in 1..20 {
            let prices = goods.other_prices(edition).products;
            assert_eq!(prices.len(), 5);
            assert!(prices.iter().all(|product| !first.products.contains(product)));
            let lists = goods.other_discounts(edition).discounts;
            assert_eq!(lists.len(), 3);
            assert!(lists.iter().all(|list| !first.discounts.contains(list)));
        }
    }

    #[test]
    fn a_quote_asks_for_as_many_products_as_there_are() {
        assert_eq!(goods().items(1, 7).len(), 7);
        assert_eq!(goods().items(1, 400).len(), 400);
        assert_eq!(Goods::new(7, 3, 1, vec![]).items(1, 400).len(), 3);
    }
}
