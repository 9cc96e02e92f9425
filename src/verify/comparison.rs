//! A table against products and discounts, both gone through once in the order of ids.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::arithmetic::{unit_price, written};
use super::inputs::Inputs;
use super::list_prices::Listed;
use super::stored_table::TableRow;
use crate::model::ProductId;
use crate::ports::TableHead;
use crate::pricing::{Discounts, Entry, Money};

/// A comparison that goes on.
pub(super) struct Comparison<'a> {
    head: &'a TableHead,
    inputs: &'a Inputs,
    discounts: BTreeMap<&'a ProductId, i128>,
    /// How many products the table had so far.
    products: u64,
    /// Where the next product of the table should be among the list prices.
    next: usize,
    /// The first price that does not follow from the table's own figures.
    miscalculated: Option<String>,
    /// The first product of the table that does not exist.
    unknown: Option<String>,
    /// The first product of which the base says something else.
    base_differs: Option<String>,
    /// The first product whose discount is another.
    own_differs: Option<String>,
}

/// What a table says, and products and discounts do not.
pub(super) struct Difference {
    pub(super) what: String,
    /// Whether it is about what all users have in common.
    pub(super) is_of_base: bool,
}

/// What came of a comparison.
pub(super) struct Compared {
    /// Why the table cannot be right, whatever it was made from.
    pub(super) contradiction: Option<String>,
    /// The first difference between the table and what products and discounts give.
    pub(super) difference: Option<Difference>,
}

impl<'a> Comparison<'a> {
    pub(super) fn new(head: &'a TableHead, inputs: &'a Inputs, discounts: &'a Discounts) -> Self {
        let discounts = discounts.as_slice().iter();
        let discounts = discounts
            .map(|discount| (&discount.product_id, i128::from(discount.percentage.millionths())))
            .collect();
        Self {
            head,
            inputs,
            discounts,
            products: 0,
            next: 0,
            miscalculated: None,
            unknown: None,
            base_differs: None,
            own_differs: None,
        }
    }

    /// Compares the next product of the table.
    pub(super) fn add(&mut self, row: &TableRow) {
        let id = &row.product;
        self.products += 1;
        self.calculate(id, &row.entry);
        while let Some(listed) = self.inputs.prices.at(self.next) {
            match listed.id.cmp(id.as_str()) {
                Ordering::Less => self.missing(listed.id),
                Ordering::Equal => {
                    self.next += 1;
                    return self.compare(row, &listed);
                }
                Ordering::Greater => break,
            }
        }
        self.unknown.get_or_insert_with(|| format!("product `{id}` does not exist"));
    }

    /// Compares what comes after the last product of the table.
    pub(super) fn finish(mut self) -> Compared {
        while let Some(listed) = self.inputs.prices.at(self.next) {
            self.missing(listed.id);
        }
        let (says, is) = (self.head.products, self.products);
        let miscounted =
            (says != is).then(|| format!("it has {is} products, and its head says {says}"));
        let (currency, other) = (self.head.currency, self.inputs.head.currency);
        let in_other = (currency != other)
            .then(|| format!("it is in {currency}, the products are in {other}"));
        Compared {
            contradiction: miscounted.or(self.miscalculated),
            difference: in_other
                .or(self.unknown)
                .or(self.base_differs)
                .map(|what| Difference { what, is_of_base: true })
                .or(self.own_differs.map(|what| Difference { what, is_of_base: false })),
        }
    }

    fn calculate(&mut self, id: &ProductId, entry: &Entry) {
        let discount = i128::from(entry.discount.millionths());
        let expected = unit_price(entry.list_price.minor(), discount);
        if i128::from(entry.unit_price.minor()) != expected {
            let currency = self.head.currency;
            self.miscalculated.get_or_insert_with(|| {
                let list = entry.list_price.format(currency);
                let (unit, less) = (entry.unit_price.format(currency), entry.discount);
                format!("product `{id}`: {list} less {less} % is not {unit}")
            });
        }
    }

    fn missing(&mut self, listed: &str) {
        self.next += 1;
        self.base_differs.get_or_insert_with(|| format!("product `{listed}` is missing"));
    }

    fn compare(&mut self, row: &TableRow, listed: &Listed<'_>) {
        let TableRow { product: id, name, entry } = row;
        if entry.list_price.minor() != listed.price {
            let currency = self.head.currency;
            self.base_differs.get_or_insert_with(|| {
                let is = Money::from_minor(listed.price).format(currency);
                let says = entry.list_price.format(currency);
                format!("product `{id}` costs {is}, the table says {says}")
            });
            return;
        }
        if !listed.is_called(name) {
            self.base_differs.get_or_insert_with(|| {
                format!("product `{id}` has another name, the table says `{name}`")
            });
        }
        let less = self.discounts.get(id).copied().unwrap_or(0);
        if i128::from(entry.discount.millionths()) != less {
            self.own_differs.get_or_insert_with(|| {
                let (is, says) = (written(less, 6, 0), entry.discount);
                format!("product `{id}` has a discount of {is} %, the table says {says} %")
            });
        }
    }
}
