//! Tests of the topic and its one subscriber, the provider queue.

use ocache::ports::{PortError, Ports, Queue};

use super::receiving::{drain, nothing_comes, take_one};
use super::samples::{ODD_IDS, secs};

async fn publish(ports: &Ports, bodies: &[String]) {
    let failed = ports.topic.publish(bodies).await.unwrap();
    assert!(failed.is_empty(), "{failed:?}");
}

pub async fn what_is_published_reaches_the_provider_queue(ports: Ports) {
    let mut bodies: Vec<_> = (0..25)
        .map(|n| serde_json::json!({ "n": n, "text": ODD_IDS[n % ODD_IDS.len()] }).to_string())
        .collect();
    publish(&ports, &bodies).await;
    let mut arrived = drain(&ports, Queue::Provider, 25).await;
    arrived.sort();
    bodies.sort();
    assert_eq!(arrived, bodies, "delivery is raw");

    publish(&ports, &["\"one\"".to_owned()]).await;
    let one = take_one(&ports, Queue::Provider, secs(60)).await;
    assert_eq!((one.body.as_str(), one.group, one.receive_count), ("\"one\"", None, 1));
    publish(&ports, &["\"one\"".to_owned()]).await;
    assert_eq!(drain(&ports, Queue::Provider, 1).await, ["\"one\""], "equal bodies both arrive");
}

pub async fn what_is_too_large_is_named_and_the_rest_is_published(ports: Ports) {
    let too_large = format!("\"{}\"", "é".repeat(128 * 1024));
    let bodies = ["\"first\"".to_owned(), too_large, "\"second\"".to_owned()];
    let failed = ports.topic.publish(&bodies).await.unwrap();
    assert!(
        matches!(&failed[..], [entry] if entry.index == 1
            && matches!(entry.error, PortError::Rejected { .. })),
        "{failed:?}"
    );
    let mut arrived = drain(&ports, Queue::Provider, 2).await;
    arrived.sort();
    assert_eq!(arrived, ["\"first\"", "\"second\""]);
}

pub async fn large_messages_are_split_over_requests(ports: Ports) {
    let bodies: Vec<_> = (0..12).map(|n| format!("\"{}\"", "x".repeat(100 * 1024 + n))).collect();
    publish(&ports, &bodies).await;
    let mut arrived = drain(&ports, Queue::Provider, 12).await;
    arrived.sort_by_key(String::len);
    assert!(arrived == bodies, "the bodies differ");
}

pub async fn publishing_nothing_publishes_nothing(ports: Ports) {
    publish(&ports, &[]).await;
    nothing_comes(&ports, Queue::Provider).await;
}
