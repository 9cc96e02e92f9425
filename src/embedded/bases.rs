//! Bases, by name.

use async_trait::async_trait;
use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::engine::Embedded;
use super::rows::{from_json, to_json};
use crate::model::Timestamp;
use crate::ports::{BaseClaim, BaseName, Bases, PortError, StoredBase};
use crate::pricing::BaseIndex;

const PUT: &str = "
    INSERT INTO base (name, expires_at, contents) VALUES (?1, ?2, ?3)
    ON CONFLICT DO UPDATE SET expires_at = excluded.expires_at, contents = excluded.contents";
/// Parts are deleted with the row of their base, so the row must exist before the base has an index.
const EXPECT: &str = "
    INSERT INTO base (name, expires_at, contents) VALUES (?1, ?2, '')
    ON CONFLICT DO UPDATE SET expires_at = max(expires_at, excluded.expires_at)";
const PUT_PART: &str = "
    INSERT INTO base_part (base, number, bytes) VALUES (?1, ?2, ?3)
    ON CONFLICT DO UPDATE SET bytes = excluded.bytes";
const GET: &str = "SELECT contents, expires_at FROM base WHERE name = ?1 AND contents <> ''";
const GET_PART: &str = "SELECT bytes FROM base_part WHERE base = ?1 AND number = ?2";

#[async_trait]
impl Bases for Embedded {
    async fn put_base_parts(
        &self,
        name: &BaseName,
        first: u32,
        parts: &[Bytes],
        expires_at: Timestamp,
    ) -> Result<(), PortError> {
        let (name, parts) = (name.to_string(), parts.to_vec());
        self.write(move |tx| {
            put_parts(tx, &name, (first..).zip(&parts))?;
            tx.prepare_cached(EXPECT)?.execute(params![name, expires_at.secs_rounded_up()])?;
            Ok(())
        })
        .await
    }

    async fn put_base(
        &self,
        name: &BaseName,
        base: &StoredBase,
        parts: &[Bytes],
    ) -> Result<(), PortError> {
        let index = to_json(&base.index, || format!("the index of base {name}"));
        let index = index.map_err(|failure| self.port_error(failure))?;
        let (expires_at, parts) = (base.expires_at.secs_rounded_up(), parts.to_vec());
        let (name, first) = (name.to_string(), base.first_of_last(parts.len()));
        self.write(move |tx| {
            put_parts(tx, &name, (first..).zip(&parts))?;
            tx.prepare_cached(PUT)?.execute(params![name, expires_at, index])?;
            Ok(())
        })
        .await
    }

    async fn base(&self, name: &BaseName) -> Result<Option<StoredBase>, PortError> {
        let name = name.to_string();
        self.look_once(move |connection| {
            let mut statement = connection.prepare_cached(GET)?;
            let row = statement.query_row([&name], |row| Ok((row.get(0)?, row.get(1)?)));
            let Some((index, expires_at)): Option<(String, i64)> = row.optional()? else {
                return Ok(None);
            };
            let index: BaseIndex = from_json(&index, || format!("the index of base {name}"))?;
            Ok(Some(StoredBase { index, expires_at: Timestamp::from_secs(expires_at) }))
        })
        .await
    }

    async fn base_parts(
        &self,
        name: &BaseName,
        numbers: &[u32],
    ) -> Result<Vec<Option<Bytes>>, PortError> {
        self.parts_of(name.to_string(), numbers).await
    }

    async fn claim_base(
        &self,
        name: &BaseName,
        claim: &BaseClaim,
        now: Timestamp,
    ) -> Result<bool, PortError> {
        let (name, claim) = (format!("claim {name}"), claim.clone());
        self.write(move |tx| {
            let what = || format!("the {name}");
            let stored = tx
                .prepare_cached(GET)?
                .query_row([&name], |row| row.get::<_, String>(0))
                .optional()?;
            if let Some(stored) = stored
                && from_json::<BaseClaim>(&stored, what)?.keeps_out(&claim, now)
            {
                return Ok(false);
            }
            let expires_at = claim.until.secs_rounded_up();
            let json = to_json(&claim, what)?;
            tx.prepare_cached(PUT)?.execute(params![name, expires_at, json])?;
            Ok(true)
        })
        .await
    }

    async fn put_drafts(
        &self,
        name: &BaseName,
        drafts: &[(u32, Bytes)],
        expires_at: Timestamp,
    ) -> Result<(), PortError> {
        let (name, drafts) = (draft_of(name), drafts.to_vec());
        self.write(move |tx| {
            put_parts(tx, &name, drafts.iter().map(|(number, bytes)| (*number, bytes)))?;
            // This row keeps the drafts, and they are deleted with it.
            tx.prepare_cached(PUT)?.execute(params![name, expires_at.secs_rounded_up(), ""])?;
            Ok(())
        })
        .await
    }

    async fn drafts(
        &self,
        name: &BaseName,
        numbers: &[u32],
    ) -> Result<Vec<Option<Bytes>>, PortError> {
        self.parts_of(draft_of(name), numbers).await
    }
}

fn put_parts<'a>(
    connection: &Connection,
    name: &str,
    parts: impl Iterator<Item = (u32, &'a Bytes)>,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(PUT_PART)?;
    for (number, bytes) in parts {
        statement.execute(params![name, number, &bytes[..]])?;
    }
    Ok(())
}

/// Returns the name under which the drafts of a base are stored.
fn draft_of(name: &BaseName) -> String {
    format!("draft {name}")
}

impl Embedded {
    async fn parts_of(
        &self,
        name: String,
        numbers: &[u32],
    ) -> Result<Vec<Option<Bytes>>, PortError> {
        let numbers = numbers.to_vec();
        self.look(numbers.len(), move |connection| {
            let mut statement = connection.prepare_cached(GET_PART)?;
            let part = |number: &u32| -> rusqlite::Result<Option<Bytes>> {
                let bytes = statement.query_row(params![name, number], |row| row.get(0));
                Ok(bytes.optional()?.map(|bytes: Vec<u8>| bytes.into()))
            };
            Ok(numbers.iter().map(part).collect::<Result<_, _>>()?)
        })
        .await
    }
}
