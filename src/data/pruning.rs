//! Deletes stored rows that the data does not name.

use std::collections::HashSet;
use std::hash::Hash;

use super::comparison::Comparison;
use super::difference::Difference;
use super::planned::Planned;
use super::stored::{Halt, StoreAt, still};
use crate::model::UserId;
use crate::ports::{AtHead, Cursor, Page, PortError, RecordKey, Segment, pages};
use crate::pricing::{Customer, Product};

impl<'a> Difference<'a> {
    /// Plans to delete stored rows that the data does not name, of each kind of which it names any. Lists
    /// and their rows are pruned where they are compared.
    pub(super) async fn prune(&mut self, comparison: &Comparison<'a>) -> Result<(), Halt> {
        let Comparison { data, at: StoreAt { store, head }, .. } = *comparison;
        let named = data.products.iter().map(|product| &product.id).collect();
        let listed = |from| store.list_products(head, Segment::ALL, from);
        let removed = self.prune_rows(named, listed, |it: &Product| &it.id, RecordKey::Product);
        self.counts.products.removed += removed.await?;

        let named = data.discounts.iter().map(|list| &list.user);
        let named = named.chain(data.own.iter().map(|list| &list.user)).collect();
        let listed = |from| store.list_discounted_users(head, from);
        let removed = self.prune_rows(named, listed, |it: &UserId| it, RecordKey::Discounts);
        self.counts.users.removed += removed.await?;

        let named = data.customers.iter().map(|customer| &customer.user).collect();
        let listed = |from| store.list_customers(head, from);
        let removed = self.prune_rows(named, listed, |it: &Customer| &it.user, RecordKey::Customer);
        self.counts.customers.removed += removed.await?;
        Ok(())
    }

    /// Plans to delete the listed rows of one kind that are not named, unless none is named. Returns how
    /// many these are.
    async fn prune_rows<T, I: Clone + Eq + Hash, Fut>(
        &mut self,
        named: HashSet<&I>,
        listed: impl Fn(Option<Cursor>) -> Fut,
        id: impl Fn(&T) -> &I,
        key: impl Fn(I) -> RecordKey,
    ) -> Result<u64, Halt>
    where
        Fut: Future<Output = Result<AtHead<Page<T>>, PortError>>,
    {
        let mut removed = 0;
        let mut pages = pages(listed);
        while !named.is_empty()
            && let Some(page) = pages.next().await?
        {
            let page = still(page)?;
            for id in page.iter().map(&id).filter(|id| !named.contains(id)) {
                removed += 1;
                self.plan(Planned::Delete(key(id.clone())));
            }
        }
        Ok(removed)
    }
}
