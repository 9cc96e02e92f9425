//! Waits for things that happen elsewhere and cannot be awaited.

use std::fmt::Debug;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Longer than a refresh interval. A wait this long ends only if the test has failed.
const HANG: Duration = Duration::from_secs(180);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Looks again and again until there is something to see.
pub fn wait_for<T>(what: impl Debug, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(begun.elapsed() < HANG, "it never came: {what:?}");
        sleep(LOOK_EVERY);
    }
}
