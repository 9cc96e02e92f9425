//! Suggestions for misspelled words.

/// Returns the candidate that a word may be a misspelling of, if there is one. At most a third of its
/// characters may differ, and not all. Of several equally near candidates, the first is returned.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = (word.chars().count() / 3).max(1);
    let (lower, length) = (word.to_lowercase(), word.chars().count());
    let is_as_long = |candidate: &&str| candidate.chars().count().abs_diff(length) <= most;
    candidates
        .into_iter()
        .filter(|candidate| *candidate != word)
        .filter(is_as_long)
        .map(|candidate| (strsim::osa_distance(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= most && *distance < length)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_are_near_and_other_words_are_not() {
        let all = ["ttl", "refresh-every", "stack"];
        assert_eq!(nearest("tll", all), Some("ttl"));
        assert_eq!(nearest("refresh_evry", all), Some("refresh-every"));
        assert_eq!(nearest("TTL", all), Some("ttl"), "only the case");
        assert_eq!(nearest("ttl", all), None, "itself");
        assert_eq!(nearest("quantity", all), None);
        assert_eq!(nearest("X", ["A", "B"]), None, "nothing of it is left");
        assert_eq!(nearest("aab", ["aaa", "abb", "aba"]), Some("aaa"));
    }
}
