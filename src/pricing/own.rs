//! The own rows of a customer, priced against a base.

use super::base::BaseIndex;
use super::base_part::{BaseEntry, BasePart};
use super::{Discounts, Money, Percentage, PriceRule, Rounding};

/// The version of the pricing rules. Every change of a rule increases it. It is part of every fingerprint, so
/// all tables are then calculated again.
pub const PRICING_VERSION: u32 = 2;

/// One product at a discount that only this customer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnRow {
    /// The index of the product in the base.
    pub index: u32,
    /// The discount.
    pub discount: Percentage,
    /// The amount that it takes off the list price.
    pub saving: Money,
}

/// The own rows of one customer, sorted by index. All other products have the price of the base.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnRows {
    pub(super) rows: Vec<OwnRow>,
}

impl OwnRows {
    /// Prices a customer's discounts. Discounts of products that are not in the base have no effect. Returns
    /// `None` if a needed part is missing; [`parts_of_discounts`] returns which parts are needed.
    ///
    /// [`parts_of_discounts`]: BaseIndex::parts_of_discounts
    #[must_use]
    pub fn price<'a>(
        index: &BaseIndex,
        discounts: &Discounts,
        rounding: Rounding,
        part: impl Fn(u32) -> Option<&'a BasePart>,
    ) -> Option<Self> {
        let mut rows = Vec::with_capacity(discounts.len());
        for (number, start, end) in index.discounts_by_part(discounts) {
            let (part, first) = (part(number)?, index.first_of(number)?);
            add_part(&mut rows, (part, first), discounts, (start, end), rounding);
        }
        Some(Self { rows })
    }

    /// Creates rows that were priced before; `None` if they are not strictly sorted by index.
    #[must_use]
    pub fn new(rows: Vec<OwnRow>) -> Option<Self> {
        rows.is_sorted_by(|a, b| a.index < b.index).then_some(Self { rows })
    }

    /// The rows, sorted by index.
    #[must_use]
    pub fn as_slice(&self) -> &[OwnRow] {
        &self.rows
    }

    /// The estimated memory that they use, in bytes.
    #[must_use]
    pub fn weight(&self) -> usize {
        size_of::<Self>() + self.rows.capacity() * size_of::<OwnRow>()
    }

    /// Returns the row of the product with this index, if there is one.
    #[must_use]
    pub fn find(&self, index: u32) -> Option<&OwnRow> {
        self.rows.binary_search_by_key(&index, |row| row.index).ok().map(|at| &self.rows[at])
    }
}

impl OwnRow {
    /// Returns the customer's price of the product, which has this list price. Returns `None` if the row does
    /// not match this list price.
    #[must_use]
    pub fn unit_price(&self, list_price: Money) -> Option<Money> {
        let unit_price = Money::from_minor(list_price.minor() - self.saving.minor());
        (unit_price >= Money::ZERO).then_some(unit_price)
    }
}

impl BaseIndex {
    /// Returns the parts that are needed to price these discounts.
    #[must_use]
    pub fn parts_of_discounts(&self, discounts: &Discounts) -> Vec<u32> {
        self.discounts_by_part(discounts).map(|(number, ..)| number).collect()
    }

    /// Returns, for each part that has discounts, its number, the place of the first discount, and the place
    /// after the last.
    fn discounts_by_part(
        &self,
        discounts: &Discounts,
    ) -> impl Iterator<Item = (u32, usize, usize)> {
        let ids = discounts.ids();
        let mut start = 0;
        let first = self.parts.first().map(|part| part.product.as_str());
        if let Some(first) = first {
            start = ids.first_from(0, 1, first);
        }
        let mut number = 0;
        std::iter::from_fn(move || {
            if start >= ids.len() || self.parts.is_empty() {
                return None;
            }
            let id = ids.get(start);
            let rest = &self.parts[number..];
            number += rest.partition_point(|part| part.product.as_str() <= id) - 1;
            let end = match self.parts.get(number + 1) {
                Some(next) => ids.first_from(start, 4, next.product.as_str()),
                None => ids.len(),
            };
            let found = (u32::try_from(number).ok()?, start, end);
            start = end;
            Some(found)
        })
    }
}

/// Adds the rows of one part. Both lists of ids are sorted, so one pass over both is enough. Runs of equal
/// ids are found by comparing their bytes at once.
fn add_part(
    rows: &mut Vec<OwnRow>,
    (part, first): (&BasePart, u32),
    discounts: &Discounts,
    (mut discount, end): (usize, usize),
    rounding: Rounding,
) {
    let (products, wanted) = (part.ids(), discounts.ids());
    let is_plain = rounding == Rounding::HalfEven && part.detail().is_plain();
    let is_narrow = part.highest_price() <= Money::MAX_NARROW;
    let mut product = 0;
    while discount < end && product < products.len() {
        // The distance to the next product, if they are spread evenly.
        let step = (products.len() - product).div_ceil(end - discount);
        product = products.first_from(product, step, wanted.get(discount));
        let count = products.run(product, wanted, discount).min(end - discount);
        if count > 0 {
            let percentages = &discounts.percentages()[discount..discount + count];
            let prices = part.rows()[product..product + count].iter().map(|row| row.price);
            let pairs = (first + product as u32..).zip(prices.zip(percentages));
            // There are three loops, because a check for each product would cost too much.
            if !is_plain {
                let entries = (product..product + count).map(|place| part.entry(place));
                let pairs = (first + product as u32..).zip(entries.zip(percentages));
                rows.extend(pairs.filter_map(|(index, (entry, &discount))| {
                    let saving = saving_of(&entry, discount, rounding)?;
                    Some(OwnRow { index, discount, saving })
                }));
            } else if is_narrow {
                rows.extend(pairs.map(|(index, (price, &discount))| OwnRow {
                    index,
                    discount,
                    saving: price.saving_narrow(discount),
                }));
            } else {
                rows.extend(pairs.map(|(index, (price, &discount))| OwnRow {
                    index,
                    discount,
                    saving: price.saving(discount),
                }));
            }
        }
        product += count;
        // A discount of no product is skipped.
        discount += count.max(1);
    }
}

/// Returns what a discount takes off a list price under all rules; `None` if there is no list price.
fn saving_of(entry: &BaseEntry<'_>, discount: Percentage, rounding: Rounding) -> Option<Money> {
    let list_price = entry.list_price?;
    let rule = PriceRule::Percentage(discount.into());
    let price = rule.finish(Some(list_price), entry.floor, rounding)?;
    Some(Money::from_minor(list_price.minor() - price.minor()))
}
