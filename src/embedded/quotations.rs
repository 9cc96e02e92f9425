//! The table of quotations.
//!
//! A quotation is written as JSON once. Where its answer goes now and how it was settled stand in
//! columns beside it, so the writing thread never reads or writes the JSON of another.

use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::engine::Embedded;
use super::failure::Failure;
use super::marks::Tx;
use super::queues::{check, send};
use super::rows::{from_json, to_json};
use super::topic::published;
use crate::model::{ConnectionRef, Dialect, QuotationKey, Timestamp};
use crate::ports::{
    Created, Cursor, Page, PortError, Queue, Quotation, QuotationStatus, Quotations, Settlement,
    Topic, Verdict,
};

const CREATE: &str = "
    INSERT INTO quotation (key, deadline, expires_at, record, status) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT DO UPDATE SET deadline = excluded.deadline, expires_at = excluded.expires_at,
        record = excluded.record, status = excluded.status, redirected = NULL
    WHERE expires_at <= ?6";
pub(super) const GET: &str = "SELECT record, redirected, status FROM quotation WHERE key = ?1";
pub(super) const LIST: &str = "
    SELECT record, redirected, status, key FROM quotation WHERE key > ?1 ORDER BY key LIMIT ?2";
const REDIRECT: &str = "UPDATE quotation SET redirected = ?2 WHERE key = ?1";
const SETTLE: &str = "
    UPDATE quotation SET status = ?2 WHERE key = ?1 AND status IS NULL AND deadline > ?3
    RETURNING record, redirected, status";

/// So many are read for one page at most.
const PAGE: usize = 500;
/// None is added to a page that has so much: an answer may be 128 KB.
const PAGE_BYTES: usize = 1 << 20;

/// A quotation as it is in its columns.
struct Stored {
    record: String,
    redirected: Option<String>,
    status: Option<String>,
}

#[async_trait]
impl Quotations for Embedded {
    async fn create_quotation(
        &self,
        quotation: &Quotation,
        _topic: &dyn Topic,
        body: &str,
    ) -> Result<Created, PortError> {
        let message = published(body);
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
        let found = self.look(1, move |connection| get(connection, &wanted)).await?;
        found.map(|stored| self.quotation_of(key, &stored)).transpose()
    }

    async fn redirect_quotation(
        &self,
        key: &QuotationKey,
        connection: &ConnectionRef,
        dialect: Dialect,
    ) -> Result<bool, PortError> {
        let target = self.json(&(connection, dialect), key)?;
        let key = key.clone();
        self.write(move |tx| {
            Ok(tx.prepare_cached(REDIRECT)?.execute(params![key.as_str(), target])? > 0)
        })
        .await
    }

    async fn settle_quotation(
        &self,
        key: &QuotationKey,
        verdict: &Verdict,
        now: Timestamp,
    ) -> Result<Settlement, PortError> {
        let (status, after) = match verdict {
            Verdict::Answer(answer) => (QuotationStatus::Answered(answer.clone()), now.millis()),
            // A failure counts at any time.
            Verdict::Failure(reason) => (QuotationStatus::Failed(reason.clone()), i64::MIN),
        };
        let status = self.json(&status, key)?;
        let wanted = key.clone();
        let (settled, found) = self
            .write(move |tx| {
                let settled = tx
                    .prepare_cached(SETTLE)?
                    .query_row(params![wanted.as_str(), status, after], stored)
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
        // No key is empty, so all come after the empty text.
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
                bytes += stored.record.len() + stored.status.as_ref().map_or(0, String::len);
                items.push(stored.read(key.as_str())?);
                last = Some(key);
            }
            let is_full = items.len() == PAGE || bytes >= PAGE_BYTES;
            let next = last.filter(|_| is_full).map(Cursor);
            Ok(Page { items, next })
        })
        .await
    }

    async fn delete_quotation(&self, key: &QuotationKey) -> Result<(), PortError> {
        let key = key.clone();
        self.write(move |tx| {
            tx.prepare_cached("DELETE FROM quotation WHERE key = ?1")?.execute([key.as_str()])?;
            Ok(())
        })
        .await
    }
}

impl Embedded {
    /// Stores a quotation and, if it is new, does something else in the same transaction.
    async fn create(
        &self,
        quotation: &Quotation,
        and_then: impl Fn(&Tx<'_>) -> Result<(), Failure> + Send + 'static,
    ) -> Result<Created, PortError> {
        let key = quotation.key.clone();
        let record = self.json(quotation, &key)?;
        let status = match &quotation.status {
            QuotationStatus::Pending => None,
            settled => Some(self.json(settled, &key)?),
        };
        let (deadline, expires_at) = (quotation.deadline, quotation.expires_at);
        let now = quotation.accepted_at.millis() / 1000;
        let found = self
            .write({
                let key = key.clone();
                move |tx| {
                    let created = tx.prepare_cached(CREATE)?.execute(params![
                        key.as_str(),
                        deadline.millis(),
                        expires_at.secs_rounded_up(),
                        record,
                        status,
                        now
                    ])?;
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

    fn json<T: serde::Serialize>(
        &self,
        value: &T,
        key: &QuotationKey,
    ) -> Result<String, PortError> {
        to_json(value, || name(key)).map_err(|failure| self.port_error(failure))
    }

    fn quotation_of(&self, key: &QuotationKey, stored: &Stored) -> Result<Quotation, PortError> {
        stored.read(key).map_err(|failure| self.port_error(failure))
    }
}

impl Stored {
    fn read(&self, key: impl std::fmt::Display + Copy) -> Result<Quotation, Failure> {
        let mut quotation: Quotation = from_json(&self.record, || name(key))?;
        if let Some(redirected) = &self.redirected {
            (quotation.connection, quotation.dialect) = from_json(redirected, || name(key))?;
        }
        if let Some(status) = &self.status {
            quotation.status = from_json(status, || name(key))?;
        }
        Ok(quotation)
    }
}

fn name(key: impl std::fmt::Display) -> String {
    format!("the quotation `{key}`")
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    Ok(Stored { record: row.get(0)?, redirected: row.get(1)?, status: row.get(2)? })
}

fn get(connection: &Connection, key: &QuotationKey) -> Result<Option<Stored>, Failure> {
    let found = connection.prepare_cached(GET)?.query_row([key.as_str()], stored).optional()?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fresh, secs, user};
    use super::*;
    use crate::model::{ConnectionId, RequestId};
    use crate::ports::{FailedEntry, Queues as _};

    fn quotation() -> Quotation {
        let (user, request_id) = (user("ann"), RequestId::new("1").unwrap());
        let (accepted_at, id) = (Timestamp::from_secs(1_800_000_000), [1; 16]);
        Quotation {
            key: QuotationKey::new(&user, &request_id),
            request_id,
            user,
            items: vec![],
            connection: ConnectionRef { endpoint: "e".into(), id: ConnectionId::from_random(id) },
            dialect: Dialect::Current,
            accepted_at,
            deadline: accepted_at.plus(secs(30)),
            expires_at: accepted_at.plus(secs(3600)),
            status: QuotationStatus::Pending,
        }
    }

    /// A way to publish that must not be taken.
    struct Unused;

    #[async_trait]
    impl Topic for Unused {
        async fn publish(&self, _: &[String]) -> Result<Vec<FailedEntry>, PortError> {
            panic!("the message goes with the quotation")
        }
    }

    #[tokio::test]
    async fn a_quotation_and_its_message_are_one_transaction() {
        let (store, _dir) = fresh();
        let refused = store.create(&quotation(), |_| Err(Failure::rejected("it", "a test"))).await;
        assert!(refused.is_err());
        assert_eq!(store.quotation(&quotation().key).await.unwrap(), None);

        let created = store.create_quotation(&quotation(), &Unused, "body").await.unwrap();
        assert_eq!(created, Created::New);
        let wait = std::time::Duration::ZERO;
        let messages = store.receive(Queue::Provider, 10, wait, secs(30)).await.unwrap();
        assert_eq!(messages.len(), 1);
    }
}
