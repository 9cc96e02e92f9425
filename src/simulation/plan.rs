//! The plan of a run, drawn from its seed: the participants, the times, and the rates of faults.

use std::time::Duration;

use super::chance::Chance;
use crate::model::{PriceListId, ProductId, UserId};
use crate::ports::MAX_INLINE_BYTES;
use crate::runtime::Slots;
use crate::stages::{Answering, Policy};

/// Ids that code is likely to store, cut or compare wrongly.
const ODD_USERS: [&str; 5] =
    ["José Núñez 株式会社", " ann", "a/b#c?d", "'; DROP TABLE users; --", "\u{202e}right to left"];
const PLAIN_USERS: [&str; 4] = ["ann", "bob", "cid", "dora"];
/// The most by which a clock is wrong.
const MOST_SKEW: Duration = Duration::from_secs(3600);

/// The calls that may be slow, as when a table is busy. In half of the runs none is.
const SLOW_CALLS: [&[&str]; 8] = [
    &[],
    &[],
    &[],
    &[],
    &["catalogue_head", "list_products"],
    &["discounts"],
    &["table_heads"],
    &["put_table"],
];
/// One of this many such calls is slow.
const SLOW_ONE_IN: u64 = 4;
/// The longest delay of a call. With longer delays nothing would ever be done.
const LONGEST_DELAY: Duration = Duration::from_secs(90);

/// The rates of faults, in [`super::chance::RATE_WHOLE`] calls.
#[derive(Clone, Debug, Default)]
pub(super) struct Rates {
    pub(super) failed_before: u64,
    pub(super) failed_after: u64,
    pub(super) throttled: u64,
    pub(super) delayed: u64,
    pub(super) killed: u64,
    pub(super) partly_sent: u64,
    pub(super) torn: u64,
    pub(super) duplicated: u64,
    pub(super) reordered: u64,
    pub(super) connection_lost: u64,
    pub(super) dropped: u64,
}

/// Everything about a run that is decided before it begins.
#[derive(Clone, Debug)]
pub(super) struct RunPlan {
    pub(super) policy: Policy,
    pub(super) slots: Slots,
    /// The number of segments of active users that a refresh scans in parallel.
    pub(super) segments: u32,
    pub(super) workers: usize,
    pub(super) gateways: usize,
    /// Whether gateways watch the deadlines of their clients. If not, deadline messages do.
    pub(super) watched: bool,
    pub(super) users: Vec<UserId>,
    /// A user whose discounts cannot be read.
    pub(super) poisoned: Option<UserId>,
    /// Whether unreadable messages are sent.
    pub(super) poisons_queues: bool,
    /// The most bytes of own rows in the head of a table.
    pub(super) inline_bytes: usize,
    /// Every product that is ever loaded.
    pub(super) products: Vec<ProductId>,
    /// Every price list that is ever loaded; none in a third of the runs.
    pub(super) lists: Vec<PriceListId>,
    pub(super) rates: Rates,
    pub(super) longest_delay: Duration,
    /// Calls that are often slower than the freshness of a table.
    pub(super) slow_calls: &'static [&'static str],
    pub(super) most_kills: u64,
    pub(super) most_skew: Duration,
    /// Whether clocks are set right when the faults stop.
    pub(super) clocks_end_right: bool,
    /// The number of actions from outside.
    pub(super) actions: u64,
}

impl RunPlan {
    pub(super) fn draw(chance: &Chance) -> Self {
        let skewed = chance.one_in(4);
        let calm = chance.one_in(12);
        let users = users(chance);
        let poisoned = chance.one_in(8).then(|| users.last().cloned()).flatten();
        let answering = chance.pick([Answering::Direct, Answering::Direct, Answering::Topic]);
        Self {
            policy: Policy { answering, ..policy(chance, skewed) },
            slots: Slots {
                refresh: chance.pick([1, 10, 20]),
                urgent: chance.pick([1, 10, 20]),
                provider: chance.pick([1, 10, 100]),
            },
            segments: chance.pick([1, 2, 3]),
            workers: chance.pick([1, 2, 2, 3]),
            gateways: chance.pick([1, 2]),
            watched: chance.one_in(2),
            users,
            poisoned,
            poisons_queues: chance.one_in(6),
            inline_bytes: chance.pick([0, 0, MAX_INLINE_BYTES]),
            products: products(chance),
            lists: lists(chance),
            rates: if calm { Rates::default() } else { rates(chance) },
            longest_delay: Duration::from_millis(chance.pick([20, 500, 3_000, 20_000, 90_000])),
            slow_calls: if calm { &[] } else { chance.pick(SLOW_CALLS) },
            most_kills: if calm { 0 } else { chance.pick([0, 1, 3, 6]) },
            most_skew: if skewed { MOST_SKEW } else { Duration::ZERO },
            clocks_end_right: !skewed || chance.one_in(2),
            actions: chance.between(8, 30),
        }
    }

    pub(super) fn has_wrong_clocks(&self) -> bool {
        !self.most_skew.is_zero()
    }

    /// Returns how long a pause must be until every user has expired and no table is usable.
    pub(super) fn night(&self) -> Duration {
        self.policy.ttl.max(self.policy.usable_for()) + self.policy.refresh_every
    }

    /// Draws the additional delay of a call; `None` if it has none.
    pub(super) fn delay(&self, call: &str, chance: &Chance) -> Option<Duration> {
        if self.slow_calls.contains(&call) && chance.one_in(SLOW_ONE_IN) {
            let most = self.slowest().as_millis();
            return Some(chance.millis(1, u64::try_from(most).unwrap_or(1)));
        }
        chance.happens(self.rates.delayed).then(|| chance.up_to(self.longest_delay))
    }

    fn slowest(&self) -> Duration {
        (self.policy.fresh_for() * 2).min(LONGEST_DELAY)
    }

    /// Returns how much older than the policy allows something may be, because calls took long or clocks
    /// differ.
    pub(super) fn slack(&self) -> Duration {
        let slowest = if self.slow_calls.is_empty() { Duration::ZERO } else { self.slowest() };
        Duration::from_secs(90) + self.longest_delay.max(slowest) * 8 + self.most_skew * 2
    }
}

fn policy(chance: &Chance, skewed: bool) -> Policy {
    let refresh_every = Duration::from_secs(if skewed { 60 } else { chance.pick([10, 20, 60]) });
    // With clocks that are an hour apart, only a user with a longer TTL is active by all of them.
    let ttl = Duration::from_secs(if skewed { 4 * 3600 } else { chance.pick([60, 120, 300]) });
    Policy {
        ttl,
        refresh_every,
        // Usually zero, which means two intervals, so that tables also become stale by time.
        fresh_for: Duration::from_secs(chance.pick([0, 0, 180])),
        usable_for: Duration::from_secs(chance.pick([0, 60, 900])),
        keep_tables: Duration::from_secs(chance.pick([60, 600, 86_400])),
        quote_within: Duration::from_secs(chance.pick([5, 30, 30])),
        ..Policy::default()
    }
}

fn users(chance: &Chance) -> Vec<UserId> {
    let long = "u".repeat(UserId::MAX_BYTES);
    let odd = match chance.index(ODD_USERS.len() + 1) {
        index if index < ODD_USERS.len() => ODD_USERS[index],
        _ => &long,
    };
    let count = 1 + chance.index(3);
    let plain = PLAIN_USERS.into_iter().take(count);
    std::iter::once(odd).chain(plain).filter_map(|user| UserId::new(user).ok()).collect()
}

fn products(chance: &Chance) -> Vec<ProductId> {
    // Ids of 64 bytes, so that 8 KB of them fill a part and there are two parts or more.
    let (count, width) = if chance.one_in(10) {
        (chance.between(130, 280), ProductId::MAX_BYTES)
    } else {
        (chance.between(1, 40), 4)
    };
    (0..count)
        .filter_map(|number| ProductId::new(format!("P{number:0>0$}", width - 1)).ok())
        .collect()
}

fn lists(chance: &Chance) -> Vec<PriceListId> {
    let count = chance.pick([0, 0, 1, 2, 3, 4]);
    (0..count).filter_map(|number| format!("list-{number}").parse().ok()).collect()
}

fn rates(chance: &Chance) -> Rates {
    let rate = || chance.pick([0, 0, 50, 200, 800]);
    Rates {
        failed_before: rate(),
        failed_after: rate(),
        throttled: rate(),
        delayed: rate(),
        killed: chance.pick([0, 10, 50, 100]),
        partly_sent: 3 * rate(),
        torn: 3 * rate(),
        duplicated: 3 * rate(),
        reordered: chance.pick([0, 1_000, 5_000]),
        connection_lost: 2 * rate(),
        dropped: 3 * rate(),
    }
}
