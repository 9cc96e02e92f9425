//! The table of quotations.
//!
//! A quotation is packed once. The current destination of its answer and its outcome are in columns of
//! their own, so the writing thread never reads or writes packed quotations of others.

use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::engine::Embedded;
use super::failure::{Failure, TextError};
use super::marks::Tx;
use super::queues::{check, send};
use super::rows::{from_packed, packed_bytes};
use super::writer::Urgency;
use crate::model::{ConnectionRef, Dialect, PackedError, QuotationKey, Timestamp};
use crate::ports::{
    Created, Cursor, Outgoing, Page, PortError, Queue, Quotation, QuotationStatus, Quotations,
    Settlement, Topic, Verdict, pack_target, unpack_target,
};

/// Stores a quotation whose key says where its row is. One that replaces an expired quotation stays in its
/// place, where it would delay the sweep of what follows; but no stage stores a made key twice.
const CREATE_IN_PLACE: &str = "
    INSERT INTO quotation (id, made, deadline, expires_at, record) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (id) DO UPDATE SET
        deadline = excluded.deadline, expires_at = excluded.expires_at, record = excluded.record,
        redirected = NULL, outcome = NULL
    WHERE made = excluded.made AND expires_at <= ?6";
const IS_IN_PLACE: &str = "SELECT 1 FROM quotation WHERE id = ?1 AND made = ?2";
/// Stores a quotation at the end. One that replaces an expired quotation gets the highest id too, as the
/// sweep expects.
const CREATE: &str = "
    INSERT INTO quotation (key, deadline, expires_at, record) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (key) WHERE key IS NOT NULL DO UPDATE SET id = (SELECT max(id) + 1 FROM quotation),
        deadline = excluded.deadline, expires_at = excluded.expires_at, record = excluded.record,
        redirected = NULL, outcome = NULL
    WHERE expires_at <= ?5";

/// Continues a statement with the row of a quotation: in the place `?1` if the key `?2` has one and the row is
/// there, otherwise where the index has the key.
macro_rules! at_row {
    ($statement:literal) => {
        concat!(
            $statement,
            " WHERE id = (SELECT id FROM quotation WHERE id = ?1 AND made = ?2
                UNION ALL SELECT id FROM quotation WHERE key = ?2 LIMIT 1)"
        )
    };
    ($statement:literal, $more:literal) => {
        concat!(at_row!($statement), " ", $more)
    };
}

pub(super) const GET: &str = at_row!("SELECT record, redirected, outcome FROM quotation");
pub(super) const LIST: &str = "
    SELECT record, redirected, outcome, id, ifnull(made, key) FROM quotation
    WHERE id > ?1 ORDER BY id LIMIT ?2";
pub(super) const REDIRECT: &str = at_row!("UPDATE quotation SET redirected = ?3");
pub(super) const SETTLE: &str = at_row!(
    "UPDATE quotation SET outcome = ?3, deadline = NULL",
    "AND deadline > ?4 RETURNING record, redirected, outcome"
);
pub(super) const DELETE: &str = at_row!("DELETE FROM quotation");

/// The greatest number of quotations in a page.
const PAGE: usize = 500;
/// A page of this size gets no further quotations, because an answer may have 128 KB.
const PAGE_BYTES: usize = 1 << 20;

/// A quotation in its columns. An earlier version wrote them as JSON text.
struct QuotationColumns {
    record: Value,
    redirected: Value,
    outcome: Value,
}

/// A quotation to store. Times are in the units of their columns.
struct NewRow {
    key: QuotationKey,
    deadline: Option<i64>,
    expires_at: i64,
    record: Vec<u8>,
    /// The time when the quotation was accepted, in seconds.
    now: i64,
}

#[async_trait]
impl Quotations for Embedded {
    async fn create_quotation(
        &self,
        quotation: &Quotation,
        _topic: &dyn Topic,
        body: &str,
    ) -> Result<Created, PortError> {
        let message = Outgoing::standard(body);
        check(Queue::Provider, &message)?;
        let clock = Arc::clone(self.clock());
        let publish = move |tx: &Tx<'_>| send(tx, Queue::Provider, &message, clock.now());
        self.create(quotation, publish).await
    }

    async fn store_answered(&self, quotation: &Quotation) -> Result<Created, PortError> {
        self.create(quotation, |_| Ok(())).await
    }

    async fn quotation(&self, key: &QuotationKey) -> Result<Option<Quotation>, PortError> {
        let wanted = key.clone();
        let found = self.look_once(move |connection| get(connection, &wanted)).await?;
        found.map(|stored| self.quotation_of(key, &stored)).transpose()
    }

    async fn redirect_quotation(
        &self,
        key: &QuotationKey,
        connection: &ConnectionRef,
        dialect: Dialect,
    ) -> Result<bool, PortError> {
        let target = packed(key, pack_target(connection, dialect))?;
        Ok(self.execute(REDIRECT, (key.place(), key.to_string(), target)).await? > 0)
    }

    async fn settle_quotation(
        &self,
        key: &QuotationKey,
        verdict: &Verdict,
        now: Timestamp,
    ) -> Result<Settlement, PortError> {
        let (status, after) = match verdict {
            Verdict::Answer(answer) => (QuotationStatus::Answered(answer.clone()), now.millis()),
            // A failure is stored at any time.
            Verdict::Failure(reason) => (QuotationStatus::Failed(reason.clone()), i64::MIN),
        };
        let outcome = packed(key, status.pack())?;
        let wanted = key.clone();
        let (settled, found) = self
            .write(move |tx| {
                let settled = tx
                    .prepare_cached(SETTLE)?
                    .query_row(params![wanted.place(), wanted.as_str(), outcome, after], stored)
                    .optional()?;
                match settled {
                    Some(settled) => Ok((true, Some(settled))),
                    None => Ok((false, get(tx, &wanted)?)),
                }
            })
            .await?;
        let Some(stored) = found else { return Ok(Settlement::Missing) };
        let quotation = Box::new(self.quotation_of(key, &stored)?);
        Ok(match settled {
            true => Settlement::Settled(quotation),
            false => Settlement::Refused(quotation),
        })
    }

    async fn list_quotations(&self, from: Option<Cursor>) -> Result<Page<Quotation>, PortError> {
        let after = match from {
            Some(Cursor(id)) => id.parse().map_err(|_| {
                PortError::rejected(
                    "a page of quotations",
                    format!("`{id}` is not the id of a row"),
                )
            })?,
            None => i64::MIN,
        };
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(LIST)?;
            let mut rows = statement.query(params![after, PAGE])?;
            let mut items = Vec::new();
            let (mut last, mut bytes) = (None, 0);
            while bytes < PAGE_BYTES
                && let Some(row) = rows.next()?
            {
                let stored = stored(row)?;
                bytes += stored.bytes();
                let key = QuotationKey::stored(row.get::<_, String>(4)?);
                let key = key.map_err(|error| Failure::unreadable("a quotation", error))?;
                items.push(stored.read(&key)?);
                last = Some(row.get::<_, i64>(3)?);
            }
            let is_full = items.len() == PAGE || bytes >= PAGE_BYTES;
            let next = last.filter(|_| is_full).map(|id| Cursor(id.to_string()));
            Ok(Page { items, next })
        })
        .await
    }

    async fn delete_quotation(&self, key: &QuotationKey) -> Result<(), PortError> {
        self.execute(DELETE, (key.place(), key.to_string())).await.map(drop)
    }
}

impl Embedded {
    /// Stores a quotation and, if it is new, calls `and_then` in the same transaction.
    async fn create(
        &self,
        quotation: &Quotation,
        and_then: impl Fn(&Tx<'_>) -> Result<(), Failure> + Send + 'static,
    ) -> Result<Created, PortError> {
        let key = quotation.key.clone();
        let row = NewRow {
            record: packed(&key, quotation.pack())?,
            deadline: is_pending(quotation).then_some(quotation.deadline.millis()),
            expires_at: quotation.expires_at.secs_rounded_up(),
            now: quotation.accepted_at.millis() / 1000,
            key,
        };
        let packed = row.record.len();
        let urgency = if is_pending(quotation) { Urgency::Urgent } else { Urgency::Prompt };
        let found = self
            .write_with(urgency, move |tx| match row.insert(tx)? {
                true => and_then(tx).map(|()| None),
                false => get(tx, &row.key),
            })
            .await?;
        match found {
            None => Ok(Created::New { packed }),
            Some(stored) => {
                Ok(Created::Existing(Box::new(self.quotation_of(&quotation.key, &stored)?)))
            }
        }
    }

    fn quotation_of(
        &self,
        key: &QuotationKey,
        stored: &QuotationColumns,
    ) -> Result<Quotation, PortError> {
        stored.read(key).map_err(|failure| self.port_error(failure))
    }
}

impl NewRow {
    /// Returns whether the row is new. If not, there is one with its key that has not expired.
    ///
    /// A row with a made key whose place was taken is not found again once that place is free. Both rows have the
    /// same time, so both expire together, and no stage stores a made key twice.
    fn insert(&self, tx: &Tx<'_>) -> Result<bool, Failure> {
        let Self { key, deadline, expires_at, record, now } = self;
        if let Some(place) = key.place() {
            let values = params![place, key.as_str(), deadline, expires_at, record, now];
            if tx.execute_often(CREATE_IN_PLACE, values)? > 0 {
                return Ok(true);
            }
            if tx.prepare_cached(IS_IN_PLACE)?.exists(params![place, key.as_str()])? {
                return Ok(false);
            }
            // Another quotation has the place.
        }
        let values = params![key.as_str(), deadline, expires_at, record, now];
        Ok(tx.execute_often(CREATE, values)? > 0)
    }
}

fn is_pending(quotation: &Quotation) -> bool {
    quotation.status == QuotationStatus::Pending
}

impl QuotationColumns {
    fn read(&self, key: &QuotationKey) -> Result<Quotation, Failure> {
        let (what, unpack) = (|| name(key), |bytes: &[u8]| Quotation::unpack(key.clone(), bytes));
        let Some(mut quotation) = from_packed(&self.record, what, unpack)? else {
            return Err(Failure::unreadable(name(key), TextError("it has no record".to_owned())));
        };
        if let Some((to, dialect)) = from_packed(&self.redirected, what, unpack_target)? {
            (quotation.connection, quotation.dialect) = (Some(to), dialect);
        }
        if let Some(status) = from_packed(&self.outcome, what, QuotationStatus::unpack)? {
            quotation.status = status;
        }
        Ok(quotation)
    }

    fn bytes(&self) -> usize {
        [&self.record, &self.redirected, &self.outcome].into_iter().map(packed_bytes).sum()
    }
}

fn packed(key: &QuotationKey, bytes: Result<Vec<u8>, PackedError>) -> Result<Vec<u8>, PortError> {
    bytes.map_err(|error| PortError::rejected(name(key), error.to_string()))
}

fn name(key: &QuotationKey) -> String {
    format!("the quotation `{key}`")
}

fn stored(row: &Row<'_>) -> rusqlite::Result<QuotationColumns> {
    Ok(QuotationColumns { record: row.get(0)?, redirected: row.get(1)?, outcome: row.get(2)? })
}

fn get(connection: &Connection, key: &QuotationKey) -> Result<Option<QuotationColumns>, Failure> {
    let values = params![key.place(), key.as_str()];
    Ok(connection.prepare_cached(GET)?.query_row(values, stored).optional()?)
}

#[cfg(test)]
mod tests;
