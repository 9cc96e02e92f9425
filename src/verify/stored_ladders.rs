//! Reads stored ladders, a few parts at a time, in the order of their products.

use std::collections::VecDeque;

use super::error::TableFailure;
use super::packed::{StoredLadderRow, StoredStep, ladder_rows};
use crate::model::UserId;
use crate::ports::{BaseName, OwnStorage, Store, TableHead, parts_of};

/// The number of parts that are read at once.
const PARTS_AT_ONCE: usize = 16;

/// The place of the parts.
pub(super) enum LadderPlace<'a> {
    /// In the base of some terms.
    Terms(BaseName),
    /// In the head.
    Inline(&'a [u8]),
    /// Beside the head, from part number `first_part` on.
    Parts { user: &'a UserId, head: &'a TableHead, first_part: u32 },
}

/// Stored ladders, of which the first have been taken already.
pub(super) struct StoredLadders<'a> {
    store: &'a dyn Store,
    place: LadderPlace<'a>,
    /// The product with which each part begins, by index, and the part to read next.
    first: Vec<u32>,
    next: usize,
    rows: VecDeque<StoredLadderRow>,
    last: Option<u64>,
}

impl<'a> StoredLadders<'a> {
    /// Opens the ladders of some terms.
    pub(super) async fn of_terms(
        store: &'a dyn Store,
        name: BaseName,
    ) -> Result<Self, TableFailure> {
        let base = store.base(&name).await?;
        let base = base.ok_or_else(|| format!("the base of terms {name} is not there"))?;
        let first = base.index.parts.iter().map(|start| start.index).collect();
        Ok(Self::new(store, LadderPlace::Terms(name), first))
    }

    /// Opens the ladders of one customer.
    pub(super) fn of_customer(
        store: &'a dyn Store,
        user: &'a UserId,
        head: &'a TableHead,
        (ladders, first_part): (&'a OwnStorage, u32),
    ) -> Self {
        match ladders {
            OwnStorage::Inline(rows) if rows.is_empty() => {
                Self::new(store, LadderPlace::Inline(&[]), vec![])
            }
            // The only part counts as beginning with the first product, whatever its first row is.
            OwnStorage::Inline(rows) => Self::new(store, LadderPlace::Inline(rows), vec![0]),
            OwnStorage::Parts(first) => {
                Self::new(store, LadderPlace::Parts { user, head, first_part }, first.clone())
            }
        }
    }

    const fn new(store: &'a dyn Store, place: LadderPlace<'a>, first: Vec<u32>) -> Self {
        Self { store, place, first, next: 0, rows: VecDeque::new(), last: None }
    }

    /// Reads the parts that contain products before an index.
    pub(super) async fn read_before(&mut self, end: u64) -> Result<(), TableFailure> {
        let rest = &self.first[self.next..];
        let wanted = rest.iter().take_while(|first| u64::from(**first) < end).count();
        let mut left = wanted;
        while left > 0 {
            let count = left.min(PARTS_AT_ONCE);
            let numbers: Vec<u32> = (self.next as u32..).take(count).collect();
            let parts = self.parts(&numbers).await?;
            for (number, part) in numbers.into_iter().zip(parts) {
                let what = || format!("part {number} of {}", self.what());
                let part = part.ok_or_else(|| format!("{} is not there", what()))?;
                self.add(number, &part)?;
            }
            self.next += count;
            left -= count;
        }
        Ok(())
    }

    async fn parts(&self, numbers: &[u32]) -> Result<Vec<Option<bytes::Bytes>>, TableFailure> {
        match &self.place {
            LadderPlace::Terms(name) => Ok(self.store.base_parts(name, numbers).await?),
            LadderPlace::Inline(rows) => Ok(vec![Some(bytes::Bytes::copy_from_slice(rows))]),
            LadderPlace::Parts { user, head, first_part } => {
                let numbers: Vec<u32> = numbers.iter().map(|number| number + first_part).collect();
                Ok(parts_of(self.store, user, &head.generation, &numbers).await?)
            }
        }
    }

    fn add(&mut self, number: u32, part: &[u8]) -> Result<(), TableFailure> {
        let rows = ladder_rows(part)?;
        let first = rows.first().map(|row| row.index);
        let begins = match &self.place {
            LadderPlace::Inline(_) => first.is_some(),
            _ => first == self.first.get(number as usize).map(|first| u64::from(*first)),
        };
        let follows = rows.iter().map(|row| Some(row.index));
        let is_sorted = std::iter::once(self.last).chain(follows).is_sorted_by(|a, b| a < b);
        if !begins || !is_sorted {
            let what = format!("part {number} of {} does not begin as it should", self.what());
            return Err(what.into());
        }
        self.last = rows.last().map(|row| row.index);
        self.rows.extend(rows);
        Ok(())
    }

    fn what(&self) -> String {
        match &self.place {
            LadderPlace::Terms(name) => format!("terms {name}"),
            _ => "the customer's ladders".to_owned(),
        }
    }

    /// Takes the steps of the product at an index. Products must be taken in order.
    pub(super) fn take(&mut self, index: u64) -> Option<Vec<StoredStep>> {
        if self.rows.front()?.index != index {
            return None;
        }
        self.rows.pop_front().map(|row| row.steps)
    }

    /// Checks that no ladder is left, after all `products` have been taken.
    pub(super) async fn end(mut self, products: u64) -> Result<(), TableFailure> {
        self.read_before(u64::MAX).await?;
        match self.rows.front() {
            None => Ok(()),
            Some(row) => {
                let (index, what) = (row.index, self.what());
                Err(format!("{what} have a row of product number {index}, of {products}").into())
            }
        }
    }
}
