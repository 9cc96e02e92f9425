//! Logs scheduled calculations by batch.
//!
//! The schedule checks every table once in an interval, and nearly always finds it unchanged. An info line
//! for each would cost more than the work itself. So each has a line at debug level, and the batch has one at
//! info level.

use tracing::info;

use crate::model::Cause;
use crate::stages::{Effect, StageError};

/// Whether an order of the schedule did not write the table again.
pub(super) const fn is_routine(cause: &Cause, effect: Effect) -> bool {
    matches!(cause, Cause::Scheduled { .. }) && !matches!(effect, Effect::Calculated)
}

/// The results of the scheduled calculations of a batch.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Summary {
    scheduled: usize,
    unchanged: usize,
    failed: usize,
}

impl Summary {
    /// Counts an order by its effect or failure.
    pub(super) const fn add(&mut self, cause: &Cause, effect: &Result<Effect, StageError>) {
        if !matches!(cause, Cause::Scheduled { .. }) {
            return;
        }
        self.scheduled += 1;
        match effect {
            Ok(effect) if is_routine(cause, *effect) => self.unchanged += 1,
            Ok(_) => {}
            Err(_) => self.failed += 1,
        }
    }

    pub(super) fn log(&self) {
        let Self { scheduled, unchanged, failed } = self;
        if *scheduled > 0 {
            info!(scheduled, unchanged, failed, "scheduled calculations");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    #[test]
    fn only_what_the_schedule_found_unchanged_is_routine() {
        let now = Timestamp::from_secs(1);
        let scheduled = Cause::Scheduled { tick: 1, due: now, interval_ms: 1, expires_at: now };
        let visit = Cause::Subscribe { expires_at: now };
        let mut summary = Summary::default();
        for effect in [Effect::Calculated, Effect::Validated, Effect::Unneeded, Effect::Expired] {
            assert_eq!(is_routine(&scheduled, effect), effect != Effect::Calculated, "{effect:?}");
            assert!(!is_routine(&visit, effect), "{effect:?}");
            summary.add(&scheduled, &Ok(effect));
            summary.add(&visit, &Ok(effect));
        }
        summary.add(&scheduled, &Err(StageError::Behind));
        assert_eq!(summary, Summary { scheduled: 5, unchanged: 3, failed: 1 });
    }
}
