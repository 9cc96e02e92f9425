//! Tests of what a queue accepts, and what it refuses.

use std::time::Duration;

use ocache::ports::{Outgoing, PortError, Ports, Queue};

use super::receiving::{delayed, take};
use super::receiving::{drain, fifo, message, nothing_comes, send, standard};
use super::samples::{ODD_IDS, secs};

const MAX_BODY_BYTES: usize = 256 * 1024;

/// Returns a JSON string of this many bytes, made of two-byte characters.
fn body(bytes: usize) -> String {
    let filler = "é".repeat((bytes - 2) / 2);
    let odd = if bytes.is_multiple_of(2) { "" } else { "x" };
    format!("\"{filler}{odd}\"")
}

fn odd_body(number: usize) -> String {
    let text = ODD_IDS[number % ODD_IDS.len()];
    serde_json::json!({ "number": number, "text": text, "lines": "a\nb\tc" }).to_string()
}

pub async fn batches_of_any_size_arrive_whole(ports: Ports) {
    for queue in Queue::ALL {
        let mut bodies: Vec<_> = (0..35).map(odd_body).collect();
        let posted = |(body, number)| {
            let group = format!("user {}", number % 7);
            if queue.is_fifo() { fifo(&group, body) } else { standard(body) }
        };
        let messages: Vec<_> = bodies.iter().map(String::as_str).zip(0..).map(posted).collect();
        send(&ports, queue, &messages).await;
        let mut arrived = drain(&ports, queue, 35).await;
        arrived.sort();
        bodies.sort();
        assert_eq!(arrived, bodies, "queue {queue}");
    }
}

pub async fn large_messages_are_split_over_requests(ports: Ports) {
    for queue in [Queue::Quotation, Queue::Provider] {
        let bodies: Vec<_> = (0..12).map(|n| body(100 * 1024 + n)).collect();
        let messages: Vec<_> = bodies
            .iter()
            .map(|body| Outgoing { body: body.clone(), ..message(queue, &body.len().to_string()) })
            .collect();
        send(&ports, queue, &messages).await;
        let mut arrived = drain(&ports, queue, bodies.len()).await;
        arrived.sort_by_key(String::len);
        assert!(arrived == bodies, "queue {queue}: the bodies differ");
    }
}

pub async fn a_body_may_have_256_kb(ports: Ports) {
    for queue in [Queue::Quotation, Queue::Provider] {
        let largest = body(MAX_BODY_BYTES);
        let message = Outgoing { body: largest.clone(), ..message(queue, "largest") };
        send(&ports, queue, &[message]).await;
        assert!(drain(&ports, queue, 1).await == [largest], "queue {queue}: the bodies differ");
    }
}

pub async fn what_does_not_fit_is_named_and_the_rest_is_sent(ports: Ports) {
    let too_large = body(MAX_BODY_BYTES + 1);
    for queue in [Queue::Quotation, Queue::Provider] {
        let unfit = match queue.is_fifo() {
            true => standard("unfit"),
            false => delayed("unfit", secs(15 * 60) + Duration::from_millis(1)),
        };
        let misplaced = match queue.is_fifo() {
            true => delayed("misplaced", secs(1)),
            false => fifo("misplaced", "misplaced"),
        };
        let messages = [
            message(queue, "first"),
            Outgoing { body: too_large.clone(), ..message(queue, "large") },
            message(queue, "second"),
            unfit,
            misplaced,
        ];
        let mut failed = ports.queues.send(queue, &messages).await.unwrap();
        failed.sort_by_key(|entry| entry.index);
        assert_eq!(failed.iter().map(|entry| entry.index).collect::<Vec<_>>(), [1, 3, 4]);
        for entry in failed {
            assert!(matches!(entry.error, PortError::Rejected { .. }), "{entry:?}");
        }
        let mut arrived: Vec<_> =
            take(&ports, queue, 2).await.into_iter().map(|message| message.body).collect();
        arrived.sort();
        assert_eq!(arrived, ["first", "second"]);
        nothing_comes(&ports, queue).await;
    }
}

pub async fn queues_are_separate(ports: Ports) {
    for queue in Queue::ALL {
        send(&ports, queue, &[message(queue, queue.name())]).await;
    }
    for queue in Queue::ALL {
        assert_eq!(drain(&ports, queue, 1).await, [queue.name()]);
        nothing_comes(&ports, queue).await;
    }
}

pub async fn sending_nothing_sends_nothing(ports: Ports) {
    for queue in Queue::ALL {
        send(&ports, queue, &[]).await;
        ports.queues.acknowledge(queue, &[]).await.unwrap();
        ports.queues.change_visibility(queue, &[], secs(1)).await.unwrap();
        nothing_comes(&ports, queue).await;
    }
}
