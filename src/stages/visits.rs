//! The visits that a process need not read or write.
//!
//! A quote stores a visit only if a tenth of the TTL has passed since the last one. Until then the process
//! remembers the visit and does not read it either. So a customer whom another process unsubscribes may count
//! as active here for another tenth of the TTL.

use std::sync::Arc;

use quick_cache::sync::Cache;

use super::Policy;
use crate::model::{Timestamp, UserId};

/// How many visits are remembered at most: about 20 MB with long ids. One that is forgotten early costs a
/// read.
const REMEMBERED: usize = 65_536;
/// The number of visits that memory is reserved for at first.
const EXPECTED: usize = 1024;

/// The remembered visits by customer.
pub struct Visits(Cache<UserId, RememberedVisit>);

/// A customer's visit as stored.
#[derive(Clone, Copy, Debug)]
struct RememberedVisit {
    at: Timestamp,
    expires_at: Timestamp,
}

impl Visits {
    /// Creates an empty memory of visits.
    #[must_use]
    pub fn new() -> Arc<Self> {
        let unweighted = quick_cache::UnitWeighter;
        Arc::new(Self(Cache::with_weighter(EXPECTED, REMEMBERED as u64, unweighted)))
    }

    /// Forgets a customer who was unsubscribed, so that the next visit is read.
    pub fn forget(&self, user: &UserId) {
        self.0.remove(user);
    }

    /// Whether a visit at `now` need not be read or written.
    pub(super) fn covers(&self, user: &UserId, policy: &Policy, now: Timestamp) -> bool {
        let is_recent =
            |seen: RememberedVisit| seen.at <= now && now < seen.at.plus(policy.touched_after());
        let seen = self.0.get(user);
        seen.is_some_and(|seen| is_recent(seen) && is_long_enough(seen.expires_at, policy, now))
    }

    pub(super) fn remember(&self, user: &UserId, expires_at: Timestamp, now: Timestamp) {
        self.0.insert(user.clone(), RememberedVisit { at: now, expires_at });
    }
}

/// Whether a customer who is active until `expires_at` need not be written again.
pub(super) fn is_long_enough(expires_at: Timestamp, policy: &Policy, now: Timestamp) -> bool {
    let enough = now.plus(policy.ttl.saturating_sub(policy.touched_after()));
    now < expires_at && expires_at >= enough
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn after(secs: u64) -> Timestamp {
        NOW.plus(Duration::from_secs(secs))
    }

    #[test]
    fn a_visit_is_remembered_until_a_tenth_of_the_ttl_has_passed() {
        let (visits, policy) = (Visits::new(), Policy::default());
        let user: UserId = "AAA".parse().unwrap();
        assert!(!visits.covers(&user, &policy, NOW));
        visits.remember(&user, after(300), NOW);
        assert!(visits.covers(&user, &policy, after(29)));
        assert!(!visits.covers(&user, &policy, after(30)));
        assert!(!visits.covers(&"BBB".parse().unwrap(), &policy, NOW));
        // This holds however long the customer stays active, and even if the clock goes back.
        visits.remember(&user, after(86_400), NOW);
        assert!(visits.covers(&user, &policy, after(29)));
        assert!(!visits.covers(&user, &policy, after(30)));
        assert!(!visits.covers(&user, &policy, NOW.minus(Duration::from_secs(1))));
        visits.forget(&user);
        assert!(!visits.covers(&user, &policy, NOW));
    }

    #[test]
    fn a_visit_with_a_short_ttl_covers_none_with_a_long_one() {
        let (visits, policy) = (Visits::new(), Policy::default());
        let user: UserId = "AAA".parse().unwrap();
        visits.remember(&user, after(1), NOW);
        assert!(!visits.covers(&user, &policy, NOW));
        let short = Policy { ttl: Duration::from_secs(1), ..policy };
        assert!(visits.covers(&user, &short, NOW));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let visits = Visits::new();
        for number in 0..2 * REMEMBERED {
            visits.remember(&UserId::new(format!("user {number}")).unwrap(), after(300), NOW);
        }
        assert!(visits.0.len() <= REMEMBERED);
    }
}
