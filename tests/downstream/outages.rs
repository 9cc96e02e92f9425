//! Tests an outage of each kind while quotes and refreshes run: everything accepted is settled, no message
//! becomes a dead letter, and the system recovers by itself.

use std::fmt::Write as _;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::stream::{self, StreamExt as _};
use ocache::model::Timestamp;
use ocache::ports::QuotationStatus;
use ocache::pricing::Currency;
use tokio::time::{Instant, sleep};

use super::proxy::{Counts, Fault};
use super::replies::Service;
use super::system::{System, WARM, shared_endpoint};

/// As long as an ordinary test run has time for.
const OUTAGE_SECS: u64 = 6;
/// How many outages are tested in parallel. They share one local AWS, which is one process.
const AT_ONCE: usize = 5;
/// The pause between two quotes.
const EVERY: Duration = Duration::from_millis(250);
/// How many queues are received from.
const QUEUES: u64 = 3;
const ATTEMPTS: u64 = 4;
/// How many messages one receive has.
const BATCH: u64 = 10;

const OUTAGES: [(Fault, Option<Service>); 10] = [
    (Fault::Refuses, None),
    (Fault::Silent, None),
    (Fault::Resets, None),
    (Fault::Slow(Duration::from_millis(400)), None),
    (Fault::Fails, None),
    (Fault::Throttles, None),
    (Fault::Throttles, Some(Service::DynamoDb)),
    (Fault::Fails, Some(Service::DynamoDb)),
    (Fault::Undone, None),
    (Fault::Halves, None),
];

/// The outcome of one outage.
struct Outcome {
    accepted: usize,
    answered: usize,
    failed: usize,
    given_up: u64,
    counts: Counts,
}

fn outage() -> Duration {
    let secs = std::env::var("OCACHE_OUTAGE_SECS").map(|text| text.parse().unwrap());
    Duration::from_secs(secs.unwrap_or(OUTAGE_SECS))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a local AWS: .ci/ministack cargo test"]
async fn every_outage_is_outlived() {
    let endpoint = shared_endpoint();
    let outages = OUTAGES.map(|(fault, of)| outlive(&endpoint, fault, of).boxed());
    let outcomes: Vec<_> = stream::iter(outages).buffered(AT_ONCE).collect().await;
    let mut table = format!(
        "| {} s of | accepted | answered | failed by name | given up | requests \
         | receives | messages | most receives of one |\n",
        outage().as_secs()
    );
    let mut broken = vec![];
    for ((fault, of), outcome) in OUTAGES.into_iter().zip(outcomes) {
        let what = format!("{fault:?} of {}", of.map_or("all".into(), |of| format!("{of:?}")));
        let Outcome { accepted, answered, failed, given_up, counts } = outcome;
        let (total, receives) = (counts.total(), counts.of("ReceiveMessage"));
        let Counts { messages, most_receives, .. } = counts;
        writeln!(
            table,
            "| {what} | {accepted} | {answered} | {failed} | {given_up} | {total} \
             | {receives} | {messages} | {most_receives} |"
        )
        .unwrap();
        if given_up > 0 {
            broken.push(format!("{what}: {given_up} messages were given up"));
        }
        if matches!((fault, of), (Fault::Fails | Fault::Throttles, None))
            && receives > QUEUES * ATTEMPTS * most_tries()
        {
            broken.push(format!("{what}: {receives} receives, {} tries allowed", most_tries()));
        }
        if of.is_some() && messages > accepted as u64 + BATCH * QUEUES * most_tries() {
            broken.push(format!("{what}: {messages} messages received for {accepted} quotes"));
        }
    }
    println!("{table}");
    assert!(broken.is_empty(), "{broken:#?}");
}

/// Returns how often a breaker lets a call through at most while the outage lasts: three times before it
/// opens, and then after pauses that double from at least a quarter of a second to fifteen seconds.
fn most_tries() -> u64 {
    let (mut tries, mut passed, mut pause) = (4, Duration::ZERO, Duration::from_millis(250));
    while passed < outage() {
        tries += 1;
        passed += pause;
        pause = (pause * 2).min(Duration::from_secs(15));
    }
    tries
}

async fn outlive(endpoint: &str, fault: Fault, of: Option<Service>) -> Outcome {
    let mut system = System::new(endpoint, |_| {}).await;
    system.run();
    // A warm user, and everything in use.
    assert_eq!(system.answer(&system.ports).await.total.format(Currency::USD), "2029.00");
    system.refreshed_after(Timestamp::default()).await;

    system.proxy.break_with(fault, of);
    let mut accepted = vec![];
    let begun = Instant::now();
    let mut number = 0;
    while begun.elapsed() < outage() {
        // These quotes come by a gateway whose own connection to AWS works.
        let who = if number % 2 == 0 { WARM.to_owned() } else { format!("cold-{number}") };
        accepted.push((system.ask(&system.direct, &who).await.unwrap(), who));
        number += 1;
        sleep(EVERY).await;
    }
    let counts = system.proxy.mend();
    let mended_at = system.direct.clock.now();
    let tell = |what: &str| eprintln!("{fault:?} of {of:?}: {what}");
    tell("mended");

    let (mut answered, mut failed) = (0, 0);
    for (key, who) in &accepted {
        match system.end(key).await {
            QuotationStatus::Failed(_) => failed += 1,
            ended => {
                answered += 1;
                assert_right(ended, if who == WARM { "1805.52" } else { "2029.00" });
            }
        }
    }
    tell("all that was accepted has ended");
    // Everything recovers by itself.
    assert_eq!(system.answer(&system.ports).await.total.format(Currency::USD), "2029.00");
    tell("answers again");
    system.refreshed_after(mended_at).await;
    tell("refreshes again");
    let given_up = system.given_up().await;
    tell("nothing is left");
    system.close().await;
    Outcome { accepted: accepted.len(), answered, failed, given_up, counts }
}

fn assert_right(ended: QuotationStatus, total: &str) {
    match ended {
        QuotationStatus::Answered(answer) => {
            assert_eq!(answer.total.format(answer.currency), total);
        }
        other => panic!("{other:?}"),
    }
}
