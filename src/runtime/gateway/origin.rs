//! Which web pages may talk to the gateway.

use std::collections::BTreeSet;
use std::str::FromStr;

use hyper::header::{HOST, HeaderMap, ORIGIN};
use hyper::http::Uri;
use thiserror::Error;

/// The origins that are allowed beside the gateway's own.
///
/// Programs send no `Origin` and are not concerned. A browser always does, and without this any
/// page on the web could quote through the visitor's loopback.
#[derive(Clone, Debug, Default)]
pub struct AllowedOrigins(BTreeSet<String>);

/// Why a text is not an origin.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{0}` is not an origin such as https://shop.example.com")]
pub struct OriginError(String);

impl AllowedOrigins {
    /// Checks a list of origins.
    ///
    /// # Errors
    /// [`OriginError`] for the first that is none.
    pub fn new(origins: &[String]) -> Result<Self, OriginError> {
        origins.iter().map(|origin| normalise(origin)).collect::<Result<_, _>>().map(Self)
    }

    /// Whether a request may be answered: it names no origin, an allowed one, or the very host it
    /// is sent to, when that is loopback.
    #[must_use]
    pub fn allow(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(ORIGIN) else { return true };
        let Ok(origin) = origin.to_str() else { return false };
        if self.0.contains(&origin.to_ascii_lowercase()) {
            return true;
        }
        let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        is_loopback(host) && origin.eq_ignore_ascii_case(&format!("http://{host}"))
    }
}

fn normalise(text: &str) -> Result<String, OriginError> {
    let refuse = || OriginError(text.to_owned());
    let uri = Uri::from_str(text).map_err(|_| refuse())?;
    match (uri.scheme_str(), uri.authority(), uri.path()) {
        (Some("http" | "https"), Some(_), "" | "/") => {
            Ok(text.trim_end_matches('/').to_ascii_lowercase())
        }
        _ => Err(refuse()),
    }
}

/// Without this, a name that its owner points at 127.0.0.1 would be its own origin.
fn is_loopback(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(hyper::header::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn own_allowed_and_absent_origins_pass() {
        let allowed = AllowedOrigins::new(&["https://Shop.example.com/".to_owned()]).unwrap();
        let host = (HOST, "127.0.0.1:7070");
        assert!(allowed.allow(&headers(std::slice::from_ref(&host))));
        assert!(allowed.allow(&headers(&[host.clone(), (ORIGIN, "http://127.0.0.1:7070")])));
        assert!(allowed.allow(&headers(&[host.clone(), (ORIGIN, "https://shop.example.com")])));
        for foreign in ["https://evil.example", "null", "http://127.0.0.1:7071"] {
            assert!(!allowed.allow(&headers(&[host.clone(), (ORIGIN, foreign)])), "{foreign}");
        }
        let rebound = [(HOST, "evil.example:7070"), (ORIGIN, "http://evil.example:7070")];
        assert!(!allowed.allow(&headers(&rebound)));
    }

    #[test]
    fn only_origins_are_taken() {
        for bad in ["shop.example.com", "https://a/b", "ftp://a", "*", ""] {
            assert!(AllowedOrigins::new(&[bad.to_owned()]).is_err(), "{bad}");
        }
    }
}
