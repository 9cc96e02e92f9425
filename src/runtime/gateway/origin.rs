//! Which web pages may talk to the gateway.

use std::collections::BTreeSet;
use std::str::FromStr;

use hyper::header::{HOST, HeaderMap, ORIGIN};
use hyper::http::Uri;
use thiserror::Error;

/// The origins that are allowed beside the gateway's own, and the names by which it may be called.
///
/// Programs send no `Origin` and are not concerned. A browser does when a page opens a websocket or
/// sends data, and without this any page on the web could quote through the visitor's loopback.
#[derive(Clone, Debug, Default)]
pub struct AllowedOrigins {
    origins: BTreeSet<String>,
    hosts: BTreeSet<String>,
    /// Whether a name was given by which clients call the gateway: that of its reverse proxy.
    is_proxied: bool,
}

/// Why a text is not an origin, or not a host.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum OriginError {
    /// Not an origin.
    #[error("`{0}` is not an origin such as https://shop.example.com")]
    Origin(String),
    /// Not the name of a host.
    #[error("`{0}` is not the name of a host such as quotes.example.com")]
    Host(String),
}

impl AllowedOrigins {
    /// Checks a list of origins, and one of names, without ports, beside theirs.
    ///
    /// # Errors
    /// [`OriginError`] for the first that is none.
    pub fn new(origins: &[String], hosts: &[String]) -> Result<Self, OriginError> {
        let origins: BTreeSet<String> =
            origins.iter().map(|origin| normalise(origin)).collect::<Result<_, _>>()?;
        let theirs = origins.iter().filter_map(|origin| {
            let uri = Uri::from_str(origin).ok()?;
            Some(Ok(uri.host()?.to_owned()))
        });
        let is_proxied = !hosts.is_empty();
        let hosts = hosts.iter().map(|host| normalise_host(host)).chain(theirs);
        Ok(Self { hosts: hosts.collect::<Result<_, _>>()?, origins, is_proxied })
    }

    /// Whether the gateway stands behind a reverse proxy: it listens on loopback only, so no other
    /// name leads to it.
    #[must_use]
    pub const fn is_proxied(&self) -> bool {
        self.is_proxied
    }

    /// Whether a request may be answered: it names no origin, an allowed one, or the very host it
    /// is sent to, when that is loopback.
    #[must_use]
    pub fn allow(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(ORIGIN) else { return true };
        let Ok(origin) = origin.to_str() else { return false };
        if self.origins.contains(&origin.to_ascii_lowercase()) {
            return true;
        }
        let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        is_loopback(host) && origin.eq_ignore_ascii_case(&format!("http://{host}"))
    }

    /// Whether a request is meant for this gateway: a page whose owner points its name at 127.0.0.1
    /// sends that name. Who sends none is no browser.
    #[must_use]
    pub fn allow_host(&self, headers: &HeaderMap) -> bool {
        let mut hosts = headers.get_all(HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return !headers.contains_key(HOST);
        };
        let Ok(host) = host.to_str() else { return false };
        is_loopback(host) || self.hosts.contains(&name_of(host).to_ascii_lowercase())
    }
}

fn normalise(text: &str) -> Result<String, OriginError> {
    let refuse = || OriginError::Origin(text.to_owned());
    let uri = Uri::from_str(text).map_err(|_| refuse())?;
    match (uri.scheme_str(), uri.authority(), uri.path()) {
        (Some("http" | "https"), Some(_), "" | "/") => {
            Ok(text.trim_end_matches('/').to_ascii_lowercase())
        }
        _ => Err(refuse()),
    }
}

fn normalise_host(text: &str) -> Result<String, OriginError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    match !text.is_empty() && text.bytes().all(fits) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err(OriginError::Host(text.to_owned())),
    }
}

/// Without this, a name that its owner points at 127.0.0.1 would be its own origin.
fn is_loopback(host: &str) -> bool {
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|name| name.eq_ignore_ascii_case(name_of(host)))
}

/// A host without its port. An IPv6 address keeps its brackets.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(hyper::header::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn own_allowed_and_absent_origins_pass() {
        let allowed = AllowedOrigins::new(&["https://Shop.example.com/".to_owned()], &[]).unwrap();
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
            assert!(AllowedOrigins::new(&[bad.to_owned()], &[]).is_err(), "{bad}");
        }
        for bad in ["https://a", "a:80", "a/b", "*", ""] {
            assert!(AllowedOrigins::new(&[], &[bad.to_owned()]).is_err(), "{bad}");
        }
    }

    #[test]
    fn it_answers_only_to_its_own_names() {
        let origin = "https://shop.example.com:8443".to_owned();
        let allowed = AllowedOrigins::new(&[origin], &["Quotes.example.com".to_owned()]).unwrap();
        for own in [
            "127.0.0.1:7070",
            "LOCALHOST",
            "localhost:1",
            "[::1]",
            "[::1]:7070",
            "quotes.example.com",
            "quotes.EXAMPLE.com:443",
            "shop.example.com",
        ] {
            assert!(allowed.allow_host(&headers(&[(HOST, own)])), "{own}");
        }
        for foreign in ["evil.example:7070", "127.0.0.1.evil.example", "", "::1", "[::1"] {
            assert!(!allowed.allow_host(&headers(&[(HOST, foreign)])), "{foreign}");
        }
        assert!(allowed.allow_host(&headers(&[])), "no browser");
        let mut twice = headers(&[(HOST, "127.0.0.1")]);
        twice.append(HOST, "evil.example".parse().unwrap());
        assert!(!allowed.allow_host(&twice));
    }
}
