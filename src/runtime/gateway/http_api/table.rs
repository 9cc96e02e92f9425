//! Whole tables: streamed by a gateway process, in pages by a function, whose replies are limited.

use std::ops::ControlFlow;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{HeaderValue, LINK};
use tokio::sync::mpsc;
use tracing::warn;

use super::HttpApi;
use super::call::Rows;
use super::etag::{self, KnownTags, TableState};
use super::prices::{dated, not_modified, tagged};
use super::reply::{failure, with};
use super::resource::encoded;
use super::streams::Place;
use crate::model::{ProductId, UserId};
use crate::ports::{Chain, PortError, TableError};
use crate::protocol::TableFormat;
use crate::runtime::gateway::ReplyBody;
use crate::runtime::gateway::http_reply::{Reply, later, problem_with_code};
use crate::stages::StageError;
use crate::stages::prices::WholeTable;
use crate::supervisor::catch;

/// When this many pieces wait for a client, no more rows are read for it.
const PIECES: usize = 2;

impl HttpApi {
    pub(super) async fn table(
        &self,
        user: &UserId,
        table: WholeTable,
        rows: Rows,
        known: &KnownTags,
    ) -> Reply {
        let name = name_of(&table);
        if rows.table.as_ref().is_some_and(|wanted| *wanted != name) {
            let message = "the table was replaced since its first rows were read; start again";
            return problem_with_code(StatusCode::CONFLICT, "table_replaced", message);
        }
        let form = format!("{rows:?}");
        let state = TableState::of(&table.head, table.at, table.stale);
        let tag = etag::of_all(user, &state, &form);
        if known.contain(&tag) {
            return not_modified(&tag);
        }
        let (head, stale) = (table.head.clone(), table.stale);
        let (format, limit) = (rows.format, rows.limit);
        let body = match (rows.limit, self.page_bytes) {
            (None, None) => self.stream(user, table, rows),
            (limit, bytes) => {
                let most = Most { rows: limit.unwrap_or(usize::MAX), bytes };
                match page(&table, &rows, most).await {
                    Ok(page) => Ok(page),
                    Err(error) => return failure("the table was not read", &read_error(error)),
                }
            }
        };
        let Page { body, next } = match body {
            Ok(page) => page,
            Err(busy) => return busy,
        };
        let content = HeaderValue::from_static(format.media_type());
        let reply = dated(tagged(Reply::new(body), content, &tag), &head, stale);
        match next {
            Some(next) => linked(reply, user, &rows_after(format, limit, &next, &name)),
            None => reply,
        }
    }

    /// Reads the table while it is sent.
    fn stream(&self, user: &UserId, table: WholeTable, rows: Rows) -> Result<Page, Reply> {
        let Some(place) = self.streams.take(user) else {
            let message =
                "too many whole tables are being read, of this customer or of all; try again";
            return Err(later(StatusCode::SERVICE_UNAVAILABLE, message));
        };
        let (pieces, body) = mpsc::channel(PIECES);
        tokio::spawn(send_rows(table, rows, pieces, place));
        Ok(Page { body: ReplyBody::pieces(body), next: None })
    }
}

/// The limits of a page.
#[derive(Clone, Copy)]
struct Most {
    rows: usize,
    bytes: Option<usize>,
}

/// Some rows and, if there are more, the last product among them.
struct Page {
    body: ReplyBody,
    next: Option<ProductId>,
}

async fn page(table: &WholeTable, asked: &Rows, most: Most) -> Result<Page, TableError> {
    let mut writer = Writer::begin(asked.format);
    let mut rows = table.rows(asked.after.clone()).await?;
    let mut left = most.rows;
    let mut last: Option<ProductId> = None;
    while let Some(some) = rows.next().await? {
        for row in some {
            let is_full = most.bytes.is_some_and(|bytes| writer.text.len() >= bytes);
            // A page has at least one row. Otherwise a client would never reach the end.
            if left == 0 || (is_full && last.is_some()) {
                return Ok(Page { body: Bytes::from(writer.text).into(), next: last });
            }
            writer.write(table, &row)?;
            (left, last) = (left - 1, Some(row.product));
        }
    }
    Ok(Page { body: Bytes::from(writer.text).into(), next: None })
}

/// Sends the rows of a table in pieces, until all are sent or the reader is gone.
async fn send_rows(
    table: WholeTable,
    asked: Rows,
    pieces: mpsc::Sender<Result<Bytes, TableError>>,
    place: Place,
) {
    let sending = async {
        let mut writer = Writer::begin(asked.format);
        let mut rows = table.rows(asked.after).await?;
        while let Some(some) = rows.next().await? {
            for row in &some {
                writer.write(&table, row)?;
            }
            if send(&pieces, &mut writer).await.is_break() {
                return Ok(());
            }
        }
        // A table without rows still has a header line.
        let _ = send(&pieces, &mut writer).await;
        Ok::<_, TableError>(())
    };
    let sent = catch(sending).await;
    let error = match sent {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error),
        Err(panic) => Some(TableError::Contradiction(Chain(&panic).to_string())),
    };
    if let Some(error) = error {
        warn!(error = %Chain(&error), "a table was not sent to its end");
        // If nobody reads the table any more, nobody needs the error.
        let _ = pieces.send(Err(error)).await;
    }
    drop(place);
}

async fn send(
    pieces: &mpsc::Sender<Result<Bytes, TableError>>,
    writer: &mut Writer,
) -> ControlFlow<()> {
    let piece = std::mem::take(&mut writer.text);
    if piece.is_empty() {
        return ControlFlow::Continue(());
    }
    match pieces.send(Ok(piece.into())).await {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    }
}

/// Writes rows as text.
struct Writer {
    format: TableFormat,
    text: Vec<u8>,
}

impl Writer {
    fn begin(format: TableFormat) -> Self {
        Self { format, text: format.head().to_vec() }
    }

    fn write(
        &mut self,
        table: &WholeTable,
        row: &crate::ports::TableRow,
    ) -> Result<(), TableError> {
        // Products without a price are left out.
        let Some(entry) = &row.entry else { return Ok(()) };
        let line = (&row.product, row.name.as_str(), entry);
        let units = (table.head.currency, table.head.rounding.unit_decimals);
        let written = self.format.write(&mut self.text, line, units);
        written.map_err(|error| TableError::Contradiction(error.to_string()))
    }
}

fn read_error(error: TableError) -> StageError {
    match error {
        TableError::Port(error) => error.into(),
        other => PortError::corrupt("a price table", other).into(),
    }
}

/// Returns the name that all pages of a table have in common. A table may hold prices for several periods,
/// so the name changes with each that begins: otherwise a client would read the first rows at the old prices
/// and the others at the new ones.
fn name_of(table: &WholeTable) -> String {
    let generation = table.head.generation.as_str();
    match table.head.begun(table.at) {
        0 => generation.to_owned(),
        begun => format!("{generation}.{begun}"),
    }
}

/// Returns the query of the page after a product.
fn rows_after(format: TableFormat, limit: Option<usize>, after: &ProductId, table: &str) -> String {
    let format = match format {
        TableFormat::Ndjson => "ndjson",
        TableFormat::Csv => "csv",
    };
    // Without its limit, a gateway that streams would send all the other rows at once.
    let limit = limit.map_or(String::new(), |limit| format!("&limit={limit}"));
    format!("format={format}{limit}&after={}&table={}", encoded(after.as_str()), encoded(table))
}

/// Adds the link to the next page, relative to the path of the request.
fn linked(reply: Reply, user: &UserId, query: &str) -> Reply {
    let client = encoded(user.as_str());
    match HeaderValue::try_from(format!("<{client}?{query}>; rel=\"next\"")) {
        Ok(link) => with(reply, LINK, link),
        Err(_) => reply,
    }
}
