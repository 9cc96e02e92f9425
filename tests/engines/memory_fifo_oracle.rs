//! Tests the FIFO queue of the memory engine against a small oracle, over random histories.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use ocache::memory::{ManualClock, Memory};
use ocache::model::{DeduplicationId, Timestamp};
use ocache::ports::{MAX_RECEIVES, Ports, Queue, Receipt, SystemRandomness};
use proptest::prelude::*;

use super::receiving::fifo_with_id;

const QUEUE: Queue = Queue::Quotation;
const VISIBILITY: Duration = Duration::from_secs(30);
const WINDOW_SECS: i64 = 300;

#[derive(Clone, Debug)]
enum Step {
    Send {
        group: u8,
        id: u8,
    },
    Receive {
        max: usize,
    },
    /// Uses one of the latest receipts, counted from the last one. Most are valid, some have expired.
    Acknowledge {
        back: usize,
    },
    GiveBack {
        back: usize,
    },
    Pass {
        secs: i64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..4_u8, 0..24_u8).prop_map(|(group, id)| Step::Send { group, id }),
        5 => (1..=4_usize).prop_map(|max| Step::Receive { max }),
        2 => (0..12_usize).prop_map(|back| Step::Acknowledge { back }),
        6 => (0..6_usize).prop_map(|back| Step::GiveBack { back }),
        1 => prop_oneof![Just(1), Just(29), Just(30), Just(299)].prop_map(|secs| Step::Pass { secs }),
    ]
}

/// One message in the oracle's ledger, which is never removed.
struct Line {
    group: u8,
    body: String,
    received: u32,
    hidden_until: i64,
    is_gone: bool,
}

/// A ledger of everything sent, in order. The result of a receive follows from reading it.
#[derive(Default)]
struct Oracle {
    now: i64,
    ledger: Vec<Line>,
    sends: Vec<(u8, i64)>,
    dead: Vec<String>,
}

impl Oracle {
    fn send(&mut self, group: u8, id: u8, body: &str) {
        let repeats = |&(other, at): &(u8, i64)| other == id && self.now - at < WINDOW_SECS;
        if self.sends.iter().any(repeats) {
            return;
        }
        self.sends.push((id, self.now));
        let body = body.to_owned();
        self.ledger.push(Line { group, body, received: 0, hidden_until: 0, is_gone: false });
    }

    fn is_in_flight(&self, line: &Line) -> bool {
        !line.is_gone && line.hidden_until > self.now
    }

    /// Returns what a receive returns: places in the ledger, bodies and receive counts.
    fn receive(&mut self, max: usize) -> Vec<(usize, String, u32)> {
        let is_blocked =
            |group| self.ledger.iter().any(|line| line.group == group && self.is_in_flight(line));
        let blocked = [0, 1, 2, 3].map(is_blocked);
        let mut received = vec![];
        for (place, line) in self.ledger.iter_mut().enumerate() {
            if received.len() == max {
                break;
            }
            if line.is_gone || blocked[usize::from(line.group)] {
                continue;
            }
            if line.received == MAX_RECEIVES {
                line.is_gone = true;
                self.dead.push(line.body.clone());
                continue;
            }
            line.received += 1;
            line.hidden_until = self.now + 30;
            received.push((place, line.body.clone(), line.received));
        }
        received
    }

    /// Returns the line of a delivery, while its receipt is valid.
    fn line_of(&mut self, place: usize, count: u32) -> Option<&mut Line> {
        let is_valid =
            self.is_in_flight(&self.ledger[place]) && self.ledger[place].received == count;
        is_valid.then(|| &mut self.ledger[place])
    }
}

/// Returns the output of a call that must not wait.
fn at_once<T>(call: impl Future<Output = T>) -> T {
    call.now_or_never().expect("the call waits")
}

fn agree(ports: &Ports, clock: &ManualClock, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut oracle = Oracle::default();
    // Receipts, each with the place in the ledger and the receive count of its delivery.
    let mut given: Vec<(Receipt, usize, u32)> = vec![];
    for (number, step) in steps.into_iter().enumerate() {
        match step {
            Step::Send { group, id } => {
                let body = format!("message {number}");
                let id_of = DeduplicationId::from_random([id; 16]);
                let message = fifo_with_id(&format!("group {group}"), &body, id_of);
                at_once(ports.queues.send(QUEUE, &[message])).unwrap();
                oracle.send(group, id, &body);
            }
            Step::Receive { max } => {
                let received = ports.queues.receive(QUEUE, max, Duration::ZERO, VISIBILITY);
                let received = at_once(received).unwrap();
                let expected = oracle.receive(max);
                let shown = |body: &String, count| (body.clone(), count);
                prop_assert_eq!(
                    received.iter().map(|m| shown(&m.body, m.receive_count)).collect::<Vec<_>>(),
                    expected.iter().map(|(_, body, count)| shown(body, *count)).collect::<Vec<_>>()
                );
                given.extend(
                    received
                        .into_iter()
                        .zip(expected)
                        .map(|(m, (place, _, n))| (m.receipt, place, n)),
                );
            }
            Step::Acknowledge { back } => {
                let Some((receipt, place, count)) = given.iter().nth_back(back) else { continue };
                at_once(ports.queues.acknowledge(QUEUE, std::slice::from_ref(receipt))).unwrap();
                if let Some(line) = oracle.line_of(*place, *count) {
                    line.is_gone = true;
                }
            }
            Step::GiveBack { back } => {
                let Some((receipt, place, count)) = given.iter().nth_back(back) else { continue };
                let receipts = std::slice::from_ref(receipt);
                at_once(ports.queues.change_visibility(QUEUE, receipts, Duration::ZERO)).unwrap();
                if let Some(line) = oracle.line_of(*place, *count) {
                    line.hidden_until = 0;
                }
            }
            Step::Pass { secs } => {
                oracle.now += secs;
                clock.advance(Duration::from_secs(secs.unsigned_abs()));
            }
        }
        let depth = at_once(ports.queues.depth(QUEUE)).unwrap();
        let left: Vec<_> = oracle.ledger.iter().filter(|line| !line.is_gone).collect();
        let in_flight = left.iter().filter(|line| oracle.is_in_flight(line)).count();
        prop_assert_eq!(depth.in_flight, in_flight as u64);
        prop_assert_eq!(depth.waiting, (left.len() - in_flight) as u64);
    }
    let dead = at_once(ports.dead_letters.dead_letters(QUEUE, usize::MAX)).unwrap();
    let mut dead: Vec<_> = dead.into_iter().map(|letter| letter.body).collect();
    dead.sort();
    oracle.dead.sort();
    prop_assert_eq!(dead, oracle.dead);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_history_agrees_with_the_oracle(steps in prop::collection::vec(step(), 0..200)) {
        let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_000_000)));
        let memory = Memory::new(clock.clone(), Arc::new(SystemRandomness));
        agree(&memory.ports(), &clock, steps)?;
    }
}
