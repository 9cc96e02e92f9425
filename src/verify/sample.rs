//! Draws a fair sample while the items pass by.

use crate::data::Draws;

/// Keeps `size` of the items that it is shown, each with the same probability.
pub(super) struct Sample<T> {
    size: usize,
    seen: u64,
    draws: Draws,
    kept: Vec<T>,
}

impl<T> Sample<T> {
    pub(super) const fn new(size: usize, seed: u64) -> Self {
        Self { size, seen: 0, draws: Draws::new(seed, 0, 0), kept: vec![] }
    }

    pub(super) fn show(&mut self, one: T) {
        self.seen += 1;
        if self.kept.len() < self.size {
            self.kept.push(one);
            return;
        }
        let place = usize::try_from(self.draws.below(self.seen)).unwrap_or(usize::MAX);
        if let Some(kept) = self.kept.get_mut(place) {
            *kept = one;
        }
    }

    pub(super) fn into_kept(self) -> Vec<T> {
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(size: usize, of: u32, seed: u64) -> Vec<u32> {
        let mut sample = Sample::new(size, seed);
        (0..of).for_each(|one| sample.show(one));
        sample.into_kept()
    }

    #[test]
    fn all_are_kept_when_they_fit_and_each_has_its_chance_when_not() {
        assert_eq!(kept(5, 3, 1), [0, 1, 2]);
        assert!(kept(0, 3, 1).is_empty());
        let mut counts = [0; 10];
        for seed in 0..1_000 {
            let kept = kept(3, 10, seed);
            assert_eq!(kept.len(), 3);
            kept.into_iter().for_each(|one| counts[one as usize] += 1);
        }
        assert!(counts.iter().all(|count| (230..370).contains(count)), "{counts:?}");
    }
}
