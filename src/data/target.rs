//! What a column of a file is: a field, or the amounts of one currency.

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
    /// By the name of a column; `None` when nothing is called so.
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

/// A currency by its code.
pub(super) fn currency(code: &str) -> Result<Currency, Problem> {
    code.parse().map_err(|_| Problem::Currency { code: code.to_owned() })
}
