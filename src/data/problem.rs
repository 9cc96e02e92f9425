//! What can be wrong with a row, a file or a folder.

use std::io;

use thiserror::Error;

use super::kinds::KnownColumns;
use super::names::{did_you_mean, shown};
use super::problem_words::{
    before_1970, deletion, no_currency, not_text, or_write, pruned_change, surcharge, unknown_list,
    without_place,
};
use super::ways_out::Advised;
use crate::model::{
    DecimalError, IdError, PriceListId, ProductId, QuantityError, Timestamp, UserId,
};
use crate::pricing::{
    CategoryError, Currency, MinQuantity, MoneyError, QuantityRulesError, RateError, Scope,
    WindowError,
};

/// What is wrong with a row, a file or a folder.
#[derive(Debug, Error)]
pub enum Problem {
    /// The file or folder is not there, or reading failed.
    #[error("cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// A folder without a single data file.
    #[error("has no data files (.json, .ndjson, .jsonl, .csv or .tsv, also compressed as .gz)")]
    EmptyFolder,
    /// All the files together have no row.
    #[error("has no rows")]
    NoRows,
    /// Not UTF-8, or with NUL in it.
    #[error("{}", not_text())]
    NotText,
    /// An archive of files, such as a spreadsheet's own format.
    #[error("is a ZIP archive, as .xlsx and .ods files are; save the table as CSV")]
    Archive,
    /// A deletion that does not say what the deleted item was.
    #[error("{}", deletion())]
    Deletion,
    /// A change beside the removal of all rows that the data does not have.
    #[error("{}", pruned_change())]
    PrunedChange,
    /// The JSON ends before it is complete.
    #[error("the JSON is cut off")]
    Truncated(#[source] serde_json::Error),
    /// The JSON is broken.
    #[error("is not JSON: {}", without_place(.0))]
    NotJson(#[source] serde_json::Error),
    /// A row, or a discount in a list, that is no JSON object.
    #[error("is not a JSON object")]
    NotAnObject,
    /// A field that nothing knows.
    #[error("unknown field `{field}`{}", did_you_mean(*.near))]
    UnknownField {
        /// What was given.
        field: String,
        /// The one that was probably meant.
        near: Option<&'static str>,
    },
    /// A table of a batch write that is neither products nor discounts.
    #[error("unknown table `{table}`{}", did_you_mean(*.near))]
    UnknownTable {
        /// What was given.
        table: String,
        /// The one that was probably meant.
        near: Option<&'static str>,
    },
    /// A field that must be there.
    #[error("`{field}` is missing")]
    Missing {
        /// Which.
        field: &'static str,
    },
    /// A field given twice, by one name or by two names of the same thing.
    #[error("`{field}` is given twice")]
    Repeated {
        /// Which.
        field: &'static str,
    },
    /// A value of the wrong kind.
    #[error("`{field}` is {found}, not {expected}{}", or_write(right.as_deref()))]
    WrongKind {
        /// Which.
        field: &'static str,
        /// What must be there, with its article.
        expected: &'static str,
        /// What is there, with its article, and its value if that is short.
        found: String,
        /// The same value as it must be written.
        right: Option<String>,
    },
    /// A product without a name.
    #[error("`name` is empty")]
    EmptyName,
    /// A line break or another control character in a product's name.
    #[error("`name` has a control character")]
    ControlCharacter,
    /// A bad user or product id.
    #[error(transparent)]
    Id(#[from] IdError),
    /// A bad price.
    #[error(transparent)]
    Price(#[from] MoneyError),
    /// A bad percentage.
    #[error(transparent)]
    Percentage(#[from] RateError),
    /// A bad quantity.
    #[error(transparent)]
    Quantity(#[from] QuantityError),
    /// Zero or less, where a quantity must be positive.
    #[error(
        "`{field}` `{}` is not positive; give a number above 0, such as 1 or 0.5, or leave it out",
        shown(text)
    )]
    NotPositive {
        /// Which field.
        field: &'static str,
        /// What was given.
        text: String,
    },
    /// Quantities of a product that contradict each other.
    #[error("product `{product}`: {problem}")]
    QuantityRules {
        /// Of which product.
        product: ProductId,
        /// What is wrong with them.
        #[source]
        problem: QuantityRulesError,
    },
    /// A bad category.
    #[error(transparent)]
    Category(#[from] CategoryError),
    /// A window that ends before it begins.
    #[error("price list `{list}`: {problem}; give it a later `until`, or leave `until` out")]
    Window {
        /// Of which list.
        list: PriceListId,
        /// What is wrong with it.
        #[source]
        problem: WindowError,
    },
    /// What is wrong with the value of a field whose name the value does not tell.
    #[error("`{field}`: {problem}")]
    InField {
        /// Which.
        field: String,
        /// What is wrong with it.
        #[source]
        problem: Box<Problem>,
    },
    /// An amount that is no decimal.
    #[error("`{field}` `{text}` {why}")]
    Amount {
        /// Which field.
        field: &'static str,
        /// What was given.
        text: String,
        /// What is wrong with it.
        why: DecimalError,
    },
    /// An amount below zero.
    #[error("`{field}` `{text}` is negative{}", surcharge(field))]
    NegativeAmount {
        /// Which field.
        field: &'static str,
        /// What was given.
        text: String,
    },
    /// Two amounts of one currency.
    #[error("`{field}` is given twice for {currency}")]
    RepeatedAmount {
        /// Which field.
        field: &'static str,
        /// Of which currency.
        currency: Currency,
    },
    /// A currency that there is not.
    #[error("`{}` is not a currency code of ISO 4217, such as USD", shown(code))]
    Currency {
        /// What was given.
        code: String,
    },
    /// A priority that is no whole number.
    #[error("`priority` `{}` is not a whole number from {} to {}", shown(text), i32::MIN, i32::MAX)]
    Priority {
        /// What was given.
        text: String,
    },
    /// A time that is none.
    #[error(
        "`{field}` `{}` is not a time; write 2026-04-01, or an instant, such as 2026-04-01T00:00:00Z",
        shown(text)
    )]
    Time {
        /// Which field.
        field: &'static str,
        /// What was given.
        text: String,
    },
    /// A time of which the time zone is not known.
    #[error(
        "`{field}` `{}` has no time zone; name one in `time_zone`, such as Europe/Berlin, or write an instant, such as 2026-04-01T00:00:00Z",
        shown(text)
    )]
    NoTimeZone {
        /// Which field.
        field: &'static str,
        /// What was given.
        text: String,
    },
    /// A time with more than milliseconds.
    #[error("`{field}` `{}` is finer than a millisecond", shown(text))]
    FineTime {
        /// Which field.
        field: &'static str,
        /// What was given.
        text: String,
    },
    /// A time that ocache does not count.
    #[error("{}", before_1970(field, text, *instant))]
    BeforeEpoch {
        /// Which field.
        field: &'static str,
        /// What was given.
        text: String,
        /// Which instant that is.
        instant: Timestamp,
    },
    /// A time zone that there is not.
    #[error(
        "`time_zone` `{}` is not a time zone of the IANA database, such as Europe/Berlin",
        shown(name)
    )]
    TimeZone {
        /// What was given.
        name: String,
    },
    /// A row that does not say what anything costs.
    #[error("`percentage`, `price` or `amount` is missing")]
    NoRule,
    /// A row that says what something costs in two ways.
    #[error("has `{first}` and `{second}`; a row has one of `percentage`, `price` and `amount`")]
    TwoRules {
        /// One of them.
        first: &'static str,
        /// Another.
        second: &'static str,
    },
    /// A price for a product and a category.
    #[error("has `product_id` and `category`; a row is for a product, a category, or neither")]
    TwoScopes,
    /// A field of another kind of row.
    #[error("is {kind}, and `{field}` is a field of {other}; give each a row of its own")]
    TwoKinds {
        /// What the row is.
        kind: &'static str,
        /// The field.
        field: &'static str,
        /// Whose field that is.
        other: &'static str,
    },
    /// One entry of a user's list of discounts.
    #[error("discount {number}: {problem}")]
    InList {
        /// Which, counted from 1.
        number: usize,
        /// What is wrong with it.
        #[source]
        problem: Box<Problem>,
    },
    /// A CSV row with more or fewer fields than the header.
    #[error("has {found} fields, the header has {expected}")]
    FieldCount {
        /// How many columns there are.
        expected: usize,
        /// How many fields the row has.
        found: usize,
    },
    /// A CSV quote that is not closed on its line, or is followed by more than a delimiter.
    #[error("a quoted field does not end in `\"` and a delimiter or the end of the line")]
    Quote,
    /// Unknown columns of a CSV file.
    #[error(
        "unknown column{} {}{}; {} reads one as a field of ocache, {} leaves it out; {known}",
        if columns.len() == 1 { "" } else { "s" },
        columns.iter().map(|name| format!("`{}`", shown(name))).collect::<Vec<_>>().join(", "),
        did_you_mean(*.near),
        Advised::Map(&columns[0]),
        Advised::Ignore(&columns[0])
    )]
    UnknownColumns {
        /// Which; there is one at least.
        columns: Vec<String>,
        /// What the first was probably meant to be.
        near: Option<&'static str>,
        /// Those that there are.
        known: KnownColumns,
    },
    /// A CSV file with another delimiter.
    #[error(
        "the header is one column, `{}`, because the delimiter is {in_force}; load the file with {}; {columns}",
        shown(header),
        Advised::Delimiter(other)
    )]
    OtherDelimiter {
        /// The header.
        header: String,
        /// The delimiter in force.
        in_force: &'static str,
        /// The one that the header seems to have.
        other: &'static str,
        /// Those that there are.
        columns: KnownColumns,
    },
    /// A value in a column without a name.
    #[error("column {number} contains `{}`, and the header has no name for it", shown(text))]
    Nameless {
        /// Which, counted from 1.
        number: usize,
        /// What is in it.
        text: String,
    },
    /// What is wrong with the value of a column that is called otherwise in the file.
    #[error("column `{}`: {problem}", shown(column))]
    InColumn {
        /// Which.
        column: String,
        /// What is wrong with it.
        #[source]
        problem: Box<Problem>,
    },
    /// A number with a comma, where nobody said that it is a decimal one.
    #[error(
        "{problem}; if `,` is the decimal separator, load the file with {}",
        Advised::DecimalComma
    )]
    DecimalComma {
        /// What is wrong with it as it is.
        #[source]
        problem: Box<Problem>,
    },
    /// A number without a decimal comma, where all should have one.
    #[error(
        "`{}` is not a number with a decimal comma, such as 12,50 or 1.234,50; without a comma, a point is ambiguous",
        shown(text)
    )]
    NoDecimalComma {
        /// What was given.
        text: String,
    },
    /// The result of a formula that failed.
    #[error("`{text}` is the result of a formula that failed; fix it in the spreadsheet")]
    FailedFormula {
        /// What was given.
        text: String,
    },
    /// An id of which a spreadsheet has lost digits.
    #[error(
        "id `{}` is a long number that a spreadsheet has shortened; format its column as text and export it again",
        shown(text)
    )]
    ShortenedId {
        /// What was given.
        text: String,
    },
    /// A product that an earlier row has named already.
    #[error("product `{id}` is already given at {first}")]
    DuplicateProduct {
        /// Which.
        id: ProductId,
        /// Where it was first: `file:line`.
        first: String,
    },
    /// A user's list of discounts when there are already discounts of that user.
    #[error("discounts of customer `{user}` are already given at {first}")]
    DuplicateUser {
        /// Whose.
        user: UserId,
        /// Where they were first: `file:line`.
        first: String,
    },
    /// A second discount of one user for one product.
    #[error("customer `{user}` already has a discount for product `{product}` at {first}")]
    DuplicateDiscount {
        /// Whose.
        user: UserId,
        /// For which product.
        product: ProductId,
        /// Where it was first: `file:line`.
        first: String,
    },
    /// A second row of one user for one product from one quantity on.
    #[error(
        "customer `{user}` already has a row for product `{product}` with min_quantity {min_quantity} at {first}"
    )]
    DuplicateOwnRow {
        /// Whose.
        user: UserId,
        /// For which product.
        product: ProductId,
        /// From which quantity on.
        min_quantity: MinQuantity,
        /// Where it was first: `file:line`.
        first: String,
    },
    /// A customer that an earlier row has named already.
    #[error("customer `{user}` is already given at {first}")]
    DuplicateCustomer {
        /// Who.
        user: UserId,
        /// Where it was first: `file:line`.
        first: String,
    },
    /// A price list that an earlier row has named already.
    #[error("price list `{list}` is already given at {first}")]
    DuplicatePriceList {
        /// Which.
        list: PriceListId,
        /// Where it was first: `file:line`.
        first: String,
    },
    /// A second row of one list for one scope from one quantity on.
    #[error(
        "price list `{list}` already has a row for {scope} with min_quantity {min_quantity} at {first}"
    )]
    DuplicatePrice {
        /// Of which list.
        list: PriceListId,
        /// For which products.
        scope: Scope,
        /// From which quantity on.
        min_quantity: MinQuantity,
        /// Its first `file:line`.
        first: String,
    },
    /// A row of a list that is neither in the files nor in the store.
    #[error("{}", unknown_list(list))]
    UnknownPriceList {
        /// Which.
        list: PriceListId,
    },
    /// A price or an amount in a list without a currency.
    #[error("{}", no_currency(field, text, list))]
    NoCurrency {
        /// `price` or `amount`.
        field: &'static str,
        /// What was given.
        text: String,
        /// Of which list.
        list: PriceListId,
    },
    /// Another currency for a list whose stored prices are not all replaced.
    #[error(
        "price list `{list}` has prices in {stored}, such as for {scope}; load all its prices again with {}, or give the list another id",
        Advised::Prune
    )]
    OtherCurrency {
        /// Which list.
        list: PriceListId,
        /// The currency of its stored prices.
        stored: Currency,
        /// What one of them is for.
        scope: Scope,
    },
    /// Own rows in another currency than those that stay.
    #[error(
        "the list of customer `{user}` has prices in {stored}, such as for product `{product}`; load all its rows again without {}",
        Advised::Merge
    )]
    OtherOwnCurrency {
        /// Whose.
        user: UserId,
        /// The currency of the stored prices.
        stored: Currency,
        /// What one of them is for.
        product: ProductId,
    },
    /// More of a product costs more each.
    #[error(
        "{whose} rises for {scope}: from {from} to {to} at min_quantity {at}; a row for more may not be dearer"
    )]
    Rises {
        /// `price list …` or `the list of user …`.
        whose: String,
        /// For which products.
        scope: Box<Scope>,
        /// From there on.
        at: MinQuantity,
        /// What the row before says.
        from: String,
        /// What this row says.
        to: String,
    },
}
