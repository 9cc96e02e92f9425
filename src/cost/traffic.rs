//! A model of customers' traffic with two parameters.
//!
//! Each customer comes at random times, at their own rate. The rates are distributed exponentially around
//! their mean: many customers come rarely, a few often. Then the numbers of active customers and of quotes
//! determine how many customers there are and how often they come, and everything else has a closed form.
//! Real customers come in sessions; `ocache simulate` replays a trace of them.

use std::time::Duration;

/// The customers, and how often they ask.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Traffic {
    /// The number of customers, active or not.
    pub users: f64,
    /// The average number of quotes of each customer in an hour.
    pub quotes_an_hour: f64,
}

/// A share of the customers: those who ask more often than a given rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// How many of them are active at a time.
    pub active: f64,
    /// Their quotes in an hour.
    pub quotes: f64,
    /// Those of these quotes that find the customer not active.
    pub cold: f64,
}

impl Share {
    /// No customers and no quotes.
    pub const NOBODY: Self = Self { active: 0.0, quotes: 0.0, cold: 0.0 };
}

fn hours(time: Duration) -> f64 {
    time.as_secs_f64() / 3600.0
}

impl Traffic {
    /// Returns the traffic that has this number of active customers. Returns `None` if so few quotes cannot
    /// keep them active: each quote makes one customer active for the TTL.
    #[must_use]
    pub fn of(active: f64, quotes_an_hour: f64, ttl: Duration) -> Option<Self> {
        let mean = quotes_an_hour / active - 1.0 / hours(ttl);
        let is_possible = active > 0.0 && mean > 0.0 && mean.is_finite();
        is_possible.then_some(Self { users: quotes_an_hour / mean, quotes_an_hour: mean })
    }

    /// Returns the share of customers who ask more often than `an_hour` times an hour, if a visit makes them
    /// active for the TTL.
    #[must_use]
    pub fn above(&self, an_hour: f64, ttl: Duration) -> Share {
        let (mean, ttl) = (self.quotes_an_hour, hours(ttl));
        // The density of a rate r is e^(-r/m)/m. Integrated above a, it gives the customers (1) and their
        // quotes (r); each of them weighted with e^(-rT), the probability of no visit within the TTL, gives
        // those who are not active.
        let decay = 1.0 / mean + ttl;
        let asking = (-an_hour / mean).exp();
        let away = (-an_hour * decay).exp() / (mean * decay);
        Share {
            active: self.users * (asking - away),
            quotes: self.users * asking * (an_hour + mean),
            cold: self.users * away * (an_hour + 1.0 / decay),
        }
    }

    /// Returns the share of all customers.
    #[must_use]
    pub fn all(&self, ttl: Duration) -> Share {
        self.above(0.0, ttl)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_secs(300);

    fn near(one: f64, other: f64) {
        assert!((one - other).abs() < 1e-6 * other.abs().max(1.0), "{one} is not {other}");
    }

    #[test]
    fn what_it_is_made_from_comes_out_again() {
        let traffic = Traffic::of(100.0, 6_000.0, TTL).unwrap();
        let all = traffic.all(TTL);
        near(all.active, 100.0);
        near(all.quotes, 6_000.0);
        // A fifth of the customers are not active, and these ask a fifth as often as the mean.
        near(all.cold, 6_000.0 * 0.2 * 0.2);
    }

    #[test]
    fn a_longer_time_to_live_has_more_active_and_fewer_cold() {
        let traffic = Traffic::of(100.0, 6_000.0, TTL).unwrap();
        let longer = traffic.all(TTL * 4);
        assert!(longer.active > 100.0 && longer.active < traffic.users);
        assert!(longer.cold < traffic.all(TTL).cold / 4.0);
        near(longer.quotes, 6_000.0);
    }

    #[test]
    fn those_who_ask_often_are_a_part_found_by_adding_up() {
        let traffic = Traffic::of(40.0, 1_000.0, TTL).unwrap();
        let (mean, above) = (traffic.quotes_an_hour, 7.0);
        let step = mean / 2_000.0;
        let (mut active, mut quotes, mut cold) = (0.0, 0.0, 0.0);
        for slice in 0..80_000 {
            let rate = above + (f64::from(slice) + 0.5) * step;
            let users = traffic.users * (-rate / mean).exp() / mean * step;
            let away = (-rate / 12.0).exp();
            active += users * (1.0 - away);
            quotes += users * rate;
            cold += users * rate * away;
        }
        let some = traffic.above(above, TTL);
        assert!((some.active / active - 1.0).abs() < 1e-3, "{some:?} {active}");
        assert!((some.quotes / quotes - 1.0).abs() < 1e-3, "{some:?} {quotes}");
        assert!((some.cold / cold - 1.0).abs() < 1e-3, "{some:?} {cold}");
    }

    #[test]
    fn nobody_stays_active_without_quotes() {
        assert_eq!(Traffic::of(100.0, 60.0, TTL), None);
        assert_eq!(Traffic::of(0.0, 0.0, TTL), None);
    }
}
