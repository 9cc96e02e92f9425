//! Tests random histories of a FIFO queue against a small model.

use futures_util::FutureExt as _;
use proptest::prelude::*;
use tokio::runtime::Runtime;

use super::super::testing::{secs, stopped, user};
use super::*;
use crate::memory::ManualClock;
use crate::model::{DeduplicationId, GroupId};
use crate::ports::{MAX_RECEIVES, Outgoing, Posting, Queues as _, Receipt};

const LONG: Duration = Duration::from_secs(600);

#[derive(Clone, Debug)]
enum HistoryStep {
    Send {
        group: u8,
        id: u8,
    },
    Receive {
        max: usize,
    },
    /// Acknowledges the nth delivery of the whole history.
    Acknowledge(prop::sample::Index),
    Postpone(prop::sample::Index, u64),
    Pass {
        secs: u64,
    },
    Cancel,
}

fn step() -> impl Strategy<Value = HistoryStep> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        5 => (0..4_u8, any::<u8>()).prop_map(|(group, id)| HistoryStep::Send { group, id }),
        5 => (1..=4_usize).prop_map(|max| HistoryStep::Receive { max }),
        3 => index().prop_map(HistoryStep::Acknowledge),
        4 => (index(), prop_oneof![4 => Just(0), 1 => Just(5), 1 => Just(60)])
            .prop_map(|(index, secs)| HistoryStep::Postpone(index, secs)),
        2 => prop_oneof![Just(1), Just(29), Just(30), Just(299)].prop_map(|secs| HistoryStep::Pass { secs }),
        1 => Just(HistoryStep::Cancel),
    ]
}

/// A message in the model, which is never removed.
struct Line {
    group: u8,
    body: String,
    receives: u32,
    hidden_until: u64,
    is_gone: bool,
}

#[derive(Default)]
struct Model {
    now: u64,
    lines: Vec<Line>,
    sends: Vec<(u8, u64)>,
}

impl Model {
    fn send(&mut self, group: u8, id: u8, body: &str) {
        if self.sends.iter().any(|(other, at)| *other == id && self.now - at < 300) {
            return;
        }
        self.sends.push((id, self.now));
        let body = body.to_owned();
        self.lines.push(Line { group, body, receives: 0, hidden_until: 0, is_gone: false });
    }

    fn is_in_flight(&self, line: &Line) -> bool {
        !line.is_gone && line.hidden_until > self.now
    }

    /// Returns the messages of a group that may be received, in order.
    fn available(&self, group: u8) -> Vec<usize> {
        let of_group = || self.lines.iter().enumerate().filter(|(_, line)| line.group == group);
        if of_group().any(|(_, line)| self.is_in_flight(line)) {
            return vec![];
        }
        let alive = of_group().filter(|(_, line)| !line.is_gone && line.receives < MAX_RECEIVES);
        alive.map(|(place, _)| place).collect()
    }

    /// Checks that a receive returned the right messages, and marks them as received.
    fn received(&mut self, max: usize, got: &[Received]) -> Result<Vec<usize>, TestCaseError> {
        let available = [0, 1, 2, 3].map(|group| self.available(group));
        let all: usize = available.iter().map(Vec::len).sum();
        prop_assert_eq!(got.len(), max.min(all));
        let mut places = vec![];
        for (group, available) in available.iter().enumerate() {
            let name = GroupId::of(&user(&group.to_string())).to_string();
            let of_group = got.iter().filter(|m| m.group.as_deref() == Some(name.as_str()));
            for (message, place) in of_group.zip(available) {
                let line = &mut self.lines[*place];
                line.receives += 1;
                line.hidden_until = self.now + 30;
                let expected = (line.body.as_str(), line.receives);
                prop_assert_eq!((message.body.as_str(), message.receive_count), expected);
            }
        }
        for message in got {
            let place = self.lines.iter().position(|line| line.body == message.body);
            places.push(place.unwrap());
        }
        Ok(places)
    }

    fn delivery(&mut self, place: usize, count: u32) -> Option<&mut Line> {
        let is_valid = self.is_in_flight(&self.lines[place]) && self.lines[place].receives == count;
        is_valid.then(|| &mut self.lines[place])
    }
}

async fn agree(
    store: &Embedded,
    clock: &ManualClock,
    steps: Vec<HistoryStep>,
) -> Result<(), TestCaseError> {
    let queue = Queue::Quotation;
    let mut model = Model::default();
    let mut given: Vec<(Receipt, usize, u32)> = vec![];
    for (number, step) in steps.into_iter().enumerate() {
        match step {
            HistoryStep::Send { group, id } => {
                let body = format!("message {number}");
                let deduplication = DeduplicationId::from_random([id; 16]);
                let group_id = GroupId::of(&user(&group.to_string()));
                let posting = Posting::Fifo { group: group_id, deduplication };
                let message = Outgoing { body: body.clone(), posting };
                prop_assert!(store.send(queue, &[message]).await.unwrap().is_empty());
                model.send(group, id, &body);
            }
            HistoryStep::Receive { max } => {
                let got = store.receive(queue, max, Duration::ZERO, secs(30)).await.unwrap();
                let places = model.received(max, &got)?;
                given.extend(
                    got.into_iter()
                        .zip(places)
                        .map(|(m, place)| (m.receipt, place, m.receive_count)),
                );
            }
            HistoryStep::Acknowledge(index) if !given.is_empty() => {
                let (receipt, place, count) = index.get(&given);
                store.acknowledge(queue, std::slice::from_ref(receipt)).await.unwrap();
                if let Some(line) = model.delivery(*place, *count) {
                    line.is_gone = true;
                }
            }
            HistoryStep::Postpone(index, by) if !given.is_empty() => {
                let (receipt, place, count) = index.get(&given);
                let receipt = std::slice::from_ref(receipt);
                store.change_visibility(queue, receipt, secs(by)).await.unwrap();
                let until = model.now + by;
                if let Some(line) = model.delivery(*place, *count) {
                    line.hidden_until = until;
                }
            }
            HistoryStep::Acknowledge(_) | HistoryStep::Postpone(..) => {}
            HistoryStep::Pass { secs: by } => {
                model.now += by;
                clock.advance(secs(by));
            }
            HistoryStep::Cancel => {
                let request =
                    ReceiveRequest { queue, max: 4, visibility: LONG, token: number.to_string() };
                match store.take(&request).now_or_never() {
                    // The writing thread may have been faster than the one poll.
                    Some(taken) => {
                        let got = taken.unwrap();
                        let places = model.received(request.max, &got)?;
                        for (message, place) in got.into_iter().zip(places) {
                            model.lines[place].hidden_until = model.now + LONG.as_secs();
                            given.push((message.receipt, place, message.receive_count));
                        }
                    }
                    // Two jobs later everything is as if nothing had happened.
                    None => {
                        store.acknowledge(queue, &[]).await.unwrap();
                        store.acknowledge(queue, &[]).await.unwrap();
                    }
                }
            }
        }
        let depth = store.depth(queue).await.unwrap();
        let in_flight = model.lines.iter().filter(|line| model.is_in_flight(line)).count();
        prop_assert_eq!(depth.in_flight, in_flight as u64);
        let alive = model.lines.iter().filter(|line| !line.is_gone).count() as u64;
        prop_assert_eq!(depth.waiting + depth.in_flight + depth.dead, alive);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 50, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_history_agrees_with_the_model(steps in prop::collection::vec(step(), 0..120)) {
        Runtime::new().unwrap().block_on(async {
            let (store, clock, _dir) = stopped();
            agree(&store, &clock, steps).await
        })?;
    }
}
