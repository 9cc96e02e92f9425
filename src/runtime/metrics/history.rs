//! The course of the recalculations in the last minutes.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use crate::model::Timestamp;
use crate::supervisor::lock;

/// The reasons why tables are recalculated, by the names of their causes.
pub const REASONS: [&str; 5] = ["quotation", "subscribe", "stale", "change", "scheduled"];
/// The length of one slot.
pub const SLOT: Duration = Duration::from_secs(10);
/// The number of slots that are kept, which cover ten minutes.
pub(super) const SLOTS: usize = 60;

type CountsByReason = [u64; REASONS.len()];

/// One slot of the course.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// When the slot begins.
    pub from: Timestamp,
    /// The number of tables that were recalculated in it, in the order of [`REASONS`].
    pub counts: CountsByReason,
}

/// The counters at the beginning of each slot. The counters themselves only grow.
#[derive(Debug, Default)]
pub(super) struct History(Mutex<VecDeque<(Timestamp, CountsByReason)>>);

impl History {
    /// Stores the current counters if a new slot has begun.
    pub(super) fn sample(&self, now: Timestamp, counts: CountsByReason) {
        let mut samples = lock(&self.0);
        let slot = slot_of(now);
        if samples.back().is_none_or(|(last, _)| *last < slot) {
            samples.push_back((slot, counts));
        }
        while samples.len() > SLOTS {
            samples.pop_front();
        }
    }

    /// Returns what was counted between the samples, and since the last one.
    pub(super) fn course(&self, now: Timestamp, counts: CountsByReason) -> Vec<Slot> {
        self.sample(now, counts);
        let samples = lock(&self.0);
        let nexts = samples.iter().skip(1).map(|(_, counts)| *counts).chain([counts]);
        let pairs = samples.iter().zip(nexts);
        pairs
            .map(|((from, before), after)| Slot { from: *from, counts: less(after, *before) })
            .collect()
    }
}

pub(super) fn slot_of(now: Timestamp) -> Timestamp {
    let slot = i64::try_from(SLOT.as_millis()).unwrap_or(1);
    Timestamp::from_millis(now.millis().div_euclid(slot) * slot)
}

fn less(after: CountsByReason, before: CountsByReason) -> CountsByReason {
    std::array::from_fn(|reason| after[reason].saturating_sub(before[reason]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    #[test]
    fn each_slot_has_what_was_counted_in_it() {
        let history = History::default();
        history.sample(at(100), [0; 5]);
        history.sample(at(109), [1, 0, 0, 0, 0]);
        history.sample(at(110), [2, 0, 0, 0, 0]);
        let course = history.course(at(115), [2, 0, 0, 0, 7]);
        let slots: Vec<_> = course.iter().map(|slot| (slot.from, slot.counts)).collect();
        assert_eq!(slots, [(at(100), [2, 0, 0, 0, 0]), (at(110), [0, 0, 0, 0, 7])]);
    }

    #[test]
    fn only_the_last_minutes_are_kept() {
        let history = History::default();
        for secs in 0..10_000 {
            history.sample(at(secs), [u64::try_from(secs).unwrap(); 5]);
        }
        let course = history.course(at(10_000), [10_000; 5]);
        assert_eq!(course.len(), SLOTS);
        assert!(course[..SLOTS - 1].iter().all(|slot| slot.counts == [10; 5]));
        assert_eq!(course[SLOTS - 1].from, at(10_000));
    }
}
