//! Tests of FIFO queues: order within a group, groups side by side, no duplicates.

use std::collections::BTreeMap;
use std::sync::Mutex;

use futures_util::future::join_all;
use ocache::model::GroupId;
use ocache::ports::{Ports, Queue};

use super::receiving::{
    FIFO_QUEUES, LONG_VISIBILITY, acknowledge, drain, fifo, fifo_with_id, fresh_id, give_back,
    nothing_comes, send, take_one,
};
use super::samples::{secs, user};

const QUEUE: Queue = Queue::Quotation;

pub async fn a_group_is_delivered_in_order(ports: Ports) {
    for queue in FIFO_QUEUES {
        let bodies: Vec<_> = (100..125).map(|n| format!("{n}")).collect();
        let messages: Vec<_> = bodies.iter().map(|body| fifo("ann", body)).collect();
        let (batch, singles) = messages.split_at(20);
        send(&ports, queue, batch).await;
        for message in singles {
            send(&ports, queue, std::slice::from_ref(message)).await;
        }
        assert_eq!(drain(&ports, queue, 25).await, bodies, "queue {queue}");
    }
}

pub async fn a_group_is_blocked_while_one_is_in_flight(ports: Ports) {
    for queue in FIFO_QUEUES {
        send(&ports, queue, &[fifo("ann", "1"), fifo("ann", "2")]).await;
        let first = take_one(&ports, queue, LONG_VISIBILITY).await;
        assert_eq!((first.body.as_str(), first.receive_count), ("1", 1));
        assert_eq!(first.group, Some(GroupId::of(&user("ann")).to_string()));
        nothing_comes(&ports, queue).await;
        send(&ports, queue, &[fifo("ann", "3")]).await;
        nothing_comes(&ports, queue).await;
        acknowledge(&ports, queue, &[first]).await;
        assert_eq!(drain(&ports, queue, 2).await, ["2", "3"]);
    }
}

pub async fn groups_are_delivered_side_by_side(ports: Ports) {
    let groups = ["ann", "bob", "cyd"];
    let messages: Vec<_> =
        groups.iter().flat_map(|group| [fifo(group, group), fifo(group, group)]).collect();
    send(&ports, QUEUE, &messages).await;
    let mut bodies = vec![];
    for _ in groups {
        bodies.push(take_one(&ports, QUEUE, LONG_VISIBILITY).await.body);
    }
    bodies.sort();
    assert_eq!(bodies, groups);
    nothing_comes(&ports, QUEUE).await;
}

pub async fn an_acknowledgement_frees_the_group_for_a_waiting_receiver(ports: Ports) {
    send(&ports, QUEUE, &[fifo("ann", "1"), fifo("ann", "2")]).await;
    let first = take_one(&ports, QUEUE, LONG_VISIBILITY).await;
    let acknowledge = async {
        tokio::task::yield_now().await;
        acknowledge(&ports, QUEUE, &[first]).await;
    };
    let (second, ()) = tokio::join!(take_one(&ports, QUEUE, LONG_VISIBILITY), acknowledge);
    assert_eq!(second.body, "2");
}

pub async fn a_returned_message_comes_before_the_rest_of_its_group(ports: Ports) {
    send(&ports, QUEUE, &[fifo("ann", "1"), fifo("ann", "2")]).await;
    let first = take_one(&ports, QUEUE, LONG_VISIBILITY).await;
    send(&ports, QUEUE, &[fifo("ann", "3")]).await;
    give_back(&ports, QUEUE, &[first]).await;
    assert_eq!(drain(&ports, QUEUE, 3).await, ["1", "2", "3"]);

    send(&ports, QUEUE, &[fifo("ann", "4"), fifo("ann", "5")]).await;
    let fourth = take_one(&ports, QUEUE, secs(1)).await;
    assert_eq!(fourth.body, "4");
    assert_eq!(drain(&ports, QUEUE, 2).await, ["4", "5"], "also when visibility just ends");
}

/// Tests duplicates within a group. High-throughput mode remembers ids per group, so nothing is promised
/// across groups.
pub async fn a_repetition_is_dropped(ports: Ports) {
    for queue in FIFO_QUEUES {
        let id = fresh_id();
        let twice = [fifo_with_id("ann", "1", id), fifo_with_id("ann", "1", id)];
        send(&ports, queue, &twice).await;
        send(&ports, queue, &[fifo_with_id("ann", "another body", id), fifo("ann", "2")]).await;
        assert_eq!(drain(&ports, queue, 2).await, ["1", "2"]);
        nothing_comes(&ports, queue).await;
    }
}

pub async fn a_repetition_is_dropped_after_the_acknowledgement_too(ports: Ports) {
    let id = fresh_id();
    send(&ports, QUEUE, &[fifo_with_id("ann", "1", id)]).await;
    assert_eq!(drain(&ports, QUEUE, 1).await, ["1"]);
    send(&ports, QUEUE, &[fifo_with_id("ann", "1", id)]).await;
    nothing_comes(&ports, QUEUE).await;
    send(&ports, Queue::Refresh, &[fifo_with_id("ann", "1", id)]).await;
    assert_eq!(drain(&ports, Queue::Refresh, 1).await, ["1"], "ids count within a queue");
}

pub async fn equal_bodies_with_different_ids_both_arrive(ports: Ports) {
    send(&ports, QUEUE, &[fifo("ann", "same"), fifo("ann", "same"), fifo("bob", "same")]).await;
    assert_eq!(drain(&ports, QUEUE, 3).await, ["same"; 3]);
    nothing_comes(&ports, QUEUE).await;
}

pub async fn many_receivers_share_the_work_in_order(ports: Ports) {
    let group_of = |n: usize| format!("user {}", n % 20);
    let messages: Vec<_> = (0..200).map(|n| fifo(&group_of(n), &format!("{n:03}"))).collect();
    send(&ports, QUEUE, &messages).await;

    let received = Mutex::new(vec![]);
    let is_done = || received.lock().unwrap().len() >= messages.len();
    let worker = || async {
        while !is_done() {
            // The wait is short, because the other workers may have taken the rest meanwhile.
            let batch = ports.queues.receive(QUEUE, 10, secs(1), LONG_VISIBILITY).await.unwrap();
            let bodies = batch.iter().map(|message| message.body.clone());
            received.lock().unwrap().extend(bodies);
            acknowledge(&ports, QUEUE, &batch).await;
        }
    };
    join_all((0..4).map(|_| worker())).await;

    let mut by_group: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for body in received.into_inner().unwrap() {
        by_group.entry(group_of(body.parse().unwrap())).or_default().push(body);
    }
    for (group, bodies) in &by_group {
        let mut in_order = bodies.clone();
        in_order.sort();
        in_order.dedup();
        assert_eq!(*bodies, in_order, "{group}");
    }
    assert_eq!(by_group.values().map(Vec::len).collect::<Vec<_>>(), [10; 20]);
    nothing_comes(&ports, QUEUE).await;
}
