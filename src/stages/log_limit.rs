//! Limits the lines of a log, so that logging costs less than the work it tells of.

use std::sync::Mutex;

use crate::model::Timestamp;
use crate::supervisor::lock;

/// The most lines in a second.
const LINES: u32 = 10;

/// Allows some lines in each second, and counts the others.
#[derive(Debug, Default)]
pub(super) struct LogLimit(Mutex<LoggedSecond>);

#[derive(Debug, Default)]
struct LoggedSecond {
    second: i64,
    lines: u32,
    /// The lines left out since the last one that was allowed.
    left_out: u64,
}

impl LogLimit {
    /// Returns how many lines were left out before this one, or `None` if this one is to be left out too.
    pub(super) fn allow(&self, now: Timestamp) -> Option<u64> {
        let mut logged = lock(&self.0);
        let second = now.millis().div_euclid(1000);
        // Threads take the time before they get here, so some come with that of the second before.
        if second > logged.second || second + 1 < logged.second {
            (logged.second, logged.lines) = (second, 0);
        }
        if logged.lines == LINES {
            logged.left_out += 1;
            return None;
        }
        logged.lines += 1;
        Some(std::mem::take(&mut logged.left_out))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_second_has_some_lines_and_the_next_one_tells_what_was_left_out() {
        let limit = LogLimit::default();
        let now = Timestamp::from_secs(1_800_000_000);
        for _ in 0..LINES {
            assert_eq!(limit.allow(now), Some(0));
        }
        assert_eq!(limit.allow(now), None);
        assert_eq!(limit.allow(now.plus(Duration::from_millis(999))), None);
        let next = now.plus(Duration::from_secs(1));
        assert_eq!(limit.allow(next), Some(2));
        // Times of two seconds in turns do not make more lines.
        let allowed = (0..20)
            .filter(|number| limit.allow(if number % 2 == 0 { now } else { next }).is_some());
        assert_eq!(allowed.count(), LINES as usize - 1);
        // If the clock is set back, lines are allowed again.
        assert_eq!(limit.allow(now.minus(Duration::from_secs(3600))), Some(11));
    }
}
