//! Words that go with a count.

/// Returns the form of a word that goes with a count.
#[must_use]
pub fn plural<'a, T: PartialEq + From<u8>>(count: T, one: &'a str, many: &'a str) -> &'a str {
    if count == T::from(1) { one } else { many }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_is_singular() {
        let words = [0_usize, 1, 2].map(|count| plural(count, "entry", "entries"));
        assert_eq!(words, ["entries", "entry", "entries"]);
        assert_eq!(plural(1.5_f64, "quote", "quotes"), "quotes");
    }
}
