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

/// A quotation that replaces an expired one gets the highest id, as the sweep expects.
const CREATE: &str = "
    INSERT INTO quotation (key, deadline, expires_at, record) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (key) DO UPDATE SET id = (SELECT max(id) + 1 FROM quotation),
        deadline = excluded.deadline, expires_at = excluded.expires_at, record = excluded.record,
        redirected = NULL, outcome = NULL
    WHERE expires_at <= ?5";
pub(super) const GET: &str = "SELECT record, redirected, outcome FROM quotation WHERE key = ?1";
pub(super) const LIST: &str = "
    SELECT record, redirected, outcome, key FROM quotation WHERE key > ?1 ORDER BY key LIMIT ?2";
const REDIRECT: &str = "UPDATE quotation SET redirected = ?2 WHERE key = ?1";
const SETTLE: &str = "
    UPDATE quotation SET outcome = ?2, deadline = NULL WHERE key = ?1 AND deadline > ?3
    RETURNING record, redirected, outcome";

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
        Ok(self.execute(REDIRECT, (key.to_string(), target)).await? > 0)
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
                    .query_row(params![wanted.as_str(), outcome, after], stored)
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
        // No key is empty, so all keys come after the empty text.
        let after = from.map_or_else(String::new, |cursor| cursor.0);
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(LIST)?;
            let mut rows = statement.query(params![after, PAGE])?;
            let mut items = Vec::new();
            let (mut last, mut bytes) = (None, 0);
            while bytes < PAGE_BYTES
                && let Some(row) = rows.next()?
            {
                let key: String = row.get(3)?;
                let stored = stored(row)?;
                bytes += stored.bytes();
                let named = QuotationKey::stored(key.as_str());
                let named = named.map_err(|error| Failure::unreadable("a quotation", error))?;
                items.push(stored.read(&named)?);
                last = Some(key);
            }
            let is_full = items.len() == PAGE || bytes >= PAGE_BYTES;
            let next = last.filter(|_| is_full).map(Cursor);
            Ok(Page { items, next })
        })
        .await
    }

    async fn delete_quotation(&self, key: &QuotationKey) -> Result<(), PortError> {
        self.execute("DELETE FROM quotation WHERE key = ?1", [key.to_string()]).await.map(drop)
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
        let record = packed(&key, quotation.pack())?;
        let is_pending = quotation.status == QuotationStatus::Pending;
        let deadline = is_pending.then_some(quotation.deadline.millis());
        let expires_at = quotation.expires_at.secs_rounded_up();
        let now = quotation.accepted_at.millis() / 1000;
        let urgency = if is_pending { Urgency::Urgent } else { Urgency::Prompt };
        let found = self
            .write_with(urgency, {
                let key = key.clone();
                move |tx| {
                    let values = params![key.as_str(), deadline, expires_at, record, now];
                    let created = tx.execute_often(CREATE, values)?;
                    if created == 0 {
                        return get(tx, &key);
                    }
                    and_then(tx).map(|()| None)
                }
            })
            .await?;
        match found {
            None => Ok(Created::New),
            Some(stored) => Ok(Created::Existing(Box::new(self.quotation_of(&key, &stored)?))),
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
    let found = connection.prepare_cached(GET)?.query_row([key.as_str()], stored).optional()?;
    Ok(found)
}

#[cfg(test)]
mod tests;
