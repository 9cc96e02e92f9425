//! The source tables: tables whose changes are loaded, and the meanings of their attributes.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::Deserialize;
use thiserror::Error;

use crate::data::{ColumnMeanings, Layout, LayoutError, NamedColumn};

/// The layout of each source table's items, by the table's name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SourceTables(BTreeMap<String, Layout>);

/// The configuration of one table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceTable {
    /// Attributes that are fields of ocache under other names.
    #[serde(default)]
    columns: BTreeMap<String, String>,
    /// Attributes that are left out.
    #[serde(default)]
    ignore: Vec<String>,
    /// Whether all unknown attributes are left out.
    #[serde(default)]
    ignore_unknown: bool,
}

/// Why the configuration of source tables is refused.
#[derive(Debug, Error)]
pub(super) enum SourceTablesError {
    /// The text is not what `infra/` writes.
    #[error("the source tables are no JSON object of tables: {why}")]
    Json { why: serde_json::Error },
    /// The meanings of a table's attributes contradict each other, or name fields that do not exist.
    #[error("source table `{table}`: {why}")]
    Columns { table: String, why: LayoutError },
}

impl SourceTables {
    /// Returns the layout of a table's items, or `None` if it is not a source table.
    pub(super) fn layout(&self, table: &str) -> Option<&Layout> {
        self.0.get(table)
    }
}

/// Parses JSON such as `{"articles": {"columns": {"sku": "id"}, "ignore_unknown": true}}`.
impl FromStr for SourceTables {
    type Err = SourceTablesError;

    fn from_str(json: &str) -> Result<Self, SourceTablesError> {
        let tables = serde_json::from_str::<BTreeMap<String, SourceTable>>(json);
        let tables = tables.map_err(|why| SourceTablesError::Json { why })?;
        let layouts = tables.into_iter().map(|(table, said)| match said.columns() {
            Ok(columns) => Ok((table, Layout { columns, ..Layout::default() })),
            Err(why) => Err(SourceTablesError::Columns { table, why }),
        });
        Ok(Self(layouts.collect::<Result<_, _>>()?))
    }
}

impl SourceTable {
    fn columns(self) -> Result<ColumnMeanings, LayoutError> {
        let named = self.columns.iter().map(|(column, field)| NamedColumn::new(column, field));
        let named = named.collect::<Result<Vec<_>, _>>()?;
        let mut columns = ColumnMeanings::of(named, self.ignore)?;
        columns.ignore_unknown = self.ignore_unknown;
        Ok(columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_table_has_its_own_names() {
        let tables: SourceTables = r#"{
            "articles": { "columns": { "sku": "id" }, "ignore": ["EAN"] },
            "conditions": { "columns": { "sku": "product_id" }, "ignore_unknown": true },
            "plain": {}
        }"#
        .parse()
        .unwrap();
        assert_eq!(tables.layout("plain"), Some(&Layout::default()));
        assert_ne!(tables.layout("articles"), tables.layout("conditions"));
        assert_eq!(tables.layout("others"), None);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (json, part) in [
            ("[]", "no JSON object of tables"),
            (r#"{"a":{"map":{}}}"#, "no JSON object of tables"),
            (r#"{"a":{"columns":{"sku":"idd"}}}"#, "source table `a`: `idd` is not a field"),
            (r#"{"a":{"columns":{"x":"id"},"ignore":["x"]}}"#, "column `x` has two meanings"),
        ] {
            let error = json.parse::<SourceTables>().unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
