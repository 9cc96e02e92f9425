//! Some things of a kind, of which a few are named.

/// Some of a kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mention {
    /// How many.
    pub count: u64,
    /// The first few.
    pub first: Vec<String>,
}

/// How many of a kind are named.
pub(super) const NAMED: usize = 5;

impl Mention {
    pub(super) fn add(&mut self, name: impl FnOnce() -> String) {
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push(name());
        }
    }
}
