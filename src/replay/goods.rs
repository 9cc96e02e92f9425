//! The products and discounts, and their changes.

use super::TermsSpec;
use super::terms::{DrawnLists, own_ladders};
use crate::data::{Dataset, Draws};
use crate::model::{Item, ProductId, Quantity, UserId};
use crate::ports::UserDiscounts;
use crate::pricing::{Discount, Discounts, Money, Percentage, Product, ProductDetail};

const PRODUCTS: u64 = 0x51;
const LISTS: u64 = 0x52;
const CHANGES: u64 = 0x53;
const QUOTES: u64 = 0x54;

/// A load of prices changes one of this many products.
const PRODUCTS_A_CHANGE: u64 = 100;
/// A load of discounts changes those of one of this many users.
const USERS_A_CHANGE: u64 = 30;

/// Products and users' discounts. Each state of them follows from the seed alone.
pub(super) struct ReplayGoods {
    seed: u64,
    products: Vec<ProductId>,
    users: Vec<UserId>,
    discounts: u64,
    terms: TermsSpec,
}

impl ReplayGoods {
    pub(super) fn new(
        seed: u64,
        products: u64,
        discounts: u64,
        terms: TermsSpec,
        users: Vec<UserId>,
    ) -> Self {
        let ids = (0..products).filter_map(|row| ProductId::new(format!("P{row:06}")).ok());
        let products: Vec<ProductId> = ids.collect();
        let discounts = discounts.min(products.len() as u64);
        Self { seed, products, users, discounts, terms }
    }

    /// Returns the initial data.
    pub(super) fn first(&self) -> Dataset {
        let products = (0..self.products.len()).map(|row| self.product(row, 0)).collect();
        let own = self.own((0..self.users.len()).collect(), 0);
        Dataset { products, discounts: own.discounts, own: own.own, ..self.price_lists().first() }
    }

    /// Returns the generator of price lists.
    const fn price_lists(&self) -> DrawnLists<'_> {
        let Self { seed, products, users, terms: spec, .. } = self;
        DrawnLists { spec, seed: *seed, products: products.as_slice(), users: users.as_slice() }
    }

    /// Returns the load of prices of an edition. Editions begin with 1.
    pub(super) fn other_prices(&self, edition: u64) -> Dataset {
        let rows = self.some(2 * edition, self.products.len(), PRODUCTS_A_CHANGE);
        let products = rows.into_iter().map(|row| self.product(row, edition)).collect();
        Dataset { products, ..Dataset::default() }
    }

    /// Returns the load of discounts of an edition. Editions begin with 1.
    pub(super) fn other_discounts(&self, edition: u64) -> Dataset {
        let rows = self.some(2 * edition + 1, self.users.len(), USERS_A_CHANGE);
        self.own(rows, edition)
    }

    /// Returns the load of prices of one list of an edition, and the users of that list. Editions begin
    /// with 1.
    pub(super) fn other_list_prices(&self, edition: u64) -> (Dataset, Vec<UserId>) {
        self.price_lists().other_prices(edition)
    }

    /// Returns the items of quote number `quote`.
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

    /// Returns a product with its price in an edition. No two editions have the same price.
    fn product(&self, row: usize, edition: u64) -> Product {
        let mut draws = Draws::new(self.seed, PRODUCTS, row as u64);
        let minor = 100 + draws.below(1_000_000) + edition;
        let id = self.products[row].clone();
        let price = Money::from_minor(minor.cast_signed());
        let name = format!("Product {id}");
        let prices = self.terms.lists.currencies.iter().zip(1..);
        let prices =
            prices.map(|(currency, more)| (*currency, Money::from_minor(price.minor() + more)));
        let detail = ProductDetail { prices: prices.collect(), ..ProductDetail::default() };
        Product::new(id, name, price).with_detail(detail)
    }

    /// Returns the own discounts or ladders of some users.
    fn own(&self, rows: Vec<usize>, edition: u64) -> Dataset {
        let lists = rows.into_iter().map(|row| (self.users[row].clone(), self.list(row, edition)));
        match self.terms.lists.tiers {
            0 | 1 => {
                let discounts = lists.map(|(user, list)| {
                    let list = list.into_iter();
                    let list = list
                        .map(|(product_id, percentage)| Discount { product_id, percentage })
                        .collect();
                    UserDiscounts::new(user, Discounts::new(list).unwrap_or_default())
                });
                Dataset { discounts: discounts.collect(), ..Dataset::default() }
            }
            tiers => {
                let own = lists.map(|(user, list)| own_ladders(user, tiers, list));
                Dataset { own: own.collect(), ..Dataset::default() }
            }
        }
    }

    /// Returns the discounts of a user by product.
    fn list(&self, row: usize, edition: u64) -> Vec<(ProductId, Percentage)> {
        let mut draws = Draws::new(self.seed ^ edition, LISTS, row as u64);
        let rows = draws.distinct(self.discounts, self.products.len() as u64);
        let list = rows.into_iter().filter_map(|product| {
            let millionths = u32::try_from(1_000_000 * (1 + draws.below(40))).ok()?;
            let percentage = Percentage::from_millionths(millionths)?;
            Some((self.products.get(product as usize)?.clone(), percentage))
        });
        list.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goods() -> ReplayGoods {
        let users = (0..90).map(|n| UserId::new(format!("u{n}")).unwrap()).collect();
        ReplayGoods::new(7, 500, 20, TermsSpec::NONE, users)
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
        assert_eq!(ReplayGoods::new(7, 3, 1, TermsSpec::NONE, vec![]).items(1, 400).len(), 3);
    }
}
