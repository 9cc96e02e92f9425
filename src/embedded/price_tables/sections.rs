//! What the parts of many users begin with, stored once.
//!
//! A part stands for itself, and most of it is the catalogue section, the same for every user: written
//! for each of them, it was two thirds of the file. A section is found by its hash,
//! and expires after all parts that refer to it; a part whose section is missing is a missing part.

use bytes::Bytes;
use rusqlite::{OptionalExtension as _, Row, params};

use super::super::failure::Failure;
use super::super::marks::Tx;
use crate::model::DigestBuilder;
use crate::pricing::PackedPart;

/// Shorter beginnings are not worth a row.
const WORTH_SHARING: usize = 256;
/// A section is kept for so many seconds more than asked for, so that it is not written again for
/// each table that lives a little longer than the one before.
const SLACK: i64 = 60 * 60;

const FIND: &str = "SELECT id, expires_at FROM section WHERE hash = ?1";
const ADD: &str = "INSERT INTO section (hash, expires_at, bytes) VALUES (?1, ?2, ?3) RETURNING id";
const PROLONG: &str = "UPDATE section SET expires_at = ?2 WHERE id = ?1";
/// A part as it is stored.
pub(super) struct Part {
    pub(super) section: Option<Section>,
    /// The rest of it, or all.
    pub(super) own: Bytes,
}

/// What a part begins with, and others too.
pub(super) struct Section {
    hash: String,
    bytes: Bytes,
}

impl Part {
    /// Each part, cut where it begins to be its user's.
    pub(super) fn of_all(parts: &[Bytes]) -> Vec<Self> {
        parts.iter().map(Self::of).collect()
    }

    fn of(part: &Bytes) -> Self {
        let shared = PackedPart::shared_bytes(part);
        if shared < WORTH_SHARING {
            return Self { section: None, own: part.clone() };
        }
        let bytes = part.slice(..shared);
        let hash = DigestBuilder::new("section").part(&bytes).finish().to_string();
        Self { section: Some(Section { hash, bytes }), own: part.slice(shared..) }
    }
}

impl Section {
    /// Stores it, unless it is there, for at least this long; returns its number.
    pub(super) fn keep(&self, tx: &Tx<'_>, expires_at: i64) -> Result<i64, Failure> {
        let found: Option<(i64, i64)> = tx
            .prepare_cached(FIND)?
            .query_row([&self.hash], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let until = expires_at.saturating_add(SLACK);
        match found {
            Some((id, kept_until)) => {
                if kept_until < expires_at {
                    tx.prepare_cached(PROLONG)?.execute([id, until])?;
                }
                Ok(id)
            }
            None => Ok(tx
                .prepare_cached(ADD)?
                .query_row(params![self.hash, until, &self.bytes[..]], |row| row.get(0))?),
        }
    }
}

/// A part from its row; `None` when its section is missing.
pub(super) fn whole(row: &Row<'_>) -> rusqlite::Result<Option<Bytes>> {
    let own = row.get_ref(2)?.as_blob()?;
    if row.get_ref(0)? == rusqlite::types::ValueRef::Null {
        return Ok(Some(Bytes::copy_from_slice(own)));
    }
    Ok(row.get_ref(1)?.as_blob_or_null()?.map(|section| [section, own].concat().into()))
}

#[cfg(test)]
mod tests {
    use super::super::super::Embedded;
    use super::super::super::testing::{head, secs, stopped, user};
    use super::*;
    use crate::model::{Generation, ProductId};
    use crate::ports::{Clock as _, Flip, PriceTables as _, parts_of};
    use crate::pricing::{Catalogue, Currency, Discounts, Money, PriceTable};

    async fn count(store: &Embedded) -> i64 {
        let count = |row: &Row<'_>| row.get(0);
        store
            .read(move |c| Ok(c.query_one("SELECT count(*) FROM section", [], count)?))
            .await
            .unwrap()
    }

    fn part() -> Bytes {
        let product = |n: u32| {
            let id = ProductId::new(format!("P{}", n * 7919)).unwrap();
            (id, Money::from_minor(i64::from(n * n)))
        };
        let catalogue = Catalogue::new(1, Currency::USD, (1..1000).map(product).collect()).unwrap();
        let part = PriceTable::new(&catalogue, &Discounts::default()).pack().unwrap().remove(0);
        Bytes::from(part)
    }

    #[tokio::test]
    async fn what_parts_begin_with_is_stored_once_and_as_long_as_any_of_them() {
        let (store, clock, _dir) = stopped();
        let (part, short) = (part(), Bytes::from_static(b"not a part"));
        let late = clock.now().plus(secs(7200));
        let generation = Generation::from_random([1; 16]);
        let put = async |name, version: u64, expire_at| {
            let head = head(version, &generation, clock.now());
            let parts = [part.clone(), short.clone()];
            let expected = Some(version - 1).filter(|version| *version > 0);
            let put = store.put_table(&user(name), &head, &parts, expected, expire_at).await;
            assert_eq!(put.unwrap(), Flip::Done);
        };
        put("ann", 1, late).await;
        put("bob", 1, late).await;
        assert_eq!(count(&store).await, 1);
        put("bob", 2, late.plus(secs(86_400))).await;
        clock.advance(secs(86_400));
        store.sweep_all(&clock).await;
        let found = parts_of(&store, &user("bob"), &generation, &[0, 1, 2]).await.unwrap();
        assert_eq!(found, [Some(part), Some(short), None]);
        let found = parts_of(&store, &user("ann"), &generation, &[0]).await.unwrap();
        assert_eq!(found, [None]);
        clock.advance(secs(86_400));
        store.sweep_all(&clock).await;
        assert_eq!(count(&store).await, 0);
    }
}
