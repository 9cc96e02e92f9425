//! The query of a request.

use hyper::Uri;

use crate::protocol::MAX_ITEMS;

/// So many are listed unless asked otherwise.
const DEFAULT_LIMIT: usize = 20;
/// A list never has more than this.
const MAX_LIMIT: usize = 100;
/// Nothing that can be searched for is longer than this: a user id, or as much of a name.
const MAX_SEARCH_BYTES: usize = 256;

/// What is searched for, and how much of it is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Search {
    /// Trimmed; empty is everything.
    pub(super) text: String,
    pub(super) limit: usize,
}

impl Search {
    /// Reads `search` and `limit`.
    pub(super) fn of(uri: &Uri) -> Result<Self, String> {
        let text = value(uri, "search").unwrap_or_default().trim().to_owned();
        if text.len() > MAX_SEARCH_BYTES {
            return Err(format!("`search` is longer than {MAX_SEARCH_BYTES} bytes"));
        }
        let limit = match value(uri, "limit") {
            None => DEFAULT_LIMIT,
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=MAX_LIMIT).contains(limit))
                .ok_or_else(|| format!("`limit` is not a number from 1 to {MAX_LIMIT}"))?,
        };
        Ok(Self { text, limit })
    }
}

/// The first value of a name in a query.
pub(super) fn value(uri: &Uri, name: &str) -> Option<String> {
    // More pairs than a quote has lines are nobody's query.
    let mut pairs = form_urlencoded::parse(uri.query()?.as_bytes()).take(MAX_ITEMS);
    pairs.find(|(other, _)| other == name).map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(uri: &str) -> Result<Search, String> {
        Search::of(&uri.parse().unwrap())
    }

    #[test]
    fn reads_what_is_searched_for() {
        let found = search("/products?search=%20caf%C3%A9+au&limit=5").unwrap();
        assert_eq!((found.text.as_str(), found.limit), ("café au", 5));
        assert_eq!(search("/products").unwrap(), Search { text: String::new(), limit: 20 });
        for bad in ["limit=0", "limit=101", "limit=x", "limit=", "limit=-1"] {
            assert!(search(&format!("/products?{bad}")).unwrap_err().contains("limit"), "{bad}");
        }
        let long = format!("/products?search={}", "x".repeat(257));
        assert!(search(&long).unwrap_err().contains("search"));
    }
}
