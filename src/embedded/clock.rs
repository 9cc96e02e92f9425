//! One time for all processes that have a store open.
//!
//! The clock of a process does not go back when the machine's clock is set back, but a process that starts
//! afterwards begins at the earlier time. Messages sent before would then be hidden from it for as long as
//! the clock was set back by. So it continues from the latest time that the store knows of.

use rusqlite::{Connection, OptionalExtension as _};

use super::groups::{DEDUPLICATION, code};
use crate::model::Timestamp;
use crate::ports::{Clock, Queue};

const LAST_SENT: &str = "
    SELECT sent_at FROM message WHERE queue = ?1 ORDER BY sent_at DESC LIMIT 1";
const LAST_DEDUPLICATED: &str = "
    SELECT expires_at FROM deduplication ORDER BY expires_at DESC LIMIT 1";

/// Tells a clock the time at which a message was last sent. An index has that time, so reading it takes
/// some microseconds.
pub(super) fn catch_up(clock: &dyn Clock, connection: &Connection) {
    match last_sent(connection) {
        Ok(Some(time)) => clock.has_passed(time),
        Ok(None) => {}
        // The next read or write reports what is wrong with the store.
        Err(error) => tracing::debug!(%error, "the time of the store cannot be read"),
    }
}

fn last_sent(connection: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    let mut last = connection
        .prepare_cached(LAST_DEDUPLICATED)?
        .query_row([], |row| row.get(0))
        .optional()?
        .map(|until| Timestamp::from_millis(until).minus(DEDUPLICATION));
    let mut statement = connection.prepare_cached(LAST_SENT)?;
    for queue in Queue::ALL {
        let sent_at = statement.query_row([code(queue)], |row| row.get(0)).optional()?;
        last = last.max(sent_at.map(Timestamp::from_millis));
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::super::testing::{fifo, open_with, secs, stopped_clock};
    use super::*;
    use crate::memory::ManualClock;
    use crate::ports::{Outgoing, Queues as _, SteadyClock};

    const HOUR: Duration = Duration::from_secs(3600);

    /// Returns a wall clock, and the clock of a process that follows it.
    fn clocks(set_back: Duration) -> (Arc<ManualClock>, Arc<SteadyClock>) {
        let wall = stopped_clock();
        wall.set(wall.now().minus(set_back));
        (wall.clone(), Arc::new(SteadyClock::new(wall)))
    }

    #[tokio::test]
    async fn what_was_ready_stays_ready_when_the_clock_is_set_back() {
        let dir = tempfile::tempdir().unwrap();
        let (wall, steady) = clocks(Duration::ZERO);
        let store = open_with(dir.path(), steady.clone());
        for (queue, message) in
            [(Queue::Refresh, fifo("ann", "1")), (Queue::Provider, Outgoing::standard("1"))]
        {
            store.send(queue, &[message]).await.unwrap();
        }
        wall.set(wall.now().minus(HOUR));
        let receive = async |queue| {
            let received = store.receive(queue, 1, Duration::ZERO, secs(60)).await.unwrap();
            received.len()
        };
        assert_eq!(receive(Queue::Refresh).await, 1);
        // A process that starts now, and what both processes send afterwards.
        let (_, late) = clocks(HOUR);
        let other = open_with(dir.path(), late);
        for (sender, receiver) in [(&other, &store), (&store, &other)] {
            let left = receiver.receive(Queue::Provider, 1, Duration::ZERO, secs(60)).await;
            assert_eq!(left.unwrap().len(), usize::from(std::ptr::eq(sender, &other)));
            sender.send(Queue::Quotation, &[fifo("bob", "2")]).await.unwrap();
            let got = receiver.receive(Queue::Quotation, 1, HOUR, secs(60)).await.unwrap();
            receiver.acknowledge(Queue::Quotation, &[got[0].receipt.clone()]).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_lease_ends_although_the_clock_is_set_back() {
        let dir = tempfile::tempdir().unwrap();
        let (wall, steady) = clocks(Duration::ZERO);
        let store = open_with(dir.path(), steady);
        store.send(Queue::Provider, &[Outgoing::standard("1")]).await.unwrap();
        let hidden = Duration::from_millis(100);
        let taken = store.receive(Queue::Provider, 1, Duration::ZERO, hidden).await.unwrap();
        assert_eq!(taken.len(), 1);
        wall.set(wall.now().minus(HOUR));
        let again = store.receive(Queue::Provider, 1, HOUR, hidden).await.unwrap();
        assert_eq!(again[0].receive_count, 2);
        // The same holds for a process that starts afterwards.
        store.close().await;
        let (_, late) = clocks(HOUR);
        let again =
            open_with(dir.path(), late).receive(Queue::Provider, 1, HOUR, hidden).await.unwrap();
        assert_eq!(again[0].receive_count, 3);
    }
}
