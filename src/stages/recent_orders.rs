//! The stale tables that this process has ordered recently. So a table is ordered once, even if many quotes
//! find it stale.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::model::UserId;

/// How long an order is remembered. After that it counts as lost, and the table is ordered again. An earlier
/// second order would be dropped by the queue as a duplicate.
const REMEMBERED_FOR: Duration = Duration::from_secs(5 * 60);
/// How many orders are remembered at least; at most twice as many, about 20 MB with long ids. An order that
/// is forgotten early costs one message, which the queue drops.
const REMEMBERED: usize = 32_768;

/// The last ordered head version of each customer.
///
/// The orders are kept in two generations of half the time each. The older one is dropped as a whole, so no
/// entry needs its own time.
#[derive(Debug)]
pub(super) struct RecentOrders(Mutex<Generations>);

#[derive(Debug)]
struct Generations {
    young: HashMap<UserId, u64>,
    old: HashMap<UserId, u64>,
    /// The time when the young generation began.
    begun: Instant,
}

impl RecentOrders {
    pub(super) fn new() -> Self {
        let (young, old) = (HashMap::new(), HashMap::new());
        Self(Mutex::new(Generations { young, old, begun: Instant::now() }))
    }

    /// Returns whether the caller must order this version of a customer's table, because nobody has. A caller
    /// that fails to send the order must [forget](Self::forget) it.
    pub(super) fn claim(&self, user: &UserId, version: u64) -> bool {
        let mut orders = self.lock();
        orders.age();
        let ordered = orders.young.get(user).or_else(|| orders.old.get(user));
        if ordered == Some(&version) {
            return false;
        }
        orders.young.insert(user.clone(), version);
        true
    }

    /// Forgets an order that was not sent, so that the next quote sends it.
    pub(super) fn forget(&self, user: &UserId) {
        let mut orders = self.lock();
        orders.young.remove(user);
        orders.old.remove(user);
    }

    fn lock(&self) -> MutexGuard<'_, Generations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Generations {
    fn age(&mut self) {
        let age = self.begun.elapsed();
        if age >= REMEMBERED_FOR {
            self.young.clear();
        }
        if age >= REMEMBERED_FOR / 2 || self.young.len() >= REMEMBERED {
            self.old = std::mem::take(&mut self.young);
            self.begun = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(number: usize) -> UserId {
        UserId::new(format!("user {number}")).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn each_version_of_a_table_is_ordered_once() {
        let orders = RecentOrders::new();
        assert!(orders.claim(&user(1), 1));
        assert!(!orders.claim(&user(1), 1));
        assert!(orders.claim(&user(1), 2) && orders.claim(&user(2), 1));
        orders.forget(&user(1));
        assert!(orders.claim(&user(1), 2), "it was not sent");
    }

    #[tokio::test(start_paused = true)]
    async fn an_order_is_forgotten_when_its_queue_has_forgotten_it() {
        let orders = RecentOrders::new();
        assert!(orders.claim(&user(1), 1));
        tokio::time::advance(REMEMBERED_FOR / 2).await;
        assert!(!orders.claim(&user(1), 1), "it is half as old");
        tokio::time::advance(REMEMBERED_FOR / 2).await;
        assert!(orders.claim(&user(1), 1));
        tokio::time::advance(REMEMBERED_FOR).await;
        assert!(orders.claim(&user(1), 1), "nobody asked meanwhile");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_remembered_is_bounded() {
        let orders = RecentOrders::new();
        for number in 0..3 * REMEMBERED {
            assert!(orders.claim(&user(number), 1));
        }
        let lock = orders.lock();
        assert!(lock.young.len() + lock.old.len() <= 2 * REMEMBERED);
        drop(lock);
        assert!(!orders.claim(&user(3 * REMEMBERED - 1), 1), "the last is remembered");
        assert!(orders.claim(&user(0), 1), "the first is not");
    }
}
