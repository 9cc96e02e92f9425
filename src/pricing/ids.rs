//! Many ids in one piece of memory, so that runs of ids are compared at once.

/// Ids in ascending order, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ids {
    text: String,
    /// Where each id ends in `text`.
    ends: Vec<u32>,
    /// The length of each id. Two runs of ids are equal if both their texts and their lengths are.
    lengths: Vec<u8>,
}

impl Ids {
    pub(super) fn with_capacity(count: usize) -> Self {
        let (ends, lengths) = (Vec::with_capacity(count), Vec::with_capacity(count));
        Self { text: String::new(), ends, lengths }
    }

    /// Appends an id, which must come after all others.
    pub(super) fn push(&mut self, id: &str) {
        self.text.push_str(id);
        // The lengths of ids fit a byte, and 4 GB of ids are more products than any store holds.
        self.ends.push(self.text.len() as u32);
        self.lengths.push(id.len() as u8);
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns the id at an index, which must exist.
    pub(super) fn get(&self, index: usize) -> &str {
        &self.text[self.end(index)..self.end(index + 1)]
    }

    /// Returns where the texts of the first `count` ids end.
    pub(super) fn end(&self, count: usize) -> usize {
        if count == 0 { 0 } else { self.ends[count - 1] as usize }
    }

    /// Returns the index of the first id from `start` on that is not before `id`. This is fastest if that
    /// index is at most `step` away. `step` must be at least 1.
    pub(super) fn first_from(&self, start: usize, mut step: usize, id: &str) -> usize {
        let mut low = start;
        while low + step <= self.len() && self.get(low + step - 1) < id {
            low += step;
            step *= 2;
        }
        let mut high = (low + step - 1).min(self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.get(middle) < id { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// Returns how many ids from `start` on equal the other ids from `other_start` on.
    pub(super) fn run(&self, start: usize, other: &Self, other_start: usize) -> usize {
        let most = (self.len() - start).min(other.len() - other_start);
        let (mut same, mut step) = (0, 1);
        while same < most {
            let count = step.min(most - same);
            if self.slice(start + same, count) == other.slice(other_start + same, count) {
                same += count;
                // The first steps are small, because most runs are either very short or very long.
                step = same;
            } else if count == 1 {
                break;
            } else {
                step = count / 2;
            }
        }
        same
    }

    /// All ids as bytes: their texts, and their lengths.
    pub(super) fn bytes(&self) -> (&[u8], &[u8]) {
        (self.text.as_bytes(), &self.lengths)
    }

    fn slice(&self, start: usize, count: usize) -> (&[u8], &[u8]) {
        let text = &self.text.as_bytes()[self.end(start)..self.end(start + count)];
        (&self.lengths[start..start + count], text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(all: &[&str]) -> Ids {
        let mut ids = Ids::default();
        all.iter().for_each(|id| ids.push(id));
        ids
    }

    #[test]
    fn every_id_is_found_from_every_start() {
        let all: Vec<String> = (0..100).map(|n| format!("P{n:03}")).collect();
        let texts: Vec<&str> = all.iter().map(String::as_str).collect();
        let ids = ids(&texts);
        for start in 0..=100 {
            for step in [1, 3, 100, 1000] {
                for (index, id) in texts.iter().enumerate() {
                    assert_eq!(ids.first_from(start, step, id), index.max(start), "{id}");
                }
                assert_eq!(ids.first_from(start, step, ""), start);
                assert_eq!(ids.first_from(start, step, "Q"), 100);
            }
        }
    }

    #[test]
    fn a_run_ends_where_ids_differ_and_not_where_only_their_bounds_hide_it() {
        let one = ids(&["a", "bc", "d", "e", "f", "g", "h"]);
        assert_eq!(one.run(0, &one, 0), 7);
        assert_eq!(one.run(3, &one, 3), 4);
        assert_eq!(one.run(0, &one, 1), 0);
        assert_eq!(one.run(0, &ids(&["ab", "c", "d"]), 0), 0);
        assert_eq!(one.run(0, &ids(&["a", "bc", "d", "e", "f", "ga"]), 0), 5);
        assert_eq!(one.run(7, &one, 7), 0);
    }
}
