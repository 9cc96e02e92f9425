//! The headers that a browser requires before it hands a reply to a page of another origin.
//!
//! API Gateway adds the same headers for the origins of `allowed_origins` in `infra/`: to the reply to
//! every request of such a page, errors included, and to the reply to a preflight.

use std::collections::BTreeSet;
use std::sync::Mutex;

use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    HeaderMap, HeaderValue, ORIGIN, VARY,
};
use hyper::{Method, Request};
use tracing::warn;

use super::methods::{is_for_pages, list};
use super::origin::{AllowedOrigins, normalise};
use crate::supervisor::lock;

/// The headers that a page may send. `infra/http.tf` allows the same.
const ALLOWED_HEADERS: HeaderValue =
    HeaderValue::from_static("authorization, content-type, if-none-match, prefer, traceparent");
/// The headers that a page may read beside the content type. `infra/http.tf` exposes the same.
const EXPOSED_HEADERS: HeaderValue = HeaderValue::from_static(
    "etag, link, location, ocache-priced-at, ocache-stale, preference-applied, retry-after",
);
/// How long a browser may reuse the reply to a preflight, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");
/// The most refused origins that are named in the log. A client that sends more of them is probably attacking.
const MAX_NAMED: usize = 32;
/// A longer origin is not logged.
const MAX_ORIGIN_BYTES: usize = 256;

/// The CORS headers for the reply to one request.
pub(super) struct Cors {
    /// The origin of the page, if it is allowed.
    origin: Option<HeaderValue>,
    /// Whether another origin would get another reply.
    varies: bool,
    is_preflight: bool,
}

impl Cors {
    /// Creates the headers for the reply to a request.
    pub(super) fn of<T>(allowed: &AllowedOrigins, request: &Request<T>) -> Self {
        let headers = request.headers();
        let is_shared = is_for_pages(request.uri().path()) && allowed.allow_page(headers);
        let origin = headers.get(ORIGIN).filter(|_| is_shared).cloned();
        let is_preflight = request.method() == Method::OPTIONS
            && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        Self { origin, varies: allowed.allow_others(), is_preflight }
    }

    /// Adds the headers to a reply. `methods` are those of the path.
    pub(super) fn add(self, headers: &mut HeaderMap, methods: &[Method]) {
        if self.varies {
            headers.append(VARY, HeaderValue::from_name(ORIGIN));
        }
        let Some(origin) = self.origin else { return };
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if !self.is_preflight {
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
            return;
        }
        headers.extend(list(methods).map(|methods| (ACCESS_CONTROL_ALLOW_METHODS, methods)));
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS);
        headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    }
}

/// The origins that were refused. Each is named in the log once.
#[derive(Default)]
pub(super) struct RefusedOrigins(Mutex<BTreeSet<String>>);

impl RefusedOrigins {
    /// Logs that a page was refused, with the flag that would admit it, unless this origin was logged
    /// before.
    pub(super) fn refused(&self, headers: &HeaderMap) {
        let origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok());
        let origin = origin.filter(|origin| origin.len() <= MAX_ORIGIN_BYTES);
        let Some(Ok(origin)) = origin.map(normalise) else { return };
        let mut named = lock(&self.0);
        if named.len() < MAX_NAMED && named.insert(origin.clone()) {
            let typed = shlex::try_quote(&origin).unwrap_or_default();
            warn!("a page of {origin} was refused; `--allow-origin {typed}` admits it");
        }
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HOST;

    use super::*;

    fn headers(origin: &str) -> HeaderMap {
        let pairs = [(HOST, "127.0.0.1:7070"), (ORIGIN, origin)];
        let pairs = pairs.into_iter().chain([(ACCESS_CONTROL_REQUEST_METHOD, "PUT")]);
        pairs.map(|(name, value)| (name, value.parse().unwrap())).collect()
    }

    fn added(origin: &str, method: Method, path: &str) -> HeaderMap {
        let mut request = Request::builder().method(method).uri(path).body(()).unwrap();
        *request.headers_mut() = headers(origin);
        let allowed = AllowedOrigins::new(&["https://a.example".to_owned()], &[]).unwrap();
        let mut added = HeaderMap::new();
        let methods = [Method::PUT, Method::GET];
        Cors::of(&allowed, &request).add(&mut added, &methods);
        added
    }

    #[test]
    fn only_the_pages_of_an_allowed_origin_may_read() {
        let preflight = added("https://a.example", Method::OPTIONS, "/subscribe");
        assert_eq!(preflight[ACCESS_CONTROL_ALLOW_ORIGIN], "https://a.example");
        assert_eq!(preflight[ACCESS_CONTROL_ALLOW_METHODS], "PUT, GET");
        assert!(preflight[ACCESS_CONTROL_ALLOW_HEADERS].to_str().unwrap().contains("content-type"));
        let reply = added("https://a.example", Method::PUT, "/subscribe");
        assert_eq!(reply[ACCESS_CONTROL_ALLOW_ORIGIN], "https://a.example");
        assert!(!reply.contains_key(ACCESS_CONTROL_ALLOW_METHODS));
        for other in ["https://b.example", "null", "http://127.0.0.1:7070"] {
            let reply = added(other, Method::OPTIONS, "/subscribe");
            assert!(!reply.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN), "{other}");
            assert_eq!(reply[VARY], "origin", "{other}");
        }
        let reply = added("https://a.example", Method::OPTIONS, "/@connections/x");
        assert!(!reply.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN), "pages have no business there");
    }

    #[test]
    fn what_infra_allows_is_the_same() {
        let terraform = include_str!("../../../infra/http.tf");
        for (setting, value) in
            [("allow_headers", &ALLOWED_HEADERS), ("expose_headers", &EXPOSED_HEADERS)]
        {
            let names = value.to_str().unwrap().split(", ").map(|name| format!("\"{name}\""));
            let list = format!("[{}]", names.collect::<Vec<_>>().join(", "));
            let line = terraform.lines().find(|line| line.trim_start().starts_with(setting));
            assert!(line.is_some_and(|line| line.ends_with(&list)), "{setting} is not {list}");
        }
    }

    #[test]
    fn a_flood_of_origins_is_not_kept() {
        let refused = RefusedOrigins::default();
        for number in 0..2 * MAX_NAMED {
            refused.refused(&headers(&format!("https://{number}.example")));
        }
        refused.refused(&headers("not an origin"));
        assert_eq!(lock(&refused.0).len(), MAX_NAMED);
    }
}
