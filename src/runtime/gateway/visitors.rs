//! Limits which customers come through this gateway, so that invented ones stay few.
//!
//! A customer costs more than a frame: a table is calculated, stored and refreshed for as long as the
//! customer is active. Without tokens nobody proves to be a customer. So the gateway limits how many new
//! ones an address brings in a time, and how many are active in total.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use tokio::time::Instant;

use super::addresses::Address;
use crate::meter::{Reason, Scope, Stage};
use crate::model::UserId;
use crate::ports::{ActiveUsers, Chain, Clock};
use crate::stages::SettingsInForce;
use crate::supervisor::lock;

/// The shortest time between two searches for expired customers. A search takes time, and is needed only
/// when all places are taken.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How a customer's visit is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It counts as a visit, which makes the customer active for a TTL.
    Visit,
    /// It is the visit of a customer who may never come again: it is answered, and the customer does not
    /// stay active.
    FirstVisit,
    /// It is refused, because its address brings too many new customers.
    AddressTooNew,
    /// It is refused, because the most customers are active already.
    Full,
}

/// Returns the message to a customer who is not admitted.
pub(super) const fn refusal(admission: Admission) -> &'static str {
    match admission {
        Admission::Full => "too many customers are active; try again later",
        _ => "too many new customers from this address; try again later",
    }
}

/// The customers that are active through one gateway.
pub(super) struct Visitors {
    settings: SettingsInForce,
    users: Arc<dyn ActiveUsers>,
    clock: Arc<dyn Clock>,
    hasher: RandomState,
    /// A customer who takes no place and does not count as new.
    uncounted: OnceLock<UserId>,
    seen: Mutex<KnownVisitors>,
}

struct KnownVisitors {
    /// Hashes of customers, with the time until which each is active as far as this gateway knows.
    until: HashMap<u64, Instant>,
    looked_at: Option<Instant>,
}

impl Visitors {
    pub(super) fn new(
        settings: SettingsInForce,
        users: Arc<dyn ActiveUsers>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let seen = Mutex::new(KnownVisitors { until: HashMap::new(), looked_at: None });
        Self {
            settings,
            users,
            clock,
            hasher: RandomState::new(),
            uncounted: OnceLock::new(),
            seen,
        }
    }

    /// Excludes a made-up customer of this process from the count. There is one such customer for each
    /// gateway.
    pub(super) fn do_not_count(&self, user: UserId) {
        let _ = self.uncounted.set(user);
    }

    /// Decides about a visit. A customer that is active in the store is never refused, even if another
    /// process made it active.
    pub(super) async fn admit(
        &self,
        user: &UserId,
        address: Option<&Arc<Address>>,
        now: Instant,
    ) -> Admission {
        if self.uncounted.get() == Some(user) {
            return Admission::Visit;
        }
        let hash = self.hasher.hash_one(user);
        let (limits, ttl) = self.settings.read_as(|settings| (settings.users, settings.policy.ttl));
        if self.returns(hash, ttl, now) {
            return Admission::Visit;
        }
        let active = self.is_active(user).await;
        if !active && address.is_some_and(|it| !it.take_new_user(limits.new_per_min_per_address)) {
            return Admission::AddressTooNew;
        }
        let entered = self.enter(hash, limits.active, ttl);
        match (active, entered) {
            (true, _) => Admission::Visit,
            (false, false) => Admission::Full,
            (false, true) if limits.active_from_second_visit => Admission::FirstVisit,
            (false, true) => Admission::Visit,
        }
    }

    /// Whether the customer was here within a TTL. If so, the TTL starts again.
    fn returns(&self, hash: u64, ttl: Duration, now: Instant) -> bool {
        match lock(&self.seen).until.get_mut(&hash) {
            Some(until) if *until > now => {
                *until = now + ttl;
                true
            }
            _ => false,
        }
    }

    async fn is_active(&self, user: &UserId) -> bool {
        let scope = Scope::new(Stage::Subscribe, Reason::Visit);
        match scope.of(self.users.active_user(user)).await {
            Ok(found) => found.is_some_and(|found| found.is_active(self.clock.now())),
            Err(error) => {
                tracing::debug!(%user, error = %Chain(&error), "the customer counts as new");
                false
            }
        }
    }

    /// Takes one of `places` for a customer. Returns whether there was one.
    fn enter(&self, hash: u64, places: u32, ttl: Duration) -> bool {
        let now = Instant::now();
        let places = usize::try_from(places).unwrap_or(usize::MAX);
        let mut seen = lock(&self.seen);
        if seen.until.len() >= places && !seen.until.contains_key(&hash) {
            seen.forget_expired(now);
            if seen.until.len() >= places {
                return false;
            }
        }
        seen.until.insert(hash, now + ttl);
        true
    }
}

impl KnownVisitors {
    fn forget_expired(&mut self, now: Instant) {
        if self.looked_at.is_none_or(|looked_at| now >= looked_at + LOOK_EVERY) {
            self.looked_at = Some(now);
            self.until.retain(|_, until| *until > now);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use tokio::time::advance;

    use super::super::addresses::{Addresses, ClientAddress};
    use super::super::limits::Limits;
    use super::*;
    use crate::memory::{Memory, TokioClock};
    use crate::model::Timestamp;
    use crate::ports::{Ports, SystemRandomness};
    use crate::stages::{StackSettings, UserLimits};

    const TTL: Duration = Duration::from_secs(300);

    fn visitors(users: UserLimits) -> (Visitors, Ports) {
        let settings = StackSettings { users, ..StackSettings::default() };
        let clock = Arc::new(TokioClock::new(Timestamp::from_secs(1_800_000_000)));
        let ports = Memory::new(clock, Arc::new(SystemRandomness)).ports();
        (Visitors::new(settings.into(), ports.store.clone(), ports.clock.clone()), ports)
    }

    fn user(n: u32) -> UserId {
        UserId::new(format!("U{n}")).unwrap()
    }

    fn address() -> Arc<Address> {
        let address: IpAddr = "203.0.113.9".parse().unwrap();
        Addresses::new(Limits::DEFAULT).find(ClientAddress::Remote(address)).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_brings_only_so_many_new_users() {
        let limits = UserLimits { new_per_min_per_address: 3, ..UserLimits::default() };
        let (visitors, _) = visitors(limits);
        let address = address();
        for n in 0..3 {
            assert_eq!(
                visitors.admit(&user(n), Some(&address), Instant::now()).await,
                Admission::Visit
            );
        }
        assert_eq!(
            visitors.admit(&user(3), Some(&address), Instant::now()).await,
            Admission::AddressTooNew
        );
        assert_eq!(
            visitors.admit(&user(2), Some(&address), Instant::now()).await,
            Admission::Visit,
            "known"
        );
        assert_eq!(
            visitors.admit(&user(4), None, Instant::now()).await,
            Admission::Visit,
            "of this machine"
        );
        advance(Duration::from_secs(20)).await;
        assert_eq!(
            visitors.admit(&user(3), Some(&address), Instant::now()).await,
            Admission::Visit
        );
    }

    #[tokio::test(start_paused = true)]
    async fn places_are_free_again_when_users_expire() {
        let (visitors, ports) = visitors(UserLimits { active: 2, ..UserLimits::default() });
        for n in 0..2 {
            assert_eq!(visitors.admit(&user(n), None, Instant::now()).await, Admission::Visit);
        }
        assert_eq!(visitors.admit(&user(2), None, Instant::now()).await, Admission::Full);
        // A customer whom another process has made active costs nothing more.
        let now = ports.clock.now();
        ports.store.record_visit(&user(3), now, now.plus(TTL)).await.unwrap();
        assert_eq!(visitors.admit(&user(3), None, Instant::now()).await, Admission::Visit);
        advance(TTL / 2).await;
        assert_eq!(visitors.admit(&user(0), None, Instant::now()).await, Admission::Visit);
        advance(TTL / 2).await;
        assert_eq!(
            visitors.admit(&user(2), None, Instant::now()).await,
            Admission::Visit,
            "in place of U1"
        );
        assert_eq!(visitors.admit(&user(1), None, Instant::now()).await, Admission::Full);
    }

    #[tokio::test(start_paused = true)]
    async fn a_user_that_is_not_counted_takes_no_place() {
        let (visitors, _) = visitors(UserLimits { active: 1, ..UserLimits::default() });
        visitors.do_not_count(user(0));
        for n in [0, 1, 0] {
            assert_eq!(visitors.admit(&user(n), None, Instant::now()).await, Admission::Visit);
        }
        assert_eq!(visitors.admit(&user(2), None, Instant::now()).await, Admission::Full);
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_second_visit_makes_active_when_so_configured() {
        let limits = UserLimits { active_from_second_visit: true, ..UserLimits::default() };
        let (visitors, _) = visitors(limits);
        assert_eq!(visitors.admit(&user(1), None, Instant::now()).await, Admission::FirstVisit);
        assert_eq!(visitors.admit(&user(1), None, Instant::now()).await, Admission::Visit);
        advance(TTL).await;
        assert_eq!(
            visitors.admit(&user(1), None, Instant::now()).await,
            Admission::FirstVisit,
            "forgotten"
        );
    }
}
