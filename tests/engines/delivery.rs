//! Tests of visibility, receipts, delays, waiting and depth, on queues of both kinds.

use std::time::Duration;

use futures_util::future::join;
use ocache::ports::{Clock as _, Depth, Ports, Queue, SystemClock};
use tokio::time::Instant;

use super::receiving::{
    LONG_VISIBILITY, LONG_WAIT, acknowledge, delayed, drain, eventually, fifo, give_back, message,
    nothing_comes, receipts, receive, send, standard, take, take_one,
};
use super::samples::secs;

const BOTH_KINDS: [Queue; 2] = [Queue::Quotation, Queue::Provider];

pub async fn a_message_comes_again_when_its_visibility_ends(ports: Ports) {
    for queue in BOTH_KINDS {
        send(&ports, queue, &[message(queue, "again")]).await;
        let first = take_one(&ports, queue, secs(1)).await;
        let second = take_one(&ports, queue, LONG_VISIBILITY).await;
        assert_eq!((first.receive_count, second.receive_count), (1, 2));
        assert_eq!(
            (&first.body, &first.id, &first.group),
            (&second.body, &second.id, &second.group)
        );
        assert_eq!(first.sent_at, second.sent_at);
        let age = SystemClock.now().since(second.sent_at);
        assert!(age < secs(3600), "queue {queue}: sent {age:?} ago, which is another unit");
        nothing_comes(&ports, queue).await;
    }
}

pub async fn a_returned_message_comes_again_at_once(ports: Ports) {
    for queue in BOTH_KINDS {
        send(&ports, queue, &[message(queue, "again")]).await;
        for count in 1..=3 {
            let received = take_one(&ports, queue, LONG_VISIBILITY).await;
            assert_eq!(received.receive_count, count);
            give_back(&ports, queue, &[received]).await;
        }
    }
}

pub async fn a_longer_visibility_hides_a_message_longer(ports: Ports) {
    for queue in BOTH_KINDS {
        send(&ports, queue, &[message(queue, "long")]).await;
        let received = take_one(&ports, queue, secs(4)).await;
        let receipts = receipts(&[received]);
        ports.queues.change_visibility(queue, &receipts, LONG_VISIBILITY).await.unwrap();
        let meanwhile = ports.queues.receive(queue, 1, secs(5), LONG_VISIBILITY).await.unwrap();
        assert_eq!(meanwhile, [], "queue {queue}");

        ports.queues.change_visibility(queue, &receipts, secs(1)).await.unwrap();
        assert_eq!(take_one(&ports, queue, LONG_VISIBILITY).await.receive_count, 2);
    }
}

pub async fn an_acknowledged_message_is_gone(ports: Ports) {
    for queue in BOTH_KINDS {
        send(&ports, queue, &[message(queue, "gone")]).await;
        let received = take_one(&ports, queue, secs(4)).await;
        acknowledge(&ports, queue, std::slice::from_ref(&received)).await;
        let rest = ports.queues.receive(queue, 1, secs(5), LONG_VISIBILITY).await.unwrap();
        assert_eq!(rest, [], "queue {queue}");
        acknowledge(&ports, queue, std::slice::from_ref(&received)).await;
        give_back(&ports, queue, &[received]).await;
        nothing_comes(&ports, queue).await;
    }
}

/// Tests only FIFO queues, because a standard queue may accept an old receipt.
pub async fn an_expired_receipt_does_nothing(ports: Ports) {
    let queue = Queue::Quotation;
    send(&ports, queue, &[message(queue, "late")]).await;
    let first = take_one(&ports, queue, secs(1)).await;
    let second = take_one(&ports, queue, LONG_VISIBILITY).await;
    assert_ne!(first.receipt, second.receipt);

    // A valid receipt in the same call must be handled all the same.
    send(&ports, queue, &[message(queue, "other")]).await;
    let other = take_one(&ports, queue, LONG_VISIBILITY).await;
    assert_eq!(other.body, "other");
    give_back(&ports, queue, std::slice::from_ref(&first)).await;
    nothing_comes(&ports, queue).await;
    acknowledge(&ports, queue, &[first, other]).await;

    give_back(&ports, queue, &[second]).await;
    let third = take_one(&ports, queue, secs(1)).await;
    assert_eq!((third.body.as_str(), third.receive_count), ("late", 3));
    assert_eq!(drain(&ports, queue, 1).await, ["late"], "the other one is gone");
    nothing_comes(&ports, queue).await;
}

pub async fn many_receipts_at_once(ports: Ports) {
    for queue in BOTH_KINDS {
        let bodies: Vec<_> = (10..35).map(|n| n.to_string()).collect();
        let messages: Vec<_> = bodies.iter().map(|body| message(queue, body)).collect();
        send(&ports, queue, &messages).await;
        give_back(&ports, queue, &take(&ports, queue, 25).await).await;
        let again = take(&ports, queue, 25).await;
        assert!(again.iter().all(|message| message.receive_count == 2), "queue {queue}");
        acknowledge(&ports, queue, &again).await;
        eventually(Depth::default(), || async { ports.queues.depth(queue).await.unwrap() }).await;
    }
}

pub async fn a_delayed_message_comes_late(ports: Ports) {
    let started = Instant::now();
    let messages = [delayed("late", secs(2)), standard("at once"), delayed("never", secs(900))];
    send(&ports, Queue::Provider, &messages).await;
    assert_eq!(drain(&ports, Queue::Provider, 2).await, ["at once", "late"]);
    // Engines count in whole milliseconds.
    let elapsed = started.elapsed() + Duration::from_millis(5);
    assert!(elapsed >= secs(2), "after {elapsed:?}");
    nothing_comes(&ports, Queue::Provider).await;
}

/// Tests that a waiting receiver is woken. A receiver that only looks again later, or at the end of its
/// wait, would find the other message too.
pub async fn a_waiting_receiver_is_woken_by_a_message(ports: Ports) {
    for queue in Queue::ALL {
        send(&ports, queue, &[message(queue, "later")]).await;
        take_one(&ports, queue, secs(10)).await;
        let send = async {
            tokio::task::yield_now().await;
            send(&ports, queue, &[message(queue, "now")]).await;
        };
        let (received, ()) = join(receive(&ports, queue, 10, LONG_VISIBILITY), send).await;
        let bodies: Vec<_> = received.iter().map(|message| message.body.as_str()).collect();
        assert_eq!(bodies, ["now"], "queue {queue}");
    }
}

pub async fn a_receiver_takes_no_more_than_it_asked_for(ports: Ports) {
    for queue in BOTH_KINDS {
        let messages: Vec<_> = (0..15).map(|n| message(queue, &n.to_string())).collect();
        send(&ports, queue, &messages).await;
        for max in [1, 3, 10] {
            let received = receive(&ports, queue, max, LONG_VISIBILITY).await;
            assert!((1..=max).contains(&received.len()), "queue {queue}: {}", received.len());
        }
    }
}

pub async fn a_cancelled_receive_loses_nothing(ports: Ports) {
    for queue in BOTH_KINDS {
        let mut bodies = vec![];
        for n in 0..10 {
            let queues = ports.queues.clone();
            let receive =
                async move { queues.receive(queue, 10, LONG_WAIT, LONG_VISIBILITY).await };
            let receiver = tokio::spawn(receive);
            tokio::task::yield_now().await;
            send(&ports, queue, &[message(queue, &n.to_string())]).await;
            receiver.abort();
            // The receive may have been too fast to be cancelled. Then it has its messages.
            if let Ok(received) = receiver.await {
                let received = received.unwrap();
                bodies.extend(received.iter().map(|message| message.body.clone()));
                let receipts: Vec<_> = received.into_iter().map(|m| m.receipt).collect();
                ports.queues.acknowledge(queue, &receipts).await.unwrap();
            }
        }
        let left = 10 - bodies.len();
        bodies.extend(drain(&ports, queue, left).await);
        bodies.sort();
        assert_eq!(bodies.concat(), "0123456789", "queue {queue}");
    }
}

pub async fn depth_tells_the_kinds_apart(ports: Ports) {
    let fifo = [fifo("ann", "1"), fifo("ann", "2"), fifo("bob", "3")];
    send(&ports, Queue::Quotation, &fifo).await;
    take_one(&ports, Queue::Quotation, LONG_VISIBILITY).await;
    let expected = Depth { waiting: 2, in_flight: 1, ..Depth::default() };
    eventually(expected, || async { ports.queues.depth(Queue::Quotation).await.unwrap() }).await;

    let standard = [standard("1"), standard("2"), standard("3"), delayed("4", secs(900))];
    send(&ports, Queue::Provider, &standard).await;
    take_one(&ports, Queue::Provider, LONG_VISIBILITY).await;
    let expected = Depth { waiting: 2, in_flight: 1, delayed: 1, dead: 0 };
    eventually(expected, || async { ports.queues.depth(Queue::Provider).await.unwrap() }).await;

    eventually(Depth::default(), || async { ports.queues.depth(Queue::Refresh).await.unwrap() })
        .await;
}
