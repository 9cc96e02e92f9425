//! Products with ladders: the price at each quantity, and the rule it comes from.
//!
//! This form is used for the terms of many customers and for the ladders of a single customer.

use super::{Rule, Rules, Step};

/// Some products with their steps, sorted by index in the base.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LadderRows {
    pub(super) rows: Vec<LadderRow>,
    pub(super) steps: Vec<Step>,
    pub(super) rules: Vec<Rule>,
}

/// The row of one product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LadderRow {
    /// The index of the product in the base.
    pub(super) index: u32,
    /// Where the product's steps end in `steps`.
    pub(super) end: u32,
}

impl LadderRows {
    /// The number of products.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no products.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The index of the first product.
    #[must_use]
    pub fn first_index(&self) -> Option<u32> {
        self.rows.first().map(|row| row.index)
    }

    /// The index of the last product.
    #[must_use]
    pub fn last_index(&self) -> Option<u32> {
        self.rows.last().map(|row| row.index)
    }

    /// Returns the steps of the product with this index, if it has any.
    #[must_use]
    pub fn find(&self, index: u32) -> Option<&[Step]> {
        let at = self.rows.binary_search_by_key(&index, |row| row.index).ok()?;
        Some(self.steps_at(at))
    }

    /// The rules that the steps refer to by number.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// All products by index, with their steps.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &[Step])> {
        (0..self.len()).map(|at| (self.rows[at].index, self.steps_at(at)))
    }

    /// Returns the steps of the product with this index, with their rules numbered as in `rules`. Returns
    /// `None` if a rule is missing.
    #[must_use]
    pub fn steps_in(&self, index: u32, rules: &mut Rules) -> Option<Vec<Step>> {
        let steps = self.find(index).unwrap_or_default().iter();
        let renumbered = steps.map(|step| {
            let rule = rules.number(self.rules.get(step.rule as usize)?);
            Some(Step { rule, ..*step })
        });
        renumbered.collect()
    }

    /// The estimated memory that they use, in bytes.
    #[must_use]
    pub fn weight(&self) -> usize {
        size_of::<Self>()
            + self.rows.len() * size_of::<LadderRow>()
            + self.steps.len() * size_of::<Step>()
            + self.rules.len() * size_of::<Rule>()
    }

    fn steps_at(&self, at: usize) -> &[Step] {
        let start = at.checked_sub(1).map_or(0, |before| self.rows[before].end);
        &self.steps[start as usize..self.rows[at].end as usize]
    }
}
