//! The resources of the API, and their paths.

use std::borrow::Cow;

use hyper::Method;
use memchr::{memchr, memchr_iter, memchr2};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The characters that must be encoded in a path segment or a query value.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A resource of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// `/quotes`.
    Quotes,
    /// `/quotes/{id}`: an earlier quotation.
    Quote(String),
    /// `/prices/{client}`: a client's prices.
    Prices(String),
}

impl Resource {
    /// Returns the resource of a path, if the API has it. The inner `None` means that a part of the path
    /// is not UTF-8, or has a `%` that escapes nothing.
    pub(in crate::runtime::gateway) fn of(path: &str) -> Option<Option<Self>> {
        if path == "/quotes" {
            return Some(Some(Self::Quotes));
        }
        let segment = |folder| path.strip_prefix(folder).filter(|rest| is_segment(rest));
        let id =
            |part| has_whole_escapes(part).then(|| decoded(part)).flatten().map(Cow::into_owned);
        if let Some(part) = segment("/quotes/") {
            return Some(id(part).map(Self::Quote));
        }
        Some(id(segment("/prices/")?).map(Self::Prices))
    }

    /// Returns the resource of a route as documented, with its parameters already decoded.
    #[must_use]
    pub fn of_route(route: &str, parameter: impl Fn(&str) -> Option<String>) -> Option<Self> {
        match route {
            "/quotes" => Some(Self::Quotes),
            "/quotes/{id}" => parameter("id").map(Self::Quote),
            "/prices/{client}" => parameter("client").map(Self::Prices),
            _ => None,
        }
    }

    /// Returns the methods of the resource.
    pub(in crate::runtime::gateway) const fn methods(&self) -> &'static [Method] {
        match self {
            Self::Quotes => &[Method::POST],
            Self::Quote(_) => &[Method::GET, Method::HEAD],
            Self::Prices(_) => &[Method::GET, Method::HEAD, Method::POST],
        }
    }

    /// Returns its path as documented.
    #[must_use]
    pub const fn route(&self) -> &'static str {
        match self {
            Self::Quotes => "/quotes",
            Self::Quote(_) => "/quotes/{id}",
            Self::Prices(_) => "/prices/{client}",
        }
    }
}

fn is_segment(text: &str) -> bool {
    !text.is_empty() && !text.contains('/')
}

/// Decodes a part of a URL; `None` if it is not UTF-8.
fn decoded(part: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(part).decode_utf8().ok()
}

/// Encodes a text as a part of a URL.
pub(super) fn encoded(text: &str) -> impl std::fmt::Display {
    utf8_percent_encode(text, ENCODED)
}

/// A name and its value.
pub(super) type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// Splits a text around the ASCII character at a place, if there is one.
fn cut(text: &str, at: Option<usize>) -> (&str, &str) {
    match at {
        Some(end) => (&text[..end], &text[end + 1..]),
        None => (text, ""),
    }
}

/// Returns how many pairs a query has at most.
pub(super) fn most_pairs(query: &str) -> usize {
    memchr_iter(b'&', query.as_bytes()).count() + 1
}

/// Returns the names and values of a query. If nothing in it is encoded, nothing is copied.
///
/// # Errors
/// Returns what is wrong with the query.
#[inline]
pub(super) fn pairs(query: &str) -> impl Iterator<Item = Result<Pair<'_>, &'static str>> {
    let is_encoded = memchr2(b'%', b'+', query.as_bytes()).is_some();
    let mut rest = query;
    std::iter::from_fn(move || {
        loop {
            if rest.is_empty() {
                return None;
            }
            let (pair, behind) = cut(rest, memchr(b'&', rest.as_bytes()));
            rest = behind;
            if pair.is_empty() {
                continue;
            }
            // Names are short, so the search ends before a faster one would have begun.
            let (name, value) = cut(pair, pair.bytes().position(|byte| byte == b'='));
            return Some(match is_encoded {
                false => Ok((Cow::Borrowed(name), Cow::Borrowed(value))),
                true => decoded_text(name).and_then(|name| Ok((name, decoded_text(value)?))),
            });
        }
    })
}

/// Decodes a name or a value of a query. Returns what is wrong with it.
fn decoded_text(part: &str) -> Result<Cow<'static, str>, &'static str> {
    if !has_whole_escapes(part) {
        return Err(
            "the query has a `%` without two hexadecimal digits; write %25 for the character itself",
        );
    }
    let text = decoded(&part.replace('+', " ")).map(Cow::into_owned);
    text.map(Cow::Owned).ok_or("the query is not UTF-8")
}

/// Whether two hexadecimal digits follow each `%`. Otherwise decoding would keep it as it is.
fn has_whole_escapes(part: &str) -> bool {
    memchr_iter(b'%', part.as_bytes()).all(|at| {
        let digits = part.as_bytes().get(at + 1..at + 3);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_resources() {
        assert_eq!(Resource::of("/quotes"), Some(Some(Resource::Quotes)));
        let quote = |id: &str| Some(Some(Resource::Quote(id.to_owned())));
        assert_eq!(Resource::of("/quotes/a%2Fb%20%C3%A9"), quote("a/b é"));
        for bad in ["/quotes/%FF", "/quotes/a%zz", "/prices/50%", "/prices/%4"] {
            assert_eq!(Resource::of(bad), Some(None), "{bad}");
        }
        for other in ["/", "/quotes/", "/quotes/a/b", "/Quotes", "/quote"] {
            assert_eq!(Resource::of(other), None, "{other}");
        }
    }

    #[test]
    fn routes_name_what_paths_name() {
        for path in ["/quotes", "/quotes/a", "/prices/a"] {
            let of_path = Resource::of(path).unwrap().unwrap();
            let parameter = |_: &str| Some("a".to_owned());
            assert_eq!(Resource::of_route(of_path.route(), parameter), Some(of_path));
        }
        assert_eq!(Resource::of_route("/else", |_| None), None);
    }

    #[test]
    fn what_is_encoded_comes_back() {
        let odd = "a/b?c&d=e+f%20 é株#";
        let query = format!("x={}&y=1+2&z", encoded(odd));
        let pair = |name, value| (Cow::Borrowed(name), Cow::Borrowed(value));
        let found: Result<Vec<_>, _> = pairs(&query).collect();
        assert_eq!(found.unwrap(), [pair("x", odd), pair("y", "1 2"), pair("z", "")]);
        for bad in ["x=%FF", "x=%zz", "x=50%", "x=%4", "%4%41=x", "x=%é"] {
            assert!(pairs(bad).any(|pair| pair.is_err()), "{bad}");
        }
    }
}
