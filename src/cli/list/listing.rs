//! A list that is printed while it is read, and the pages from which it is read.

use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::cli::failure::{ExitCode, Failure, Result};
use crate::cli::output::Output;
use crate::cli::pieces::TablePieces;
use crate::cli::stream::ListStream;
use crate::cli::table::TableCell;
use crate::ports::{AtHead, CatalogueHead, Cursor, Page, PortError, Store};

/// A list that is being printed.
pub(super) struct Listing<'a> {
    output: &'a Output,
    printed: PrintedList<'a>,
    limit: Option<u64>,
    count: u64,
    /// Whether a row was left out because of the limit.
    has_more: bool,
}

enum PrintedList<'a> {
    Json(ListStream<'a>),
    /// The table, and the rows of the current page.
    Text(TablePieces<'a>, Vec<Vec<TableCell>>),
}

impl<'a> Listing<'a> {
    pub(super) fn begin(
        output: &'a Output,
        header: &'static [&'static str],
        limit: Option<u64>,
    ) -> Self {
        let printed = match output.is_json() {
            true => PrintedList::Json(ListStream::begin(output)),
            false => PrintedList::Text(TablePieces::new(output, header), vec![]),
        };
        Self { output, printed, limit, count: 0, has_more: false }
    }

    /// Adds a row, unless the limit is reached. `data` is for programs, `cells` for people.
    pub(super) fn row(
        &mut self,
        data: impl FnOnce() -> Value,
        cells: impl FnOnce() -> Vec<TableCell>,
    ) -> Result<()> {
        if self.limit.is_some_and(|limit| self.count >= limit) {
            self.has_more = true;
            return Ok(());
        }
        self.count += 1;
        match &mut self.printed {
            PrintedList::Json(stream) => stream.item(&data()),
            PrintedList::Text(_, page) => {
                page.push(cells());
                Ok(())
            }
        }
    }

    /// Prints the rows of a page.
    pub(super) fn end_page(&mut self) -> Result<()> {
        match &mut self.printed {
            PrintedList::Text(pieces, page) if !page.is_empty() => pieces.rows(page.drain(..)),
            _ => Ok(()),
        }
    }

    /// Whether there is room for more rows, and somebody reads them.
    pub(super) const fn goes_on(&self) -> bool {
        let is_heard = match &self.printed {
            PrintedList::Json(stream) => stream.is_heard(),
            PrintedList::Text(pieces, _) => pieces.is_heard(),
        };
        is_heard && !self.has_more
    }

    /// Whether no row was added yet.
    pub(super) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Ends a list. Fails with `absent` if the name by which it was filtered does not exist.
    pub(super) fn end_without(self, absent: Option<Failure>, which: &str, one: &str) -> Result<()> {
        let Some(failure) = absent else { return self.end(which, one) };
        if let PrintedList::Json(stream) = self.printed {
            stream.end()?;
        }
        Err(failure)
    }

    /// Ends the list. `one` names a row, and `which` says which of them are shown if there are more.
    pub(super) fn end(mut self, which: &str, one: &str) -> Result<()> {
        self.end_page()?;
        if let PrintedList::Json(stream) = self.printed {
            stream.end()?;
        }
        match (self.count, self.has_more) {
            (0, _) => self.output.note(&format!("no {one}s")),
            (1, true) => self.output.note(&format!("the {which} {one}; there are more")),
            (count, true) => {
                self.output.note(&format!("the {which} {count} {one}s; there are more"));
            }
            (_, false) => {}
        }
        Ok(())
    }
}

/// Reads the pages of a listing at one head of the catalogue.
pub(super) struct Walk<'s, T> {
    store: &'s dyn Store,
    read: fn(&'s dyn Store, CatalogueHead, Option<Cursor>) -> PageReading<'s, T>,
    head: Option<CatalogueHead>,
    from: Option<Cursor>,
    is_at_end: bool,
}

/// A page that is being read.
pub(super) type PageReading<'s, T> = BoxFuture<'s, Result<AtHead<Page<T>>, PortError>>;

impl<'s, T> Walk<'s, T> {
    pub(super) const fn new(
        store: &'s dyn Store,
        read: fn(&'s dyn Store, CatalogueHead, Option<Cursor>) -> PageReading<'s, T>,
    ) -> Self {
        Self { store, read, head: None, from: None, is_at_end: false }
    }

    /// Returns the next page, and the head at which it was read. Returns `None` after the last page, and
    /// when the listing needs no more.
    pub(super) async fn next(
        &mut self,
        listing: &Listing<'_>,
    ) -> Result<Option<(CatalogueHead, Vec<T>)>> {
        while !self.is_at_end && listing.goes_on() {
            let head = match self.head.take() {
                Some(head) => head,
                None => self.store.catalogue_head().await?.unwrap_or(CatalogueHead::EMPTY),
            };
            match (self.read)(self.store, head.clone(), self.from.take()).await? {
                AtHead::Read(page) => {
                    self.is_at_end = page.next.is_none();
                    self.from = page.next;
                    self.head = Some(head.clone());
                    return Ok(Some((head, page.items)));
                }
                AtHead::Moved => self.start_over(listing)?,
            }
        }
        Ok(None)
    }

    /// Starts over at the next head, because a load came in between. Fails if rows were listed already.
    pub(super) fn start_over(&mut self, listing: &Listing<'_>) -> Result<()> {
        if listing.count > 0 {
            let message = "a load came into force while the list was read";
            return Err(Failure::new(ExitCode::Failure, message).hint("run the command again"));
        }
        (self.head, self.from, self.is_at_end) = (None, None, false);
        Ok(())
    }
}
