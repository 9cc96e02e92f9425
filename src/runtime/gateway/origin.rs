//! Decides which web pages may use the gateway.

use std::collections::BTreeSet;
use std::str::FromStr;

use hyper::header::{HOST, HeaderMap, HeaderName, ORIGIN};
use hyper::http::Uri;
use thiserror::Error;

/// The origin of a page without one: a page that was opened as a file, or is in a sandbox.
const NO_ORIGIN: &str = "null";
/// The scheme of the request to the reverse proxy.
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The origins that are allowed beside the gateway's own, and the host names by which it may be called.
///
/// Programs send no `Origin`, and are not affected. A browser sends it when a page opens a websocket, fetches or
/// sends data. When a page embeds an image or a frame or opens a link, it sends `Sec-Fetch-Site` instead. Without this check any page
/// on the web could quote through the visitor's loopback interface, or make customers active.
#[derive(Clone, Debug, Default)]
pub struct AllowedOrigins {
    origins: BTreeSet<String>,
    hosts: BTreeSet<String>,
    /// Those of the host names that were given as such: the names of the gateway's reverse proxy.
    public: BTreeSet<String>,
}

/// The kind of page that a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    /// No page: the client is a program.
    NoPage,
    /// A page that the gateway has served: its origin is the host to which the request is sent, which is
    /// loopback or a name of the gateway's reverse proxy.
    OwnPage,
    /// A page of an allowed origin.
    Allowed,
    /// Any other page.
    Foreign,
    /// A page of another origin that does not name it: it embeds an image or a frame, or opens a link or a window.
    Unnamed,
}

/// Why a text is not an origin, or not a host.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum OriginError {
    /// The text is not an origin.
    #[error("`{0}` is not an origin such as https://shop.example.com, nor `null`")]
    Origin(String),
    /// The text is not the name of a host.
    #[error("`{0}` is not the name of a host such as quotes.example.com")]
    Host(String),
}

impl AllowedOrigins {
    /// Checks a list of origins, and a list of host names without ports. The hosts of the origins are
    /// added to the names.
    ///
    /// # Errors
    /// Returns [`OriginError`] for the first invalid one.
    pub fn new(origins: &[String], hosts: &[String]) -> Result<Self, OriginError> {
        let origins: BTreeSet<String> =
            origins.iter().map(|origin| normalise(origin)).collect::<Result<_, _>>()?;
        let theirs = origins.iter().filter(|origin| *origin != NO_ORIGIN).filter_map(|origin| {
            let uri = Uri::from_str(origin).ok()?;
            Some(uri.host()?.to_owned())
        });
        let public: BTreeSet<String> =
            hosts.iter().map(|host| normalise_host(host)).collect::<Result<_, _>>()?;
        let hosts = public.iter().cloned().chain(theirs).collect();
        Ok(Self { origins, hosts, public })
    }

    /// Whether the gateway is behind a reverse proxy. It listens on loopback only, so clients use another
    /// name only through a proxy.
    #[must_use]
    pub fn is_proxied(&self) -> bool {
        !self.public.is_empty()
    }

    /// Whether pages other than the gateway's own may use it.
    #[must_use]
    pub(super) fn allow_others(&self) -> bool {
        !self.origins.is_empty()
    }

    /// Returns the kind of page that a request comes from.
    #[must_use]
    pub(super) fn sender(&self, headers: &HeaderMap) -> Sender {
        match text_of(headers, &ORIGIN) {
            None if headers.contains_key(ORIGIN) => Sender::Foreign,
            None if is_from_elsewhere(headers) => Sender::Unnamed,
            None => Sender::NoPage,
            Some(origin) if self.is_own(origin, headers) => Sender::OwnPage,
            Some(_) if self.allow_page(headers) => Sender::Allowed,
            Some(_) => Sender::Foreign,
        }
    }

    /// Whether the origin of a request's page was given as allowed. It may be that of the gateway's own page too.
    #[must_use]
    pub(super) fn allow_page(&self, headers: &HeaderMap) -> bool {
        let origin = text_of(headers, &ORIGIN);
        origin.is_some_and(|origin| self.origins.contains(&origin.to_ascii_lowercase()))
    }

    /// Whether an origin is that of the gateway's own page: the host and the port to which the request is
    /// sent. A page whose owner points its own name at this machine (DNS rebinding) sends that name as both, so
    /// that they are equal too. Therefore the name must also be a loopback name, or one that was given as the
    /// gateway's. The host of an allowed origin is not enough, because another site is served there.
    ///
    /// The gateway itself has no TLS. A reverse proxy has, unless it says otherwise: a page that somebody in the
    /// network serves without TLS must not pass for the gateway's own.
    fn is_own(&self, origin: &str, headers: &HeaderMap) -> bool {
        let host = text_of(headers, &HOST).unwrap_or_default();
        let is_public = self.public.contains(&name_of(host).to_ascii_lowercase());
        let scheme = match is_loopback(host) {
            true => "http",
            false if !is_public => return false,
            false if text_of(headers, &FORWARDED_PROTO) == Some("http") => "http",
            false => "https",
        };
        origin.eq_ignore_ascii_case(&format!("{scheme}://{}", without_default_port(host, scheme)))
    }

    /// Whether a request names this gateway as its host. A page whose owner points its own name at
    /// 127.0.0.1 sends that name and is refused. A client that sends no host is not a browser.
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

/// Whether a page of another origin makes a request without naming its origin.
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    let mut sites = headers.get_all("sec-fetch-site").iter();
    sites.any(|site| site == "cross-site" || site == "same-site")
}

/// Returns the only value of a header, if it is a text.
fn text_of<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

/// Returns a host as browsers write it in an origin.
fn without_default_port<'a>(host: &'a str, scheme: &str) -> &'a str {
    let default = if scheme == "https" { ":443" } else { ":80" };
    host.strip_suffix(default).unwrap_or(host)
}

/// Returns an origin as browsers write it.
pub(super) fn normalise(text: &str) -> Result<String, OriginError> {
    if text == NO_ORIGIN {
        return Ok(text.to_owned());
    }
    let refuse = || OriginError::Origin(text.to_owned());
    let uri = Uri::from_str(text).map_err(|_| refuse())?;
    let (Some(scheme @ ("http" | "https")), Some(authority), "" | "/", None) =
        (uri.scheme_str(), uri.authority(), uri.path(), uri.query())
    else {
        return Err(refuse());
    };
    // Neither a user nor a port that is none.
    let port = authority.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
    let is_host = !authority.host().is_empty();
    if !is_host || authority.as_str() != format!("{}{port}", authority.host()) {
        return Err(refuse());
    }
    let host = without_default_port(authority.as_str(), scheme);
    Ok(format!("{scheme}://{host}").to_ascii_lowercase())
}

fn normalise_host(text: &str) -> Result<String, OriginError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    match !text.is_empty() && text.bytes().all(fits) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err(OriginError::Host(text.to_owned())),
    }
}

/// Whether a host is a loopback name. Otherwise a page whose owner points its name at 127.0.0.1 would
/// count as the gateway's own.
fn is_loopback(host: &str) -> bool {
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|name| name.eq_ignore_ascii_case(name_of(host)))
}

/// Returns a host without its port. An IPv6 address keeps its brackets.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn own_allowed_and_absent_origins_pass() {
        let allowed = AllowedOrigins::new(&["https://Shop.example.com/".to_owned()], &[]).unwrap();
        let host = (HOST, "127.0.0.1:7070");
        let sender = |origin| allowed.sender(&headers(&[host.clone(), (ORIGIN, origin)]));
        assert_eq!(allowed.sender(&headers(std::slice::from_ref(&host))), Sender::NoPage);
        assert_eq!(sender("http://127.0.0.1:7070"), Sender::OwnPage);
        assert_eq!(sender("https://shop.example.com"), Sender::Allowed);
        for foreign in ["https://evil.example", "null", "http://127.0.0.1:7071"] {
            assert_eq!(sender(foreign), Sender::Foreign, "{foreign}");
        }
        let rebound = [(HOST, "evil.example:7070"), (ORIGIN, "http://evil.example:7070")];
        assert_eq!(allowed.sender(&headers(&rebound)), Sender::Foreign);
        let mut twice = headers(&[host.clone(), (ORIGIN, "https://shop.example.com")]);
        twice.append(ORIGIN, "https://evil.example".parse().unwrap());
        assert_eq!(allowed.sender(&twice), Sender::Foreign);
    }

    #[test]
    fn behind_a_proxy_the_own_page_has_a_public_name() {
        let origins = ["https://shop.example".to_owned(), "https://quotes.example".to_owned()];
        let allowed = AllowedOrigins::new(&origins, &["Quotes.example".to_owned()]).unwrap();
        let sender = |host, origin| allowed.sender(&headers(&[(HOST, host), (ORIGIN, origin)]));
        for (host, origin) in [
            ("quotes.example", "https://quotes.example"),
            ("quotes.example:443", "https://quotes.example"),
            ("Quotes.example:8443", "https://quotes.example:8443"),
            ("127.0.0.1:7070", "http://127.0.0.1:7070"),
        ] {
            assert_eq!(sender(host, origin), Sender::OwnPage, "{origin} at {host}");
        }
        for (host, origin) in [
            // Another server of the same machine.
            ("quotes.example", "https://quotes.example:8443"),
            ("quotes.example:8443", "https://quotes.example:8444"),
            // Anybody in the network can serve this.
            ("quotes.example", "http://quotes.example"),
            ("quotes.example", "https://www.quotes.example"),
            ("quotes.example", "null"),
            ("127.0.0.1:7070", "http://quotes.example"),
            // A page whose owner points its name at the gateway.
            ("evil.example", "https://evil.example"),
            ("127.0.0.1:7070", "https://127.0.0.1:7070"),
        ] {
            assert_eq!(sender(host, origin), Sender::Foreign, "{origin} at {host}");
        }
        let without_tls = [
            (HOST, "quotes.example:80"),
            (ORIGIN, "http://quotes.example"),
            (FORWARDED_PROTO, "http"),
        ];
        assert_eq!(allowed.sender(&headers(&without_tls)), Sender::OwnPage);
        assert!(!allowed.allow_page(&headers(&without_tls)));
        let both = [(HOST, "quotes.example"), (ORIGIN, "https://quotes.example")];
        assert!(allowed.allow_page(&headers(&both)), "its own, and allowed");
        let shop = sender("shop.example", "https://shop.example");
        assert_eq!(shop, Sender::Allowed, "a site of its own");
    }

    #[test]
    fn what_a_page_embeds_or_opens_comes_from_that_page() {
        let allowed = AllowedOrigins::default();
        let sender = |site: &str| {
            let site = (HeaderName::from_static("sec-fetch-site"), site);
            allowed.sender(&headers(&[(HOST, "127.0.0.1:7070"), site]))
        };
        for site in ["cross-site", "same-site"] {
            assert_eq!(sender(site), Sender::Unnamed, "{site}");
        }
        for site in ["same-origin", "none"] {
            assert_eq!(sender(site), Sender::NoPage, "{site}");
        }
    }

    #[test]
    fn a_page_without_an_origin_passes_only_where_that_is_said() {
        let allowed = AllowedOrigins::new(&["null".to_owned()], &[]).unwrap();
        let from_file = headers(&[(HOST, "127.0.0.1:7070"), (ORIGIN, "null")]);
        assert_eq!(allowed.sender(&from_file), Sender::Allowed);
        assert!(!allowed.allow_host(&headers(&[(HOST, "null")])), "it is no name of the gateway");
    }

    #[test]
    fn only_origins_are_taken() {
        assert_eq!(normalise("https://Shop.example:443/"), Ok("https://shop.example".to_owned()));
        for bad in [
            "shop.example.com",
            "https://a/b",
            "https://a?b",
            "https://me@a",
            "https://a:99999",
            "https://:80",
            "ftp://a",
            "*",
            "",
        ] {
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
