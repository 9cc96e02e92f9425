//! Selects the latest answers.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::model::{QuotationKey, Timestamp};
use crate::ports::Quotation;

/// Keeps the keys of the latest `size` of the quotations that it is shown.
pub(super) struct Recent {
    size: usize,
    last: BinaryHeap<Reverse<(Timestamp, QuotationKey)>>,
}

impl Recent {
    pub(super) const fn new(size: usize) -> Self {
        Self { size, last: BinaryHeap::new() }
    }

    pub(super) fn show(&mut self, quotation: &Quotation) {
        self.last.push(Reverse((quotation.accepted_at, quotation.key.clone())));
        if self.last.len() > self.size {
            self.last.pop();
        }
    }

    /// Returns the keys, the latest first.
    pub(super) fn into_keys(self) -> Vec<QuotationKey> {
        self.last.into_sorted_vec().into_iter().map(|Reverse((_, key))| key).collect()
    }
}
