//! The path prefix under which a reverse proxy publishes a gateway.
//!
//! A proxy that removes the prefix needs no setting, because all links in replies are relative. If the
//! proxy keeps the prefix, the gateway must know it. Paths without the prefix are served too, because the
//! other processes of this machine call the gateway without its proxy.

use std::str::FromStr;

use hyper::Uri;
use hyper::header::{HeaderValue, LOCATION};
use hyper::http::uri::PathAndQuery;
use hyper::{Request, StatusCode};
use thiserror::Error;

use super::http_reply::Reply;

/// A prefix such as `/quotes`; empty if there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathPrefix(String);

/// Why a text is not a prefix.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{0}` is not a path such as /quotes")]
pub struct PrefixError(String);

impl FromStr for PathPrefix {
    type Err = PrefixError;

    fn from_str(text: &str) -> Result<Self, PrefixError> {
        let path = text.strip_suffix('/').unwrap_or(text);
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte);
        let is_segment = |segment: &str| {
            !segment.is_empty() && segment.bytes().all(fits) && !matches!(segment, "." | "..")
        };
        match path.strip_prefix('/') {
            Some(segments) if segments.split('/').all(is_segment) => Ok(Self(path.to_owned())),
            _ => Err(PrefixError(text.to_owned())),
        }
    }
}

impl PathPrefix {
    /// Removes the prefix from a request's path, if it is there.
    pub(super) fn strip<T>(&self, request: &mut Request<T>) {
        let uri = request.uri();
        let Some(rest) = uri.path().strip_prefix(self.0.as_str()) else { return };
        if self.0.is_empty() || !rest.starts_with('/') {
            return;
        }
        let rest = match uri.query() {
            Some(query) => format!("{rest}?{query}"),
            None => rest.to_owned(),
        };
        if let Ok(rest) = PathAndQuery::try_from(rest) {
            *request.uri_mut() = Uri::from(rest);
        }
    }

    /// Returns a redirect to the page if the path is the prefix without its final slash. Without the
    /// slash, the browser would resolve the page's links one level too high.
    pub(super) fn page_of<T>(&self, request: &Request<T>) -> Option<Reply> {
        let uri = request.uri();
        if self.0.is_empty() || uri.path() != self.0 {
            return None;
        }
        let name = self.0.rsplit('/').next().unwrap_or_default();
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        let mut reply = Reply::default();
        *reply.status_mut() = StatusCode::PERMANENT_REDIRECT;
        let location = HeaderValue::try_from(format!("{name}/{query}")).ok()?;
        reply.headers_mut().insert(LOCATION, location);
        Some(reply)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(prefix: &str, uri: &str) -> String {
        let mut request = Request::get(uri).body(()).unwrap();
        prefix.parse::<PathPrefix>().unwrap().strip(&mut request);
        request.uri().to_string()
    }

    #[test]
    fn it_is_taken_off_where_it_is() {
        assert_eq!(stripped("/a/b/", "/a/b/health"), "/health");
        assert_eq!(stripped("/a", "/a/?url=x"), "/?url=x");
        for other in ["/health", "/ab/health", "/a", "/"] {
            assert_eq!(stripped("/a", other), other);
        }
        let mut request = Request::get("/health").body(()).unwrap();
        PathPrefix::default().strip(&mut request);
        assert_eq!(request.uri(), "/health");
    }

    #[test]
    fn a_missing_slash_is_put_right() {
        let prefix: PathPrefix = "/a/b".parse().unwrap();
        let of = |uri: &str| prefix.page_of(&Request::get(uri).body(()).unwrap());
        let reply = of("/a/b?url=x").unwrap();
        assert_eq!(reply.status(), StatusCode::PERMANENT_REDIRECT);
        assert_eq!(reply.headers()[LOCATION], "b/?url=x");
        assert!(of("/a/b/").is_none() && of("/a").is_none());
    }

    #[test]
    fn only_paths_are_taken() {
        for bad in ["", "/", "a", "//", "/a//b", "/a?b", "/a#b", "/a b", "/..", "https://a/b"] {
            assert!(bad.parse::<PathPrefix>().is_err(), "{bad}");
        }
    }
}
