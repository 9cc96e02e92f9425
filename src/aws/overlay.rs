//! Lays the journal of a head over rows into which it is not yet folded.
//!
//! A journal never changes once the head names it, but when it is folded it is dropped, item by item. So
//! what a reader finds in it is right, and what it does not find may have been dropped. A reader that has
//! missed anything therefore reads the head again afterwards. As long as the head names the journal, nobody
//! has begun to drop it, so what was missed was never there. If the head no longer names it, the answer is
//! [`AtHead::Moved`].

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::batch::{CALLS_IN_FLIGHT, chunks};
use super::item::{self, FieldError, Item, text};
use super::names::DynamoTable;
use super::tables::{Tables, corrupt, cursor_of, start_key};
use crate::meter::journal_items::{journal_key, unpack};
use crate::ports::{
    AtHead, CatalogueHead, CatalogueStore as _, Cursor, LoadId, Page, PortError, RowChange,
};

/// The cursor of the first page of what a journal puts. Later cursors add where they start. Cursors of rows
/// are JSON objects.
pub(super) const PUTS: &str = "puts";
/// How many names are looked up one after the other.
const NAMES_PER_RUN: usize = 100;
/// How many items make a page of changes: about 700 KB of JSON.
const ITEMS_PER_PAGE: i32 = 10;
/// The attribute with the packed changes.
pub(super) const CHANGES: &str = "changes";

/// The changes of one kind of row in a journal, or of the rows of one price list.
#[derive(Clone, Copy, Debug)]
pub(super) struct JournalPart<'a> {
    pub(super) load: &'a LoadId,
    /// The start of their names.
    pub(super) names: &'a str,
}

fn changes_in(item: &Item) -> Result<Vec<RowChange>, PortError> {
    let packed = item.get(CHANGES).and_then(|value| value.as_b().ok());
    let changes = match packed {
        None => Err(FieldError::Absent { name: CHANGES }),
        Some(packed) => unpack(packed.as_ref())
            .map_err(|error| FieldError::Malformed { name: CHANGES, source: error.into() }),
    };
    changes.map_err(|error| {
        let load = item::read_text(item, "load_id").unwrap_or("?");
        corrupt(format_args!("the journal of load `{load}`"), error)
    })
}

/// Returns changes with their names.
fn named(changes: Vec<RowChange>) -> impl Iterator<Item = (String, RowChange)> {
    changes.into_iter().map(|change| (journal_key(&change.key()), change))
}

impl Tables {
    /// Returns a query of a load's journal. In it, `#first` stands for the reserved word `first`.
    pub(super) fn query_journal(&self, load: &LoadId) -> QueryFluentBuilder {
        let query =
            self.client.query().table_name(self.name(DynamoTable::Journal)).consistent_read(true);
        query.expression_attribute_values(":load", text(&load.0))
    }

    /// Returns the changes of a head's journal to some rows, by the rows' names, which begin with `kind`.
    pub(super) async fn changes_at(
        &self,
        at: &CatalogueHead,
        kind: &'static str,
        mut names: Vec<String>,
    ) -> Result<AtHead<HashMap<String, RowChange>>, PortError> {
        let Some(load) = &at.unfolded else { return Ok(AtHead::Read(HashMap::new())) };
        names.sort_unstable();
        names.dedup();
        let asked = names.len();
        let overlay = JournalPart { load, names: kind };
        let runs = chunks(names, NAMES_PER_RUN).into_iter().map(|run| self.look_up(overlay, run));
        let found: Vec<Vec<_>> =
            stream::iter(runs).buffer_unordered(CALLS_IN_FLIGHT).try_collect().await?;
        let found: HashMap<_, _> = found.into_iter().flatten().collect();
        if found.len() < asked && !self.is_unfolded(load).await? {
            return Ok(AtHead::Moved);
        }
        Ok(AtHead::Read(found))
    }

    /// Looks up sorted names.
    async fn look_up(
        &self,
        overlay: JournalPart<'_>,
        names: Vec<String>,
    ) -> Result<Vec<(String, RowChange)>, PortError> {
        let mut found = vec![];
        let mut rest = names.into_iter().peekable();
        while let Some(name) = rest.next() {
            let query = self
                .query_journal(overlay.load)
                .key_condition_expression("load_id = :load AND #first BETWEEN :kind AND :name")
                .expression_attribute_names("#first", "first")
                .expression_attribute_values(":kind", text(overlay.names))
                .expression_attribute_values(":name", text(&name))
                .scan_index_forward(false)
                .limit(1);
            let (items, _) = self.query(DynamoTable::Journal, query).await?;
            let Some(item) = items.first() else { continue };
            let mut changes: HashMap<_, _> = named(changes_in(item)?).collect();
            let last = changes.keys().max().cloned();
            found.extend(changes.remove_entry(&name));
            // The item holds all changes from its first to its last.
            while let Some(name) = rest.next_if(|name| last.as_ref() >= Some(name)) {
                found.extend(changes.remove_entry(&name));
            }
        }
        Ok(found)
    }

    /// Returns the names of all changes of a kind.
    pub(super) async fn names_in(
        &self,
        overlay: JournalPart<'_>,
    ) -> Result<AtHead<Arc<HashSet<String>>>, PortError> {
        // The lock is held during the read, so that others wait for the names instead of reading them too.
        let mut known = self.known_names.lock().await;
        if let Some(names) = known.of(overlay.load, overlay.names) {
            return Ok(AtHead::Read(names));
        }
        known.forget(overlay.names);
        let (mut names, mut from) = (HashSet::new(), None);
        loop {
            let query = self.query_kind(overlay).set_exclusive_start_key(from);
            let (items, next) = self.query(DynamoTable::Journal, query).await?;
            for item in &items {
                names.extend(named(changes_in(item)?).map(|(name, _)| name));
            }
            from = next;
            if from.is_none() {
                break;
            }
        }
        if !self.is_unfolded(overlay.load).await? {
            return Ok(AtHead::Moved);
        }
        let names = Arc::new(names);
        known.keep(overlay.load, overlay.names, names.clone());
        Ok(AtHead::Read(names))
    }

    /// Returns a page of the changes of a kind. `after` is what follows [`PUTS`] in the cursor. After the
    /// last page the names are forgotten, unless other segments of the listing may still be read.
    pub(super) async fn puts_of(
        &self,
        overlay: JournalPart<'_>,
        after: &str,
        is_segment: bool,
    ) -> Result<AtHead<Page<RowChange>>, PortError> {
        let from = Some(after).filter(|after| !after.is_empty());
        let page = self.changes_page(self.query_kind(overlay), from).await?;
        if !self.is_unfolded(overlay.load).await? {
            return Ok(AtHead::Moved);
        }
        let next = page.next.map(|next| Cursor(format!("{PUTS}{}", next.0)));
        if next.is_none() && !is_segment {
            self.known_names.lock().await.forget(overlay.names);
        }
        Ok(AtHead::Read(Page { items: page.items, next }))
    }

    /// Returns a page of the changes that a query selects.
    pub(super) async fn changes_page(
        &self,
        query: QueryFluentBuilder,
        from: Option<&str>,
    ) -> Result<Page<RowChange>, PortError> {
        let from = from.map(|from| start_key(&Cursor(from.to_owned()))).transpose()?;
        let query = query.set_exclusive_start_key(from).limit(ITEMS_PER_PAGE);
        let (items, next) = self.query(DynamoTable::Journal, query).await?;
        let changes = items.iter().map(changes_in).collect::<Result<Vec<_>, _>>()?;
        let next = next.map(|key| cursor_of(&key)).transpose()?;
        Ok(Page { items: changes.into_iter().flatten().collect(), next })
    }

    fn query_kind(&self, overlay: JournalPart<'_>) -> QueryFluentBuilder {
        let kind: AttributeValue = text(overlay.names);
        self.query_journal(overlay.load)
            .key_condition_expression("load_id = :load AND begins_with(#first, :kind)")
            .expression_attribute_names("#first", "first")
            .expression_attribute_values(":kind", kind)
    }

    /// Whether the head still names the journal of a load.
    async fn is_unfolded(&self, load: &LoadId) -> Result<bool, PortError> {
        let head = self.catalogue_head().await?;
        Ok(head.is_some_and(|head| head.unfolded.as_ref() == Some(load)))
    }
}
