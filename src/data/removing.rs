//! Deletes stored rows whose keys the data removes.

use std::collections::HashSet;

use super::comparison::Comparison;
use super::difference::Difference;
use super::own_lists::merged;
use super::planned::Planned;
use super::stored::{CHUNK, Halt, StoredRows, still};
use crate::model::{PriceListId, ProductId, UserId};
use crate::ports::{RecordKey, UserDiscounts};
use crate::pricing::{Customer, Discounts, PriceList, Product};

impl Difference<'_> {
    /// Plans to delete products and customers that are removed.
    pub(super) async fn remove_products_and_customers(
        &mut self,
        comparison: &Comparison<'_>,
    ) -> Result<(), Halt> {
        let Comparison { at, removed, .. } = comparison;
        for chunk in removed.products.chunks(CHUNK) {
            let ids: Vec<ProductId> = chunk.iter().map(|id| (*id).clone()).collect();
            let read = |ids| at.store.products(ids, at.head);
            let stored =
                StoredRows::read(&ids, |product: &Product| product.id.clone(), read).await?;
            for id in ids.iter().filter(|id| stored.has(id)) {
                self.counts.products.removed += 1;
                self.plan(Planned::Delete(RecordKey::Product(id.clone())));
            }
        }
        let customers: Vec<UserId> = removed.customers.iter().map(|user| (*user).clone()).collect();
        for users in customers.chunks(CHUNK) {
            let read = |users| at.store.customers(users, at.head);
            let id = |customer: &Customer| customer.user.clone();
            let stored = StoredRows::read(users, id, read).await?;
            for user in users.iter().filter(|user| stored.has(user)) {
                self.counts.customers.removed += 1;
                self.plan(Planned::Delete(RecordKey::Customer(user.clone())));
            }
        }
        Ok(())
    }

    /// Plans the changes of own lists that only lose rows: the data has no other row for these customers.
    pub(super) async fn remove_own(&mut self, comparison: &Comparison<'_>) -> Result<(), Halt> {
        let Comparison { data, at, removed, .. } = comparison;
        let given = data.discounts.iter().map(|list| &list.user);
        let given: HashSet<&UserId> = given.chain(data.own.iter().map(|list| &list.user)).collect();
        let users = removed.own.keys().filter(|user| !given.contains(*user));
        let users: Vec<UserId> = users.map(|user| (*user).clone()).collect();
        for chunk in users.chunks(CHUNK) {
            let read = |users| at.store.discounts(users, at.head);
            let id = |list: &UserDiscounts| list.user.clone();
            let stored = StoredRows::read(chunk, id, read).await?;
            for user in chunk {
                self.remove_from_list(comparison, &stored, user);
            }
        }
        Ok(())
    }

    fn remove_from_list(
        &mut self,
        comparison: &Comparison<'_>,
        stored: &StoredRows<UserId, UserDiscounts>,
        user: &UserId,
    ) {
        let Some(found) = stored.found.get(user) else { return };
        let nothing = UserDiscounts::new(user.clone(), Discounts::default());
        // A ladder that only loses rows does not rise, so there is no conflict.
        let left = merged(found, &nothing, comparison);
        let count = match &left {
            left if *left == nothing => {
                self.plan(Planned::Delete(RecordKey::Discounts(user.clone())));
                &mut self.counts.users.removed
            }
            left if left == found => &mut self.counts.users.unchanged,
            _ => {
                self.plan(Planned::Own(Box::new(left)));
                &mut self.counts.users.changed
            }
        };
        *count += 1;
    }

    /// Plans to delete the price lists that are removed, with their rows.
    pub(super) async fn remove_lists(&mut self, comparison: &Comparison<'_>) -> Result<(), Halt> {
        let Comparison { at, removed, .. } = comparison;
        let mut ids: Vec<PriceListId> = removed.lists.iter().map(|id| (*id).clone()).collect();
        ids.sort_unstable();
        for chunk in ids.chunks(CHUNK) {
            let lists: Vec<PriceList> = still(at.store.price_lists(chunk, at.head).await?)?;
            for list in lists {
                self.delete_list(list, comparison).await?;
            }
        }
        Ok(())
    }
}
