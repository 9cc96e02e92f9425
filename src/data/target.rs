//! What a column of a file holds: a field, or the amounts of one currency.

use super::field::Field;
use super::problem::Problem;
use crate::pricing::Currency;

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Field(Field),
    /// The amounts of one currency, as in `price.EUR`.
    In(Field, Currency),
}

impl Target {
    /// Returns the target with the name of a column, or `None` if there is none.
    pub(super) fn named(name: &str) -> Result<Option<Self>, Problem> {
        let Some((field, code)) = name.split_once('.') else {
            return Ok(Field::named(name).map(Self::Field));
        };
        let field = match field {
            "price" => Field::Price,
            "floor" => Field::Floor,
            _ => return Ok(None),
        };
        Ok(Some(Self::In(field, currency(code)?)))
    }

    pub(super) const fn field(self) -> Field {
        match self {
            Self::Field(field) | Self::In(field, _) => field,
        }
    }
}

/// Parses the code of a currency.
pub(super) fn currency(code: &str) -> Result<Currency, Problem> {
    code.parse().map_err(|_| Problem::Currency { code: code.to_owned() })
}
