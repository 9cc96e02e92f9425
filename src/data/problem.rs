//! The errors that a row, a file or a folder can have.

use std::io;

use thiserror::Error;

use super::duplicate::Duplicate;
use super::kinds::KnownColumns;
use super::limits::{MAX_ROW_BYTES, MAX_WRAPPER_DEPTH};
use super::names::{did_you_mean, shown};
use super::problem_words::{
    before_1970, deletion, no_currency, not_text, or_write, pruned_change, separator, surcharge,
    unknown_list, without_place,
};
use super::ways_out::Advised;
use crate::model::{
    CodePoint, DecimalError, IdError, PriceListId, ProductId, QuantityError, Timestamp, UserId,
    plural,
};
use crate::pricing::{
    CategoryError, Currency, Ladder, MinQuantity, MoneyError, Product, QuantityRulesError,
    RateError, Scope, WindowError,
};

/// What is wrong with a row, a file or a folder.
#[derive(Debug, Error)]
pub enum Problem {
    /// The file or folder does not exist, or reading it failed.
    #[error("cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// A folder without any data file.
    #[error("has no data files (.json, .ndjson, .jsonl, .csv or .tsv, also compressed as .gz)")]
    EmptyFolder,
    /// The files have no rows at all.
    #[error("has no rows")]
    NoRows,
    /// Text that is not UTF-8, or that contains NUL.
    #[error("{}", not_text())]
    NotText,
    /// An archive of files, such as a spreadsheet's own format.
    #[error("is a ZIP archive, as .xlsx and .ods files are; save the table as CSV")]
    Archive,
    /// A deletion that does not say what the deleted item was.
    #[error("{}", deletion())]
    Deletion,
    /// An incremental change, given together with the option to remove all rows that the data does not
    /// have.
    #[error("{}", pruned_change())]
    PrunedChange,
    /// JSON that ends before it is complete.
    #[error("the JSON is cut off")]
    Truncated(#[source] serde_json::Error),
    /// JSON that is broken.
    #[error("is not JSON: {}", without_place(.0))]
    NotJson(#[source] serde_json::Error),
    /// A row, or a discount in a list, that is not a JSON object.
    #[error("is not a JSON object")]
    NotAnObject,
    /// Rows inside too many objects.
    #[error("is inside more than {} objects", MAX_WRAPPER_DEPTH)]
    TooDeep,
    /// An unknown field.
    #[error("unknown field `{field}`{}", did_you_mean(*.near))]
    UnknownField {
        /// The field that was given.
        field: String,
        /// The field that was probably meant.
        near: Option<&'static str>,
    },
    /// A table of a batch write that is neither products nor discounts.
    #[error("unknown table `{table}`{}", did_you_mean(*.near))]
    UnknownTable {
        /// The table that was given.
        table: String,
        /// The table that was probably meant.
        near: Option<&'static str>,
    },
    /// An image of an item of an incremental export, with a key attribute that differs from `Keys`.
    #[error("`{}` does not have the `{}` of `Keys`, so the export is damaged; export the table again", .0, shown(.1))]
    OtherKey(&'static str, String),
    /// A required field that is missing.
    #[error("`{field}` is missing")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// A field that is given twice, by one name or by two names of the same field.
    #[error("`{field}` is given twice")]
    Repeated {
        /// The field.
        field: &'static str,
    },
    /// A value of the wrong kind.
    #[error("`{field}` is {found}, not {expected}{}", or_write(right.as_deref()))]
    WrongKind {
        /// The field.
        field: &'static str,
        /// What is expected, with its article.
        expected: &'static str,
        /// What was found, with its article, and its value if that is short.
        found: String,
        /// The same value in the right notation.
        right: Option<String>,
    },
    /// A product without a name.
    #[error("`name` is empty")]
    EmptyName,
    /// A product's name that is too long.
    #[error("`name` has {bytes} bytes, {max} are allowed", max = Product::MAX_NAME_BYTES)]
    LongName {
        /// Its length in bytes.
        bytes: usize,
    },
    /// A product's name with a line break or another control character.
    #[error("`name` `{}` has {code_point}, a control character", shown(name))]
    ControlCharacter {
        /// The name that was given.
        name: String,
        /// The first such character.
        code_point: CodePoint,
    },
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
    /// A quantity of zero or less where it must be positive.
    #[error(
        "`{field}` `{}` is not positive; give a number above 0, such as 1 or 0.5, or leave it out",
        shown(text)
    )]
    NotPositive {
        /// The field.
        field: &'static str,
        /// The text that was given.
        text: String,
    },
    /// Quantity rules of a product that contradict each other.
    #[error("product `{product}`: {problem}")]
    QuantityRules {
        /// The product.
        product: ProductId,
        /// The contradiction.
        #[source]
        problem: QuantityRulesError,
    },
    /// A bad category.
    #[error(transparent)]
    Category(#[from] CategoryError),
    /// A window that ends before it begins.
    #[error("price list `{list}`: {problem}; give it a later `until`, or leave `until` out")]
    Window {
        /// The price list.
        list: PriceListId,
        /// The error of the window.
        #[source]
        problem: WindowError,
    },
    /// An error in the value of a field, where the error itself does not name the field.
    #[error("`{field}`: {problem}")]
    InField {
        /// The field.
        field: String,
        /// The error.
        #[source]
        problem: Box<Problem>,
    },
    /// An amount that is not a decimal number.
    #[error("`{field}` `{}` {why}", shown(text))]
    Amount {
        /// The field.
        field: &'static str,
        /// The text that was given.
        text: String,
        /// The reason.
        why: DecimalError,
    },
    /// An amount below zero.
    #[error("`{field}` `{}` is negative{}", shown(text), surcharge(field))]
    NegativeAmount {
        /// The field.
        field: &'static str,
        /// The text that was given.
        text: String,
    },
    /// Two amounts in one currency.
    #[error("`{field}` is given twice for {currency}")]
    RepeatedAmount {
        /// The field.
        field: &'static str,
        /// The currency.
        currency: Currency,
    },
    /// A currency that does not exist.
    #[error("`{}` is not a currency code of ISO 4217, such as USD", shown(code))]
    Currency {
        /// The code that was given.
        code: String,
    },
    /// A priority that is not a whole number.
    #[error("`priority` `{}` is not a whole number from {} to {}", shown(text), i32::MIN, i32::MAX)]
    Priority {
        /// The text that was given.
        text: String,
    },
    /// A time that cannot be read.
    #[error(
        "`{field}` `{}` is not a time; write 2026-04-01, or an instant, such as 2026-04-01T00:00:00Z",
        shown(text)
    )]
    Time {
        /// The field.
        field: &'static str,
        /// The text that was given.
        text: String,
    },
    /// A time whose time zone is not known.
    #[error(
        "`{field}` `{}` has no time zone; name one in `time_zone`, such as Europe/Berlin, or write an instant, such as 2026-04-01T00:00:00Z",
        shown(text)
    )]
    NoTimeZone {
        /// The field.
        field: &'static str,
        /// The text that was given.
        text: String,
    },
    /// A time that is finer than milliseconds.
    #[error("`{field}` `{}` is finer than a millisecond", shown(text))]
    FineTime {
        /// The field.
        field: &'static str,
        /// The text that was given.
        text: String,
    },
    /// A time before 1970, which ocache cannot store.
    #[error("{}", before_1970(field, text, *instant))]
    BeforeEpoch {
        /// The field.
        field: &'static str,
        /// The text that was given.
        text: String,
        /// The instant that it means.
        instant: Timestamp,
    },
    /// A time zone that does not exist.
    #[error(
        "`time_zone` `{}` is not a time zone of the IANA database, such as Europe/Berlin",
        shown(name)
    )]
    TimeZone {
        /// The name that was given.
        name: String,
    },
    /// A row that does not say what anything costs.
    #[error("`percentage`, `price` or `amount` is missing")]
    NoRule,
    /// A row that says in two ways what something costs.
    #[error("has `{first}` and `{second}`; a row has one of `percentage`, `price` and `amount`")]
    TwoRules {
        /// One of the two fields.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// A price for both a product and a category.
    #[error("has `product_id` and `category`; a row is for a product, a category, or neither")]
    TwoScopes,
    /// A field that belongs to another kind of row.
    #[error("is {kind}, and `{field}` is a field of {other}; give each a row of its own")]
    TwoKinds {
        /// What the row is.
        kind: &'static str,
        /// The field.
        field: &'static str,
        /// What kind of row the field belongs to.
        other: &'static str,
    },
    /// An error in one entry of a user's list of discounts.
    #[error("discount {number}: {problem}")]
    InList {
        /// The number of the entry, counted from 1.
        number: usize,
        /// The error.
        #[source]
        problem: Box<Problem>,
    },
    /// A CSV row with more or fewer fields than the header.
    #[error("has {found} {}, the header has {expected}", plural(*.found, "field", "fields"))]
    FieldCount {
        /// How many columns the header has.
        expected: usize,
        /// How many fields the row has.
        found: usize,
    },
    /// A CSV quote that is not followed by a delimiter.
    #[error(
        "a quoted field does not end in `\"` and a delimiter or the end of a line; write `\"\"` for a quote inside it"
    )]
    Quote,
    /// A CSV quote that is not closed on its line, in a file whose fields have no line breaks.
    #[error(
        "a quoted field is not closed on its line; end it with `\"`, or, if fields have line breaks, load the file with {}",
        Advised::LineBreaks
    )]
    OpenQuote,
    /// A CSV quote that is not closed, in a file whose fields may have line breaks.
    #[error(
        "a quoted field is not closed; end it with `\"` (a row of several lines has {} MB at most)",
        MAX_ROW_BYTES / (1024 * 1024)
    )]
    EndlessQuote,
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
        /// The columns. There is at least one.
        columns: Vec<String>,
        /// What the first one was probably meant to be.
        near: Option<&'static str>,
        /// The known columns.
        known: KnownColumns,
    },
    /// A CSV file with a delimiter other than the one in force.
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
        /// The delimiter that the header seems to have.
        other: &'static str,
        /// The known columns.
        columns: KnownColumns,
    },
    /// A CSV file with quoted names of columns and a delimiter other than the one in force.
    #[error(
        "the fields of the header seem to be separated by {}, and the delimiter is {in_force}; load the file with {}; {columns}",
        separator(*sign),
        Advised::Delimiter(other)
    )]
    QuotedDelimiter {
        /// The delimiter in force.
        in_force: &'static str,
        /// The delimiter that the header seems to have.
        sign: char,
        /// Its name.
        other: &'static str,
        /// The known columns.
        columns: KnownColumns,
    },
    /// A line such as `sep=;` names another delimiter than the one that was given.
    #[error("says that the delimiter is {}, and {} says another; leave out one of them", .0, Advised::Delimiter(.1))]
    TwoDelimiters(&'static str, &'static str),
    /// A value in a column without a name.
    #[error("column {number} contains `{}`, and the header has no name for it", shown(text))]
    Nameless {
        /// The number of the column, counted from 1.
        number: usize,
        /// The value.
        text: String,
    },
    /// An error in a value of a column that has another name in the file than its field.
    #[error("column `{}`: {problem}", shown(column))]
    InColumn {
        /// The column.
        column: String,
        /// The error.
        #[source]
        problem: Box<Problem>,
    },
    /// A number with a comma, although the layout does not have decimal commas.
    #[error(
        "{problem}; if `,` is the decimal separator, load the file with {}",
        Advised::DecimalComma
    )]
    DecimalComma {
        /// The error of the number as it is.
        #[source]
        problem: Box<Problem>,
    },
    /// A number without a decimal comma, although the layout has decimal commas.
    #[error(
        "`{}` is not a number with a decimal comma, such as 12,50 or 1.234,50; without a comma, a point is ambiguous",
        shown(text)
    )]
    NoDecimalComma {
        /// The text that was given.
        text: String,
    },
    /// The result of a formula that failed.
    #[error("`{}` is the result of a formula that failed; fix it in the spreadsheet", shown(text))]
    FailedFormula {
        /// The text that was given.
        text: String,
    },
    /// An id that has lost digits in a spreadsheet.
    #[error(
        "id `{}` is a long number that a spreadsheet has shortened; format its column as text and export it again",
        shown(text)
    )]
    ShortenedId {
        /// The text that was given.
        text: String,
    },
    /// A row that is given twice.
    #[error(transparent)]
    Duplicate(#[from] Duplicate),
    /// A row of a list that is neither in the files nor in the store.
    #[error("{}", unknown_list(list))]
    UnknownPriceList {
        /// The list.
        list: PriceListId,
    },
    /// A price or an amount in a list that has no currency.
    #[error("{}", no_currency(field, text, list))]
    NoCurrency {
        /// `price` or `amount`.
        field: &'static str,
        /// The text that was given.
        text: String,
        /// The list.
        list: PriceListId,
    },
    /// A new currency for a list, although not all its stored prices are replaced.
    #[error(
        "price list `{list}` has prices in {stored}, such as for {scope}; load all its prices again with {}, or give the list another id",
        Advised::Prune
    )]
    OtherCurrency {
        /// The list.
        list: PriceListId,
        /// The currency of its stored prices.
        stored: Currency,
        /// The scope of one of them.
        scope: Scope,
    },
    /// Own rows in a currency other than that of stored rows that stay.
    #[error(
        "the list of customer `{user}` has prices in {stored}, such as for product `{product}`; load all its rows again without {}",
        Advised::Merge
    )]
    OtherOwnCurrency {
        /// The customer.
        user: UserId,
        /// The currency of the stored rows.
        stored: Currency,
        /// The product of one of them.
        product: ProductId,
    },
    /// A ladder with more tiers than a table has room for.
    #[error("{whose} has more than {} tiers for {scope}", Ladder::MOST_RUNGS)]
    TooManyRungs {
        /// `price list …` or `the list of customer …`.
        whose: String,
        /// The scope.
        scope: Box<Scope>,
    },
    /// A ladder whose unit price rises with the quantity.
    #[error(
        "{whose} rises for {scope}: from {from} to {to} at min_quantity {at}; a row for more may not be dearer"
    )]
    Rises {
        /// `price list …` or `the list of customer …`.
        whose: String,
        /// The scope.
        scope: Box<Scope>,
        /// The quantity from which on the price rises.
        at: MinQuantity,
        /// What the row before states.
        from: String,
        /// What this row states.
        to: String,
    },
}
