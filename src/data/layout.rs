//! The layout of files: what a user says about them, because their content does not show it.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use thiserror::Error;

use super::field::Field;
use super::names::{did_you_mean, nearest, shown};
use super::target::Target;
use crate::model::named;

/// The layout of files. By default CSV has commas and decimal points, text is UTF-8, and columns have
/// ocache's names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// What separates the fields of CSV files.
    pub delimiter: Delimiter,
    /// Whether the delimiter was given for these files. Then a line such as `sep=;` may not name another one.
    pub delimiter_is_given: bool,
    /// Whether numbers in CSV files have a decimal comma.
    pub decimal_comma: bool,
    /// Whether quoted fields of CSV files may have line breaks. If they may not, a quote that is there by mistake
    /// is found on its line.
    pub line_breaks: bool,
    /// The encoding of text without a byte order mark.
    pub encoding: TextEncoding,
    /// The meanings of columns and JSON fields.
    pub columns: ColumnMeanings,
}

named! {
    /// What separates the fields of a line of CSV.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum Delimiter {
        /// `,`
        #[default]
        Comma => "comma",
        /// `;`
        Semicolon => "semicolon",
        /// A tab.
        Tab => "tab",
        /// `|`
        Pipe => "pipe",
    }
}

/// The encoding of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextEncoding(&'static encoding_rs::Encoding);

/// The meanings of columns that do not have ocache's names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnMeanings {
    named: BTreeMap<String, (Target, Met)>,
    ignored: BTreeMap<String, Met>,
    /// Whether unknown columns are left out.
    pub ignore_unknown: bool,
}

/// Whether a file has a column that the layout names. Copies of a layout share the flag.
#[derive(Clone, Debug)]
struct Met(Arc<AtomicBool>);

impl Met {
    fn expected() -> Self {
        Self(Arc::new(AtomicBool::new(false)))
    }

    /// Returns the flag of a column that no file must have.
    fn optional() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }

    fn is_met(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn meet(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// All flags are equal, because what was read is not part of a layout.
impl PartialEq for Met {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Met {}

/// A column and the field that it holds, as in `sku=id`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedColumn {
    column: String,
    target: Target,
}

/// What a column means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Is(Target),
    Ignored,
    Unknown,
}

/// Why a layout is refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum LayoutError {
    /// The text is not a delimiter.
    #[error("`{}` is not a separator; use comma, semicolon, tab or pipe", shown(.0))]
    Delimiter(String),
    /// The text is not an encoding.
    #[error(
        "`{}` is not an encoding; use one such as utf-8, utf-16, windows-1252 or iso-8859-15",
        shown(.0)
    )]
    Encoding(String),
    /// The text names a column, but not its field.
    #[error("`{}` does not name a column and a field, as sku=id does", shown(.0))]
    NoTarget(String),
    /// The text is not a field.
    #[error("`{}` is not a field{}", shown(.field), did_you_mean(*.near))]
    Field {
        /// What was given.
        field: String,
        /// The field that was probably meant.
        near: Option<&'static str>,
    },
    /// The column has two meanings.
    #[error("column `{}` has two meanings", shown(.0))]
    Twice(String),
}

impl Delimiter {
    pub(super) const fn char(self) -> char {
        match self {
            Self::Comma => ',',
            Self::Semicolon => ';',
            Self::Tab => '\t',
            Self::Pipe => '|',
        }
    }
}

/// Parses a delimiter by its name, or as the character itself.
impl FromStr for Delimiter {
    type Err = LayoutError;

    fn from_str(text: &str) -> Result<Self, LayoutError> {
        let is_meant = |delimiter: &Self| {
            text.eq_ignore_ascii_case(delimiter.name())
                || text.strip_prefix(delimiter.char()) == Some("")
                || (*delimiter == Self::Tab && text == "\\t")
        };
        let found = Self::ALL.into_iter().find(is_meant);
        found.ok_or_else(|| LayoutError::Delimiter(text.to_owned()))
    }
}

impl TextEncoding {
    pub(super) const fn get(self) -> &'static encoding_rs::Encoding {
        self.0
    }
}

impl Default for TextEncoding {
    fn default() -> Self {
        Self(encoding_rs::UTF_8)
    }
}

/// Parses an encoding by any of the names that web pages use.
impl FromStr for TextEncoding {
    type Err = LayoutError;

    fn from_str(text: &str) -> Result<Self, LayoutError> {
        let encoding = encoding_rs::Encoding::for_label_no_replacement(text.as_bytes());
        encoding.map(Self).ok_or_else(|| LayoutError::Encoding(text.to_owned()))
    }
}

impl NamedColumn {
    /// Returns a column for a field such as `id` or `price.EUR`.
    ///
    /// # Errors
    /// [`LayoutError::Field`] if there is no such field.
    pub fn new(column: &str, field: &str) -> Result<Self, LayoutError> {
        let unknown =
            || LayoutError::Field { field: field.to_owned(), near: nearest(field, Field::names()) };
        let target = Target::named(field).ok().flatten().ok_or_else(unknown)?;
        Ok(Self { column: column.to_owned(), target })
    }
}

impl FromStr for NamedColumn {
    type Err = LayoutError;

    fn from_str(text: &str) -> Result<Self, LayoutError> {
        // A column's name may contain an equals sign, a field's name may not.
        let parts = text.rsplit_once('=').filter(|(column, _)| !column.trim().is_empty());
        let (column, field) = parts.ok_or_else(|| LayoutError::NoTarget(text.to_owned()))?;
        Self::new(column.trim(), field.trim())
    }
}

impl ColumnMeanings {
    /// Returns the meanings of named columns and of columns to leave out.
    ///
    /// # Errors
    /// [`LayoutError::Twice`] if a column has two meanings.
    pub fn of(
        named: impl IntoIterator<Item = NamedColumn>,
        ignored: impl IntoIterator<Item = String>,
    ) -> Result<Self, LayoutError> {
        let mut columns = Self::default();
        named.into_iter().try_for_each(|column| columns.name(column))?;
        ignored.into_iter().try_for_each(|column| columns.ignore(column))?;
        Ok(columns)
    }

    /// Gives a column its meaning.
    ///
    /// # Errors
    /// [`LayoutError::Twice`] if it already has another one.
    pub fn name(&mut self, column: NamedColumn) -> Result<(), LayoutError> {
        let NamedColumn { column, target } = column;
        let is_other = self.named.get(&column).is_some_and(|(known, _)| *known != target);
        if is_other || self.ignored.contains_key(&column) {
            return Err(LayoutError::Twice(column));
        }
        self.named.insert(column, (target, Met::expected()));
        Ok(())
    }

    /// Leaves a column out.
    ///
    /// # Errors
    /// [`LayoutError::Twice`] if it already has a meaning.
    pub fn ignore(&mut self, column: String) -> Result<(), LayoutError> {
        if self.named.contains_key(&column) {
            return Err(LayoutError::Twice(column));
        }
        self.ignored.insert(column, Met::expected());
        Ok(())
    }

    /// Returns these meanings, and those of `others` for columns that these do not name. No file need have
    /// the columns of `others`.
    #[must_use]
    pub fn or(mut self, others: Self) -> Self {
        for (column, (target, _)) in others.named {
            if !self.ignored.contains_key(&column) {
                self.named.entry(column).or_insert((target, Met::optional()));
            }
        }
        for (column, _) in others.ignored {
            if !self.named.contains_key(&column) {
                self.ignored.entry(column).or_insert(Met::optional());
            }
        }
        self.ignore_unknown |= others.ignore_unknown;
        self
    }

    /// Returns what a column or a JSON field means.
    pub(super) fn meaning(&self, name: &str) -> Meaning {
        if let Some((target, met)) = self.named.get(name) {
            met.meet();
            return Meaning::Is(*target);
        }
        if let Some(met) = self.ignored.get(name) {
            met.meet();
            return Meaning::Ignored;
        }
        match Field::named(name) {
            Some(field) => Meaning::Is(Target::Field(field)),
            None if self.ignore_unknown => Meaning::Ignored,
            None => Meaning::Unknown,
        }
    }

    /// Whether the layout gives a meaning to a name.
    pub(super) fn says(&self, name: &str) -> bool {
        self.named.contains_key(name) || self.ignored.contains_key(name)
    }

    /// Returns the columns that the layout names for these files, but that no file has.
    pub(super) fn unmet(&self) -> Vec<String> {
        let named = self.named.iter().map(|(column, (_, met))| (column, met));
        let all = named.chain(&self.ignored).filter(|(_, met)| !met.is_met());
        all.map(|(column, _)| column.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_have_names_and_signs() {
        for (text, delimiter) in [
            (",", Delimiter::Comma),
            ("Semicolon", Delimiter::Semicolon),
            ("\t", Delimiter::Tab),
            ("\\t", Delimiter::Tab),
            ("tab", Delimiter::Tab),
            ("|", Delimiter::Pipe),
        ] {
            assert_eq!(text.parse(), Ok(delimiter), "{text}");
        }
        for text in ["", ";;", ":", "colon"] {
            assert_eq!(text.parse::<Delimiter>(), Err(LayoutError::Delimiter(text.to_owned())));
        }
    }

    #[test]
    fn encodings_have_the_names_of_web_pages() {
        for text in ["utf-8", "UTF-16", "windows-1252", "latin1", "cp1252"] {
            assert!(text.parse::<TextEncoding>().is_ok(), "{text}");
        }
        let error = "ebcdic".parse::<TextEncoding>().unwrap_err();
        assert!(
            error.to_string().starts_with("`ebcdic` is not an encoding; use one such as utf-8")
        );
    }

    #[test]
    fn columns_are_named_once() {
        let mut columns = ColumnMeanings::default();
        columns.name("sku=id".parse().unwrap()).unwrap();
        columns.name("a=b=price.EUR".parse().unwrap()).unwrap();
        columns.ignore("EAN".to_owned()).unwrap();
        assert_eq!(columns.meaning("sku"), Meaning::Is(Target::Field(Field::Id)));
        assert!(matches!(columns.meaning("a=b"), Meaning::Is(Target::In(Field::Price, _))));
        assert_eq!(columns.meaning("EAN"), Meaning::Ignored);
        assert_eq!(columns.meaning("id"), Meaning::Is(Target::Field(Field::Id)));
        assert_eq!(columns.meaning("x"), Meaning::Unknown);
        assert!(columns.name("sku=id".parse().unwrap()).is_ok(), "the same again");
        assert!(columns.name("sku=name".parse().unwrap()).is_err());
        assert!(columns.name("EAN=id".parse().unwrap()).is_err());
        assert!(columns.ignore("sku".to_owned()).is_err());
        for (text, error) in [
            ("sku", "`sku` does not name a column and a field, as sku=id does"),
            ("sku=prize", "`prize` is not a field, did you mean `price`?"),
            ("sku=price.EUX", "`price.EUX` is not a field"),
        ] {
            assert_eq!(text.parse::<NamedColumn>().unwrap_err().to_string(), error);
        }
    }

    #[test]
    fn what_is_typed_takes_precedence_over_a_file() {
        let mut typed = ColumnMeanings::default();
        typed.name("sku=id".parse().unwrap()).unwrap();
        typed.ignore("EAN".to_owned()).unwrap();
        let mut file = ColumnMeanings::default();
        file.name("sku=name".parse().unwrap()).unwrap();
        file.name("EAN=category".parse().unwrap()).unwrap();
        file.name("Preis=price".parse().unwrap()).unwrap();
        let both = typed.or(file);
        assert_eq!(both.meaning("sku"), Meaning::Is(Target::Field(Field::Id)));
        assert_eq!(both.meaning("EAN"), Meaning::Ignored);
        assert_eq!(both.meaning("Preis"), Meaning::Is(Target::Field(Field::Price)));
    }
}
