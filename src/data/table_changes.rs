//! Turns the changes of another table's rows into one data set to load.
//!
//! A change has the row before it, the row after it, or both, each as an item of `DynamoDB`. An item stands
//! for one row or, if it is a customer's whole list, for several. The last change of each row counts: the
//! row is loaded or removed. Rows that no change names stay as they are.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::collect::Collector;
use super::dataset::Dataset;
use super::error::{DataErrors, Fault, Problem, RowError};
use super::given::Amounts;
use super::kinds::Expected;
use super::layout::Layout;
use super::record::{FileRecord, GivenOwnRow, item_keys, record};
use super::removed::RowKey;
use super::row::FileRow;
use crate::model::UserId;

/// Changes of one table's rows.
#[derive(Debug)]
pub struct TableChanges {
    table: PathBuf,
    amounts: Amounts,
    layout: Layout,
    /// The number of changes. They are numbered from 1, as lines are.
    changes: u32,
    /// The rows that were written, each with the number of the change that wrote it.
    written: Vec<(u32, RowKey, FileRecord)>,
    /// For each row the number of its last change, and whether the row exists since then.
    last: BTreeMap<RowKey, (u32, bool)>,
}

impl TableChanges {
    /// Returns an empty set of changes of a table with this name.
    #[must_use]
    pub fn of(table: &str, amounts: Amounts, layout: Layout) -> Self {
        Self {
            table: PathBuf::from(table),
            amounts,
            layout,
            changes: 0,
            written: vec![],
            last: BTreeMap::new(),
        }
    }

    /// Adds a change: the item before it, unless it is new, and the item after it, unless it is deleted.
    ///
    /// # Errors
    /// [`RowError`] with the number of the change as its line, if the new item cannot be understood. Then
    /// nothing of the change is added.
    pub fn add(&mut self, old: Option<&str>, new: Option<&str>) -> Result<(), Box<RowError>> {
        let line = self.changes + 1;
        let written = match new {
            Some(new) => self.rows(new).map_err(|problem| self.error(line, problem))?,
            None => vec![],
        };
        self.changes = line;
        // An old item that cannot be understood was never loaded. Rows of a still earlier item cannot be
        // known here.
        let gone = old.and_then(|old| item_keys(old, &self.layout.columns).ok());
        self.last.extend(gone.into_iter().flatten().map(|key| (key, (line, false))));
        for (key, record) in written {
            self.last.insert(key.clone(), (line, true));
            self.written.push((line, key, record));
        }
        Ok(())
    }

    /// Returns the data to load with `merge`. Whole lists have become single rows.
    ///
    /// # Errors
    /// [`DataErrors`], with the numbers of changes as lines, if rows contradict each other.
    pub fn into_data(self) -> Result<Dataset, DataErrors> {
        let Self { table, amounts, layout, written, last, .. } = self;
        let mut collector = Collector::new(amounts, layout, vec![]);
        let mut sink = collector.file(table);
        for (line, key, record) in written {
            if last.get(&key) == Some(&(line, true)) {
                sink.row(line, record);
            }
        }
        for (key, (line, _)) in last.into_iter().filter(|(_, (_, is_there))| !is_there) {
            sink.removed(line, vec![key]);
        }
        match collector.is_empty() {
            // All items were never understood and are deleted now, so there is nothing to do.
            true => Ok(Dataset { unit_decimals: amounts.unit_decimals, ..Dataset::default() }),
            false => collector.finish(),
        }
    }

    /// Returns the rows that an item stands for.
    fn rows(&self, item: &str) -> Result<Vec<(RowKey, FileRecord)>, Problem> {
        let columns = &self.layout.columns;
        let record =
            record(&mut FileRow::of_item(item, columns)?, Expected::Any, self.amounts, columns)?;
        Ok(match record {
            FileRecord::List(user, rows) => {
                rows.into_iter().map(|row| own(user.clone(), row)).collect()
            }
            FileRecord::One(user, row) => vec![own(user, row)],
            FileRecord::Product(product) => {
                vec![(RowKey::Product(product.id.clone()), FileRecord::Product(product))]
            }
            FileRecord::Customer(customer) => {
                vec![(RowKey::Customer(customer.user.clone()), FileRecord::Customer(customer))]
            }
            FileRecord::PriceList(list, local) => {
                vec![(RowKey::PriceList(list.id.clone()), FileRecord::PriceList(list, local))]
            }
            FileRecord::Price(list, scope, from, rule) => {
                let key = RowKey::Price(list.clone(), scope.clone(), from);
                vec![(key, FileRecord::Price(list, scope, from, rule))]
            }
        })
    }

    fn error(&self, line: u32, problem: Problem) -> Box<RowError> {
        let Fault { line, column, problem } = Fault::at(line, problem);
        Box::new(RowError { path: self.table.clone(), line, column, problem })
    }
}

fn own(user: UserId, row: GivenOwnRow) -> (RowKey, FileRecord) {
    let key = RowKey::Own(user.clone(), row.product_id.clone(), row.min_quantity);
    (key, FileRecord::One(user, row))
}
