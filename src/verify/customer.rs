//! The loaded data of one customer: own rows, and the given price lists with their rows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::VerifyError;
use super::error::still;
use super::inputs::SharedInputs;
use super::price_lists::PriceListRows;
use crate::model::{PriceListId, ProductId, UserId};
use crate::ports::Store;
use crate::pricing::{
    Category, Currency, Customer, Discounts, GivenList, Ladder, MinQuantity, OwnLadder, OwnLadders,
    PriceList, PriceRule, Rung, Scope,
};

/// The inputs of one customer's prices.
pub(super) struct CustomerInputs {
    pub(super) customer: Customer,
    pub(super) discounts: Discounts,
    ladders: OwnLadders,
    /// All lists that the customer is given, in force or not, with their rows.
    lists: Vec<(Arc<PriceList>, Arc<PriceListRows>)>,
}

/// The rows of one product.
pub(super) struct ProductRows<'a> {
    own: Option<(OwnLadder, Option<Currency>)>,
    lists: Vec<(&'a PriceList, Vec<(Scope, &'a Ladder)>)>,
}

impl CustomerInputs {
    pub(super) async fn read(
        store: &dyn Store,
        user: &UserId,
        inputs: &SharedInputs,
    ) -> Result<Self, VerifyError> {
        let (customer, discounts, ladders) = own_records(store, user, inputs).await?;
        let lists = inputs.lists.given_to(&customer);
        let rows = inputs.rows.lock().await.of(store, &lists, &inputs.head).await?;
        let lists = lists.into_iter().zip(rows).collect();
        Ok(Self { customer, discounts, ladders, lists })
    }

    /// Whether the customer has no lists and no ladders.
    pub(super) fn is_plain(&self) -> bool {
        self.lists.is_empty() && self.ladders.is_empty()
    }

    /// Returns the lists that the customer is given, in force or not.
    pub(super) fn lists(&self) -> Vec<Arc<PriceList>> {
        self.lists.iter().map(|(list, _)| list.clone()).collect()
    }

    /// Returns the rows for a product in the lists that are priced for many customers at once.
    pub(super) fn shared_rows<'a>(
        &'a self,
        product: &'a ProductId,
        category: Option<&'a Category>,
    ) -> ProductRows<'a> {
        ProductRows { own: None, lists: self.rows_of(product, category, false) }
    }

    /// Returns the customer's own rows for a product, and the rows in the lists that are priced with the
    /// customer.
    pub(super) fn own_rows<'a>(
        &'a self,
        product: &'a ProductId,
        category: Option<&'a Category>,
    ) -> ProductRows<'a> {
        let own = own_ladder(product, &self.discounts, &self.ladders);
        ProductRows { own, lists: self.rows_of(product, category, true) }
    }

    fn rows_of<'a>(
        &'a self,
        product: &'a ProductId,
        category: Option<&'a Category>,
        individual: bool,
    ) -> Vec<(&'a PriceList, Vec<(Scope, &'a Ladder)>)> {
        let lists = self.lists.iter().filter(|(list, _)| list.is_individual() == individual);
        let rows = lists.map(|(list, rows)| (&**list, rows.of(product, category).collect()));
        rows.filter(|(_, rows): &(_, Vec<_>)| !rows.is_empty()).collect()
    }
}

impl ProductRows<'_> {
    pub(super) const fn is_empty(&self) -> bool {
        self.own.is_none() && self.lists.is_empty()
    }

    pub(super) fn lists(&self) -> Vec<GivenList<'_>> {
        let own = self.own.as_ref().map(|(ladder, currency)| GivenList::own(ladder, *currency));
        let lists = self.lists.iter().map(|(list, rows)| GivenList {
            list: Some(list),
            own_currency: None,
            rows: rows.clone(),
        });
        own.into_iter().chain(lists).collect()
    }
}

/// Reads a customer, and the rows that only this customer has.
async fn own_records(
    store: &dyn Store,
    user: &UserId,
    inputs: &SharedInputs,
) -> Result<(Customer, Discounts, OwnLadders), VerifyError> {
    let (users, head) = (std::slice::from_ref(user), &inputs.head);
    let lists = still(store.discounts(users, head).await?)?;
    let customers = match head.has_customers {
        true => still(store.customers(users, head).await?)?,
        false => vec![],
    };
    let customer = customers.into_iter().next();
    let customer = customer.unwrap_or_else(|| Customer::unknown(user.clone()));
    let list = lists.into_iter().next();
    let (discounts, ladders) = list.map(|list| (list.discounts, list.ladders)).unwrap_or_default();
    Ok((customer, discounts, ladders))
}

/// Returns the customer's own ladder of a product, with the currency of its prices and amounts.
fn own_ladder(
    product: &ProductId,
    discounts: &Discounts,
    ladders: &OwnLadders,
) -> Option<(OwnLadder, Option<Currency>)> {
    if let Some(ladder) = ladders.of(product) {
        let ladder = OwnLadder { product_id: product.clone(), ladder: ladder.clone() };
        return Some((ladder, ladders.currency));
    }
    let list = discounts.as_slice();
    let place = list.binary_search_by(|discount| discount.product_id.cmp(product)).ok()?;
    let rule = PriceRule::Percentage(list[place].percentage.into());
    let ladder = Ladder::new(vec![Rung { min_quantity: MinQuantity::ZERO, rule }]).ok()?;
    Some((OwnLadder { product_id: product.clone(), ladder }, None))
}

/// The inputs of one customer's prices of some products, read one by one.
pub(super) struct PointInputs {
    pub(super) customer: Customer,
    discounts: Discounts,
    ladders: OwnLadders,
    lists: Vec<Arc<PriceList>>,
    rows: BTreeMap<(PriceListId, Scope), Ladder>,
}

impl PointInputs {
    /// Reads the inputs for products, each of which is given with its category.
    pub(super) async fn read(
        store: &dyn Store,
        user: &UserId,
        products: &[(&ProductId, Option<&Category>)],
        inputs: &SharedInputs,
    ) -> Result<Self, VerifyError> {
        let (customer, discounts, ladders) = own_records(store, user, inputs).await?;
        let lists = inputs.lists.given_to(&customer);
        let keys = lists.iter().flat_map(|list| {
            let scopes = products.iter().flat_map(|(product, category)| {
                let own = std::iter::once(Scope::Product((*product).clone()));
                own.chain(list.is_wide.then(|| wide_scopes(*category)).into_iter().flatten())
            });
            scopes.map(|scope| (list.id.clone(), scope))
        });
        let keys: BTreeSet<_> = keys.collect();
        let keys: Vec<_> = keys.into_iter().collect();
        let rows = match keys.is_empty() {
            true => vec![],
            false => still(store.prices(&keys, &inputs.head).await?)?,
        };
        let rows = rows.into_iter().map(|row| ((row.list, row.scope), row.ladder)).collect();
        Ok(Self { customer, discounts, ladders, lists, rows })
    }

    /// Returns the rows that are for a product.
    pub(super) fn rows_of(
        &self,
        product: &ProductId,
        category: Option<&Category>,
    ) -> ProductRows<'_> {
        let lists = self.lists.iter().map(|list| {
            let scopes =
                std::iter::once(Scope::Product(product.clone())).chain(wide_scopes(category));
            let rows = scopes.filter_map(|scope| {
                let key = (list.id.clone(), scope);
                let ladder = self.rows.get(&key)?;
                Some((key.1, ladder))
            });
            (&**list, rows.collect())
        });
        let lists = lists.filter(|(_, rows): &(_, Vec<_>)| !rows.is_empty()).collect();
        ProductRows { own: own_ladder(product, &self.discounts, &self.ladders), lists }
    }
}

/// Returns the scopes of more than one product that include a category.
fn wide_scopes(category: Option<&Category>) -> impl Iterator<Item = Scope> {
    let chain = category.into_iter().flat_map(|category| category.chain());
    // A prefix of a category is a category.
    let categories = chain.filter_map(|path| path.parse().ok()).map(Scope::Category);
    categories.chain(std::iter::once(Scope::All))
}
