//! The times and choices that the stages of a stack follow.

use std::time::Duration;

use crate::model::named;

named! {
    /// Where a warm quote is answered, by the name that users type.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum Answering {
        /// In the handler, where it arrives. The quotation is stored with its answer, and nothing is published.
        #[default]
        Direct => "direct",
        /// In the provider. Every quotation is published to the topic.
        Topic => "topic",
    }
}

/// How long things live, how often they are repeated, and where quotes are answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long a customer stays active after a visit.
    pub ttl: Duration,
    /// The time between two scheduled calculations of an active customer's table.
    pub refresh_every: Duration,
    /// How long a table counts as fresh after it was compared with its inputs.
    pub fresh_for: Duration,
    /// How long a table may answer quotes after it was last validated.
    pub usable_for: Duration,
    /// How long after its arrival a quotation must be settled.
    pub quote_within: Duration,
    /// How long a quotation stays stored.
    pub keep_quotations: Duration,
    /// How long a table stays stored after its last calculation.
    pub keep_tables: Duration,
    /// Where a warm quote is answered.
    pub answering: Answering,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(5 * 60),
            refresh_every: Duration::from_secs(60),
            fresh_for: Duration::from_secs(10 * 60),
            usable_for: Duration::from_secs(15 * 60),
            quote_within: Duration::from_secs(30),
            keep_quotations: Duration::from_secs(7 * 24 * 60 * 60),
            keep_tables: Duration::from_secs(24 * 60 * 60),
            answering: Answering::Direct,
        }
    }
}

impl Policy {
    /// The time after a stored visit from which the next visit is stored again.
    #[must_use]
    pub fn touched_after(&self) -> Duration {
        self.ttl / 10
    }

    /// How long a table counts as fresh: the setting, but at least two intervals, so that one refresh may be
    /// late.
    #[must_use]
    pub fn fresh_for(&self) -> Duration {
        self.fresh_for.max(self.refresh_every * 2)
    }

    /// The time after a table was last written from which a calculation that finds it unchanged writes that
    /// down: half of the time for which it is fresh, or less if the interval is long.
    ///
    /// The refreshes of a customer are not exactly one interval apart: EventBridge is exact to a minute, and a
    /// tick reaches its customers one after the other. So a table is also written if it would not be fresh
    /// until a fifth of an interval after the next refresh. With the default freshness this matters from
    /// intervals of more than four minutes on. A fifth of five minutes is a minute.
    #[must_use]
    pub fn confirmed_after(&self) -> Duration {
        let late = self.refresh_every * 6 / 5;
        (self.fresh_for() / 2).min(self.fresh_for().saturating_sub(late))
    }

    /// How long a table is usable: the setting, but at least one interval longer than it is fresh. Otherwise
    /// a table would become unusable just before a late refresh validates it.
    #[must_use]
    pub fn usable_for(&self) -> Duration {
        self.usable_for.max(self.fresh_for() + self.refresh_every)
    }

    /// How long tables stay stored: the setting, but at least twice as long as they are usable. Otherwise a
    /// usable table could lose its parts between two refreshes.
    #[must_use]
    pub fn keep_tables(&self) -> Duration {
        self.keep_tables.max(self.usable_for() * 2)
    }

    /// How long quotations stay stored: the setting, but at least `quote_within`. Otherwise a pending
    /// quotation could be deleted before its deadline.
    #[must_use]
    pub fn keep_quotations(&self) -> Duration {
        self.keep_quotations.max(self.quote_within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_deleted_while_it_counts() {
        let secs = Duration::from_secs;
        let policy = Policy {
            usable_for: secs(900),
            quote_within: secs(120),
            keep_quotations: secs(60),
            keep_tables: secs(60),
            ..Policy::default()
        };
        assert_eq!(policy.keep_quotations(), secs(120));
        assert_eq!(policy.keep_tables(), secs(1800));
        let policy = Policy { keep_quotations: secs(300), keep_tables: secs(86_400), ..policy };
        assert_eq!(policy.keep_quotations(), secs(300));
        assert_eq!(policy.keep_tables(), secs(86_400));
    }

    #[test]
    fn a_table_is_fresh_for_two_intervals_and_usable_for_one_more_whatever_is_set() {
        let secs = Duration::from_secs;
        let policy = Policy { fresh_for: secs(600), usable_for: secs(1), ..Policy::default() };
        assert_eq!((policy.fresh_for(), policy.usable_for()), (secs(600), secs(660)));
        let policy = Policy { refresh_every: secs(400), ..policy };
        assert_eq!((policy.fresh_for(), policy.usable_for()), (secs(800), secs(1200)));
        let policy = Policy { usable_for: secs(5000), ..policy };
        assert_eq!(policy.usable_for(), secs(5000));
    }

    #[test]
    fn a_table_is_confirmed_if_it_would_be_stale_at_a_next_refresh_that_is_late() {
        let secs = Duration::from_secs;
        let of = |refresh_every, fresh_for| Policy {
            refresh_every: secs(refresh_every),
            fresh_for: secs(fresh_for),
            ..Policy::default()
        };
        // With short intervals half of the freshness decides, with long ones the next refresh.
        let by_default = [1, 60, 240, 300, 900, 3600, 604_800]
            .map(|refresh_every| of(refresh_every, 600).confirmed_after().as_secs());
        assert_eq!(by_default, [300, 300, 300, 240, 720, 2880, 483_840]);
        for refresh_every in (1..1000).step_by(7) {
            for fresh_for in (0..4000).step_by(13) {
                let policy = of(refresh_every, fresh_for);
                let (every, after) = (policy.refresh_every, policy.confirmed_after());
                assert!(after <= policy.fresh_for() / 2, "{policy:?}");
                // A table that is just too young at one refresh is still fresh at the next, late one.
                assert!(after + every + every / 5 <= policy.fresh_for(), "{policy:?}");
                // A table that a cold quote has just made is not written again.
                assert!(after >= every / 5 * 4, "{policy:?}");
            }
        }
    }
}
