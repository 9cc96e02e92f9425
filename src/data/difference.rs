//! What a load must write: the rows of the data that differ from the store.

use std::borrow::Cow;
use std::collections::HashMap;

use super::collect::Errors;
use super::comparing_lists::ListChanges;
use super::comparison::{Comparison, KindCounts};
use super::error::Problem;
use super::given::FilePlace;
use super::own_lists::{Conflict, LostRows, conflicts, merged};
use super::planned::Planned;
use super::resolving::resolve_own;
use super::stored::{CHUNK, Halt, StoredRows};
use crate::model::{ProductId, UserId};
use crate::ports::{Changes, RecordKey, RecordKind, RowChange, UserDiscounts};
use crate::pricing::{Customer, Discount, Product, Scope};

/// The changes that a load must write.
#[derive(Default)]
pub(super) struct Difference<'a> {
    /// The changes, sorted by key.
    planned: Vec<Planned<'a>>,
    pub(super) counts: KindCounts,
    pub(super) lists: ListChanges,
    /// Stored rows that cannot be read, and why. All of them are among the changes.
    pub(super) unreadable: Vec<String>,
    pub(super) lost: LostRows,
    /// How many rows are compared.
    done: u64,
}

impl<'a> Difference<'a> {
    /// Compares data with the store.
    pub(super) async fn of(comparison: &Comparison<'a>) -> Result<Self, Halt> {
        let mut difference = Self::default();
        let mut errors = Errors::default();
        if comparison.prune
            && let Some(place) = comparison.data.only_changes
        {
            comparison.fault(&mut errors, place, Problem::PrunedChange);
        }
        difference.compare_products(comparison).await?;
        difference.compare_discounts(comparison, &mut errors).await?;
        difference.compare_own(comparison, &mut errors).await?;
        difference.compare_customers(comparison).await?;
        difference.compare_lists(comparison, &mut errors).await?;
        errors.into_result()?;
        difference.remove_products_and_customers(comparison).await?;
        difference.remove_own(comparison).await?;
        if comparison.prune {
            difference.prune(comparison).await?;
        }
        // Neighbours in the order of keys share pages of a store that keeps rows sorted. So a million
        // products are written many times faster than in random order.
        difference.planned.sort_unstable_by(|a, b| a.order().cmp(&b.order()));
        Ok(difference)
    }

    async fn compare_products(&mut self, comparison: &Comparison<'a>) -> Result<(), Halt> {
        let Comparison { data, at, .. } = comparison;
        let mut products: Vec<&'a Product> = data.products.iter().collect();
        products.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        for chunk in products.chunks(CHUNK) {
            let ids: Vec<ProductId> = chunk.iter().map(|product| product.id.clone()).collect();
            let read = |ids| at.store.products(ids, at.head);
            let stored =
                StoredRows::read(&ids, |product: &Product| product.id.clone(), read).await?;
            for &product in chunk {
                if self.counts.products.compare(&stored, &product.id, product) {
                    self.planned.push(Planned::Product(product));
                }
            }
            self.compared(comparison, chunk.len(), stored.unreadable);
        }
        Ok(())
    }

    async fn compare_discounts(
        &mut self,
        comparison: &Comparison<'a>,
        errors: &mut Errors,
    ) -> Result<(), Halt> {
        let data = comparison.data;
        let mut lists: Vec<(usize, &'a UserDiscounts)> =
            data.discounts.iter().enumerate().collect();
        lists.sort_unstable_by(|(_, a), (_, b)| a.user.cmp(&b.user));
        for chunk in lists.chunks(CHUNK) {
            let users = chunk.iter().map(|(_, list)| &list.user);
            let stored = stored_discounts(users, comparison).await?;
            for &(index, list) in chunk {
                let place = |conflict: &Conflict| {
                    let rows = list.discounts.as_slice();
                    let of = |row: &Discount| row.product_id.cmp(&conflict.product);
                    let places = data.discount_places.get(index)?;
                    let at = rows.binary_search_by(of).ok()?;
                    places.get(at).or(places.first()).copied()
                };
                self.compare_list(comparison, &stored, Cow::Borrowed(list), errors, place);
            }
            self.compared(comparison, chunk.len(), stored.unreadable);
        }
        Ok(())
    }

    async fn compare_own(
        &mut self,
        comparison: &Comparison<'a>,
        errors: &mut Errors,
    ) -> Result<(), Halt> {
        let data = comparison.data;
        let given: HashMap<&UserId, &Customer> =
            data.customers.iter().map(|customer| (&customer.user, customer)).collect();
        for chunk in data.own.chunks(CHUNK) {
            let stored = stored_discounts(chunk.iter().map(|list| &list.user), comparison).await?;
            for list in resolve_own(chunk, &given, comparison, errors).await? {
                let given = chunk.binary_search_by(|given| given.user.cmp(&list.user));
                let place = |Conflict { product, from, .. }: &Conflict| {
                    chunk.get(given.ok()?)?.place(product, *from)
                };
                self.compare_list(comparison, &stored, Cow::Owned(list), errors, place);
            }
            self.compared(comparison, chunk.len(), stored.unreadable);
        }
        Ok(())
    }

    /// Compares the own list of one customer. `place` returns the place of the row of a conflict.
    fn compare_list(
        &mut self,
        comparison: &Comparison<'a>,
        stored: &StoredRows<UserId, UserDiscounts>,
        given: Cow<'a, UserDiscounts>,
        errors: &mut Errors,
        place: impl Fn(&Conflict) -> Option<FilePlace>,
    ) {
        let list = match stored.found.get(&given.user).filter(|_| comparison.merge) {
            Some(found) => {
                let merged = merged(found, &given, comparison);
                for conflict in conflicts(found, &given, &merged, comparison) {
                    let place = place(&conflict).unwrap_or_default();
                    comparison.fault(errors, place, conflict.problem);
                }
                Cow::Owned(merged)
            }
            None => given,
        };
        if self.counts.users.compare(stored, &list.user, &*list) {
            // A merged list has all rows of the stored one.
            if !comparison.merge {
                self.replaces(stored, &list);
            }
            self.planned.push(match list {
                Cow::Borrowed(list) => Planned::Discounts(list),
                Cow::Owned(list) => Planned::Own(Box::new(list)),
            });
        }
    }

    async fn compare_customers(&mut self, comparison: &Comparison<'a>) -> Result<(), Halt> {
        let Comparison { data, at, .. } = comparison;
        let mut customers: Vec<&'a Customer> = data.customers.iter().collect();
        customers.sort_unstable_by(|a, b| a.user.cmp(&b.user));
        for chunk in customers.chunks(CHUNK) {
            let users: Vec<UserId> = chunk.iter().map(|customer| customer.user.clone()).collect();
            let read = |users| at.store.customers(users, at.head);
            let id = |customer: &Customer| customer.user.clone();
            let stored = StoredRows::read(&users, id, read).await?;
            for &customer in chunk {
                if self.counts.customers.compare(&stored, &customer.user, customer) {
                    self.planned.push(Planned::Customer(customer));
                }
            }
            self.compared(comparison, chunk.len(), stored.unreadable);
        }
        Ok(())
    }

    pub(super) fn plan(&mut self, planned: Planned<'a>) {
        self.planned.push(planned);
    }

    /// Notes that some rows are compared, and which of them cannot be read.
    pub(super) fn compared<I>(
        &mut self,
        comparison: &Comparison<'_>,
        rows: usize,
        unreadable: HashMap<I, String>,
    ) {
        self.unreadable.extend(unreadable.into_values());
        self.done += rows as u64;
        (comparison.progress)(self.done);
    }

    /// Returns how many changes there are.
    pub(super) const fn changes(&self) -> u64 {
        self.planned.len() as u64
    }

    /// Returns all changes in the order of a journal, in chunks of at most `size`.
    pub(super) fn in_chunks(&self, size: usize) -> impl Iterator<Item = Vec<RowChange>> {
        self.planned.chunks(size).map(|chunk| chunk.iter().map(Planned::to_change).collect())
    }

    /// Returns all changes, sorted by key.
    pub(super) fn planned(&self) -> &[Planned<'a>] {
        &self.planned
    }

    /// Returns the change of a row, or `None` if the row stays.
    pub(super) fn find(
        &self,
        kind: RecordKind,
        id: &str,
        scope: Option<&Scope>,
    ) -> Option<&Planned<'a>> {
        let key = (kind, id, scope);
        let place = self.planned.binary_search_by(|planned| planned.order().cmp(&key)).ok()?;
        self.planned.get(place)
    }

    /// Returns which kinds of records change.
    pub(super) fn changes_in(&self, new_currency: bool) -> Changes {
        Changes {
            products: self.counts.products.wrote() || new_currency,
            lists: self.lists.changed,
            shared_lists: self.lists.shared,
            customers: self.counts.customers.wrote(),
        }
    }

    /// Returns the customers whose prices may change while those of others stay. They have a changed list
    /// of their own, changed groups or currency, or a changed price list that names them.
    pub(super) fn users(&self) -> Vec<UserId> {
        let mut users: Vec<UserId> = self
            .planned
            .iter()
            .filter_map(|planned| match planned {
                Planned::Discounts(list) => Some(&list.user),
                Planned::Own(list) => Some(&list.user),
                Planned::Customer(customer) => Some(&customer.user),
                Planned::Delete(RecordKey::Discounts(user) | RecordKey::Customer(user)) => {
                    Some(user)
                }
                _ => None,
            })
            .chain(&self.lists.users)
            .cloned()
            .collect();
        users.sort_unstable();
        users.dedup();
        users
    }
}

async fn stored_discounts<'u>(
    users: impl Iterator<Item = &'u UserId>,
    comparison: &Comparison<'_>,
) -> Result<StoredRows<UserId, UserDiscounts>, Halt> {
    let at = comparison.at;
    let users: Vec<UserId> = users.cloned().collect();
    let read = |users| at.store.discounts(users, at.head);
    StoredRows::read(&users, |list: &UserDiscounts| list.user.clone(), read).await
}
