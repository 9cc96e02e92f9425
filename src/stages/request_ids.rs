//! Makes the ids of quotes without a client's own id.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::model::{RequestId, Timestamp};

/// Makes ids that sort in the order in which they were made.
///
/// What is stored under them is appended to the end of an index. Ids of one millisecond in random order would
/// change several pages of it in each commit, and leave them half empty.
#[derive(Debug, Default)]
pub(super) struct RequestIds {
    /// The place of the last id: its milliseconds, then 16 bits.
    last: AtomicU64,
}

impl RequestIds {
    /// Makes an id at a time that comes after all others of this maker. Its last 64 bits are random.
    pub(super) fn next(&self, now: Timestamp, mut random: [u8; 16]) -> RequestId {
        // A random step, so that ids do not tell how many quotes came between them. If many come at once, the
        // places run into the next milliseconds.
        let step = u64::from(random[6]) + 1;
        let first = now.millis().max(0).unsigned_abs() << 16 | step;
        let after = |last: u64| first.max(last.saturating_add(step));
        let last =
            self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |it| Some(after(it)));
        let place = after(last.unwrap_or_else(|last| last));
        random[6..8].copy_from_slice(&place.to_be_bytes()[6..]);
        RequestId::made(Timestamp::from_millis((place >> 16) as i64), random)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use super::*;
    use crate::ports::{Randomness as _, SystemRandomness};

    #[test]
    fn ids_sort_in_the_order_in_which_they_were_made() {
        let (ids, now) = (RequestIds::default(), Timestamp::from_secs(1_800_000_000));
        let many = |now: Timestamp| (0..2000).map(move |_| (now, SystemRandomness.bits()));
        // Also if the clock goes back.
        let times = [now, now.plus(Duration::from_millis(1)), now.minus(Duration::from_secs(1))];
        let made = times.into_iter().flat_map(many).map(|(now, bits)| ids.next(now, bits));
        let made: Vec<RequestId> = made.collect();
        assert!(made.iter().all(RequestId::is_made));
        assert!(made.is_sorted());
        assert_eq!(made.iter().collect::<HashSet<_>>().len(), made.len());
        let later = now.plus(Duration::from_secs(60));
        let alone = RequestId::made(later, [0; 16]);
        assert!(made.last() < Some(&alone) && alone < ids.next(later, [0; 16]));
    }

    #[test]
    fn threads_make_different_ids_even_from_the_same_bits() {
        let (ids, now) = (RequestIds::default(), Timestamp::from_secs(1_800_000_000));
        let make = || (0..1000).map(|_| ids.next(now, [7; 16])).collect::<Vec<_>>();
        let made = std::thread::scope(|scope| {
            let makers = [scope.spawn(make), scope.spawn(make)];
            makers.map(|maker| maker.join().unwrap())
        });
        assert!(made.iter().all(|of_one| of_one.is_sorted()));
        assert_eq!(made.iter().flatten().collect::<HashSet<_>>().len(), 2000);
    }
}
