use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};
use rusqlite::Connection;

use super::super::groups::{append, code};
use super::super::take::*;
use super::super::testing::{fifo, fresh, open, secs, stopped};
use super::super::{active_users, catalogue, dead_letters, discounts, groups, price_tables};
use super::super::{leases, loaded, price_lists, queues, quotations, wake};
use super::*;
use crate::ports::{
    DeadLetters as _, Depth, MAX_RECEIVES, Outgoing, Queues as _, Receipt, Selection,
};

const NO_WAIT: Duration = Duration::ZERO;
const LONG: Duration = Duration::from_secs(600);
/// A wait that ends only if the test has failed.
const HANG: Duration = Duration::from_secs(60);

async fn take_all(store: &Embedded, queue: Queue, max: usize) -> Vec<Received> {
    store.receive(queue, max, NO_WAIT, secs(30)).await.unwrap()
}

fn bodies(received: &[Received]) -> Vec<&str> {
    received.iter().map(|message| message.body.as_str()).collect()
}

fn receipts(received: &[Received]) -> Vec<Receipt> {
    received.iter().map(|message| message.receipt.clone()).collect()
}

#[tokio::test]
async fn a_receiver_is_woken_from_another_process() {
    let (here, dir) = fresh();
    let there = open(dir.path());
    for queue in Queue::ALL {
        let waiting = tokio::spawn({
            let here = here.clone();
            async move { here.receive(queue, 10, HANG, LONG).await.unwrap() }
        });
        while here.wake().bell(queue).turns.available_permits() == wake::LOOKERS {
            tokio::task::yield_now().await;
        }
        let message = if queue.is_fifo() { fifo("ann", "1") } else { Outgoing::standard("1") };
        there.send(queue, &[message]).await.unwrap();
        assert_eq!(bodies(&waiting.await.unwrap()), ["1"]);
    }
}

#[tokio::test]
async fn an_acknowledgement_in_another_process_frees_the_group() {
    let (here, dir) = fresh();
    let there = open(dir.path());
    let queue = Queue::Quotation;
    here.send(queue, &[fifo("ann", "1"), fifo("ann", "2")]).await.unwrap();
    let first = there.receive(queue, 1, NO_WAIT, LONG).await.unwrap();
    let receipts = receipts(&first);
    let (second, acknowledged) =
        tokio::join!(here.receive(queue, 1, HANG, LONG), there.acknowledge(queue, &receipts));
    acknowledged.unwrap();
    assert_eq!(bodies(&second.unwrap()), ["2"]);
}

#[tokio::test]
async fn more_receivers_than_may_look_at_once_are_all_served() {
    let (store, _dir) = fresh();
    let receivers: Vec<_> = (0..wake::LOOKERS * 3)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.receive(Queue::Provider, 1, HANG, LONG).await })
        })
        .collect();
    for _ in &receivers {
        store.send(Queue::Provider, &[Outgoing::standard("1")]).await.unwrap();
    }
    for receiver in receivers {
        assert_eq!(receiver.await.unwrap().unwrap().len(), 1);
    }
}

/// Returns a receive that has begun to wait.
fn waiting(store: &Embedded, queue: Queue, max: usize) -> BoxFuture<'static, Vec<Received>> {
    let store = store.clone();
    let receive = async move { store.receive(queue, max, HANG, LONG).await.unwrap() };
    let mut receive = receive.boxed();
    assert_eq!((&mut receive).now_or_never(), None);
    receive
}

#[tokio::test]
async fn what_is_sent_is_handed_to_whoever_waits_in_the_same_transaction() {
    let (store, _dir) = fresh();
    for (queue, messages) in [
        (Queue::Quotation, ["1", "2", "3"].map(|body| fifo(body, body))),
        (Queue::Provider, ["1", "2", "3"].map(Outgoing::standard)),
    ] {
        let receivers = [waiting(&store, queue, 1), waiting(&store, queue, 1)];
        store.send(queue, &messages).await.unwrap();
        // Neither has been polled again.
        let depth = store.depth(queue).await.unwrap();
        assert_eq!((depth.waiting, depth.in_flight), (1, 2));
        let mut received = join_all(receivers).await.concat();
        received.extend(take_all(&store, queue, 10).await);
        assert_eq!(bodies(&received), ["1", "2", "3"]);
    }
}

#[tokio::test]
async fn what_is_handed_to_whoever_has_gone_is_shown_again_and_uncounted() {
    let (store, _dir) = fresh();
    let gone = waiting(&store, Queue::Provider, 10);
    store.send(Queue::Provider, &[Outgoing::standard("1")]).await.unwrap();
    assert_eq!(store.depth(Queue::Provider).await.unwrap().in_flight, 1);
    drop(gone);
    let received = store.receive(Queue::Provider, 10, HANG, LONG).await.unwrap();
    assert_eq!((bodies(&received), received[0].receive_count), (vec!["1"], 1));
    // A receiver that leaves before anything comes does not affect others.
    drop(waiting(&store, Queue::Refresh, 10));
    store.send(Queue::Refresh, &[fifo("ann", "2")]).await.unwrap();
    assert_eq!(store.depth(Queue::Refresh).await.unwrap().waiting, 1);
}

#[tokio::test]
async fn what_is_not_committed_is_handed_to_nobody() {
    let (store, _dir) = fresh();
    let receiver = waiting(&store, Queue::Provider, 10);
    let failed = store.write(|tx| {
        append(tx, Queue::Provider, None, Timestamp::default(), Timestamp::default(), "lost")?;
        tx.marks.wakes.add(Queue::Provider);
        // Ends the transaction of the job, as a full disk can.
        tx.execute_batch("ROLLBACK; not SQL")?;
        Ok(())
    });
    assert!(failed.await.is_err());
    store.send(Queue::Provider, &[Outgoing::standard("1")]).await.unwrap();
    assert_eq!(bodies(&receiver.await), ["1"]);
}

#[tokio::test]
async fn waiting_for_nothing_writes_nothing() {
    let (store, dir) = fresh();
    let log = dir.path().join("store.db-wal");
    let before = std::fs::read(&log).unwrap();
    for queue in Queue::ALL {
        assert_eq!(store.receive(queue, 10, Duration::from_millis(50), LONG).await.unwrap(), []);
    }
    assert!(std::fs::read(&log).unwrap() == before);
}

#[tokio::test]
async fn what_a_cancelled_receive_took_is_shown_again_at_once_and_uncounted() {
    let (store, _dir) = fresh();
    for (queue, message) in
        [(Queue::Quotation, fifo("ann", "1")), (Queue::Provider, Outgoing::standard("1"))]
    {
        store.send(queue, &[message]).await.unwrap();
        for _ in 0..MAX_RECEIVES + 1 {
            let request =
                ReceiveRequest { queue, max: 10, visibility: LONG, token: "token".into() };
            // One poll hands the job over. Then nobody waits for it.
            drop(store.take(&request).now_or_never());
        }
        let received = store.receive(queue, 10, HANG, LONG).await.unwrap();
        assert_eq!((bodies(&received), received[0].receive_count), (vec!["1"], 1));
    }
}

#[tokio::test]
async fn retention_drops_what_was_not_received() {
    let (store, clock, _dir) = stopped();
    let queue = Queue::Refresh;
    // These are more than one transaction clears away, and they are before one that is alive.
    let old: Vec<_> = (0..MAX_CLEARED * 2 + 7).map(|n| fifo("ann", &n.to_string())).collect();
    store.send(queue, &old).await.unwrap();
    clock.advance(queue.retention());
    assert_eq!(store.depth(queue).await.unwrap(), Depth::default());
    store.send(queue, &[fifo("ann", "young")]).await.unwrap();
    // The receive does not wait, although some of its transactions find nothing.
    let received = store.receive(queue, 10, LONG, LONG).await.unwrap();
    assert_eq!(bodies(&received), ["young"]);
}

#[tokio::test]
async fn a_repetition_is_dropped_for_five_minutes() {
    let (store, clock, _dir) = stopped();
    let queue = Queue::Refresh;
    let message = fifo("ann", "1");
    for (seconds, expected) in [(0, 1), (299, 0), (1, 1), (299, 0)] {
        clock.advance(secs(seconds));
        store.send(queue, std::slice::from_ref(&message)).await.unwrap();
        let received = take_all(&store, queue, 10).await;
        assert_eq!(received.len(), expected, "after {seconds} s");
        store.acknowledge(queue, &receipts(&received)).await.unwrap();
    }
}

#[tokio::test]
async fn many_poisonous_messages_are_given_up_and_redriven() {
    let (store, clock, _dir) = stopped();
    let queue = Queue::Quotation;
    let messages: Vec<_> = (0..300).map(|n| fifo(&n.to_string(), &n.to_string())).collect();
    store.send(queue, &messages).await.unwrap();
    for _ in 0..MAX_RECEIVES {
        let mut count = 0;
        while count < 300 {
            count += take_all(&store, queue, 10).await.len();
        }
        clock.advance(secs(30));
    }
    while store.depth(queue).await.unwrap().waiting > 0 {
        assert_eq!(take_all(&store, queue, 10).await, []);
    }
    assert_eq!(store.depth(queue).await.unwrap(), Depth { dead: 300, ..Depth::default() });
    assert_eq!(store.redrive(queue, &Selection::All).await.unwrap(), 300);
    assert_eq!(store.depth(queue).await.unwrap(), Depth { waiting: 300, ..Depth::default() });
}

/// Tests that a receive neither looks at blocked messages nor sorts waiting ones.
#[tokio::test]
async fn every_query_is_a_search_in_an_index() {
    let (store, _dir) = fresh();
    let mut queries = vec![
        NEXT_READY,
        LEADERS,
        OF_GROUP,
        ONE,
        HIDE,
        BURY,
        SHOW,
        groups::FRONT,
        leases::HELD,
        leases::RELEASE,
        queues::ACKNOWLEDGE,
        queues::POSTPONE,
        dead_letters::LIST,
        dead_letters::IDS,
        active_users::GET,
        active_users::LIST,
        catalogue::GET,
        catalogue::LIST,
        discounts::GET,
        discounts::LIST,
        loaded::CHANGES,
        price_lists::GET_CUSTOMER,
        price_lists::LIST_CUSTOMERS,
        price_lists::GET_LIST,
        price_lists::LIST_LISTS,
        price_lists::GET_PRICES,
        price_lists::LIST_PRICES,
        price_tables::HEAD,
        price_tables::LIST,
        price_tables::PARTS,
        quotations::GET,
        quotations::LIST,
        quotations::REDIRECT,
        quotations::SETTLE,
        quotations::DELETE,
    ];
    queries.extend(queues::COUNTS);
    queries.extend(super::super::sweep::searches());
    for query in queries {
        let sql = format!("EXPLAIN QUERY PLAN {query}");
        let plan: Vec<String> = store
            .read(move |connection| {
                let mut statement = connection.prepare(&sql)?;
                let plan = statement.raw_query().mapped(|row| row.get(3)).collect::<Result<_, _>>();
                Ok(plan?)
            })
            .await
            .unwrap();
        assert!(!plan.is_empty(), "{query}");
        for step in plan {
            let is_search = step.starts_with("SEARCH") || step.contains("SUBQUERY");
            // These steps name the ones below them, which are in the plan too.
            let has_steps = ["COMPOUND QUERY", "UNION ALL"].contains(&&*step);
            assert!(is_search || has_steps, "{step} for {query}");
        }
    }
}

/// Returns how many steps of SQLite's virtual machine it takes to take one message.
fn steps_of_a_receive(connection: &Connection, queue: Queue) -> i32 {
    let mut steps = 0;
    for (sql, values) in
        [(NEXT_READY, vec![code(queue)]), (LEADERS, vec![code(queue), i64::MAX, 1])]
    {
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query(rusqlite::params_from_iter(values)).unwrap();
        assert_eq!(rows.mapped(|_| Ok(())).count(), 1);
        steps += statement.get_status(rusqlite::StatementStatus::VmStep);
    }
    steps
}

#[tokio::test]
async fn a_receive_costs_the_same_whatever_waits() {
    let (store, _dir) = fresh();
    let queue = Queue::Refresh;
    let cost = || store.read(move |connection| Ok(steps_of_a_receive(connection, queue)));
    store.send(queue, &[fifo("first", "1")]).await.unwrap();
    let alone = cost().await.unwrap();
    let mut crowd: Vec<_> = (0..2000).map(|n| fifo("one group", &n.to_string())).collect();
    crowd.extend((0..2000).map(|n| fifo(&n.to_string(), "1")));
    store.send(queue, &crowd).await.unwrap();
    for _ in 0..20 {
        take_all(&store, queue, 10).await;
    }
    assert_eq!(cost().await.unwrap(), alone);
}

/// Tests that a wait ends in time while messages are handed to others: a receiver that is passed over must
/// not wait for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_wait_ends_in_time_whatever_is_handed_to_others() {
    const MESSAGES: usize = 500;
    let (store, _dir) = fresh();
    let received = Arc::new(AtomicUsize::new(0));
    let receivers = (0..wake::LOOKERS).map(|_| {
        let (store, received) = (store.clone(), Arc::clone(&received));
        tokio::spawn(async move {
            while received.load(Ordering::Relaxed) < MESSAGES {
                let wait = Duration::from_micros(200);
                let some = store.receive(Queue::Provider, 10, wait, LONG).await.unwrap();
                received.fetch_add(some.len(), Ordering::Relaxed);
            }
        })
    });
    let receivers: Vec<_> = receivers.collect();
    for _ in 0..MESSAGES {
        store.send(Queue::Provider, &[Outgoing::standard("1")]).await.unwrap();
    }
    for receiver in receivers {
        tokio::time::timeout(HANG, receiver).await.expect("a receiver waits for ever").unwrap();
    }
}

#[tokio::test]
async fn a_receiver_that_is_passed_over_is_told_to_look_again() {
    let (store, _dir) = fresh();
    let (queue, token) = (Queue::Provider, "token".to_owned());
    let request = ReceiveRequest { queue, max: 1, visibility: LONG, token };
    let waiters = &store.wake().bell(request.queue).waiters;
    let mut place = waiters.enter(&request, store.writer(), store.clock());
    let waiter = waiters.first().unwrap();
    assert!(!place.leave(), "it may be handed something");
    drop(waiter);
    assert!(place.handed().await.is_none());
}

#[tokio::test]
async fn nobody_is_woken_for_what_another_receiver_is_handed() {
    for (queue, max) in [(Queue::Provider, 10), (Queue::Provider, 1), (Queue::Quotation, 10)] {
        let (store, _dir) = fresh();
        let request = ReceiveRequest { queue, max, visibility: LONG, token: "token".to_owned() };
        let waiters = &store.wake().bell(queue).waiters;
        let enter = || waiters.enter(&request, store.writer(), store.clock());
        let (mut first, second) = (enter(), enter());
        let message = if queue.is_fifo() { fifo("ann", "1") } else { Outgoing::standard("1") };
        store.send(queue, &[message]).await.unwrap();
        assert_eq!(bodies(&first.handed().await.unwrap()), ["1"]);
        assert!(second.leave(), "it still waits");
    }
}

#[tokio::test]
async fn everybody_is_handed_something_while_there_is_enough() {
    let (store, _dir) = fresh();
    let queue = Queue::Provider;
    let request = ReceiveRequest { queue, max: 2, visibility: LONG, token: "token".to_owned() };
    let waiters = &store.wake().bell(queue).waiters;
    let enter = || waiters.enter(&request, store.writer(), store.clock());
    let mut places = [enter(), enter(), enter()];
    store.send(queue, &["1", "2", "3", "4", "5"].map(Outgoing::standard)).await.unwrap();
    for (place, expected) in places.iter_mut().zip([&["1", "2"][..], &["3", "4"], &["5"]]) {
        assert_eq!(bodies(&place.handed().await.unwrap()), expected);
    }
}
