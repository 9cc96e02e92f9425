//! Tests of what is read again, and that nothing older than the store is ever returned.

use tempfile::TempDir;

use super::super::Embedded;
use super::super::marks::Tx;
use super::super::testing::{fresh, open, secs, stopped, user};
use super::super::writer::tests::hold;
use super::*;
use crate::model::Generation;
use crate::ports::testing::head;
use crate::ports::{
    ActiveUsers as _, Changes, Commit, Flip, LoadId, Loads as _, NewTable, PortError,
    PriceTables as _, Queue, Queues as _,
};
use crate::pricing::{Currency, UnitRounding};

/// Returns a store with a catalogue, and another process that has it open.
async fn two() -> (Embedded, Embedded, TempDir) {
    let (store, dir) = fresh();
    load(&store, "1", None).await;
    let other = open(dir.path());
    (store, other, dir)
}

async fn load(store: &Embedded, id: &str, expected: Option<u64>) {
    let load = LoadId(id.to_owned());
    store.begin_load(&load, store.clock().now()).await.unwrap();
    let (currency, rounding) = (Currency::USD, UnitRounding::PLAIN);
    let commit = Commit { load, currency, rounding, changes: Changes::PRODUCTS };
    store.commit_load(&commit, expected).await.unwrap();
}

/// Puts ann's table with this version of its head.
async fn put(store: &Embedded, version: u64) {
    let now = store.clock().now();
    let head = head(version, &Generation::from_random([1; 16]), now);
    let ann = user("ann");
    let table = NewTable::new(&ann, &head, now.plus(secs(60)));
    let flip = store.put_table(table.replacing(version.checked_sub(1).filter(|it| *it > 0)));
    assert_eq!(flip.await.unwrap(), Flip::Done);
}

/// Returns the versions of ann's table and of the catalogue.
async fn versions(store: &Embedded) -> (u64, u64) {
    let (heads, catalogue) = store.heads_with_catalogue(&[user("ann")]).await.unwrap().unwrap();
    (heads.first().map_or(0, |(_, head)| head.version), catalogue.version)
}

async fn visit(store: &Embedded, who: &str) {
    let now = store.clock().now();
    store.record_visit(&user(who), now, now.plus(secs(60))).await.unwrap();
}

/// Reads heads, and returns the moment at which they are kept.
async fn kept(store: &Embedded) -> u64 {
    versions(store).await;
    let known = store.known_heads();
    let moment = known.moment().unwrap();
    assert!(known.find(&user("ann"), moment).is_some(), "they are kept");
    moment
}

#[tokio::test]
async fn heads_are_read_again_only_if_one_may_have_changed() {
    let (store, other, _dir) = two().await;
    put(&store, 1).await;
    let moment = kept(&store).await;
    let ann = user("ann");
    // Nothing of this changes a head.
    visit(&store, "ann").await;
    visit(&store, "bob").await;
    store.remove_active_user(&user("bob")).await.unwrap();
    store.remove_active_user(&user("nobody")).await.unwrap();
    store.send(Queue::Provider, &[crate::ports::Outgoing::standard("body")]).await.unwrap();
    versions(&other).await;
    assert_eq!(store.known_heads().moment(), Some(moment));
    // Each of these may.
    let mut moments = vec![moment];
    put(&store, 2).await;
    moments.push(kept(&store).await);
    load(&store, "2", Some(1)).await;
    moments.push(kept(&store).await);
    visit(&other, "cid").await;
    moments.push(kept(&store).await);
    store.delete_table(&ann).await.unwrap();
    moments.push(kept(&store).await);
    assert!(moments.is_sorted_by(|one, next| one < next), "{moments:?}");
    store.clear().await.unwrap();
    assert_eq!(store.heads_with_catalogue(&[ann]).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_kept_is_not_read() {
    let (store, other, _dir) = two().await;
    let moment = kept(&store).await;
    let known = store.known_heads();
    let (_, catalogue) = known.find(&user("ann"), moment).unwrap();
    // This head is not stored.
    let head = head(99, &Generation::from_random([1; 16]), store.clock().now());
    known.keep(&user("ann"), moment, (Some(head), catalogue));
    assert_eq!(versions(&store).await.0, 99);
    visit(&other, "bob").await;
    assert_eq!(versions(&store).await.0, 0);
}

#[tokio::test]
async fn a_change_counts_though_others_share_its_commit_or_follow_it() {
    let (store, other, _dir) = two().await;
    put(&store, 1).await;
    assert_eq!(versions(&store).await, (1, 1));
    // Visits of this process between another process's commit and the next look do not hide it.
    put(&other, 2).await;
    for _ in 0..3 {
        visit(&store, "ann").await;
    }
    assert_eq!(versions(&store).await, (2, 1));
    // A visit, a table and a job that fails share a transaction, which is done again without the last.
    let held = hold(store.writer());
    let jobs = async {
        let refused = async {
            // Handed over when polled, after the others.
            store.write(|_| Err::<(), _>(Failure::rejected("it", "a test"))).await
        };
        let (_, _, refused) = tokio::join!(visit(&store, "bob"), put(&store, 3), refused);
        assert!(refused.is_err());
    };
    tokio::join!(jobs, async { drop(held) });
    assert_eq!((versions(&store).await, versions(&other).await), ((3, 1), (3, 1)));
}

/// Another process commits right after this one, before this one has looked.
#[tokio::test]
async fn a_commit_of_another_process_is_never_taken_for_one_of_this() {
    let (store, _other, _dir) = two().await;
    put(&store, 1).await;
    let raw = |sql: &str| {
        rusqlite::Connection::open(store.file()).unwrap().execute_batch(sql).unwrap();
    };
    const OWN: &str = "UPDATE catalogue_head SET half_loaded = 1 - half_loaded";
    const OTHER: &str = "UPDATE price_table SET expires_at = expires_at + 1";
    let known = store.known_heads();
    for (commits, is_written, is_hidden) in [
        (&[OWN][..], true, true),
        (&[OWN, OTHER], true, false),
        (&[OTHER], false, false),
        (&[], false, true),
    ] {
        let before = kept(&store).await;
        known.begun();
        let commit = || {
            for (number, sql) in commits.iter().enumerate() {
                raw(sql);
                if number == 0 && is_written {
                    // As SQLite reports it after the own commit.
                    let frames = known.last_commit().unwrap().frames;
                    known.written.store(frames, Ordering::SeqCst);
                }
            }
            Ok(())
        };
        known.commit(commit).unwrap();
        assert_eq!(known.moment() == Some(before), is_hidden, "{commits:?}");
    }
    // Nobody knows what of this is committed yet.
    let commit = || {
        raw(OWN);
        assert_eq!(known.moment(), None);
        Err(Failure::Closed)
    };
    known.begun();
    let before = kept(&store).await;
    assert!(known.commit(commit).is_err());
    assert!(known.moment().unwrap() > before);
}

#[tokio::test]
async fn what_is_rolled_back_or_changes_nothing_leaves_heads_known() {
    let (store, _other, _dir) = two().await;
    visit(&store, "ann").await;
    put(&store, 1).await;
    let moment = kept(&store).await;
    let refused = store.write(|tx| {
        tx.execute("DELETE FROM price_table WHERE user = 'ann'", [])?;
        Err::<(), _>(Failure::rejected("it", "a test"))
    });
    assert!(matches!(refused.await, Err(PortError::Rejected { .. })));
    let same = |tx: &Tx<'_>| Ok(tx.execute("UPDATE active_user SET first_seen = first_seen", [])?);
    assert_eq!(store.write(same).await.unwrap(), 1);
    visit(&store, "bob").await;
    assert_eq!(store.known_heads().moment(), Some(moment));
}

/// Two processes write a table in turns, while both write other things and read heads without a pause. What is
/// read is never older than what was written before the read began.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_older_than_the_store_is_returned() {
    const VERSIONS: u64 = 300;
    let (store, other, _dir) = two().await;
    let written = Arc::new(AtomicU64::new(0));
    let mut readers = vec![];
    for one in [&store, &other, &store] {
        let (one, written) = (one.clone(), written.clone());
        readers.push(tokio::spawn(async move {
            loop {
                let least = written.load(Ordering::SeqCst);
                let (found, _) = versions(&one).await;
                assert!(found >= least, "{found} is older than {least}");
                if least == VERSIONS {
                    return;
                }
                // A read from memory is never pending.
                tokio::task::yield_now().await;
            }
        }));
    }
    let visitors = [&store, &other].map(|one| {
        let (one, written) = (one.clone(), written.clone());
        tokio::spawn(async move {
            while written.load(Ordering::SeqCst) < VERSIONS {
                visit(&one, "bob").await;
            }
        })
    });
    for version in 1..=VERSIONS {
        put(if version % 2 == 0 { &store } else { &other }, version).await;
        written.store(version, Ordering::SeqCst);
    }
    for task in readers.into_iter().chain(visitors) {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn a_table_that_is_swept_is_not_known_any_more() {
    let (store, clock, _dir) = stopped();
    load(&store, "1", None).await;
    put(&store, 1).await;
    assert_eq!(versions(&store).await.0, 1);
    clock.advance(secs(86_400));
    store.sweep_all(&clock).await;
    assert_eq!(versions(&store).await.0, 0);
}

#[tokio::test]
async fn after_the_end_nothing_is_known() {
    let (store, other, dir) = two().await;
    put(&store, 1).await;
    kept(&store).await;
    other.close().await;
    store.close().await;
    let asked = store.heads_with_catalogue(&[user("ann")]).await;
    assert!(matches!(asked, Err(PortError::Unavailable { .. })), "{asked:?}");
    let names = std::fs::read_dir(dir.path()).unwrap().map(|it| it.unwrap().file_name());
    assert_eq!(names.collect::<Vec<_>>(), ["store.db"], "the log is gone");
}

#[tokio::test]
async fn heads_of_too_many_customers_are_not_kept() {
    let (store, _other, _dir) = two().await;
    let known = store.known_heads();
    let generation = Generation::from_random([1; 16]);
    let own = OwnStorage::Inline(vec![7; 800].into());
    let head = TableHead { own, ..head(1, &generation, store.clock().now()) };
    let (_, catalogue) = store.heads_with_catalogue(&[user("ann")]).await.unwrap().unwrap();
    for number in 0..40_000 {
        known.keep(&user(&format!("U{number}")), 0, (Some(head.clone()), catalogue.clone()));
    }
    assert!(known.heads.weight() <= MAX_BYTES && known.heads.len() > 8_000);
}
