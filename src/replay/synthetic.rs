//! Draws arrivals from a seed.

use std::time::Duration;

use super::Arrival;
use crate::data::Draws;
use crate::model::{Timestamp, UserId};

/// The start of synthetic arrivals: a Monday at midnight.
const START: Timestamp = Timestamp::from_secs(1_767_571_200);
const DAY: f64 = 24.0 * 3600.0;
/// The average number of quotes in a session, and the average time between two of them.
const QUOTES_A_SESSION: f64 = 6.0;
const GAP_SECS: f64 = 120.0;
/// The most lines of a quote.
const LINES: u64 = 20;
/// The kind of these draws, which keeps them apart from those of generated files.
const KIND: u64 = 0x41;

/// When users arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rhythm {
    /// At any time, with independent quotes.
    Poisson,
    /// At any time, with several quotes in a session.
    Sessions,
    /// In sessions that begin during the hours of a working day.
    Daily,
}

/// The parameters of the arrivals.
#[derive(Clone, Debug)]
pub struct Synthetic {
    /// When users arrive.
    pub rhythm: Rhythm,
    /// The number of users.
    pub users: u32,
    /// The average number of quotes of a user in a day.
    pub quotes_a_day: f64,
    /// The number of days.
    pub days: u32,
    /// The seed. Equal seeds give equal arrivals.
    pub seed: u64,
}

impl Synthetic {
    /// Returns the arrivals, sorted by time.
    #[must_use]
    pub fn arrivals(&self) -> Vec<Arrival> {
        let mut arrivals: Vec<Arrival> = (0..self.users).flat_map(|row| self.of(row)).collect();
        arrivals.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.user.cmp(&b.user)));
        arrivals
    }

    fn of(&self, row: u32) -> Vec<Arrival> {
        let Ok(user) = UserId::new(format!("user-{row:06}")) else { return vec![] };
        let mut draws = Draws::new(self.seed, KIND, u64::from(row));
        let (a_visit, rate) = match self.rhythm {
            Rhythm::Poisson => (1.0, self.quotes_a_day),
            Rhythm::Sessions | Rhythm::Daily => {
                (QUOTES_A_SESSION, self.quotes_a_day / QUOTES_A_SESSION)
            }
        };
        let end = f64::from(self.days) * DAY;
        let mut arrivals = vec![];
        let mut begin = 0.0;
        loop {
            begin += exponential(&mut draws, self.gap_to_next(rate));
            if begin >= end {
                return arrivals;
            }
            if self.rhythm == Rhythm::Daily && uniform(&mut draws) >= busy(begin) {
                continue;
            }
            let mut at = begin;
            while at < end {
                let lines = 1 + u32::try_from(draws.below(LINES)).unwrap_or(0);
                let at_time = START.plus(Duration::from_secs_f64(at));
                arrivals.push(Arrival { at: at_time, user: user.clone(), lines });
                if uniform(&mut draws) >= 1.0 - 1.0 / a_visit {
                    break;
                }
                at += exponential(&mut draws, GAP_SECS);
            }
        }
    }

    /// Returns the average time between two visits. A daily rhythm drops some visits again, so it draws
    /// more.
    fn gap_to_next(&self, rate: f64) -> f64 {
        match self.rhythm {
            Rhythm::Daily => DAY / rate * BUSY_SHARE,
            Rhythm::Poisson | Rhythm::Sessions => DAY / rate,
        }
    }
}

/// Returns how busy a moment is, from 0 to 1: zero at night and on Sundays, highest at one o'clock.
fn busy(secs: f64) -> f64 {
    let is_sunday = (secs / DAY) as u64 % 7 == 6;
    let hour = secs % DAY / 3600.0;
    if is_sunday || !(6.0..20.0).contains(&hour) {
        return 0.0;
    }
    ((hour - 6.0) / 14.0 * std::f64::consts::PI).sin()
}

/// The average of [`busy`] over a week: half a sine over 14 of 24 hours, on six of seven days.
const BUSY_SHARE: f64 = std::f64::consts::FRAC_2_PI * 14.0 / 24.0 * 6.0 / 7.0;

/// Draws a number from 0 to below 1.
fn uniform(draws: &mut Draws) -> f64 {
    (draws.next() >> 11) as f64 / (1_u64 << 53) as f64
}

fn exponential(draws: &mut Draws, mean: f64) -> f64 {
    -(1.0 - uniform(draws)).ln() * mean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(rhythm: Rhythm, seed: u64) -> Vec<Arrival> {
        Synthetic { rhythm, users: 200, quotes_a_day: 5.0, days: 28, seed }.arrivals()
    }

    #[test]
    fn every_rhythm_has_the_rate_that_was_asked_for() {
        for rhythm in [Rhythm::Poisson, Rhythm::Sessions, Rhythm::Daily] {
            let count = drawn(rhythm, 1).len();
            assert!((26_000..30_000).contains(&count), "{rhythm:?}: {count} of about 28,000");
        }
    }

    #[test]
    fn a_seed_gives_the_same_arrivals_in_their_order() {
        let first = drawn(Rhythm::Daily, 1);
        assert_eq!(first, drawn(Rhythm::Daily, 1));
        assert_ne!(first, drawn(Rhythm::Daily, 2));
        assert!(first.is_sorted_by_key(|arrival| arrival.at));
    }

    #[test]
    fn nobody_begins_at_night_or_on_a_sunday() {
        let in_session = Duration::from_secs(3600);
        for arrival in drawn(Rhythm::Daily, 3) {
            let since = arrival.at.since(START);
            let hour = since.as_secs() / 3600 % 24;
            assert!((6..22).contains(&hour), "{}", arrival.at);
            let is_sunday = since.saturating_sub(in_session * 3).as_secs() / 86_400 % 7 == 6;
            assert!(!is_sunday, "{}", arrival.at);
        }
    }

    #[test]
    fn sessions_come_closer_together_than_single_quotes() {
        let close = |arrivals: &[Arrival]| {
            let mut last = std::collections::HashMap::new();
            let gap = |arrival: &Arrival| {
                let before = last.insert(arrival.user.clone(), arrival.at)?;
                Some(arrival.at.since(before) < Duration::from_secs(600))
            };
            arrivals.iter().filter_map(gap).filter(|close| *close).count()
        };
        let (single, sessions) = (drawn(Rhythm::Poisson, 1), drawn(Rhythm::Sessions, 1));
        assert!(close(&sessions) > 10 * close(&single));
    }
}
