//! Tests how often one call is attempted at most, counted where the attempts arrive.

use std::time::Duration;

use ocache::aws::AwsSettings;
use ocache::model::{DigestBuilder, Generation, Timestamp, UserId};
use ocache::ports::{
    Flip, NewTable, Outgoing, OwnStorage, PortError, Posting, Prices, Queue, TableHead, parts_of,
};
use ocache::pricing::{Currency, UnitRounding};

use super::proxy::Fault;
use super::replies::Service;
use super::system::{System, shared_endpoint};

/// How often every call is attempted by default.
const ATTEMPTS: u64 = 4;
/// How many calls are made for a batch of which nothing is ever done: one, and eight more.
const ROUNDS: u64 = 9;

fn impatient(settings: &mut AwsSettings) {
    settings.attempt_timeout = Duration::from_millis(500);
    settings.operation_timeout = Duration::from_secs(20);
}

fn head(generation: &Generation, until: Timestamp) -> TableHead {
    TableHead {
        version: 1,
        generation: generation.clone(),
        fingerprint: DigestBuilder::new("test").finish(),
        pricing_version: 1,
        base_version: 1,
        catalogue_version: 1,
        currency: Currency::USD,
        products: 0,
        rounding: UnitRounding::PLAIN,
        own: OwnStorage::NONE,
        prices: Prices::LIST,
        next: vec![],
        valid_until: None,
        parts_expire_at: until,
        priced_at: until,
        validated_at: until,
        fresh_until: until,
        usable_until: until,
    }
}

async fn read(system: &System) -> Result<(), PortError> {
    let user = UserId::new("AAA").unwrap();
    system.ports.store.active_user(&user).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a local AWS: .ci/ministack cargo test"]
async fn a_call_is_attempted_four_times() {
    let endpoint = shared_endpoint();
    let system = System::new(&endpoint, impatient).await;
    for fault in [Fault::Silent, Fault::Resets, Fault::Fails, Fault::Throttles] {
        system.proxy.break_with(fault, None);
        let error = read(&system).await.unwrap_err();
        let requests = system.proxy.mend().of("GetItem");
        assert_eq!(requests, ATTEMPTS, "{fault:?}: {error}");
        let is_throttled = matches!(error, PortError::Throttled { .. });
        assert_eq!(is_throttled, fault == Fault::Throttles, "{fault:?}: {error:?}");
        assert!(error.is_downstream(), "{fault:?}: {error:?}");
        read(&system).await.unwrap();
    }
    system.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a local AWS: .ci/ministack cargo test"]
async fn a_call_with_all_its_attempts_has_an_end() {
    let endpoint = shared_endpoint();
    let system = System::new(&endpoint, |settings| {
        settings.operation_timeout = Duration::from_secs(1);
    });
    let system = system.await;
    system.proxy.break_with(Fault::Silent, None);
    let error = read(&system).await.unwrap_err();
    // A single attempt would take five seconds.
    assert!(matches!(error, PortError::Unavailable { .. }), "{error:?}");
    assert_eq!(system.proxy.mend().of("GetItem"), 1);
    system.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a local AWS: .ci/ministack cargo test"]
async fn a_batch_is_sent_nine_times_when_nothing_of_it_is_done() {
    let endpoint = shared_endpoint();
    let system = System::new(&endpoint, |_| {}).await;
    let (ports, user) = (&system.ports, UserId::new("AAA").unwrap());
    let generation = Generation::from_random([7; 16]);
    let parts = vec![bytes::Bytes::from_static(b"part"); 30];
    let later = ports.clock.now().plus(Duration::from_secs(60));
    let head = head(&generation, later);
    let message =
        [Outgoing { body: "{}".to_owned(), posting: Posting::Standard { delay: Duration::ZERO } }];
    // These calls only make the engine look up names and addresses.
    assert!(ports.queues.send(Queue::Provider, &message).await.unwrap().is_empty());
    assert!(ports.topic.publish(&["{}".to_owned()]).await.unwrap().is_empty());

    system.proxy.break_with(Fault::Undone, None);
    let table = NewTable::new(&user, &head, later).with_parts(&parts);
    let error = ports.store.put_table(table).await.unwrap_err();
    assert!(matches!(error, PortError::Throttled { .. }), "{error:?}");
    let error = parts_of(&*ports.store, &user, &generation, &[0, 1]).await.unwrap_err();
    assert!(matches!(error, PortError::Throttled { .. }), "{error:?}");
    let failed = ports.queues.send(Queue::Provider, &message).await.unwrap();
    assert!(failed[0].error.is_downstream(), "{failed:?}");
    let failed = ports.topic.publish(&["{}".to_owned()]).await.unwrap();
    assert!(failed[0].error.is_downstream(), "{failed:?}");
    let counts = system.proxy.mend();
    // Thirty writes are two calls side by side. If one fails, the other is cancelled.
    assert!((ROUNDS..=2 * ROUNDS).contains(&counts.of("BatchWriteItem")), "{counts:?}");
    for operation in ["BatchGetItem", "SendMessageBatch", "PublishBatch"] {
        assert_eq!(counts.of(operation), ROUNDS, "{operation}: {counts:?}");
    }

    // Each call leaves half of the entries undone. In the end all are done, once.
    system.proxy.break_with(Fault::Halves, Some(Service::DynamoDb));
    let table = NewTable::new(&user, &head, later).with_parts(&parts);
    let flip = ports.store.put_table(table).await.unwrap();
    assert_eq!(flip, Flip::Done);
    let numbers: Vec<u32> = (0..30).collect();
    let read = parts_of(&*ports.store, &user, &generation, &numbers).await.unwrap();
    assert!(read.iter().all(Option::is_some));
    let counts = system.proxy.mend();
    assert!(counts.of("BatchWriteItem") > 2 && counts.of("BatchGetItem") > 1, "{counts:?}");
    system.close().await;
}
