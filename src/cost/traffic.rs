//! How users come, by a model with two parameters.
//!
//! Each user comes at random moments, at a rate of its own, and these rates are spread exponentially
//! around their mean: many come rarely, a few often. Then the number of active users and of quotes
//! tell how many users there are and how often they come, and everything else has a closed form.
//! Real users come in sessions; of a trace of them, `ocache simulate` tells what happens.

use std::time::Duration;

/// Users and how often they ask.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Traffic {
    /// How many there are, active or not.
    pub users: f64,
    /// How often each asks for a quote in an hour, on average.
    pub quotes_an_hour: f64,
}

/// A share of the users: those who ask more often than others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// How many of them are active at a time.
    pub active: f64,
    /// How many quotes they ask for in an hour.
    pub quotes: f64,
    /// How many of these find them not active.
    pub cold: f64,
}

impl Share {
    /// No user, and no quote.
    pub const NOBODY: Self = Self { active: 0.0, quotes: 0.0, cold: 0.0 };
}

fn hours(time: Duration) -> f64 {
    time.as_secs_f64() / 3600.0
}

impl Traffic {
    /// The users of whom so many are active. None when so few quotes could not keep them active:
    /// each quote makes one user active for the time to live.
    #[must_use]
    pub fn of(active: f64, quotes_an_hour: f64, ttl: Duration) -> Option<Self> {
        let mean = quotes_an_hour / active - 1.0 / hours(ttl);
        let is_possible = active > 0.0 && mean > 0.0 && mean.is_finite();
        is_possible.then_some(Self { users: quotes_an_hour / mean, quotes_an_hour: mean })
    }

    /// Those who ask more often than so many times an hour, where a visit makes them active for a
    /// time.
    #[must_use]
    pub fn above(&self, an_hour: f64, ttl: Duration) -> Share {
        let (mean, ttl) = (self.quotes_an_hour, hours(ttl));
        // Of a rate r, spread with density e^(-r/m)/m, above a: who asks (1), what they ask (r),
        // and each weighted with the chance e^(-rT) of nobody having come within the time.
        let decay = 1.0 / mean + ttl;
        let asking = (-an_hour / mean).exp();
        let away = (-an_hour * decay).exp() / (mean * decay);
        Share {
            active: self.users * (asking - away),
            quotes: self.users * asking * (an_hour + mean),
            cold: self.users * away * (an_hour + 1.0 / decay),
        }
    }

    /// All of them.
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
        // A fifth of all quotes' time to live is 500 users' worth.
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
