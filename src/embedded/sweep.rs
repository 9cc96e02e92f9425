//! Deleting what has expired: in the writing thread, in small batches, when nobody wants to write.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension as _, Params};

use super::failure::Failure;
use super::groups::{code, remove, settle_all};
use super::marks::{Marks, Tx};
use super::writer::{IdleWork, Transact};
use crate::model::Timestamp;
use crate::ports::{Clock, Queue};

/// How long nothing is looked for after nothing was found.
const INTERVAL: Duration = Duration::from_secs(5);
/// The pause between two batches, which others write in.
const BREATH: Duration = Duration::from_millis(20);
/// How long writers may keep a batch from its turn.
const PATIENCE: Duration = Duration::from_millis(250);
/// The most rows of a batch. Few enough that it takes a few milliseconds.
const ROWS: i64 = 200;
/// The most parts of a batch: they are up to 32 KB each.
const PARTS: usize = 32;
/// How long an expired user is remembered, so that a returning one keeps its first visit.
const ACTIVE_USER_GRACE: Duration = Duration::from_secs(60 * 60);
/// How long dead letters are kept.
const DEAD_LETTER_RETENTION: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// Rows of one table that are deleted when a column is at most a bound.
struct Chore {
    find: &'static str,
    delete: &'static str,
    bound: fn(Timestamp) -> i64,
}

macro_rules! chore {
    ($table:literal, $key:literal, $column:literal, $bound:expr) => {
        Chore {
            find: concat!("SELECT 1 FROM ", $table, " WHERE ", $column, " <= ?1 LIMIT 1"),
            delete: concat!(
                "DELETE FROM ",
                $table,
                " WHERE (",
                $key,
                ") IN (SELECT ",
                $key,
                " FROM ",
                $table,
                " WHERE ",
                $column,
                " <= ?1 LIMIT ?2)"
            ),
            bound: $bound,
        }
    };
}

const CHORES: [Chore; 7] = [
    chore!("deduplication", "queue, id", "expires_at", Timestamp::millis),
    chore!("table_head", "rowid", "expires_at", whole_secs),
    chore!("section", "rowid", "expires_at", whole_secs),
    chore!("quotation", "rowid", "expires_at", whole_secs),
    chore!("active_user", "bucket, user", "expires_at", |now| {
        whole_secs(now.minus(ACTIVE_USER_GRACE))
    }),
    chore!("usage", "window, process", "expires_at", whole_secs),
    chore!("dead_letter", "seq", "died_at", |now| now.minus(DEAD_LETTER_RETENTION).millis()),
];

const OLD_MESSAGES: &str = "
    SELECT seq, grp FROM message WHERE queue = ?1 AND sent_at <= ?2 ORDER BY sent_at LIMIT ?3";
const OLD_GENERATION: &str =
    "SELECT id FROM generation WHERE expires_at <= ?1 ORDER BY expires_at LIMIT 1";
const DELETE_PARTS: &str = "
    DELETE FROM part WHERE rowid IN (SELECT rowid FROM part WHERE generation = ?1 LIMIT ?2)";

/// An expiry in whole seconds has passed when it is at most this.
fn whole_secs(now: Timestamp) -> i64 {
    now.millis().div_euclid(1000)
}

/// Knows when it is time to sweep.
pub(super) struct Sweeper {
    clock: Arc<dyn Clock>,
    due: Instant,
}

impl Sweeper {
    /// Due for the first time after one interval.
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, due: Instant::now() + INTERVAL }
    }
}

impl IdleWork<Marks> for Sweeper {
    fn is_due(&self) -> bool {
        self.pause().is_zero()
    }

    fn is_overdue(&self) -> bool {
        self.due.elapsed() >= PATIENCE
    }

    fn pause(&self) -> Duration {
        self.due.saturating_duration_since(Instant::now())
    }

    /// Looks for something to delete and, only if there is, deletes one batch in a transaction.
    fn step(
        &mut self,
        connection: &Connection,
        transact: &Transact<'_, Marks>,
    ) -> Result<(), Failure> {
        let now = self.clock.now();
        // A failure is tried again after the whole interval.
        self.due = Instant::now() + INTERVAL;
        if is_clean(connection, now)? {
            return Ok(());
        }
        transact(&|tx| sweep(tx, now))?;
        self.due = Instant::now() + BREATH;
        Ok(())
    }
}

fn is_clean(connection: &Connection, now: Timestamp) -> Result<bool, Failure> {
    for chore in CHORES {
        if exists(connection, chore.find, [(chore.bound)(now)])? {
            return Ok(false);
        }
    }
    for queue in Queue::ALL {
        let oldest = now.minus(queue.retention()).millis();
        if exists(connection, OLD_MESSAGES, [code(queue), oldest, 1])? {
            return Ok(false);
        }
    }
    Ok(!exists(connection, OLD_GENERATION, [whole_secs(now)])?)
}

fn exists(connection: &Connection, sql: &str, values: impl Params) -> Result<bool, Failure> {
    Ok(connection.prepare_cached(sql)?.exists(values)?)
}

/// Deletes one batch of what has expired, of whatever kind.
fn sweep(tx: &Tx<'_>, now: Timestamp) -> Result<(), Failure> {
    let mut rows = ROWS;
    for chore in CHORES {
        let deleted = tx.prepare_cached(chore.delete)?.execute([(chore.bound)(now), rows])?;
        rows -= i64::try_from(deleted).unwrap_or(rows);
    }
    for queue in Queue::ALL {
        rows -= sweep_messages(tx, queue, now, rows)?;
    }
    if rows > 0 { sweep_parts(tx, now) } else { Ok(()) }
}

fn sweep_messages(tx: &Tx<'_>, queue: Queue, now: Timestamp, limit: i64) -> Result<i64, Failure> {
    let oldest = now.minus(queue.retention()).millis();
    let mut statement = tx.prepare_cached(OLD_MESSAGES)?;
    let old: Vec<(i64, Option<String>)> = statement
        .query_map([code(queue), oldest, limit], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (seq, _) in &old {
        remove(tx, *seq)?;
    }
    let count = i64::try_from(old.len()).unwrap_or(limit);
    settle_all(tx, queue, old.into_iter().filter_map(|(_, group)| group).collect(), now)?;
    Ok(count)
}

fn sweep_parts(tx: &Tx<'_>, now: Timestamp) -> Result<(), Failure> {
    let mut left = PARTS;
    while left > 0 {
        let old: Option<i64> = tx
            .prepare_cached(OLD_GENERATION)?
            .query_row([whole_secs(now)], |row| row.get(0))
            .optional()?;
        let Some(id) = old else { return Ok(()) };
        let limit = i64::try_from(left).unwrap_or(i64::MAX);
        let deleted = tx.prepare_cached(DELETE_PARTS)?.execute([id, limit])?;
        if deleted < left {
            tx.prepare_cached("DELETE FROM generation WHERE id = ?1")?.execute([id])?;
        }
        // A generation costs something even when it has no parts.
        left -= deleted.max(1);
    }
    Ok(())
}

/// What a sweep searches for, for the test of query plans.
#[cfg(test)]
pub(super) fn searches() -> Vec<&'static str> {
    let chores = CHORES.into_iter().flat_map(|chore| [chore.find, chore.delete]);
    chores.chain([OLD_MESSAGES, OLD_GENERATION, DELETE_PARTS]).collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::marks::Writer;
    use super::super::serving::Serving;
    use super::super::testing::{StoppedClock, fifo, secs, standard, stopped, user};
    use super::super::wake::Wake;
    use super::super::{Embedded, open, testing};
    use super::*;
    use crate::model::Generation;
    use crate::ports::{ActiveUsers as _, Flip, PriceTables as _, Queues as _, parts_of};
    use crate::supervisor::Supervisor;

    impl Embedded {
        /// Sweeps until there is nothing left to do.
        pub(in crate::embedded) async fn sweep_all(&self, clock: &Arc<StoppedClock>) {
            let now = clock.now();
            while !self.read(move |connection| is_clean(connection, now)).await.unwrap() {
                self.write(move |tx| sweep(tx, now)).await.unwrap();
            }
        }
    }

    async fn count(store: &Embedded, table: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        store.read(move |c| Ok(c.query_one(&sql, [], |row| row.get(0))?)).await.unwrap()
    }

    #[tokio::test]
    async fn old_messages_go_and_their_group_goes_on() {
        let (store, clock, _dir) = stopped();
        let queue = Queue::Refresh;
        let old: Vec<_> = (0..500).map(|n| fifo("ann", &n.to_string())).collect();
        store.send(queue, &old).await.unwrap();
        store.send(Queue::Provider, &[standard("stays")]).await.unwrap();
        clock.advance(queue.retention() - secs(1));
        store.send(queue, &[fifo("ann", "young")]).await.unwrap();
        clock.advance(secs(1));
        store.sweep_all(&clock).await;
        assert_eq!(count(&store, "message").await, 2);
        // The ids of the old ones are forgotten, that of the young one is not.
        assert_eq!(count(&store, "deduplication").await, 1);
        let received = store.receive(queue, 10, Duration::ZERO, secs(30)).await.unwrap();
        assert_eq!(received.into_iter().map(|m| m.body).collect::<Vec<_>>(), ["young"]);
    }

    #[tokio::test]
    async fn superseded_parts_go_after_a_minute_and_live_ones_stay() {
        let (store, clock, _dir) = stopped();
        let (ann, part) = (user("ann"), Bytes::from(vec![7; 1000]));
        let (old, new) = (Generation::from_random([1; 16]), Generation::from_random([2; 16]));
        let expire_at = clock.now().plus(secs(86_400));
        let put = async |version: u64, generation, parts: &[Bytes]| {
            let head = testing::head(version, generation, clock.now());
            let expected = Some(version - 1).filter(|version| *version > 0);
            let flip = store.put_table(&ann, &head, parts, expected, expire_at).await.unwrap();
            assert_eq!(flip, Flip::Done);
        };
        put(1, &old, &vec![part.clone(); 100]).await;
        put(2, &new, std::slice::from_ref(&part)).await;

        clock.advance(secs(59));
        store.sweep_all(&clock).await;
        assert_eq!(count(&store, "part").await, 101);
        clock.advance(secs(2));
        store.sweep_all(&clock).await;
        assert_eq!(count(&store, "part").await, 1);
        assert_eq!(parts_of(&store, &ann, &old, &[0]).await.unwrap(), [None]);
        assert_eq!(parts_of(&store, &ann, &new, &[0]).await.unwrap(), [Some(part)]);

        // An unchanged table flips its head and keeps its parts.
        put(3, &new, &[]).await;
        clock.advance(secs(3600));
        store.sweep_all(&clock).await;
        assert_eq!(count(&store, "part").await, 1);
        clock.advance(secs(86_400));
        store.sweep_all(&clock).await;
        for table in ["part", "generation", "table_head"] {
            assert_eq!(count(&store, table).await, 0, "{table}");
        }
    }

    #[tokio::test]
    async fn an_expired_user_is_remembered_for_an_hour() {
        let (store, clock, _dir) = stopped();
        let expires_at = clock.now().plus(secs(300));
        store.record_visit(&user("ann"), clock.now(), expires_at).await.unwrap();
        clock.advance(secs(300 + 3599));
        store.sweep_all(&clock).await;
        assert!(store.active_user(&user("ann")).await.unwrap().is_some());
        clock.advance(secs(1));
        store.sweep_all(&clock).await;
        assert!(store.active_user(&user("ann")).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn the_writing_thread_sweeps_by_itself() {
        let (store, clock, dir) = stopped();
        store.record_visit(&user("ann"), clock.now(), clock.now()).await.unwrap();
        clock.advance(secs(7200));
        let opened = open::open(dir.path(), open::BUSY_WAIT).unwrap();
        let serving = Serving::new(Arc::new(Wake::new()), clock.clone());
        let (sweeper, supervisor) = (Sweeper { clock, due: Instant::now() }, Supervisor::new());
        let (_writer, _thread) =
            Writer::spawn(opened.writer, opened.copier, serving, sweeper, &supervisor).unwrap();
        while count(&store, "active_user").await > 0 {
            tokio::task::yield_now().await;
        }
    }
}
