//! Price tables: one row for each user, with the head and the user's own rows.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::engine::Embedded;
use super::failure::Failure;
use super::head::{head, head_and_table};
use super::known_heads::Heads;
use super::marks::Tx;
use super::queues::{check, send};
use super::rows::id;
use super::writer::Urgency;
use crate::model::UserId;
use crate::ports::{
    CatalogueHead, Cursor, Flip, MAX_INLINE_BYTES, NewTable, Outgoing, Page, PortError,
    PriceTables, Queue, TableHead, WantedParts,
};
use crate::pricing::{PackError, Reader, put_varint};

/// The greatest number of heads in a page.
const PAGE: usize = 500;
/// A page of this size gets no further heads.
const PAGE_BYTES: usize = 1 << 20;
/// A table is kept this many seconds longer than requested, so that most refreshes leave the expiry index
/// unchanged.
const SLACK: i64 = 60 * 60;

pub(super) const HEAD: &str = "SELECT head FROM price_table WHERE user = ?1";
pub(super) const LIST: &str =
    "SELECT user, head FROM price_table WHERE user > ?1 ORDER BY user LIMIT ?2";
pub(super) const PARTS: &str = "SELECT head, parts FROM price_table WHERE user = ?1";
// Also replaces a head that another version of ocache wrote in another format. Such a head begins with
// another byte.
const CREATE: &str = "
    INSERT INTO price_table (user, version, expires_at, head, parts) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (user) DO UPDATE SET version = excluded.version, expires_at = excluded.expires_at,
        head = excluded.head, parts = excluded.parts
    WHERE substr(head, 1, 1) <> substr(excluded.head, 1, 1)";
const EXPIRY: &str = "SELECT expires_at FROM price_table WHERE user = ?1 AND version = ?2";
const PROLONG: &str = "UPDATE price_table SET expires_at = ?2 WHERE user = ?1";
const REPLACE: &str = "UPDATE price_table SET version = ?2, head = ?3, parts = ?4 WHERE user = ?1";
const VALIDATE: &str = "UPDATE price_table SET version = ?2, head = ?3 WHERE user = ?1";
const DELETE: &str = "DELETE FROM price_table WHERE user = ?1";

/// A table as it is written.
struct NewTableRow {
    user: UserId,
    version: u64,
    head: Vec<u8>,
    parts: Option<Vec<u8>>,
    /// Whether the stored parts stay.
    keeps_parts: bool,
    expires_at: i64,
}

impl NewTableRow {
    /// Writes the table if the stored version is the expected one. Returns whether it did.
    fn replace(&self, tx: &Tx<'_>, expected: Option<u64>) -> Result<bool, Failure> {
        let Self { user, version, head, parts, keeps_parts, expires_at } = self;
        let (user, until) = (user.as_str(), expires_at.saturating_add(SLACK));
        let Some(expected) = expected else {
            let values = params![user, version, until, head, parts];
            return Ok(tx.prepare_cached(CREATE)?.execute(values)? > 0);
        };
        let kept_until: Option<i64> = tx
            .prepare_cached(EXPIRY)?
            .query_row(params![user, expected], |row| row.get(0))
            .optional()?;
        let Some(kept_until) = kept_until else { return Ok(false) };
        if kept_until < *expires_at {
            tx.prepare_cached(PROLONG)?.execute(params![user, until])?;
        }
        let changed = match keeps_parts {
            true => tx.prepare_cached(VALIDATE)?.execute(params![user, version, head])?,
            false => tx.prepare_cached(REPLACE)?.execute(params![user, version, head, parts])?,
        };
        Ok(changed > 0)
    }
}

#[async_trait]
impl PriceTables for Embedded {
    async fn table_heads(&self, users: &[UserId]) -> Result<Vec<(UserId, TableHead)>, PortError> {
        let users = users.to_vec();
        let count = users.len();
        let read = move |connection: &Connection| read_heads(connection, &users);
        match count {
            1 => self.look_once(read).await,
            _ => self.look(count, read).await,
        }
    }

    async fn heads_with_catalogue(
        &self,
        users: &[UserId],
    ) -> Result<Option<(Vec<(UserId, TableHead)>, CatalogueHead)>, PortError> {
        if let [user] = users {
            let found = self.heads_of(user).await?;
            return Ok(found.map(|(table, catalogue)| {
                (table.map(|table| (user.clone(), table)).into_iter().collect(), catalogue)
            }));
        }
        let (users, rows) = (users.to_vec(), users.len() + 1);
        self.look(rows, move |connection| {
            let Some(catalogue) = head(connection)? else { return Ok(None) };
            Ok(Some((read_heads(connection, &users)?, catalogue)))
        })
        .await
    }

    async fn put_table(&self, table: NewTable<'_>) -> Result<Flip, PortError> {
        let NewTable { user, head, parts, expected, expire_at, awaited } = table;
        let row = NewTableRow {
            user: user.clone(),
            version: head.version,
            head: head.pack(),
            parts: (!parts.is_empty()).then(|| join(parts)),
            keeps_parts: parts.is_empty() && head.parts() > 0,
            expires_at: expire_at.secs_rounded_up(),
        };
        let message = awaited.map(Outgoing::standard);
        if let Some(message) = &message {
            check(Queue::Provider, message)?;
        }
        let clock = Arc::clone(self.clock());
        let urgency = if awaited.is_some() { Urgency::Urgent } else { Urgency::Prompt };
        self.write_with(urgency, move |tx| match (row.replace(tx, expected)?, &message) {
            (false, _) => Ok(Flip::Conflict),
            (true, None) => Ok(Flip::Done),
            (true, Some(message)) => {
                send(tx, Queue::Provider, message, clock.now())?;
                Ok(Flip::Published)
            }
        })
        .await
    }

    async fn parts(&self, wanted: &[WantedParts]) -> Result<Vec<Vec<Option<Bytes>>>, PortError> {
        let (wanted, parts) = (wanted.to_vec(), wanted.iter().map(|one| one.numbers.len()).sum());
        self.look(parts, move |connection| {
            wanted.iter().map(|one| read_parts(connection, one)).collect()
        })
        .await
    }

    fn inline_bytes(&self) -> usize {
        MAX_INLINE_BYTES
    }

    async fn delete_table(&self, user: &UserId) -> Result<(), PortError> {
        self.execute(DELETE, [user.to_string()]).await.map(drop)
    }

    async fn list_table_heads(
        &self,
        from: Option<Cursor>,
    ) -> Result<Page<(UserId, TableHead)>, PortError> {
        // No id is empty, so all ids come after the empty text.
        let after = from.map_or_else(String::new, |cursor| cursor.0);
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(LIST)?;
            let mut rows = statement.query(params![after, PAGE])?;
            let mut items: Vec<(UserId, TableHead)> = Vec::new();
            let (mut last, mut count, mut bytes) = (None, 0, 0);
            while bytes < PAGE_BYTES
                && let Some(row) = rows.next()?
            {
                let user = id(row, 0, "the customer of a price table", UserId::stored)?;
                let packed = row.get_ref(1)?.as_blob()?;
                (count, bytes) = (count + 1, bytes + packed.len());
                let head = read_head(packed, &user)?;
                last = Some(user.as_str().to_owned());
                items.extend(head.map(|head| (user, head)));
            }
            let is_full = count == PAGE || bytes >= PAGE_BYTES;
            Ok(Page { items, next: last.filter(|_| is_full).map(Cursor) })
        })
        .await
    }
}

impl Embedded {
    /// Returns the head of one user's table and that of the catalogue, as they are kept or else stored.
    async fn heads_of(&self, user: &UserId) -> Result<Option<Heads>, PortError> {
        let known = self.known_heads();
        let moment = known.moment();
        if let Some(heads) = moment.and_then(|moment| known.find(user, moment)) {
            return Ok(Some(heads));
        }
        let wanted = user.clone();
        let found =
            self.look_once(move |connection| read_with_catalogue(connection, &wanted)).await?;
        if let (Some(moment), Some(heads)) = (moment, &found) {
            known.keep(user, moment, heads.clone());
        }
        Ok(found)
    }
}

/// Unpacks a head. Returns `None` if another version of ocache wrote it in another format.
fn read_head(packed: &[u8], user: &UserId) -> Result<Option<TableHead>, Failure> {
    match TableHead::unpack(packed) {
        Ok(head) => Ok(Some(head)),
        Err(PackError::UnknownVersion { .. }) => Ok(None),
        Err(error) => Err(unreadable(user, error)),
    }
}

fn unreadable(user: &UserId, error: PackError) -> Failure {
    Failure::unreadable(format!("the price table of customer `{user}`"), error)
}

/// Joins parts into one blob that begins with their number and lengths.
fn join(parts: &[Bytes]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(parts.iter().map(|part| part.len() + 3).sum());
    put_varint(&mut joined, parts.len() as u64);
    parts.iter().for_each(|part| put_varint(&mut joined, part.len() as u64));
    parts.iter().for_each(|part| joined.extend_from_slice(part));
    joined
}

fn split(joined: &[u8]) -> Result<Vec<&[u8]>, PackError> {
    let mut reader = Reader(joined);
    let count = reader.count(joined.len())?;
    let lengths = (0..count).map(|_| reader.length()).collect::<Result<Vec<_>, _>>()?;
    lengths.into_iter().map(|length| reader.take(length)).collect()
}

/// Reads the heads of some users, with one statement each.
fn read_heads(
    connection: &Connection,
    users: &[UserId],
) -> Result<Vec<(UserId, TableHead)>, Failure> {
    let mut statement = connection.prepare_cached(HEAD)?;
    let mut found = Vec::with_capacity(users.len());
    for user in users {
        let mut rows = statement.query([user.as_str()])?;
        let Some(row) = rows.next()? else { continue };
        if let Some(head) = read_head(row.get_ref(0)?.as_blob()?, user)? {
            found.push((user.clone(), head));
        }
    }
    Ok(found)
}

/// Reads the head of one user and that of the catalogue with one statement.
fn read_with_catalogue(connection: &Connection, user: &UserId) -> Result<Option<Heads>, Failure> {
    let read = |packed: Option<&[u8]>| match packed {
        Some(packed) => read_head(packed, user),
        None => Ok(None),
    };
    let found = head_and_table(connection, Some(user), read)?;
    Ok(found.map(|(catalogue, table)| (table, catalogue)))
}

/// Reads parts of a user's table. None are found if the table was replaced by another generation.
fn read_parts(
    connection: &Connection,
    wanted: &WantedParts,
) -> Result<Vec<Option<Bytes>>, Failure> {
    let WantedParts { user, generation, numbers } = wanted;
    let none = vec![None; numbers.len()];
    let mut statement = connection.prepare_cached(PARTS)?;
    let mut rows = statement.query([user.as_str()])?;
    let Some(row) = rows.next()? else { return Ok(none) };
    let head = read_head(row.get_ref(0)?.as_blob()?, user)?;
    let joined = row.get_ref(1)?.as_blob_or_null()?;
    let (Some(head), Some(joined)) = (head, joined) else { return Ok(none) };
    if head.generation != *generation {
        return Ok(none);
    }
    let parts = split(joined).map_err(|error| unreadable(user, error))?;
    let part = |number: &u32| parts.get(*number as usize).map(|part| Bytes::copy_from_slice(part));
    Ok(numbers.iter().map(part).collect())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::testing::{fresh, secs, stopped, user};
    use super::*;
    use crate::model::Generation;
    use crate::ports::testing::head;
    use crate::ports::{
        Changes, Clock as _, Commit, LoadId, Loads as _, MAX_BODY_BYTES, OwnStorage, Queues as _,
        parts_of,
    };
    use crate::pricing::{Currency, UnitRounding};

    async fn put(store: &Embedded, table: NewTable<'_>) {
        assert_eq!(store.put_table(table).await.unwrap(), Flip::Done);
    }

    #[tokio::test]
    async fn a_table_that_a_quotation_awaits_and_its_message_are_one_transaction() {
        let (store, _dir) = fresh();
        let (ann, until) = (user("ann"), store.clock().now().plus(secs(60)));
        let first = head(1, &Generation::from_random([1; 16]), store.clock().now());
        let table =
            NewTable { awaited: Some("ann's quotation"), ..NewTable::new(&ann, &first, until) };
        let put = store.put_table(table);
        assert_eq!(put.await.unwrap(), Flip::Published);
        let too_long = "x".repeat(MAX_BODY_BYTES + 1);
        let next = TableHead { version: 2, ..first.clone() };
        let table = NewTable {
            awaited: Some(&too_long),
            ..NewTable::new(&ann, &next, until).replacing(Some(1))
        };
        store.put_table(table).await.unwrap_err();
        assert_eq!(store.table_heads(&[ann]).await.unwrap()[0].1, first);
        let received = store.receive(Queue::Provider, 10, Duration::ZERO, secs(60)).await.unwrap();
        let bodies: Vec<&str> = received.iter().map(|message| &*message.body).collect();
        assert_eq!(bodies, ["ann's quotation"]);
    }

    #[tokio::test]
    async fn a_table_is_one_row_and_its_parts_go_with_its_generation() {
        let (store, _dir) = fresh();
        let (now, ann) = (store.clock().now(), user("ann"));
        let late = now.plus(secs(3600));
        let [first, second] = [1, 2].map(|byte| Generation::from_random([byte; 16]));
        let in_parts = |version, generation: &Generation| TableHead {
            own: OwnStorage::Parts(vec![0, 7]),
            ..head(version, generation, now)
        };
        let parts = [b"one", b"two"].map(|part| Bytes::from_static(part));
        let [one, two] = [1, 2].map(|version| in_parts(version, &first));
        let one = NewTable::new(&ann, &one, late).with_parts(&parts);
        // Another write was faster, so nothing of this one is stored.
        let flip = store.put_table(one.replacing(Some(7))).await;
        assert_eq!(flip.unwrap(), Flip::Conflict);
        assert_eq!(parts_of(&store, &ann, &first, &[0]).await.unwrap(), [None]);
        put(&store, one).await;
        let found = parts_of(&store, &ann, &first, &[1, 2, 0]).await.unwrap();
        assert_eq!(found, [Some(parts[1].clone()), None, Some(parts[0].clone())]);
        // A validated table keeps its parts. A replaced one has only those of its new generation.
        put(&store, NewTable::new(&ann, &two, late).replacing(Some(1))).await;
        assert!(parts_of(&store, &ann, &first, &[0]).await.unwrap()[0].is_some());
        let three = head(3, &second, now);
        put(&store, NewTable::new(&ann, &three, late).replacing(Some(2))).await;
        assert_eq!(parts_of(&store, &ann, &first, &[0]).await.unwrap(), [None]);
    }

    #[tokio::test]
    async fn a_head_is_read_with_that_of_the_catalogue() {
        let (store, _dir) = fresh();
        let (now, ann) = (store.clock().now(), user("ann"));
        let head = head(1, &Generation::from_random([1; 16]), now);
        put(&store, NewTable::new(&ann, &head, now.plus(secs(9)))).await;
        let load = LoadId("1".to_owned());
        store.begin_load(&load, now).await.unwrap();
        let (currency, rounding) = (Currency::USD, UnitRounding::PLAIN);
        let commit = Commit { load, currency, rounding, changes: Changes::PRODUCTS };
        store.commit_load(&commit, None).await.unwrap();
        for users in [vec![ann.clone()], vec![user("bob")], vec![ann.clone(), user("bob")]] {
            let (heads, _) = store.heads_with_catalogue(&users).await.unwrap().unwrap();
            let has_ann = users.contains(&ann).then(|| (ann.clone(), head.clone()));
            assert_eq!(heads, Vec::from_iter(has_ann), "{users:?}");
        }
    }

    #[tokio::test]
    async fn a_table_of_another_form_is_not_there_and_is_replaced() {
        let (store, _dir) = fresh();
        let (now, ann) = (store.clock().now(), user("ann"));
        let insert = |tx: &Tx<'_>| {
            let insert = "INSERT INTO price_table (user, version, expires_at, head)
                VALUES ('ann', 9, 1, x'ff00')";
            Ok(tx.prepare_cached(insert)?.execute([]).map(drop)?)
        };
        store.write(insert).await.unwrap();
        let heads = async || store.table_heads(std::slice::from_ref(&ann)).await.unwrap();
        assert!(heads().await.is_empty());
        assert!(store.list_table_heads(None).await.unwrap().items.is_empty());
        let head = head(1, &Generation::from_random([1; 16]), now);
        put(&store, NewTable::new(&ann, &head, now.plus(secs(9)))).await;
        assert_eq!(heads().await.len(), 1);
    }

    #[tokio::test]
    async fn a_table_stays_as_long_as_the_last_write_of_it_says() {
        let (store, clock, _dir) = stopped();
        let (ann, generation) = (user("ann"), Generation::from_random([1; 16]));
        let day = secs(86_400);
        let put_version = async |version: u64| {
            let head = head(version, &generation, clock.now());
            let expected = Some(version - 1).filter(|version| *version > 0);
            let table = NewTable::new(&ann, &head, clock.now().plus(day)).replacing(expected);
            put(&store, table).await;
        };
        put_version(1).await;
        for version in 2..50 {
            clock.advance(secs(1800));
            put_version(version).await;
        }
        clock.advance(day - secs(1));
        store.sweep_all(&clock).await;
        assert_eq!(store.table_heads(std::slice::from_ref(&ann)).await.unwrap().len(), 1);
        clock.advance(secs(2 * 3600));
        store.sweep_all(&clock).await;
        assert!(store.table_heads(std::slice::from_ref(&ann)).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn large_heads_come_in_pages_that_are_not_large() {
        let (store, _dir) = fresh();
        let (now, generation) = (store.clock().now(), Generation::from_random([1; 16]));
        let own = OwnStorage::Inline(vec![7; 60_000].into());
        let head = TableHead { own, ..head(1, &generation, now) };
        let names: Vec<String> = (0..40).map(|n| format!("user-{n:02}")).collect();
        for name in &names {
            let (user, until) = (user(name), now.plus(secs(3600)));
            put(&store, NewTable::new(&user, &head, until)).await;
        }
        let (mut found, mut pages, mut from) = (vec![], 0, None);
        loop {
            let page = store.list_table_heads(from).await.unwrap();
            found.extend(page.items.into_iter().map(|(user, _)| user.to_string()));
            (pages, from) = (pages + 1, page.next);
            if from.is_none() {
                break;
            }
        }
        assert_eq!(found, names);
        assert_eq!(pages, 3, "60 KB each, a megabyte a page");
    }
}
