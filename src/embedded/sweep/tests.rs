//! Tests of what is deleted, what stays, and how much is deleted at once.

use std::sync::Mutex;

use super::super::known_heads::KnownHeads;
use super::super::marks::Writer;
use super::super::serving::Serving;
use super::super::testing::{fifo, secs, stopped, user};
use super::super::wake::Wake;
use super::super::{Embedded, open};
use super::*;
use crate::memory::ManualClock;
use crate::ports::{ActiveUsers as _, Housekeeping as _, Outgoing, Queue, Queues as _};
use crate::supervisor::Supervisor;

impl Embedded {
    /// Sweeps until there is nothing left to delete.
    pub(in crate::embedded) async fn sweep_all(&self, clock: &Arc<ManualClock>) {
        let now = clock.now();
        while !self.read(move |connection| is_clean(connection, now)).await.unwrap() {
            self.write(move |tx| sweep(tx, now, &least_budgets())).await.unwrap();
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
    store.send(Queue::Provider, &[Outgoing::standard("stays")]).await.unwrap();
    clock.advance(queue.retention() - secs(1));
    store.send(queue, &[fifo("ann", "young")]).await.unwrap();
    clock.advance(secs(1));
    store.sweep_all(&clock).await;
    assert_eq!(count(&store, "message").await, 2);
    // The ids of the old messages are forgotten, that of the young one is not.
    assert_eq!(count(&store, "deduplication").await, 1);
    let received = store.receive(queue, 10, Duration::ZERO, secs(30)).await.unwrap();
    assert_eq!(received.into_iter().map(|m| m.body).collect::<Vec<_>>(), ["young"]);
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
    let sweeper = Sweeper { due: Instant::now(), ..Sweeper::new(clock) };
    let supervisor = Supervisor::new();
    let heads = Arc::new(KnownHeads::new(opened.index));
    let connections = (opened.writer, opened.copier);
    let (_writer, _thread) =
        Writer::spawn(connections, heads, serving, sweeper, &supervisor).unwrap();
    while count(&store, "active_user").await > 0 {
        tokio::task::yield_now().await;
    }
}

/// Adds expired ids and price tables with these numbers. A higher number expires later.
fn add_expired(tx: &Tx<'_>, numbers: std::ops::Range<i64>) -> Result<(), Failure> {
    for number in numbers {
        tx.prepare_cached("INSERT INTO deduplication (queue, id, expires_at) VALUES (0, ?1, ?1)")?
            .execute([number])?;
        let table = "INSERT INTO price_table (user, version, expires_at, head)
            VALUES (?1, 1, ?1, x'01')";
        tx.prepare_cached(table)?.execute([number])?;
    }
    Ok(())
}

#[tokio::test]
async fn each_kind_has_a_budget_of_its_own_and_the_oldest_go_first() {
    let (store, clock, _dir) = stopped();
    store.write(|tx| add_expired(tx, 1..5001)).await.unwrap();
    store.record_visit(&user("ann"), clock.now(), clock.now()).await.unwrap();
    clock.advance(secs(7200));
    let now = clock.now();
    store.write(move |tx| sweep(tx, now, &least_budgets())).await.unwrap();
    // However many other records there are, the user has been deleted.
    assert_eq!(count(&store, "active_user").await, 0);
    for (table, left) in [("deduplication", 4800), ("price_table", 4800)] {
        assert_eq!(count(&store, table).await, left, "{table}");
    }
    for (table, first) in [("deduplication", 201), ("price_table", 201)] {
        let oldest = format!("SELECT min(expires_at) FROM {table}");
        let oldest = store.read(move |c| Ok(c.query_one(&oldest, [], |row| row.get::<_, i64>(0))?));
        assert_eq!(oldest.await.unwrap(), first, "{table}");
    }
}

#[tokio::test]
async fn the_backlog_stays_bounded_while_much_expires_between_two_batches() {
    // More than three times what the fastest refresh leaves behind in twice the pause between two batches.
    const EXPIRES: i64 = 1000;
    let (store, clock, _dir) = stopped();
    let sweeper = Arc::new(Mutex::new(Sweeper::new(clock)));
    for batch in 0..60 {
        let sweeper = Arc::clone(&sweeper);
        let numbers = 1 + batch * EXPIRES..1 + (batch + 1) * EXPIRES;
        let step = store.write(move |tx| {
            add_expired(tx, numbers.clone())?;
            sweeper.lock().unwrap().step(tx, &|sweep| sweep(tx))
        });
        step.await.unwrap();
        for table in ["deduplication", "price_table"] {
            let waiting = count(&store, table).await;
            assert!(waiting <= 6 * EXPIRES, "{waiting} of {table} after batch {batch}");
        }
    }
    let waiting = count(&store, "price_table").await;
    assert!(waiting <= EXPIRES, "{waiting}");
}

#[tokio::test]
async fn a_batch_that_left_something_behind_waits_for_no_pause_in_the_writing() {
    let (store, clock, _dir) = stopped();
    let step = async |sweeper: &Arc<Mutex<Sweeper>>| {
        let sweeper = Arc::clone(sweeper);
        store.write(move |tx| sweeper.lock().unwrap().step(tx, &|sweep| sweep(tx))).await.unwrap();
    };
    let sweeper = Arc::new(Mutex::new(Sweeper::new(clock)));
    store.write(|tx| add_expired(tx, 1..250)).await.unwrap();
    step(&sweeper).await;
    assert_eq!(sweeper.lock().unwrap().patience, Duration::ZERO);
    step(&sweeper).await;
    assert_eq!(sweeper.lock().unwrap().patience, PATIENCE);
    assert_eq!(count(&store, "price_table").await, 0);
}

#[tokio::test]
async fn what_waits_is_counted_by_kind() {
    let (store, clock, _dir) = stopped();
    let last = clock.now().millis() / 1000;
    store.write(move |tx| add_expired(tx, last - 9..last + 1)).await.unwrap();
    store.write(|tx| add_expired(tx, i64::MAX - 1..i64::MAX)).await.unwrap();
    let upkeep = store.upkeep().await.unwrap();
    let of = |kind: &str| upkeep.backlog.iter().find(|one| one.kind == kind).unwrap();
    assert_eq!((of("price_table").records, of("price_table").late), (10, secs(9)));
    assert_eq!((of("quotation").records, of("quotation").late), (0, Duration::ZERO));
    assert!(upkeep.file_bytes + upkeep.log_bytes > 0);
    store.sweep_all(&clock).await;
    let upkeep = store.upkeep().await.unwrap();
    assert!(upkeep.backlog.iter().all(|one| one.records == 0), "{upkeep:?}");
}
