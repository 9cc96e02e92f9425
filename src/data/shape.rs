//! Decides the kind of a row by its fields, and checks that it has the fields of that kind.

use super::error::Problem;
use super::field::Field;
use super::kinds::{Expected, KnownColumns, RULES, RowKind};
use super::row::FileRow;

impl RowKind {
    /// Returns the kind of a row.
    pub(super) fn of(row: &FileRow<'_>, expected: Expected) -> Self {
        let has = |fields: &[Field]| fields.iter().any(|field| row.has(*field));
        let is_rule = has(RULES) || row.has(Field::MinQuantity);
        let has_list = has(&[Field::Discounts, Field::Products]);
        let list_or_one = || match (row.has(Field::ProductId) || is_rule) && !has_list {
            true => Self::One,
            false => Self::List,
        };
        match expected {
            Expected::Product => Self::Product,
            Expected::Discounts => list_or_one(),
            Expected::Customer => Self::Customer,
            Expected::PriceList => Self::PriceList,
            Expected::Price => Self::Price,
            Expected::Any if row.has(Field::PriceList) => {
                match is_rule || has(&[Field::ProductId, Field::Category]) {
                    true => Self::Price,
                    false => Self::PriceList,
                }
            }
            Expected::Any if has_list => Self::List,
            Expected::Any if row.has(Field::UserId) => {
                match has(&[Field::Currency, Field::Groups])
                    && !is_rule
                    && !row.has(Field::ProductId)
                {
                    true => Self::Customer,
                    false => list_or_one(),
                }
            }
            Expected::Any if has(&[Field::Percentage, Field::Amount, Field::MinQuantity]) => {
                Self::One
            }
            Expected::Any if row.has(Field::Groups) => Self::Customer,
            Expected::Any if row.has(Field::Users) => Self::PriceList,
            Expected::Any => Self::Product,
        }
    }

    /// Drops empty fields that may be missing, and checks the rest.
    pub(super) fn check(self, row: &mut FileRow<'_>) -> Result<(), Problem> {
        let shape = self.shape();
        // A price list in CSV may have a column for each way to state a price.
        let may_be_empty = match shape.any_of.iter().filter(|field| row.has(**field)).count() {
            0 | 1 if row.by_currency.is_empty() => &[],
            _ => shape.any_of,
        };
        for &field in shape.optional.iter().chain(may_be_empty) {
            row.drop_empty(field);
        }
        row.drop_empty_columns();
        self.check_header(row)?;
        let mut rules = shape.any_of.iter().filter(|field| row.has(**field));
        if self.is_ladder_row()
            && let (Some(first), Some(second)) = (rules.next(), rules.next())
        {
            let (first, second) = (first.name(), second.name());
            return Err(Problem::TwoRules { first, second });
        }
        if row.has(Field::ProductId) && row.has(Field::Category) && self == Self::Price {
            return Err(Problem::TwoScopes);
        }
        Ok(())
    }

    /// Checks which fields a row has, or which columns a CSV file has.
    fn check_header(self, row: &FileRow<'_>) -> Result<(), Problem> {
        let shape = self.shape();
        let required = || shape.required.iter().copied().flatten();
        let known = || required().chain(shape.any_of).chain(shape.optional).copied();
        let names = || known().map(Field::name);
        if let Some(unknown) = &row.unknown {
            return Err(Problem::unknown_field(unknown, names()));
        }
        if let Some(stray) = row.fields().find(|field| known().all(|known| known != *field)) {
            return Err(self.stray(stray, names()));
        }
        if let Some((field, ..)) = row.by_currency.first()
            && self != Self::Product
        {
            return Err(Problem::unknown_field(&format!("{}.…", field.name()), names()));
        }
        if let Some(field) = row.repeated {
            return Err(Problem::Repeated { field: field.name() });
        }
        for group in shape.required {
            let mut given = group.iter().filter(|field| row.has(**field));
            match (given.next(), given.next()) {
                (None, _) => return Err(Problem::Missing { field: group[0].name() }),
                (_, Some(second)) => return Err(Problem::Repeated { field: second.name() }),
                _ => {}
            }
        }
        if row.has(Field::Price) && row.has(Field::Value) {
            return Err(Problem::Repeated { field: Field::Value.name() });
        }
        let has_price = row.by_currency.iter().any(|(field, ..)| *field == Field::Price);
        let is_missing = !shape.any_of.is_empty() && !shape.any_of.iter().any(|it| row.has(*it));
        match (is_missing && !has_price, self.is_ladder_row()) {
            (true, true) => Err(Problem::NoRule),
            (true, false) => Err(Problem::Missing { field: shape.any_of[0].name() }),
            (false, _) => Ok(()),
        }
    }

    /// Returns the problem of a field that other kinds of rows have.
    fn stray(self, field: Field, names: impl Iterator<Item = &'static str>) -> Problem {
        let others = [Self::Customer, Self::PriceList, Self::Price];
        let is_of = |kind: &Self| *kind != self && kind.shape().optional.contains(&field);
        // Only rows of lists and customers have fields in common with other kinds, so only they get this
        // hint.
        let other = others
            .into_iter()
            .find(is_of)
            .filter(|_| matches!(self, Self::Price | Self::One | Self::PriceList | Self::Customer));
        match other {
            Some(other) => {
                Problem::TwoKinds { kind: self.name(), field: field.name(), other: other.name() }
            }
            None => Problem::unknown_field(field.name(), names),
        }
    }
}

/// Checks the columns of a CSV header.
pub(super) fn check_columns(row: &FileRow<'_>) -> Result<(), Problem> {
    RowKind::of(row, Expected::Any).check_header(row)
}

/// Returns the columns of the kind that a header resembles.
pub(super) fn columns_for(row: &FileRow<'_>) -> KnownColumns {
    KnownColumns(RowKind::of(row, Expected::Any))
}
