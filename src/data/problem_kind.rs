//! The code of each problem, and functions that make problems.

use super::field::Field;
use super::kinds::KnownColumns;
use super::names::{nearest, shown};
use super::problem::Problem;

impl Problem {
    /// Whether later rows may make the row right: it is understood, but does not fit the rows there are.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::UnknownPriceList { .. }
                | Self::NoCurrency { .. }
                | Self::OtherCurrency { .. }
                | Self::OtherOwnCurrency { .. }
                | Self::Rises { .. }
                | Self::TooManyRungs { .. }
        )
    }

    /// Returns a stable code for the kind of problem.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "unreadable",
            Self::EmptyFolder => "empty_folder",
            Self::NoRows => "no_rows",
            Self::NotText => "not_text",
            Self::Archive => "archive",
            Self::Deletion => "deletion",
            Self::PrunedChange => "change",
            Self::OtherKey(..) => "other_key",
            Self::OtherDelimiter { .. }
            | Self::QuotedDelimiter { .. }
            | Self::TwoDelimiters(..) => "other_delimiter",
            Self::Nameless { .. } => "nameless_column",
            Self::InColumn { problem, .. }
            | Self::InField { problem, .. }
            | Self::InList { problem, .. }
            | Self::DecimalComma { problem } => problem.code(),
            Self::NoDecimalComma { .. } => "no_decimal_comma",
            Self::FailedFormula { .. } => "failed_formula",
            Self::ShortenedId { .. } => "shortened_id",
            Self::Truncated(_) => "truncated",
            Self::NotJson(_) => "not_json",
            Self::NotAnObject => "not_an_object",
            Self::TooDeep => "too_deep",
            Self::UnknownField { .. } | Self::UnknownColumns { .. } => "unknown_field",
            Self::UnknownTable { .. } => "unknown_table",
            Self::Missing { .. } | Self::NoRule => "missing_field",
            Self::Repeated { .. } | Self::RepeatedAmount { .. } => "repeated_field",
            Self::WrongKind { .. } => "wrong_kind",
            Self::EmptyName => "empty_name",
            Self::LongName { .. } => "long_name",
            Self::ControlCharacter { .. } => "control_character",
            Self::Id(_) => "bad_id",
            Self::Price(_) | Self::Amount { .. } | Self::NegativeAmount { .. } => "bad_price",
            Self::Percentage(_) => "bad_percentage",
            Self::Quantity(_) | Self::NotPositive { .. } => "bad_quantity",
            Self::QuantityRules { .. } => "contradicting_quantities",
            Self::Category(_) => "bad_category",
            Self::Window { .. } => "window_ends_first",
            Self::Currency { .. } => "bad_currency",
            Self::Priority { .. } => "bad_priority",
            Self::Time { .. } | Self::FineTime { .. } | Self::BeforeEpoch { .. } => "bad_time",
            Self::NoTimeZone { .. } => "no_time_zone",
            Self::TimeZone { .. } => "bad_time_zone",
            Self::TwoRules { .. } => "two_rules",
            Self::TwoScopes => "two_scopes",
            Self::TwoKinds { .. } => "two_kinds",
            Self::FieldCount { .. } => "field_count",
            Self::Quote | Self::OpenQuote | Self::EndlessQuote => "bad_quote",
            Self::Duplicate(duplicate) => duplicate.code(),
            Self::UnknownPriceList { .. } => "unknown_price_list",
            Self::NoCurrency { .. } => "no_currency",
            Self::OtherCurrency { .. } | Self::OtherOwnCurrency { .. } => "other_currency",
            Self::Rises { .. } => "price_rises",
            Self::TooManyRungs { .. } => "too_many_tiers",
        }
    }

    /// Whether the value of a field is wrong, and not which fields the row has.
    pub(super) const fn is_of_value(&self) -> bool {
        !matches!(
            self,
            Self::Missing { .. }
                | Self::Repeated { .. }
                | Self::RepeatedAmount { .. }
                | Self::UnknownField { .. }
                | Self::NoRule
                | Self::TwoRules { .. }
                | Self::TwoScopes
                | Self::TwoKinds { .. }
                | Self::QuantityRules { .. }
                | Self::Window { .. }
        )
    }

    /// Returns the problem of a value. Names the column if it has another name than its field.
    pub(super) fn in_column(column: &str, field: Field, problem: Self) -> Self {
        match column == field.name() {
            true => problem,
            false => Self::InColumn { column: column.to_owned(), problem: Box::new(problem) },
        }
    }

    /// Returns the problem of unknown columns.
    pub(super) fn unknown_columns(columns: &[String], known: KnownColumns) -> Self {
        let near = columns.first().and_then(|first| nearest(first, known.names()));
        Self::UnknownColumns { columns: columns.to_vec(), near, known }
    }

    /// Returns a problem with the name of its field, which the problem itself does not have.
    pub(super) fn in_field(field: &str, problem: Self) -> Self {
        Self::InField { field: field.to_owned(), problem: Box::new(problem) }
    }

    /// Returns the problem of an unknown field, with the candidate that resembles it.
    pub(super) fn unknown_field(
        field: &str,
        candidates: impl Iterator<Item = &'static str>,
    ) -> Self {
        Self::UnknownField { field: shown(field), near: nearest(field, candidates) }
    }

    /// Returns the problem of an unknown table, with the candidate that resembles it.
    pub(super) fn unknown_table(table: &str, candidates: &[&'static str]) -> Self {
        Self::UnknownTable { table: shown(table), near: nearest(table, candidates.iter().copied()) }
    }
}

impl From<serde_json::Error> for Problem {
    fn from(error: serde_json::Error) -> Self {
        match error.classify() {
            serde_json::error::Category::Eof => Self::Truncated(error),
            // The row is parsed a second time here, so its syntax is right and only its shape can be wrong.
            serde_json::error::Category::Data => Self::NotAnObject,
            _ => Self::NotJson(error),
        }
    }
}
