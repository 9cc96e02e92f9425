//! The loaded data of one customer: own rows, and the given price lists with their rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::VerifyError;
use super::expected::ladder_of;
use super::inputs::Inputs;
use super::price_lists::ListRows;
use crate::model::{ProductId, UserId};
use crate::ports::{AtHead, Store};
use crate::pricing::{
    Category, Currency, Customer, Discounts, GivenList, Ladder, OwnLadder, OwnLadders, PriceList,
    Scope,
};

/// The inputs of one customer's prices.
pub(super) struct CustomerInputs {
    pub(super) customer: Customer,
    pub(super) discounts: Discounts,
    pub(super) ladders: OwnLadders,
    /// All lists that the customer is given, in force or not, with their rows.
    lists: Vec<(Arc<PriceList>, Arc<ListRows>)>,
}

/// The rows of one product.
pub(super) struct Rows<'a> {
    own: Option<(OwnLadder, Option<Currency>)>,
    lists: Vec<(&'a PriceList, Vec<(Scope, &'a Ladder)>)>,
}

impl CustomerInputs {
    pub(super) async fn read(
        store: &dyn Store,
        user: &UserId,
        inputs: &Inputs,
    ) -> Result<Self, VerifyError> {
        let (customer, discounts, ladders) = own_records(store, user, inputs).await?;
        let lists = inputs.lists.given_to(&customer);
        let rows = inputs.rows.lock().await.of(store, &lists, &inputs.head).await?;
        let AtHead::Read(rows) = rows else { return Err(VerifyError::Loading) };
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
    ) -> Rows<'a> {
        Rows { own: None, lists: self.rows_of(product, category, false) }
    }

    /// Returns the customer's own rows for a product, and the rows in the lists that are priced with the
    /// customer.
    pub(super) fn own_rows<'a>(
        &'a self,
        product: &'a ProductId,
        category: Option<&'a Category>,
    ) -> Rows<'a> {
        let own = own_ladder(product, &self.discounts, &self.ladders);
        Rows { own, lists: self.rows_of(product, category, true) }
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

impl Rows<'_> {
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
pub(super) async fn own_records(
    store: &dyn Store,
    user: &UserId,
    inputs: &Inputs,
) -> Result<(Customer, Discounts, OwnLadders), VerifyError> {
    let (users, head) = (std::slice::from_ref(user), &inputs.head);
    let AtHead::Read(lists) = store.discounts(users, head).await? else {
        return Err(VerifyError::Loading);
    };
    let customers = match head.has_customers {
        true => store.customers(users, head).await?,
        false => AtHead::Read(vec![]),
    };
    let AtHead::Read(customers) = customers else { return Err(VerifyError::Loading) };
    let customer = customers.into_iter().next();
    let customer = customer.unwrap_or_else(|| Customer::unknown(user.clone()));
    let list = lists.into_iter().next();
    let (discounts, ladders) = list.map(|list| (list.discounts, list.ladders)).unwrap_or_default();
    Ok((customer, discounts, ladders))
}

/// Returns the customer's own ladder of a product, with the currency of its prices and amounts.
pub(super) fn own_ladder(
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
    Some((ladder_of(product, list[place].percentage)?, None))
}

/// The rows that are considered for some products, read one by one.
pub(super) struct PointRows {
    lists: Vec<Arc<PriceList>>,
    rows: BTreeMap<(crate::model::PriceListId, Scope), Ladder>,
}

impl PointRows {
    /// Reads the rows of lists for products, each of which is given with its category.
    pub(super) async fn read(
        store: &dyn Store,
        lists: Vec<Arc<PriceList>>,
        products: &[(&ProductId, Option<&Category>)],
        inputs: &Inputs,
    ) -> Result<Self, VerifyError> {
        let keys = lists.iter().flat_map(|list| {
            let scopes = products.iter().flat_map(|(product, category)| {
                let own = std::iter::once(Scope::Product((*product).clone()));
                own.chain(list.is_wide.then(|| wide_scopes(*category)).into_iter().flatten())
            });
            scopes.map(|scope| (list.id.clone(), scope))
        });
        let keys: std::collections::BTreeSet<_> = keys.collect();
        let keys: Vec<_> = keys.into_iter().collect();
        let rows = match keys.is_empty() {
            true => AtHead::Read(vec![]),
            false => store.prices(&keys, &inputs.head).await?,
        };
        let AtHead::Read(rows) = rows else { return Err(VerifyError::Loading) };
        let rows = rows.into_iter().map(|row| ((row.list, row.scope), row.ladder)).collect();
        Ok(Self { lists, rows })
    }

    /// Returns the lists with those of their rows that are for a product.
    pub(super) fn of(
        &self,
        product: &ProductId,
        category: Option<&Category>,
    ) -> Vec<GivenList<'_>> {
        let lists = self.lists.iter().map(|list| {
            let scopes =
                std::iter::once(Scope::Product(product.clone())).chain(wide_scopes(category));
            let rows = scopes.filter_map(|scope| {
                let key = (list.id.clone(), scope);
                let ladder = self.rows.get(&key)?;
                Some((key.1, ladder))
            });
            GivenList { list: Some(&**list), own_currency: None, rows: rows.collect() }
        });
        lists.filter(|given| !given.rows.is_empty()).collect()
    }
}

/// Returns the scopes of more than one product that include a category.
fn wide_scopes(category: Option<&Category>) -> impl Iterator<Item = Scope> {
    let chain = category.into_iter().flat_map(|category| category.chain());
    // A prefix of a category is a category.
    let categories = chain.filter_map(|path| path.parse().ok()).map(Scope::Category);
    categories.chain(std::iter::once(Scope::All))
}
