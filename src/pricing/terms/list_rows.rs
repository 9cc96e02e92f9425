//! The rows of one price list in memory. They are found by product and category.

use super::{Category, Ladder, ListPrices, Scope, ScopedLadder};
use crate::model::ProductId;

/// All rows of a price list.
#[derive(Debug, Default)]
pub struct ListRows {
    /// The rows of single products, sorted by id.
    products: Vec<(ProductId, Ladder)>,
    /// The rows of categories and of all products, the narrowest first.
    wide: Vec<(Scope, Ladder)>,
}

impl ListRows {
    /// Sorts rows. No two may have the same scope.
    #[must_use]
    pub fn new(rows: impl IntoIterator<Item = ListPrices>) -> Self {
        let mut sorted = Self::default();
        for ListPrices { scope, ladder, .. } in rows {
            match scope {
                Scope::Product(product) => sorted.products.push((product, ladder)),
                scope => sorted.wide.push((scope, ladder)),
            }
        }
        sorted.products.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        sorted.wide.sort_by_key(|(scope, _)| std::cmp::Reverse(scope.narrowness()));
        sorted
    }

    /// Puts the rows that apply to a product into `found`, the narrowest scope first.
    pub fn of<'a>(
        &'a self,
        product: &str,
        category: Option<&Category>,
        found: &mut Vec<ScopedLadder<'a>>,
    ) {
        found.clear();
        let place = self.products.binary_search_by(|(id, _)| id.as_str().cmp(product));
        if let Ok(place) = place {
            found.push(ScopedLadder { scope: None, ladder: &self.products[place].1 });
        }
        let wide = self.wide.iter().filter(|(scope, _)| match scope {
            Scope::All => true,
            Scope::Category(wide) => category.is_some_and(|category| wide.covers(category)),
            Scope::Product(_) => false,
        });
        found.extend(wide.map(|(scope, ladder)| ScopedLadder { scope: Some(scope), ladder }));
    }

    /// Whether it has rows for categories or for all products.
    #[must_use]
    pub fn is_wide(&self) -> bool {
        !self.wide.is_empty()
    }

    /// The products that have a row, sorted by id.
    pub fn products(&self) -> impl Iterator<Item = &ProductId> {
        self.products.iter().map(|(product, _)| product)
    }

    /// The estimated memory that they use, in bytes.
    #[must_use]
    pub fn weight(&self) -> usize {
        /// The bytes of a row besides its ladder and its id.
        const ROW: usize = 64;
        let products = self.products.iter().map(|(id, ladder)| (id.as_str().len(), ladder));
        let wide = self.wide.iter().map(|(_, ladder)| (0, ladder));
        let bytes = |(id, ladder): (usize, &Ladder)| {
            ROW + id + size_of_val::<[super::Rung]>(ladder.rungs())
        };
        size_of::<Self>() + products.chain(wide).map(bytes).sum::<usize>()
    }
}
