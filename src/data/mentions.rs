//! What is not wrong in the data, but may be unintended. It depends on what other loads brought.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::comparison::Comparison;
use super::difference::Difference;
use super::given::Amounts;
use super::mention::Mention;
use super::nearest::{nearest_customers, nearest_products};
use super::planned::{Planned, product_of};
use super::stored::{CHUNK, Halt, still};
use crate::model::{PriceListId, ProductId, UserId};
use crate::ports::{RecordKind, UserDiscounts};
use crate::pricing::{Currency, ListPrices, Money, PriceRule, Product, Rung};

/// Things in the data that may be unintended. Serialized as in the summaries of loads.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Mentions {
    /// Products that have prices or discounts but do not exist, sorted.
    pub unknown_products: Vec<ProductId>,
    /// For the first few of these, the product that was probably meant.
    #[serde(skip)]
    pub nearest_products: BTreeMap<ProductId, ProductId>,
    /// Customers who are given a list or have rows of their own, but have no record, while other customers
    /// do.
    pub unknown_customers: Mention,
    /// Price lists that are given to nobody.
    pub given_to_nobody: Mention,
    /// Stated prices below the floor of their product.
    pub under_floor: Mention,
    /// Customers' own prices above the list price.
    pub dearer_than_list: Mention,
}

/// A stated price of the data.
struct Stated<'a> {
    product: &'a ProductId,
    price: Money,
    currency: Currency,
    /// The customer or the price list that states the price.
    owner: Result<&'a UserId, &'a PriceListId>,
}

impl Mentions {
    /// Examines the changes of a load, and the products and customers that the data names.
    pub(super) async fn of(
        difference: &Difference<'_>,
        comparison: &Comparison<'_>,
    ) -> Result<Self, Halt> {
        let mut mentions = Self::default();
        mentions.look_at_products(difference, comparison).await?;
        mentions.look_at_customers(difference, comparison).await?;
        for planned in difference.planned() {
            if let Planned::List(list) = planned
                && list.recipients.is_empty()
            {
                mentions.given_to_nobody.add(|| list.id.to_string());
            }
        }
        Ok(mentions)
    }

    async fn look_at_products(
        &mut self,
        difference: &Difference<'_>,
        comparison: &Comparison<'_>,
    ) -> Result<(), Halt> {
        let Comparison { data, at, amounts, .. } = comparison;
        let given: HashMap<&ProductId, &Product> =
            data.products.iter().map(|product| (&product.id, product)).collect();
        let stated = stated_prices(difference);
        let named = data.discounts.iter().flat_map(|list| list.discounts.as_slice());
        let named = named.map(|discount| &discount.product_id);
        let own = data.own.iter().flat_map(|list| list.rows.iter().map(|(product, _)| product));
        let of_lists = data.prices.iter().filter_map(|prices| product_of(&prices.scope));
        let named: HashSet<&ProductId> = named.chain(own).chain(of_lists).collect();
        let mut named: Vec<ProductId> = named.into_iter().cloned().collect();
        named.sort_unstable();
        for chunk in named.chunks(CHUNK) {
            let unsure: Vec<ProductId> =
                chunk.iter().filter(|id| !given.contains_key(id)).cloned().collect();
            let stored = still(at.store.products(&unsure, at.head).await?)?;
            let stored = stored.iter().map(|product| (&product.id, product)).filter(|(id, _)| {
                difference.find(RecordKind::Product, id.as_str(), None).is_none()
            });
            let stored: HashMap<&ProductId, &Product> = stored.collect();
            let known = |id: &ProductId| given.get(id).or_else(|| stored.get(id)).copied();
            for id in chunk {
                match known(id) {
                    None => self.unknown_products.push(id.clone()),
                    Some(product) => {
                        let from = stated.partition_point(|stated| stated.product < id);
                        let of_product =
                            stated[from..].iter().take_while(|stated| stated.product == id);
                        of_product.for_each(|stated| self.look_at(stated, product, *amounts));
                    }
                }
            }
        }
        self.nearest_products = nearest_products(&self.unknown_products, comparison).await?;
        Ok(())
    }

    fn look_at(&mut self, stated: &Stated<'_>, product: &Product, amounts: Amounts) {
        let Stated { price, currency, owner, .. } = *stated;
        let show = |money| format!("{} {currency}", Amounts { currency, ..amounts }.shown(money));
        let who = || match owner {
            Ok(user) => format!("customer `{user}`"),
            Err(list) => format!("price list `{list}`"),
        };
        let id = &product.id;
        if let Some(floor) = product.floor_in(currency).filter(|floor| price < *floor) {
            let (price, floor) = (show(price), show(floor));
            self.under_floor.add(|| format!("{price} of {} for `{id}`, floor {floor}", who()));
        }
        let list_price = product.price_in(currency, amounts.currency);
        if let Some(list_price) = list_price.filter(|list| owner.is_ok() && price > *list) {
            let (price, list_price) = (show(price), show(list_price));
            self.dearer_than_list
                .add(|| format!("{price} of {} for `{id}`, list price {list_price}", who()));
        }
    }

    async fn look_at_customers(
        &mut self,
        difference: &Difference<'_>,
        comparison: &Comparison<'_>,
    ) -> Result<(), Halt> {
        let Comparison { data, at, .. } = comparison;
        if !at.head.has_customers && data.customers.is_empty() {
            return Ok(());
        }
        let known: HashSet<&UserId> =
            data.customers.iter().map(|customer| &customer.user).collect();
        let given = data.lists.iter().flat_map(|(list, _)| &list.recipients.users);
        let own = data.own.iter().map(|list| &list.user);
        let discounted = data.discounts.iter().map(|list| &list.user);
        let named: BTreeSet<&UserId> =
            given.chain(own).chain(discounted).filter(|user| !known.contains(user)).collect();
        let named: Vec<UserId> = named.into_iter().cloned().collect();
        let mut unknown = vec![];
        for chunk in named.chunks(CHUNK) {
            let stored = still(at.store.customers(chunk, at.head).await?)?;
            let stored: HashSet<&UserId> = stored.iter().map(|customer| &customer.user).collect();
            let stays = |user: &UserId| {
                let gone = difference.find(RecordKind::Customer, user.as_str(), None);
                stored.contains(user) && gone.is_none()
            };
            unknown.extend(chunk.iter().filter(|user| !stays(user)).cloned());
        }
        let near = nearest_customers(&unknown, comparison).await?;
        for user in unknown {
            self.unknown_customers.add(|| match near.get(&user) {
                Some(near) => format!("{user}, nearest `{near}`"),
                None => user.to_string(),
            });
        }
        Ok(())
    }
}

/// Returns the prices that a load states for single products, sorted by product.
fn stated_prices<'d>(difference: &'d Difference<'_>) -> Vec<Stated<'d>> {
    let mut stated = vec![];
    for planned in difference.planned() {
        match planned {
            Planned::Own(list) => stated.extend(stated_by_user(list)),
            Planned::Prices(prices) => stated.extend(stated_by_list(prices, difference)),
            _ => {}
        }
    }
    stated.sort_unstable_by(|a, b| a.product.cmp(b.product));
    stated
}

fn stated_by_user(list: &UserDiscounts) -> impl Iterator<Item = Stated<'_>> {
    let currency = list.ladders.currency;
    list.ladders.ladders.iter().flat_map(move |own| {
        prices_of(own.ladder.rungs()).filter_map(move |price| {
            let (product, owner) = (&own.product_id, Ok(&list.user));
            Some(Stated { product, price, currency: currency?, owner })
        })
    })
}

fn stated_by_list<'d>(
    prices: &'d ListPrices,
    difference: &'d Difference<'_>,
) -> impl Iterator<Item = Stated<'d>> {
    let product = product_of(&prices.scope);
    // If a row of a list changes, the list changes too.
    let currency = match difference.find(RecordKind::PriceList, prices.list.as_str(), None) {
        Some(Planned::List(list)) => list.currency,
        _ => None,
    };
    prices_of(prices.ladder.rungs()).filter_map(move |price| {
        let owner = Err(&prices.list);
        Some(Stated { product: product?, price, currency: currency?, owner })
    })
}

fn prices_of(rungs: &[Rung]) -> impl Iterator<Item = Money> {
    rungs.iter().filter_map(|rung| match rung.rule {
        PriceRule::Price(price) => Some(price),
        PriceRule::Percentage(_) | PriceRule::Amount(_) => None,
    })
}
