//! The section `[load]` in `ocache.toml`: the layout of data files, so that it need not be typed for each
//! load.

use std::path::Path;
use std::str::FromStr;

use toml::{Table, Value};

use super::args::LayoutArgs;
use super::failure::{ExitCode, Failure, Result};
use crate::data::{ColumnMeanings, Delimiter, Layout, LayoutError, NamedColumn, TextEncoding};

/// The settings of the section.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LoadSection {
    delimiter: Option<Delimiter>,
    decimal_comma: bool,
    line_breaks: bool,
    encoding: Option<TextEncoding>,
    columns: ColumnMeanings,
}

impl LoadSection {
    pub(super) const NAME: &str = "load";

    pub(super) fn read(section: Value, file: &Path) -> Result<Self> {
        let wrong = |key: &str, why: &str| {
            let message = format!("`load.{key}` in settings file `{}`: {why}", file.display());
            Failure::new(ExitCode::Usage, message)
        };
        let Value::Table(section) = section else {
            let hint = "a section is such as: [load]\ndelimiter = \"semicolon\"";
            return Err(wrong("", "is not a section").hint(hint));
        };
        let mut read = Self::default();
        for (key, value) in section {
            read.take(&key, value).map_err(|why| wrong(&key, &why))?;
        }
        Ok(read)
    }

    fn take(&mut self, key: &str, value: Value) -> Result<(), String> {
        match key {
            "delimiter" => self.delimiter = Some(parsed(&value)?),
            "encoding" => self.encoding = Some(parsed(&value)?),
            "decimal-comma" => self.decimal_comma = truth(&value)?,
            "line-breaks" => self.line_breaks = truth(&value)?,
            "ignore-unknown" => self.columns.ignore_unknown = truth(&value)?,
            "ignore" => {
                let Value::Array(columns) = value else { return Err("is not a list".to_owned()) };
                for column in &columns {
                    let column = text(column)?.to_owned();
                    self.columns.ignore(column).map_err(said)?;
                }
            }
            "columns" => self.take_columns(value)?,
            _ => {
                return Err(
                    "is not a setting; the settings are delimiter, decimal-comma, line-breaks, encoding, \
                     ignore, ignore-unknown and columns"
                        .to_owned(),
                );
            }
        }
        Ok(())
    }

    fn take_columns(&mut self, value: Value) -> Result<(), String> {
        let Value::Table(columns) = value else {
            return Err("is not a section of lines such as \"sku\" = \"id\"".to_owned());
        };
        let columns: Table = columns;
        for (column, field) in &columns {
            let named = NamedColumn::new(column, text(field)?).map_err(said)?;
            self.columns.name(named).map_err(said)?;
        }
        Ok(())
    }

    /// Returns the layout. Typed flags take precedence over the section.
    pub(super) fn under(&self, typed: &LayoutArgs) -> Result<Layout> {
        let usage = |error: LayoutError| Failure::new(ExitCode::Usage, said(error));
        let mut columns =
            ColumnMeanings::of(typed.map.clone(), typed.ignore.clone()).map_err(usage)?;
        columns.ignore_unknown = typed.ignore_unknown;
        Ok(Layout {
            delimiter: typed.delimiter.or(self.delimiter).unwrap_or_default(),
            // The section is for all files, so a line of one file takes precedence over it.
            delimiter_is_given: typed.delimiter.is_some(),
            decimal_comma: typed.decimal_comma || self.decimal_comma,
            line_breaks: typed.line_breaks || self.line_breaks,
            encoding: typed.encoding.or(self.encoding).unwrap_or_default(),
            columns: columns.or(self.columns.clone()),
        })
    }
}

fn said(error: LayoutError) -> String {
    error.to_string()
}

fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| format!("is {}, not text", value.type_str()))
}

fn truth(value: &Value) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| format!("is {}, not true or false", value.type_str()))
}

fn parsed<T: FromStr<Err = LayoutError>>(value: &Value) -> Result<T, String> {
    text(value)?.parse().map_err(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<LoadSection, String> {
        let section = Value::Table(text.parse().unwrap());
        LoadSection::read(section, Path::new("ocache.toml")).map_err(|failure| failure.to_text())
    }

    fn typed(map: &[&str]) -> LayoutArgs {
        LayoutArgs {
            delimiter: None,
            decimal_comma: false,
            line_breaks: false,
            encoding: None,
            map: map.iter().map(|text| text.parse().unwrap()).collect(),
            ignore: vec![],
            ignore_unknown: false,
        }
    }

    #[test]
    fn what_is_typed_takes_precedence() {
        let section = read(
            "delimiter = \"semicolon\"\ndecimal-comma = true\nline-breaks = true\n\
             encoding = \"windows-1252\"\nignore = [\"EAN\"]\n[columns]\nsku = \"id\"\n\"Preis EUR\" = \"price.EUR\"\n",
        )
        .unwrap();
        let layout = section.under(&typed(&[])).unwrap();
        assert_eq!(layout.delimiter, Delimiter::Semicolon);
        assert!(layout.decimal_comma && layout.line_breaks);
        assert_ne!(layout.encoding, TextEncoding::default());
        let mut other = typed(&["sku=name"]);
        other.delimiter = Some(Delimiter::Tab);
        let other = section.under(&other).unwrap();
        assert_eq!(other.delimiter, Delimiter::Tab);
        assert_ne!(other.columns, layout.columns);
        assert!(section.under(&typed(&["sku=name", "sku=id"])).is_err());
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, named) in [
            (
                "delimitr = \"tab\"",
                "`load.delimitr` in settings file `ocache.toml`: is not a setting",
            ),
            ("delimiter = \":\"", "`:` is not a separator"),
            ("decimal-comma = \"yes\"", "is string, not true or false"),
            ("encoding = 8", "is integer, not text"),
            ("ignore = \"EAN\"", "is not a list"),
            ("[columns]\nsku = \"idd\"", "`idd` is not a field, did you mean `id`?"),
            ("columns = \"sku\"", "is not a section of lines"),
        ] {
            let failure = read(text).unwrap_err();
            assert!(failure.contains(named), "{text}: {failure}");
        }
    }
}
