//! Reads the query of a request.

use hyper::Uri;

use super::folded::folded;
use crate::protocol::MAX_ITEMS;

/// The length of a list unless `limit` says otherwise.
const DEFAULT_LIMIT: usize = 20;
/// The longest list.
pub(super) const MAX_LIMIT: usize = 100;
/// The longest search text: a customer id, or as much of a name.
const MAX_SEARCH_BYTES: usize = 256;

/// The text to search for, and the part of the results to return.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Search {
    /// The text as it was typed, without the spaces around it.
    pub(super) typed: String,
    /// The folded text. Empty text matches everything.
    pub(super) text: String,
    pub(super) limit: usize,
    /// The number of results to skip.
    pub(super) offset: usize,
}

impl Search {
    /// Reads `search`, `limit` and `offset` from the query.
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
        let offset = match value(uri, "offset") {
            None => 0,
            Some(text) => text.parse().map_err(|_| "`offset` is not a number from 0".to_owned())?,
        };
        Ok(Self { text: folded(&text), typed: text, limit, offset })
    }
}

/// Returns the first value of a name in a query.
pub(super) fn value(uri: &Uri, name: &str) -> Option<String> {
    values(uri, name).next()
}

/// Returns all values of a name in a query.
pub(super) fn values<'a>(uri: &'a Uri, name: &'a str) -> impl Iterator<Item = String> + 'a {
    let query = uri.query().unwrap_or_default();
    // No valid query has more pairs than a quote has lines.
    let pairs = form_urlencoded::parse(query.as_bytes()).take(MAX_ITEMS);
    pairs.filter(move |(other, _)| other == name).map(|(_, value)| value.into_owned())
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
        assert_eq!((found.text.as_str(), found.limit), ("cafe au", 5));
        let everything = Search { limit: 20, ..Search::default() };
        assert_eq!(search("/products").unwrap(), everything);
        assert_eq!(search("/clients?offset=40").unwrap().offset, 40);
        for bad in ["limit=0", "limit=101", "limit=x", "limit=", "limit=-1", "offset=-1"] {
            let name = bad.split('=').next().unwrap();
            assert!(search(&format!("/products?{bad}")).unwrap_err().contains(name), "{bad}");
        }
        let uri = "/products?product=P1&product=P%202&limit=3".parse().unwrap();
        assert_eq!(values(&uri, "product").collect::<Vec<_>>(), ["P1", "P 2"]);
        let long = format!("/products?search={}", "x".repeat(257));
        assert!(search(&long).unwrap_err().contains("search"));
    }
}
