//! The kinds of rows, and the fields of each.

use std::fmt;

use super::field::Field;

/// What the place of a row says about its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// Nothing. The row's fields show its kind.
    Any,
    Product,
    Discounts,
    Customer,
    PriceList,
    Price,
}

/// The kinds of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowKind {
    Product,
    /// A user's whole list.
    List,
    /// One row of a user's list.
    One,
    /// An entry of a user's whole list.
    Entry,
    Customer,
    PriceList,
    Price,
}

/// The fields of a kind of row.
pub(super) struct Shape {
    /// Groups of fields. A row has exactly one field of each group. The first of a group is its usual name.
    pub(super) required: &'static [&'static [Field]],
    /// A row has at least one of these fields. A row with rules has exactly one.
    pub(super) any_of: &'static [Field],
    /// Fields that may be missing or empty.
    pub(super) optional: &'static [Field],
}

/// The fields with which a row of a ladder says what a product costs.
pub(super) const RULES: &[Field] = &[Field::Percentage, Field::Price, Field::Amount];

const PRODUCT: Shape = Shape {
    required: &[&[Field::Id, Field::ProductId], &[Field::Name]],
    any_of: &[Field::Price, Field::Value, Field::Prices],
    optional: &[Field::Category, Field::Floor, Field::Floors, Field::Min, Field::Step, Field::Max],
};
const LIST: Shape = Shape {
    required: &[&[Field::UserId], &[Field::Discounts, Field::Products]],
    any_of: &[],
    optional: &[],
};
const ONE: Shape = Shape {
    required: &[&[Field::UserId], &[Field::ProductId]],
    any_of: RULES,
    optional: &[Field::MinQuantity],
};
const ENTRY: Shape =
    Shape { required: &[&[Field::ProductId]], any_of: RULES, optional: &[Field::MinQuantity] };
const CUSTOMER: Shape = Shape {
    required: &[&[Field::UserId]],
    any_of: &[],
    optional: &[Field::Currency, Field::Groups],
};
const PRICE_LIST: Shape = Shape {
    required: &[&[Field::PriceList]],
    any_of: &[],
    optional: &[
        Field::Priority,
        Field::Currency,
        Field::From,
        Field::Until,
        Field::TimeZone,
        Field::Users,
        Field::Groups,
        Field::Everyone,
    ],
};
const PRICE: Shape = Shape {
    required: &[&[Field::PriceList]],
    any_of: RULES,
    optional: &[Field::ProductId, Field::Category, Field::MinQuantity],
};

impl RowKind {
    pub(super) const fn shape(self) -> &'static Shape {
        match self {
            Self::Product => &PRODUCT,
            Self::List => &LIST,
            Self::One => &ONE,
            Self::Entry => &ENTRY,
            Self::Customer => &CUSTOMER,
            Self::PriceList => &PRICE_LIST,
            Self::Price => &PRICE,
        }
    }

    /// Returns what a row of this kind is called, with the article.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Product => "a product",
            Self::List | Self::One | Self::Entry => "a row of a customer's own list",
            Self::Customer => "a customer",
            Self::PriceList => "a price list",
            Self::Price => "a price",
        }
    }

    /// Returns the columns of this kind in a CSV file, by their usual names.
    fn columns(self) -> impl Iterator<Item = &'static str> {
        const NOT_IN_CSV: [Field; 2] = [Field::Prices, Field::Floors];
        let shape = self.shape();
        let required = shape.required.iter().filter_map(|group| group.first());
        // `price` and `value` are two names of one field of a product.
        let any_of = shape.any_of.iter().filter(|field| **field != Field::Value);
        let all = required.chain(any_of).chain(shape.optional);
        all.filter(|field| !NOT_IN_CSV.contains(field)).map(|field| field.name())
    }

    pub(super) const fn is_ladder_row(self) -> bool {
        matches!(self, Self::One | Self::Entry | Self::Price)
    }
}

/// The columns of a kind of row, displayed for a person who needs their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownColumns(pub(super) RowKind);

impl KnownColumns {
    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        let shape = self.0.shape();
        let required = shape.required.iter().copied().flatten();
        required.chain(shape.any_of).chain(shape.optional).map(|field| field.name())
    }
}

impl fmt::Display for KnownColumns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.columns().collect();
        write!(f, "{} has the columns {}", self.0.name(), names.join(", "))
    }
}

/// Returns a CSV file for each kind of row: its name, and a header with all columns that a row may have.
pub fn csv_templates() -> impl Iterator<Item = (String, String)> {
    [
        ("products", RowKind::Product),
        ("customers", RowKind::Customer),
        ("price_lists", RowKind::PriceList),
        ("prices", RowKind::Price),
        ("user_discounts", RowKind::One),
    ]
    .into_iter()
    .map(|(table, kind)| {
        let columns: Vec<_> = kind.columns().collect();
        (format!("{table}.csv"), format!("{}\n", columns.join(",")))
    })
}
