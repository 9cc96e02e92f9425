//! A number of things, of which the first few are named.

/// A number of things of one kind. Serialized as in the summaries of loads.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Mention {
    /// How many there are.
    pub count: u64,
    /// The names of the first few.
    pub first: Vec<String>,
}

/// How many are named at most.
pub(super) const NAMED: usize = 5;

impl Mention {
    pub(super) fn add(&mut self, name: impl FnOnce() -> String) {
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push(name());
        }
    }
}
