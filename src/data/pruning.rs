//! Deletes stored rows that the data does not name.

use std::collections::HashSet;

use super::comparison::Comparison;
use super::difference::Difference;
use super::planned::Planned;
use super::stored::{Halt, still};
use crate::model::{ProductId, UserId};
use crate::ports::{RecordKey, Segment, pages};

impl<'a> Difference<'a> {
    /// Plans to delete stored rows that the data does not name, of each kind of which it names any. Lists
    /// and their rows are pruned where they are compared.
    pub(super) async fn prune(&mut self, comparison: &Comparison<'a>) -> Result<(), Halt> {
        self.prune_products(comparison).await?;
        self.prune_discounts(comparison).await?;
        self.prune_customers(comparison).await
    }

    async fn prune_products(&mut self, comparison: &Comparison<'a>) -> Result<(), Halt> {
        let Comparison { data, at, .. } = comparison;
        let named: HashSet<&ProductId> = data.products.iter().map(|product| &product.id).collect();
        if named.is_empty() {
            return Ok(());
        }
        let mut pages = pages(|from| at.store.list_products(at.head, Segment::ALL, from));
        while let Some(page) = pages.next().await? {
            let ids = still(page)?.into_iter().map(|product| product.id);
            for id in ids.filter(|id| !named.contains(id)) {
                self.counts.products.removed += 1;
                self.plan(Planned::Delete(RecordKey::Product(id)));
            }
        }
        Ok(())
    }

    async fn prune_discounts(&mut self, comparison: &Comparison<'a>) -> Result<(), Halt> {
        let Comparison { data, at, .. } = comparison;
        let named = data.discounts.iter().map(|list| &list.user);
        let named: HashSet<&UserId> = named.chain(data.own.iter().map(|list| &list.user)).collect();
        if named.is_empty() {
            return Ok(());
        }
        let mut pages = pages(|from| at.store.list_discounted_users(at.head, from));
        while let Some(page) = pages.next().await? {
            for user in still(page)?.into_iter().filter(|user| !named.contains(user)) {
                self.counts.users.removed += 1;
                self.plan(Planned::Delete(RecordKey::Discounts(user)));
            }
        }
        Ok(())
    }

    async fn prune_customers(&mut self, comparison: &Comparison<'a>) -> Result<(), Halt> {
        let Comparison { data, at, .. } = comparison;
        let named: HashSet<&UserId> =
            data.customers.iter().map(|customer| &customer.user).collect();
        if named.is_empty() {
            return Ok(());
        }
        let mut pages = pages(|from| at.store.list_customers(at.head, from));
        while let Some(page) = pages.next().await? {
            let users = still(page)?.into_iter().map(|customer| customer.user);
            for user in users.filter(|user| !named.contains(user)) {
                self.counts.customers.removed += 1;
                self.plan(Planned::Delete(RecordKey::Customer(user)));
            }
        }
        Ok(())
    }
}
