//! The place where an identity provider publishes its keys: a URL or a file.

use std::fmt;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::header::ACCEPT;
use hyper::{Request, StatusCode, Uri};
use thiserror::Error;
use tokio::time::timeout;

use super::known_keys::KeyRefresh;
use crate::https::{HttpClient, NoCertificates, is_loopback};
use crate::ports::{KeySource, PortError};
use crate::tokens::{KeySet, MAX_KEY_SET_BYTES};

/// How long a fetch waits for the provider's answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The place of a key set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySetPlace {
    /// A URL on another server.
    Url(Uri),
    /// A file on this machine.
    File(PathBuf),
}

/// Why keys are not read from a URL.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum KeySetUrlError {
    /// The text is not a URL to which a request can be sent.
    #[error("it is not a URL such as https://id.example.com/jwks.json")]
    NotAUrl,
    /// The URL is plain HTTP to another machine, where anybody on the way could replace the keys.
    #[error("keys are read over https only, or from this machine")]
    Plain,
    /// The URL contains credentials, which would appear in logs.
    #[error("a URL with a user or a password is not accepted")]
    Credentials,
}

/// Why the provider's keys could not be fetched.
#[derive(Debug, Error)]
enum FetchError {
    #[error(transparent)]
    Certificates(#[from] NoCertificates),
    #[error("the request cannot be made")]
    Request(#[from] hyper::http::Error),
    #[error("it cannot be reached")]
    Unreachable(#[from] hyper_util::client::legacy::Error),
    #[error("it did not answer within {} s", PATIENCE.as_secs())]
    Silent(#[from] tokio::time::error::Elapsed),
    #[error("it answered {0}")]
    Refused(StatusCode),
    #[error("its answer broke off, or has more than {MAX_KEY_SET_BYTES} bytes")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl KeySetPlace {
    /// Parses a URL from which keys may be read.
    ///
    /// # Errors
    /// Returns [`KeySetUrlError`].
    pub fn url(text: &str) -> Result<Self, KeySetUrlError> {
        let url: Uri = text.parse().map_err(|_| KeySetUrlError::NotAUrl)?;
        let authority = url.authority().ok_or(KeySetUrlError::NotAUrl)?;
        if authority.as_str().contains('@') {
            return Err(KeySetUrlError::Credentials);
        }
        match url.scheme_str() {
            Some("https") => Ok(Self::Url(url)),
            Some("http") if is_loopback(authority.host()) => Ok(Self::Url(url)),
            Some("http") => Err(KeySetUrlError::Plain),
            _ => Err(KeySetUrlError::NotAUrl),
        }
    }

    /// Returns how often the keys are read. A file is cheap to read, so a change of it is noticed soon. A
    /// provider is asked less often, so that tokens with invented key names do not cause many requests.
    pub(super) const fn reading(&self) -> KeyRefresh {
        let secs = Duration::from_secs;
        match self {
            Self::Url(_) => KeyRefresh { fresh: secs(5 * 60), look_again: secs(5) },
            Self::File(_) => KeyRefresh { fresh: secs(1), look_again: secs(1) },
        }
    }
}

impl fmt::Display for KeySetPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => write!(f, "{url}"),
            Self::File(file) => write!(f, "{}", file.display()),
        }
    }
}

#[async_trait]
impl KeySource<KeySet> for KeySetPlace {
    fn place(&self) -> String {
        format!("the key set `{self}`")
    }

    async fn read(&self) -> Result<Option<KeySet>, PortError> {
        let document = match self {
            Self::Url(url) => {
                let fetched = fetch(url).await;
                fetched.map_err(|error| PortError::unavailable(self.place(), error))?
            }
            Self::File(file) => match std::fs::File::open(file).and_then(start_of) {
                Ok(document) => document,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(PortError::unavailable(self.place(), error)),
            },
        };
        let keys = KeySet::parse(&document);
        keys.map(Some).map_err(|error| PortError::rejected(self.place(), error.to_string()))
    }
}

/// Reads a file, but at most one byte more than a key set may have.
fn start_of(file: std::fs::File) -> io::Result<Vec<u8>> {
    let mut document = Vec::new();
    let limit = u64::try_from(MAX_KEY_SET_BYTES).unwrap_or(u64::MAX);
    file.take(limit.saturating_add(1)).read_to_end(&mut document)?;
    Ok(document)
}

async fn fetch(url: &Uri) -> Result<Vec<u8>, FetchError> {
    let client = HttpClient::new(url)?;
    let request = Request::get(url).header(ACCEPT, "application/json").body(Full::default())?;
    let fetched = async {
        let answer = client.request(request).await?;
        if answer.status() != StatusCode::OK {
            return Err(FetchError::Refused(answer.status()));
        }
        let body = Limited::new(answer.into_body(), MAX_KEY_SET_BYTES).collect().await;
        Ok(body.map_err(FetchError::Body)?.to_bytes().to_vec())
    };
    timeout(PATIENCE, fetched).await?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_over_https_or_from_this_machine() {
        for url in [
            "https://id.example.com/keys",
            "http://localhost:8080/keys",
            "http://127.0.0.1/keys",
            "http://[::1]:9/keys",
        ] {
            assert_eq!(KeySetPlace::url(url).unwrap().to_string(), url);
        }
        for (url, error) in [
            ("http://id.example.com/keys", KeySetUrlError::Plain),
            ("http://127.0.0.1.example.com/keys", KeySetUrlError::Plain),
            ("https://user:word@id.example.com/keys", KeySetUrlError::Credentials),
            ("ftp://localhost/keys", KeySetUrlError::NotAUrl),
            ("https:///keys", KeySetUrlError::NotAUrl),
            ("/keys", KeySetUrlError::NotAUrl),
        ] {
            assert_eq!(KeySetPlace::url(url), Err(error), "{url}");
        }
    }

    #[tokio::test]
    async fn no_more_of_a_file_is_read_than_a_key_set_may_have() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("keys.json");
        let place = KeySetPlace::File(file.clone());
        assert!(place.read().await.unwrap().is_none());
        std::fs::write(&file, vec![b' '; MAX_KEY_SET_BYTES + 10]).unwrap();
        let error = place.read().await.unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, PortError::Rejected { .. }), "{error:?}");
        assert!(text.contains("keys.json") && text.contains("more than"), "{text}");
    }
}
