//! The journals of loads, and the writes that bring them into force.

use std::collections::HashSet;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::batch::Write;
use super::conditions::{Conditional, conditional};
use super::head::{self, VERSION};
use super::item::{Item, MAX_ITEM_BYTES, blob, item, item_bytes, number, text};
use super::loaded::{id_of, place_of, row, version_of};
use super::names::DynamoTable;
use super::overlay::CHANGES;
use super::tables::{Tables, WRITTEN_BY, was_written_by};
use crate::meter::journal_items::{JournalItem, pack};
use crate::model::Timestamp;
use crate::ports::{
    Changes, Commit, Committed, Cursor, Journal, LoadId, Loads, Page, PortError, RecordKey,
    RowChange,
};

/// The tables that loads write.
const LOADED: [DynamoTable; 4] = [
    DynamoTable::Products,
    DynamoTable::Discounts,
    DynamoTable::Customers,
    DynamoTable::PriceLists,
];
/// How many rows are written at once while a journal is folded.
const FOLDS_IN_FLIGHT: usize = 50;

/// Returns an item of a journal.
pub(super) fn journal_item(load: &LoadId, packed: JournalItem) -> Item {
    let mut item = journal_place(load, packed.first);
    item.insert(CHANGES.to_owned(), blob(packed.packed));
    item
}

fn journal_place(load: &LoadId, first: String) -> Item {
    item([("load_id", text(&load.0)), ("first", text(first))])
}

/// Returns the part of an update of the head that sets the versions of the last loads that changed
/// something. The versions are those of [`CatalogueHead::after`].
///
/// [`CatalogueHead::after`]: crate::ports::CatalogueHead::after
fn versions(changes: Changes, expected: Option<u64>) -> String {
    let Changes { products, lists, shared_lists, customers } = changes;
    let base_version = match (products, expected) {
        (true, _) => ":next",
        // A head of an older release has no base version. Its version counts as one.
        (false, Some(_)) => "if_not_exists(base_version, version)",
        (false, None) => ":zero",
    };
    let mut set = vec![format!("base_version = {base_version}")];
    // An absent version means that no load ever set it.
    set.extend(lists.then(|| "lists_version = :next".to_owned()));
    set.extend((products || shared_lists).then(|| "shared_version = :next".to_owned()));
    set.extend(customers.then(|| "has_customers = :yes".to_owned()));
    set.join(", ")
}

impl Tables {
    /// Checks that the row of a change will fit into an item once it is folded.
    fn check_row(&self, change: &RowChange) -> Result<(), PortError> {
        let key = change.key();
        let bytes = item_bytes(&row(change, u64::MAX, Timestamp::default())?);
        if bytes <= MAX_ITEM_BYTES {
            return Ok(());
        }
        let (table, _) = place_of(&key);
        let hint = match key {
            RecordKey::PriceList(_) => "; give it to a group instead of to each of many customers",
            _ => "",
        };
        Err(PortError::rejected(
            key.to_string(),
            format!(
                "its item of {} takes {bytes} bytes, {MAX_ITEM_BYTES} are allowed{hint}",
                self.resource(table)
            ),
        ))
    }

    /// Returns the changes whose rows have a lower version. All changes are of one table.
    async fn due<'a>(
        &self,
        table: DynamoTable,
        version: u64,
        changes: &[&'a RowChange],
    ) -> Result<Vec<&'a RowChange>, PortError> {
        let keys = changes.iter().map(|change| place_of(&change.key()).1).collect();
        let fields = format!("{}, {VERSION}", table.keys().join(", "));
        let rows = self.read_fields(table, keys, &fields).await?;
        let mut done = HashSet::new();
        for row in &rows {
            if version_of(table, row)? >= version {
                done.insert(id_of(table, row)?);
            }
        }
        let is_due = |change: &&&RowChange| {
            let (_, place) = place_of(&change.key());
            id_of(table, &place).is_ok_and(|id| !done.contains(&id))
        };
        Ok(changes.iter().filter(is_due).copied().collect())
    }

    /// Writes a row, unless it has this version or a later one.
    async fn fold_row(&self, table: DynamoTable, row: Item, version: u64) -> Result<(), PortError> {
        let call = self.client.put_item().table_name(self.name(table)).set_item(Some(row));
        let sent = call
            .condition_expression(format!(
                "attribute_not_exists({VERSION}) OR {VERSION} < :version"
            ))
            .expression_attribute_values(":version", number(version))
            .send()
            .await;
        // A failed condition means that the row was written meanwhile, by this load or a later one.
        conditional(&self.call("PutItem", table), sent).map(drop)
    }

    async fn drop_items(&self, load: &LoadId) -> Result<(), PortError> {
        let query = self
            .query_journal(load)
            .key_condition_expression("load_id = :load")
            .expression_attribute_names("#first", "first")
            .projection_expression("load_id, #first");
        self.delete_found(DynamoTable::Journal, query).await
    }

    /// Whether a load of a release without journals has begun and not ended, and no load has come into
    /// force since. Such a load wrote directly into the rows, so the rows are of two loads.
    pub(super) async fn is_half_loaded(&self) -> Result<bool, PortError> {
        Ok(self.head_item().await?.is_some_and(|item| item.contains_key("load_id")))
    }
}

#[async_trait]
impl Loads for Tables {
    async fn begin_load(&self, load: &LoadId, now: Timestamp) -> Result<(), PortError> {
        let call = self
            .update_head(load)
            .update_expression("SET #journal = :begun")
            .condition_expression("attribute_not_exists(#journal)")
            .expression_attribute_values(":begun", head::registration(now));
        // A failed condition means that the journal is registered: by an attempt whose answer was lost, or
        // long ago.
        self.try_update(call).await.map(drop)
    }

    async fn write_journal(&self, load: &LoadId, changes: &[RowChange]) -> Result<bool, PortError> {
        changes.iter().try_for_each(|change| self.check_row(change))?;
        let packed = pack(changes).map_err(|error| {
            PortError::corrupt(format!("the journal of load `{}`", load.0), error)
        })?;
        let places: Vec<Item> =
            packed.iter().map(|item| journal_place(load, item.first.clone())).collect();
        let items = packed.into_iter().map(|item| Write::Put(journal_item(load, item))).collect();
        self.write_all(DynamoTable::Journal, items).await?;
        // A journal is marked as over in the head before its items are deleted. If it is still open after
        // these items were written, a later deletion includes them. If it is over, they may have come too
        // late, and are deleted here.
        if self.is_open(load).await? {
            return Ok(true);
        }
        let deletes = places.into_iter().map(Write::Delete).collect();
        self.write_all(DynamoTable::Journal, deletes).await?;
        Ok(false)
    }

    async fn commit_load(
        &self,
        commit: &Commit,
        expected: Option<u64>,
    ) -> Result<Committed, PortError> {
        let next = expected.unwrap_or(0) + 1;
        let head_is_as_expected = match expected {
            Some(_) => "version = :expected",
            None => "attribute_not_exists(version)",
        };
        // Only commits write the nonce, so it stays until the next load is in force.
        let nonce = self.nonce();
        let mut call = self
            .update_head(&commit.load)
            .update_expression(format!(
                "SET version = :next, {}, currency = :currency, unit_decimals = :decimals, \
                 rounding = :rounding, unfolded = :load, {WRITTEN_BY} = :nonce \
                 REMOVE load_id, load_deadline, load_currency",
                versions(commit.changes, expected)
            ))
            .condition_expression(format!(
                "{head_is_as_expected} AND attribute_not_exists(unfolded) AND \
                 #journal.is_over = :no"
            ))
            .expression_attribute_values(":next", number(next))
            .expression_attribute_values(":currency", text(commit.currency.code()))
            .expression_attribute_values(":decimals", number(commit.rounding.unit_decimals))
            .expression_attribute_values(":rounding", text(commit.rounding.rounding.to_string()))
            .expression_attribute_values(":load", text(&commit.load.0))
            .expression_attribute_values(":nonce", nonce.clone())
            .expression_attribute_values(":no", AttributeValue::Bool(false));
        // DynamoDB refuses values that no expression uses.
        call = match (expected, commit.changes.products) {
            (Some(version), _) => call.expression_attribute_values(":expected", number(version)),
            (None, false) => call.expression_attribute_values(":zero", number(0)),
            (None, true) => call,
        };
        if commit.changes.customers {
            call = call.expression_attribute_values(":yes", AttributeValue::Bool(true));
        }
        Ok(match self.try_update(call).await? {
            Conditional::Done(_) => Committed::Version(next),
            Conditional::Refused(Some(item)) if was_written_by(&item, &nonce) => {
                Committed::Version(next)
            }
            Conditional::Refused(Some(item)) if head::is_open(&item, &commit.load) => {
                Committed::Conflict
            }
            Conditional::Refused(_) => Committed::Dropped,
        })
    }

    async fn list_journal(
        &self,
        load: &LoadId,
        from: Option<Cursor>,
    ) -> Result<Page<RowChange>, PortError> {
        let query = self.query_journal(load).key_condition_expression("load_id = :load");
        self.changes_page(query, from.as_ref().map(|from| from.0.as_str())).await
    }

    async fn fold(
        &self,
        _load: &LoadId,
        version: u64,
        changes: &[RowChange],
        forget_at: Timestamp,
    ) -> Result<(), PortError> {
        for table in LOADED {
            let of_table: Vec<&RowChange> =
                changes.iter().filter(|change| place_of(&change.key()).0 == table).collect();
            let due = self.due(table, version, &of_table).await?;
            let rows = due.into_iter().map(|change| row(change, version, forget_at));
            let rows: Vec<Item> = rows.collect::<Result<_, _>>()?;
            let writes = rows.into_iter().map(|row| self.fold_row(table, row, version));
            stream::iter(writes).buffer_unordered(FOLDS_IN_FLIGHT).try_collect::<()>().await?;
        }
        Ok(())
    }

    async fn finish_load(&self, load: &LoadId) -> Result<(), PortError> {
        let call = self
            .update_head(load)
            .update_expression("SET #journal.is_over = :yes REMOVE unfolded")
            .condition_expression("unfolded = :load")
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .expression_attribute_values(":load", text(&load.0));
        self.try_update(call).await.map(drop)
    }

    async fn drop_journal(&self, load: &LoadId) -> Result<(), PortError> {
        let call = self
            .update_head(load)
            .update_expression("SET #journal.is_over = :yes")
            .condition_expression(
                "attribute_exists(#journal) AND \
                 (attribute_not_exists(unfolded) OR unfolded <> :load)",
            )
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .expression_attribute_values(":load", text(&load.0));
        if let Conditional::Refused(_) = self.try_update(call).await? {
            return Ok(());
        }
        self.drop_items(load).await?;
        let call = self
            .update_head(load)
            .update_expression("REMOVE #journal")
            .condition_expression("#journal.is_over = :yes")
            .expression_attribute_values(":yes", AttributeValue::Bool(true));
        self.try_update(call).await.map(drop)
    }

    async fn journals(&self) -> Result<Vec<Journal>, PortError> {
        self.head_item().await?.map_or_else(|| Ok(vec![]), |item| head::journals(&item))
    }
}
