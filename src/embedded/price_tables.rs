//! Price tables: heads, and the parts of their generations.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::engine::Embedded;
use super::failure::Failure;
use super::marks::Tx;
use super::rows::{from_json, id, to_json};
use crate::model::{Generation, Timestamp, UserId};
use crate::ports::{Cursor, Flip, Page, PortError, PriceTables, TableHead, WantedParts};

mod sections;

use sections::Part;

/// How many heads a page has at most.
const PAGE: usize = 500;
/// No head is added to a page that has so much: with a million products one is some 12 KB.
const PAGE_BYTES: usize = 1 << 20;
/// The most parts written in one job: about a megabyte.
const CHUNK: usize = 32;
/// More parts than this are cut away from the thread that asks: each is hashed.
const FEW: usize = 10;
/// How long a superseded generation stays for readers that have just read its head.
const GRACE: Duration = Duration::from_secs(60);

pub(super) const HEAD: &str = "SELECT head FROM table_head WHERE user = ?1";
pub(super) const LIST: &str =
    "SELECT user, head FROM table_head WHERE user > ?1 ORDER BY user LIMIT ?2";
const KEEP: &str = "
    INSERT INTO generation (user, name, expires_at) VALUES (?1, ?2, ?3)
    ON CONFLICT DO UPDATE SET expires_at = excluded.expires_at RETURNING id";
// A part that is there already is not written again: its bytes are by far the most of it.
const PUT_PART: &str = "
    INSERT INTO part (generation, number, section, bytes) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT DO UPDATE SET section = excluded.section, bytes = excluded.bytes
    WHERE bytes <> excluded.bytes OR section IS NOT excluded.section";
pub(super) const PART: &str = "
    SELECT part.section, section.bytes, part.bytes
    FROM generation JOIN part ON part.generation = generation.id
    LEFT JOIN section ON section.id = part.section
    WHERE user = ?1 AND name = ?2 AND number = ?3";
const OLD: &str = "SELECT version, generation FROM table_head WHERE user = ?1";
const PUT_HEAD: &str = "
    INSERT INTO table_head (user, version, generation, head, expires_at)
    VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT DO UPDATE SET version = excluded.version, generation = excluded.generation,
        head = excluded.head, expires_at = excluded.expires_at";
const DELETE_TABLE: [&str; 3] = [
    "DELETE FROM part WHERE generation IN (SELECT id FROM generation WHERE user = ?1)",
    "DELETE FROM generation WHERE user = ?1",
    "DELETE FROM table_head WHERE user = ?1",
];
const SUPERSEDE: &str = "
    UPDATE generation SET expires_at = ?3 WHERE user = ?1 AND name = ?2 AND expires_at > ?3";

#[async_trait]
impl PriceTables for Embedded {
    async fn table_heads(&self, users: &[UserId]) -> Result<Vec<(UserId, TableHead)>, PortError> {
        let users = users.to_vec();
        self.look(users.len(), move |connection| {
            let mut statement = connection.prepare_cached(HEAD)?;
            let mut found = Vec::with_capacity(users.len());
            for user in &users {
                let head: Option<String> =
                    statement.query_row([user.as_str()], |row| row.get(0)).optional()?;
                if let Some(head) = head {
                    let head = read_head(&head, user)?;
                    found.push((user.clone(), head));
                }
            }
            Ok(found)
        })
        .await
    }

    async fn put_table(
        &self,
        user: &UserId,
        head: &TableHead,
        parts: &[Bytes],
        expected: Option<u64>,
        expire_at: Timestamp,
    ) -> Result<Flip, PortError> {
        // Those of a large table go ahead, but for the last of them.
        let ahead = parts.len().saturating_sub(1) / CHUNK * CHUNK;
        let (ahead, last) = parts.split_at(ahead);
        for (chunk, first) in ahead.chunks(CHUNK).zip((0_i64..).step_by(CHUNK)) {
            let (user, generation, chunk) =
                (user.clone(), head.generation.clone(), self.cut(chunk).await?);
            self.write(move |tx| put_parts(tx, &user, &generation, first, &chunk, expire_at))
                .await?;
        }
        let (owner, generation) = (user.clone(), head.generation.clone());
        let (first, last) = (ahead.len() as i64, self.cut(last).await?);
        let flip = self
            .flip(user, head, expected, expire_at, move |tx| {
                put_parts(tx, &owner, &generation, first, &last, expire_at)
            })
            .await?;
        if flip == Flip::Conflict && !ahead.is_empty() {
            self.give_up(user, &head.generation).await?;
        }
        Ok(flip)
    }

    async fn parts(&self, wanted: &[WantedParts]) -> Result<Vec<Vec<Option<Bytes>>>, PortError> {
        let (wanted, parts) = (wanted.to_vec(), wanted.iter().map(|one| one.numbers.len()).sum());
        self.look(parts, move |connection| {
            wanted.iter().map(|one| read_parts(connection, one)).collect()
        })
        .await
    }

    async fn delete_table(&self, user: &UserId) -> Result<(), PortError> {
        let user = user.clone();
        self.write(move |tx| {
            for delete in DELETE_TABLE {
                tx.prepare_cached(delete)?.execute([user.as_str()])?;
            }
            Ok(())
        })
        .await
    }

    async fn list_table_heads(
        &self,
        from: Option<Cursor>,
    ) -> Result<Page<(UserId, TableHead)>, PortError> {
        // No id is empty, so all come after the empty text.
        let after = from.map_or_else(String::new, |cursor| cursor.0);
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(LIST)?;
            let mut rows = statement.query(params![after, PAGE])?;
            let mut items: Vec<(UserId, TableHead)> = Vec::new();
            let mut bytes = 0;
            while bytes < PAGE_BYTES
                && let Some(row) = rows.next()?
            {
                let user = id(row, 0, "the user of a price table", UserId::stored)?;
                let text: String = row.get(1)?;
                bytes += text.len();
                let head = read_head(&text, &user)?;
                items.push((user, head));
            }
            let is_full = items.len() == PAGE || bytes >= PAGE_BYTES;
            let last = items.last().filter(|_| is_full);
            let next = last.map(|(user, _)| Cursor(user.as_str().to_owned()));
            Ok(Page { items, next })
        })
        .await
    }
}

impl Embedded {
    async fn cut(&self, parts: &[Bytes]) -> Result<Vec<Part>, PortError> {
        if parts.len() <= FEW {
            return Ok(Part::of_all(parts));
        }
        let parts = parts.to_vec();
        self.read(move |_| Ok(Part::of_all(&parts))).await
    }

    /// Has the sweeper take the parts of a generation that no head will name. If this does not
    /// happen, it takes them when they expire.
    async fn give_up(&self, user: &UserId, generation: &Generation) -> Result<(), PortError> {
        let (user, generation) = (user.clone(), generation.clone());
        let now = self.now().secs_rounded_up();
        self.write(move |tx| {
            let values = params![user.as_str(), generation.as_str(), now];
            tx.prepare_cached(SUPERSEDE)?.execute(values)?;
            Ok(())
        })
        .await
    }

    /// Flips a head, after doing something else in the same transaction.
    async fn flip(
        &self,
        user: &UserId,
        head: &TableHead,
        expected: Option<u64>,
        expire_at: Timestamp,
        before: impl Fn(&Tx<'_>) -> Result<(), Failure> + Send + 'static,
    ) -> Result<Flip, PortError> {
        let text = to_json(head, || format!("the price table of user `{user}`"))
            .map_err(|failure| self.port_error(failure))?;
        let (user, version, generation) = (user.clone(), head.version, head.generation.clone());
        let superseded_until = self.now().plus(GRACE);
        self.write(move |tx| {
            let old = old_head(tx, &user)?;
            if old.as_ref().map(|(version, _)| *version) != expected {
                return Ok(Flip::Conflict);
            }
            before(tx)?;
            let expires_at = expire_at.secs_rounded_up();
            let name = generation.as_str();
            tx.prepare_cached(PUT_HEAD)?.execute(params![
                user.as_str(),
                version,
                name,
                text,
                expires_at
            ])?;
            if let Some((_, old)) = old.filter(|(_, old)| old != name) {
                let until = superseded_until.secs_rounded_up();
                tx.prepare_cached(SUPERSEDE)?.execute(params![user.as_str(), old, until])?;
            }
            Ok(Flip::Done)
        })
        .await
    }
}

/// Writes parts, numbered from `first`; without any, the generation stays as it is.
fn put_parts(
    tx: &Tx<'_>,
    user: &UserId,
    generation: &Generation,
    first: i64,
    parts: &[Part],
    expire_at: Timestamp,
) -> Result<(), Failure> {
    if parts.is_empty() {
        return Ok(());
    }
    let expires_at = expire_at.secs_rounded_up();
    let id: i64 = tx
        .prepare_cached(KEEP)?
        .query_row(params![user.as_str(), generation.as_str(), expires_at], |row| row.get(0))?;
    let mut statement = tx.prepare_cached(PUT_PART)?;
    for (part, number) in parts.iter().zip(first..) {
        let section = part.section.as_ref().map(|one| one.keep(tx, expires_at)).transpose()?;
        statement.execute(params![id, number, section, &part.own[..]])?;
    }
    Ok(())
}

fn read_parts(
    connection: &Connection,
    wanted: &WantedParts,
) -> Result<Vec<Option<Bytes>>, Failure> {
    let WantedParts { user, generation, numbers } = wanted;
    let mut statement = connection.prepare_cached(PART)?;
    let mut parts = Vec::with_capacity(numbers.len());
    for number in numbers {
        let values = params![user.as_str(), generation.as_str(), number];
        let part = statement.query_row(values, sections::whole).optional()?;
        parts.push(part.flatten());
    }
    Ok(parts)
}

fn read_head(text: &str, user: &UserId) -> Result<TableHead, Failure> {
    from_json(text, || format!("the price table of user `{user}`"))
}

fn old_head(tx: &Tx<'_>, user: &UserId) -> Result<Option<(u64, String)>, Failure> {
    let old = tx
        .prepare_cached(OLD)?
        .query_row([user.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(old)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fresh, head, secs, stopped, user};
    use super::*;
    use crate::ports::{Clock as _, parts_of};

    #[tokio::test]
    async fn parts_and_head_are_one_transaction() {
        let (store, _dir) = fresh();
        let (now, generation) = (store.clock().now(), Generation::from_random([1; 16]));
        let (ann, late) = (user("ann"), now.plus(secs(3600)));
        let (head, parts) = (head(1, &generation, now), [Bytes::from_static(b"part")]);
        // Somebody else was quicker: nothing of it stays.
        let flip = store.put_table(&ann, &head, &parts, Some(7), late).await.unwrap();
        assert_eq!(flip, Flip::Conflict);
        assert_eq!(parts_of(&store, &ann, &generation, &[0]).await.unwrap(), [None]);
        let flip = store.put_table(&ann, &head, &parts, None, late).await.unwrap();
        assert_eq!(flip, Flip::Done);
        assert_eq!(
            parts_of(&store, &ann, &generation, &[0]).await.unwrap(),
            [Some(parts[0].clone())]
        );
    }

    #[tokio::test]
    async fn a_conflict_leaves_no_part_of_a_large_table() {
        let (store, clock, _dir) = stopped();
        let (now, generation) = (clock.now(), Generation::from_random([1; 16]));
        let (ann, late) = (user("ann"), now.plus(secs(86_400)));
        let parts = vec![Bytes::from_static(b"part"); 3 * CHUNK];
        let head = head(1, &generation, now);
        let flip = store.put_table(&ann, &head, &parts, Some(7), late).await.unwrap();
        assert_eq!(flip, Flip::Conflict);
        clock.advance(secs(1));
        store.sweep_all(&clock).await;
        for table in ["part", "generation"] {
            let count = move |connection: &Connection| {
                let query = format!("SELECT count(*) FROM {table}");
                Ok(connection.query_row(&query, [], |row| row.get::<_, i64>(0))?)
            };
            assert_eq!(store.read(count).await.unwrap(), 0, "{table}");
        }
    }

    #[tokio::test]
    async fn large_heads_come_in_pages_that_are_not_large() {
        let (store, _dir) = fresh();
        let (now, generation) = (store.clock().now(), Generation::from_random([1; 16]));
        let product = |n: u32| crate::model::ProductId::new(format!("{n:060}")).unwrap();
        let head =
            TableHead { parts: (0..1000).map(product).collect(), ..head(1, &generation, now) };
        let names: Vec<String> = (0..40).map(|n| format!("user-{n:02}")).collect();
        for name in &names {
            let (user, until) = (user(name), now.plus(secs(3600)));
            let flip = store.put_table(&user, &head, &[], None, until).await.unwrap();
            assert_eq!(flip, Flip::Done);
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
