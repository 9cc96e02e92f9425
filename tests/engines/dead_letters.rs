//! Tests of dead letters.

use ocache::ports::{DeadLetter, Depth, MAX_RECEIVES, Ports, Queue, Selection};

use super::listing::sorted_by;
use super::receiving::{
    LONG_VISIBILITY, drain, eventually, fifo, give_back, message, nothing_comes, send, take,
    take_one,
};
use super::samples::secs;

const BOTH_KINDS: [Queue; 2] = [Queue::Quotation, Queue::Provider];

/// Returns the dead letters of a queue, sorted by body.
async fn listed(ports: &Ports, queue: Queue) -> Vec<DeadLetter> {
    let letters = ports.dead_letters.dead_letters(queue, 100).await.unwrap();
    sorted_by(letters, |letter| letter.body.clone())
}

async fn bodies(ports: &Ports, queue: Queue) -> Vec<String> {
    listed(ports, queue).await.into_iter().map(|letter| letter.body).collect()
}

/// Sends messages and receives them until they are dead letters, which it returns.
async fn kill(ports: &Ports, queue: Queue, victims: &[&str]) -> Vec<DeadLetter> {
    let messages: Vec<_> = victims.iter().map(|body| message(queue, body)).collect();
    send(ports, queue, &messages).await;
    for count in 1..=MAX_RECEIVES {
        let received = take(ports, queue, victims.len()).await;
        let counts: Vec<_> = received.iter().map(|message| message.receive_count).collect();
        assert_eq!(counts, vec![count; victims.len()], "queue {queue}");
        give_back(ports, queue, &received).await;
    }
    // A message becomes a dead letter when a receive finds that it was received too often.
    eventually(victims.to_vec().iter().map(|body| (*body).to_owned()).collect(), || async {
        nothing_comes(ports, queue).await;
        bodies(ports, queue).await
    })
    .await;
    listed(ports, queue).await
}

fn ids(letters: &[DeadLetter]) -> Selection {
    Selection::Ids(letters.iter().map(|letter| letter.id.clone()).collect())
}

pub async fn a_message_is_given_up_after_its_last_receive(ports: Ports) {
    for queue in Queue::ALL {
        send(&ports, queue, &[message(queue, "José 株式会社")]).await;
        let alive = take_one(&ports, queue, LONG_VISIBILITY).await;
        give_back(&ports, queue, std::slice::from_ref(&alive)).await;
        for _ in 1..MAX_RECEIVES {
            let received = take_one(&ports, queue, LONG_VISIBILITY).await;
            assert_eq!(listed(&ports, queue).await, [], "it still has a chance");
            give_back(&ports, queue, &[received]).await;
        }
        eventually(1, || async {
            nothing_comes(&ports, queue).await;
            listed(&ports, queue).await.len()
        })
        .await;

        let dead = listed(&ports, queue).await.remove(0);
        assert_eq!((dead.id, dead.body, dead.group), (alive.id, alive.body, alive.group));
        assert_eq!(dead.sent_at, alive.sent_at);
        assert!(dead.receive_count.is_none_or(|count| count == MAX_RECEIVES));
        let expected = Depth { dead: 1, ..Depth::default() };
        eventually(expected, || async { ports.queues.depth(queue).await.unwrap() }).await;
    }
}

pub async fn a_dead_letter_does_not_block_its_group(ports: Ports) {
    let queue = Queue::Quotation;
    send(&ports, queue, &[fifo("ann", "poison"), fifo("ann", "next")]).await;
    for _ in 0..MAX_RECEIVES {
        let received = take_one(&ports, queue, LONG_VISIBILITY).await;
        assert_eq!(received.body, "poison");
        give_back(&ports, queue, &[received]).await;
    }
    let next = take_one(&ports, queue, LONG_VISIBILITY).await;
    assert_eq!((next.body.as_str(), next.receive_count), ("next", 1));
    eventually(vec!["poison".to_owned()], || bodies(&ports, queue)).await;
}

pub async fn all_are_redriven(ports: Ports) {
    for queue in Queue::ALL {
        let mut dead = kill(&ports, queue, &["1", "2", "3"]).await;
        assert_eq!(ports.dead_letters.redrive(queue, &Selection::All).await.unwrap(), 3);
        let mut again = take(&ports, queue, 3).await;
        again.sort_by(|a, b| a.body.cmp(&b.body));
        for (message, letter) in again.into_iter().zip(dead.drain(..)) {
            assert_eq!((message.body, message.group), (letter.body, letter.group));
            assert_eq!(message.receive_count, 1, "it starts again");
        }
        assert_eq!(listed(&ports, queue).await, []);
        assert_eq!(ports.dead_letters.redrive(queue, &Selection::All).await.unwrap(), 0);
    }
}

pub async fn chosen_ones_are_redriven(ports: Ports) {
    for queue in BOTH_KINDS {
        let dead = kill(&ports, queue, &["1", "2", "3"]).await;
        let none = Selection::Ids(vec!["unknown".to_owned()]);
        assert_eq!(ports.dead_letters.redrive(queue, &none).await.unwrap(), 0);
        assert_eq!(ports.dead_letters.redrive(queue, &ids(&dead[1..2])).await.unwrap(), 1);
        assert_eq!(drain(&ports, queue, 1).await, ["2"]);
        nothing_comes(&ports, queue).await;
        eventually(vec!["1".to_owned(), "3".to_owned()], || bodies(&ports, queue)).await;
    }
}

pub async fn all_are_dropped(ports: Ports) {
    for queue in Queue::ALL {
        kill(&ports, queue, &["1", "2", "3"]).await;
        let dropped = ports.dead_letters.drop_dead_letters(queue, &Selection::All).await.unwrap();
        assert_eq!(dropped, 3, "queue {queue}");
        assert_eq!(listed(&ports, queue).await, []);
        nothing_comes(&ports, queue).await;
    }
}

pub async fn chosen_ones_are_dropped(ports: Ports) {
    for queue in BOTH_KINDS {
        let dead = kill(&ports, queue, &["1", "2", "3"]).await;
        let chosen = ids(&dead[..2]);
        assert_eq!(ports.dead_letters.drop_dead_letters(queue, &chosen).await.unwrap(), 2);
        assert_eq!(ports.dead_letters.drop_dead_letters(queue, &chosen).await.unwrap(), 0);
        eventually(vec!["3".to_owned()], || bodies(&ports, queue)).await;
    }
}

pub async fn a_list_has_a_limit(ports: Ports) {
    let queue = Queue::Provider;
    kill(&ports, queue, &["1", "2", "3"]).await;
    for limit in [0, 1, 2] {
        let some = ports.dead_letters.dead_letters(queue, limit).await.unwrap();
        assert!(some.len() <= limit, "{} for {limit}", some.len());
    }
    // Listing removes nothing.
    let received = ports.queues.receive(queue, 10, secs(1), LONG_VISIBILITY).await.unwrap();
    assert_eq!(received, []);
    eventually(3, || async { listed(&ports, queue).await.len() }).await;
}
