//! Checks whether a table matches its fingerprint, independently of the current inputs.

use super::VerifyError;
use super::stored_table::{StoredTableRow, read_rows};
use crate::model::UserId;
use crate::ports::{Store, TableHead};
use crate::pricing::{Discount, Discounts, fingerprint};

/// Checks whether a table's content has its fingerprint. Discounts on products that the table does not
/// contain leave no trace in it but count in its fingerprint. They are taken from the customer's current
/// list.
///
/// The table is read once more, because hardly any table needs this check.
pub(super) async fn is_as_calculated(
    store: &dyn Store,
    user: &UserId,
    head: &TableHead,
    present: &Discounts,
) -> Result<bool, VerifyError> {
    let mut seen = FingerprintInputs::new(head, present);
    let read = read_rows(store, user, head, &mut |row| seen.add(row)).await?;
    Ok(read.is_ok() && seen.matches_fingerprint())
}

/// The inputs of a fingerprint, as far as the table shows them.
struct FingerprintInputs<'a> {
    head: &'a TableHead,
    /// The discounts that the table shows.
    own: Vec<Discount>,
    /// The discounts of the current list that leave no trace in a table.
    traceless: Vec<Discount>,
    /// The rest of the current list, sorted by product.
    present: &'a [Discount],
}

impl<'a> FingerprintInputs<'a> {
    fn new(head: &'a TableHead, present: &'a Discounts) -> Self {
        Self { head, own: vec![], traceless: vec![], present: present.as_slice() }
    }

    /// Adds the next product of the table.
    fn add(&mut self, row: StoredTableRow) {
        let StoredTableRow { product: id, own, .. } = row;
        let own = own.map(|own| own.discount).unwrap_or_default();
        let before = self.present.partition_point(|discount| discount.product_id < id);
        let (absent, rest) = self.present.split_at(before);
        self.traceless.extend_from_slice(absent);
        self.present = rest;
        if let Some((discount, rest)) = rest.split_first()
            && discount.product_id == id
        {
            self.present = rest;
            if own.millionths() == 0 && discount.percentage.millionths() == 0 {
                self.traceless.push(discount.clone());
            }
        }
        if own.millionths() > 0 {
            self.own.push(Discount { product_id: id, percentage: own });
        }
    }

    /// Whether the discounts seen so far have the fingerprint.
    fn matches_fingerprint(mut self) -> bool {
        self.traceless.extend_from_slice(self.present);
        let with_traceless = self.own.iter().cloned().chain(self.traceless).collect();
        let mut lists = [self.own, with_traceless].into_iter().map(Discounts::new);
        lists.any(|list| list.is_ok_and(|list| fingerprint(&list) == self.head.fingerprint))
    }
}
