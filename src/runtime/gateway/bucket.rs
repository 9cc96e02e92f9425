//! A token bucket: a rate that may be exceeded for a moment.

use std::time::Duration;

use tokio::time::Instant;

const NANOS_PER_SEC: u64 = 1_000_000_000;

/// Allows units at a rate on average, and up to a burst of them at once.
///
/// The bucket stores the time at which everything taken is paid for. So it is one instant and needs no
/// filling.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    rate: FillRate,
    paid_at: Option<Instant>,
}

/// How fast a [`Bucket`] fills, and how much it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FillRate {
    /// The units that come in each `per`; not zero.
    pub(super) units: u64,
    /// The time in which `units` come.
    pub(super) per: Duration,
    /// The units that may be taken at once from a full bucket.
    pub(super) burst: u64,
}

impl FillRate {
    /// Returns a rate per second, with one second's units as the burst.
    pub(super) const fn per_sec(units: u64) -> Self {
        Self { units, per: Duration::from_secs(1), burst: units }
    }

    /// Returns a rate per minute, with one minute's units as the burst.
    pub(super) const fn per_min(units: u64) -> Self {
        Self { units, per: Duration::from_secs(60), burst: units }
    }

    fn time_of(&self, units: u64) -> Duration {
        let nanos = u128::from(units) * self.per.as_nanos() / u128::from(self.units.max(1));
        // A time longer than any process lives is as good as infinite.
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(NANOS_PER_SEC * 86_400 * 365))
    }
}

impl Bucket {
    /// Creates a full bucket.
    pub(super) const fn new(rate: FillRate) -> Self {
        Self { rate, paid_at: None }
    }

    /// Changes the rate from now on.
    pub(super) const fn set_rate(&mut self, rate: FillRate) {
        self.rate = rate;
    }

    /// Takes units if there are enough. Returns whether there were.
    pub(super) fn take(&mut self, units: u64, now: Instant) -> bool {
        let paid_at = self.paid_at.map_or(now, |paid_at| paid_at.max(now));
        let then = paid_at + self.rate.time_of(units);
        let fits = then - now <= self.rate.time_of(self.rate.burst);
        if fits {
            self.paid_at = Some(then);
        }
        fits
    }

    /// Takes units that are used already, whether there were enough or not.
    pub(super) fn charge(&mut self, units: u64, now: Instant) {
        let paid_at = self.paid_at.map_or(now, |paid_at| paid_at.max(now));
        self.paid_at = Some(paid_at + self.rate.time_of(units));
    }

    /// Returns until when the bucket is empty; `None` when it has something.
    pub(super) fn empty_until(&self, now: Instant) -> Option<Instant> {
        let empty_until = self.paid_at?.checked_sub(self.rate.time_of(self.rate.burst))?;
        (empty_until > now).then_some(empty_until)
    }

    /// Whether the bucket is full.
    pub(super) fn is_full(&self, now: Instant) -> bool {
        self.paid_at.is_none_or(|paid_at| paid_at <= now)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn taken(bucket: &mut Bucket, tries: u32) -> u32 {
        (0..tries).map(|_| u32::from(bucket.take(1, Instant::now()))).sum()
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_and_then_the_rate() {
        let mut bucket = Bucket::new(FillRate { burst: 20, ..FillRate::per_sec(10) });
        assert_eq!(taken(&mut bucket, 100), 20);
        assert!(!bucket.is_full(Instant::now()));
        advance(Duration::from_millis(500)).await;
        assert_eq!(taken(&mut bucket, 100), 5);
        advance(Duration::from_secs(3600)).await;
        assert!(bucket.is_full(Instant::now()));
        assert_eq!(taken(&mut bucket, 100), 20, "it never holds more than a burst");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_charged_beyond_it_is_paid_for_later() {
        let mut bucket = Bucket::new(FillRate::per_sec(1000));
        let begun = Instant::now();
        bucket.charge(500, begun);
        assert_eq!(bucket.empty_until(begun), None);
        bucket.charge(4500, begun);
        assert_eq!(bucket.empty_until(begun), Some(begun + Duration::from_secs(4)));
        assert!(!bucket.take(1, begun));
        advance(Duration::from_secs(5)).await;
        assert_eq!(bucket.empty_until(Instant::now()), None);
        assert_eq!(taken(&mut bucket, 2000), 1000);
    }

    #[tokio::test(start_paused = true)]
    async fn slow_rates_are_kept_too() {
        let mut bucket = Bucket::new(FillRate::per_min(1));
        assert_eq!(taken(&mut bucket, 2), 1);
        advance(Duration::from_secs(59)).await;
        assert_eq!(taken(&mut bucket, 1), 0);
        advance(Duration::from_secs(1)).await;
        assert_eq!(taken(&mut bucket, 1), 1);
    }
}
