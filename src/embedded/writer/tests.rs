use futures_util::FutureExt as _;

use super::*;
use crate::embedded::marks::{Tx, Writer};
use crate::embedded::testing::fresh;
use crate::ports::{Outgoing, PortError, Queue, Queues as _};

const COUNT: &str = "SELECT count(*) FROM product";

fn put(tx: &Tx<'_>, id: &str) -> Result<(), Failure> {
    tx.prepare_cached("INSERT INTO product (id, name, price) VALUES (?1, '', 1)")?.execute([id])?;
    Ok(())
}

async fn count(store: &crate::embedded::Embedded) -> i64 {
    store.read(|c| Ok(c.query_one(COUNT, [], |row| row.get(0))?)).await.unwrap()
}

/// Holds the writing thread until the result is dropped, so that jobs gather.
pub(in crate::embedded) fn hold(writer: &Writer) -> mpsc::Sender<()> {
    let (release, held) = mpsc::channel();
    let (begun, begins) = mpsc::channel();
    drop(writer.submit(move |_| {
        // The job may be done again.
        let _ = begun.send(());
        let _ = held.recv();
        Ok(())
    }));
    begins.recv().unwrap();
    release
}

#[tokio::test]
async fn jobs_that_gather_share_a_commit_and_a_failing_one_undoes_only_itself() {
    let (store, _dir) = fresh();
    let held = hold(store.writer());
    let good = store.writer().submit(|tx| put(tx, "P1"));
    let bad: oneshot::Receiver<Result<(), _>> = store.writer().submit(|tx| {
        put(tx, "P2")?;
        Err(Failure::rejected("P2", "not wanted"))
    });
    let constraint = store.writer().submit(|tx| put(tx, "P1"));
    let file = store.file().to_owned();
    let late = store.writer().submit(move |tx| {
        put(tx, "P3")?;
        let count = |of: &Connection| of.query_one(COUNT, [], |row| row.get::<_, i64>(0));
        Ok((count(tx)?, count(&Connection::open(&file)?)?))
    });
    assert_eq!(count(&store).await, 0);
    drop(held);
    assert!(good.await.unwrap().is_ok());
    assert!(matches!(bad.await.unwrap(), Err(Failure::Rejected { .. })));
    assert!(matches!(constraint.await.unwrap(), Err(Failure::Sqlite(_))));
    assert_eq!(late.await.unwrap().unwrap(), (2, 0), "of one transaction, not committed yet");
    assert_eq!(count(&store).await, 2);
}

#[tokio::test]
async fn bulk_jobs_wait_for_others() {
    let (store, _dir) = fresh();
    let held = hold(store.writer());
    let jobs = [("B1", Urgency::Bulk), ("P1", Urgency::Prompt), ("P2", Urgency::Urgent)];
    // Each job reports how much is committed before it.
    let committed = jobs.map(|(id, urgency)| {
        let file = store.file().to_owned();
        store.writer().with(urgency).submit(move |tx| {
            put(tx, id)?;
            Ok(Connection::open(&file)?.query_one(COUNT, [], |row| row.get::<_, i64>(0))?)
        })
    });
    drop(held);
    let mut before = vec![];
    for job in committed {
        before.push(job.await.unwrap().unwrap());
    }
    assert_eq!(before, [2, 0, 0]);
}

#[test]
fn while_a_cold_quote_is_near_bulk_jobs_are_done_one_at_a_time_and_rarely() {
    let (commands, inbox) = mpsc::channel();
    let writer: super::JobWriter<()> = super::JobWriter { commands, urgency: Urgency::Bulk };
    let mut inbox = Inbox::new(inbox);
    let submit = |urgency, count| {
        (0..count).for_each(|_| drop(writer.with(urgency).submit(|_| Ok(()))));
    };
    submit(Urgency::Bulk, MAX_BULK + 5);
    submit(Urgency::Prompt, 1);
    assert_eq!(inbox.next().len(), 1 + MAX_BULK);
    assert_eq!(inbox.urgent_at, None);
    assert!(inbox.bulk_at.is_some());
    // Times are set here, so that it does not matter how slow this test is.
    let later = Instant::now() + Duration::from_secs(3600);
    inbox.bulk_at = Some(later);
    submit(Urgency::Urgent, 1);
    assert_eq!(inbox.next().len(), 1);
    assert!(inbox.urgent_at.is_some());
    inbox.urgent_at = Some(later);
    submit(Urgency::Prompt, 1);
    assert_eq!(inbox.next().len(), 1);
    assert!(inbox.next().is_empty());
    // Waits until a bulk job may be done, and not for the command that never comes.
    assert!(inbox.wait(Duration::MAX).is_none());
    inbox.bulk_at = None;
    assert_eq!(inbox.next().len(), 1);
    inbox.urgent_at = None;
    assert_eq!(inbox.next().len(), MAX_BULK);
    // A writer that stops does everything at once.
    (inbox.urgent_at, inbox.bulk_at) = (Some(later), Some(later));
    submit(Urgency::Bulk, 1);
    writer.stop();
    assert_eq!(inbox.next().len(), 1);
}

#[tokio::test]
async fn messages_taken_beside_a_job_that_fails_are_taken_once() {
    let (store, _dir) = fresh();
    store.send(Queue::Provider, &[Outgoing::standard("1")]).await.unwrap();
    let held = hold(store.writer());
    let receive = store.receive(Queue::Provider, 10, Duration::ZERO, Duration::from_secs(60));
    let mut receive = std::pin::pin!(receive);
    assert!(receive.as_mut().now_or_never().is_none(), "it is the writer's turn");
    let bad: oneshot::Receiver<Result<(), _>> =
        store.writer().submit(|_| Err(Failure::rejected("it", "not wanted")));
    drop(held);
    assert!(bad.await.unwrap().is_err());
    let received = receive.await.unwrap();
    assert_eq!((received.len(), received[0].receive_count), (1, 1));
    // Messages that went back would be in the writer's hands before this job.
    store.write(|tx| put(tx, "P1")).await.unwrap();
    let again = store.receive(Queue::Provider, 10, Duration::ZERO, Duration::MAX).await;
    assert!(again.unwrap().is_empty());
}

#[tokio::test]
async fn a_commit_that_fails_fails_all_its_jobs_and_not_the_next() {
    let (store, _dir) = fresh();
    let held = hold(store.writer());
    let innocent = store.writer().submit(|tx| put(tx, "P1"));
    // Ends the transaction of the others too, as a full disk can.
    let culprit = store.writer().submit(|tx| {
        tx.execute_batch("ROLLBACK")?;
        tx.execute_batch("not SQL")?;
        Ok(())
    });
    drop(held);
    assert!(matches!(innocent.await.unwrap(), Err(Failure::Sqlite(_))));
    assert!(matches!(culprit.await.unwrap(), Err(Failure::Sqlite(_))));
    assert_eq!(count(&store).await, 0);
    store.write(|tx| put(tx, "P2")).await.unwrap();
    assert_eq!(count(&store).await, 1);
}

#[tokio::test]
async fn a_full_disk_is_an_error_that_passes() {
    let (store, _dir) = fresh();
    let limit = |pages: i64| {
        store.write(move |tx| {
            let pages = format!("PRAGMA max_page_count = {pages}");
            Ok(tx.query_one(&pages, [], |row| row.get::<_, i64>(0)).map(drop)?)
        })
    };
    limit(1).await.unwrap();
    let large = [Outgoing::standard("x".repeat(200_000))];
    let error = store.send(Queue::Provider, &large).await.unwrap_err();
    assert!(matches!(&error, PortError::Unavailable { what, .. } if what.contains("store.db")));
    limit(1 << 30).await.unwrap();
    assert!(store.send(Queue::Provider, &large).await.unwrap().is_empty());
    let received = store.receive(Queue::Provider, 10, Duration::ZERO, Duration::MAX).await;
    assert_eq!(received.unwrap().len(), 1);
}

#[tokio::test]
async fn closing_finishes_what_was_begun() {
    let (store, _dir) = fresh();
    let jobs: Vec<_> =
        (0..1000).map(|n| store.writer().submit(move |tx| put(tx, &n.to_string()))).collect();
    store.close().await;
    for job in jobs {
        job.await.unwrap().unwrap();
    }
    let error = store.write(|tx| put(tx, "late")).await.unwrap_err();
    assert!(matches!(error, PortError::Unavailable { .. }));
    let waiting = store.receive(Queue::Provider, 1, Duration::MAX, Duration::MAX).await;
    assert!(matches!(waiting, Err(PortError::Unavailable { .. })));
}
