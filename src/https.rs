//! Requests to servers of others, by TLS where their URL says so.

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::{Request, Response, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};
use rustls_native_certs::load_native_certs;
use thiserror::Error;

/// A server by TLS, and nobody to trust.
#[derive(Debug, Error)]
#[error("this machine has no root certificates, so no server can be trusted")]
pub struct NoCertificates;

/// A client of one server. With TLS only where that is wanted: it needs the machine's certificates.
#[derive(Debug)]
pub enum HttpClient {
    /// Of a server without TLS.
    Plain(Client<HttpConnector, Full<Bytes>>),
    /// Of a server with it.
    Tls(Client<HttpsConnector<HttpConnector>, Full<Bytes>>),
}

impl HttpClient {
    /// A client of the server of a URL.
    ///
    /// # Errors
    /// When TLS is wanted and this machine has no certificates to trust.
    pub fn new(url: &Uri) -> Result<Self, NoCertificates> {
        let builder = Client::builder(TokioExecutor::new());
        if url.scheme_str() != Some("https") {
            return Ok(Self::Plain(builder.build_http()));
        }
        let tls = HttpsConnectorBuilder::new().with_tls_config(trusting_native_roots()?);
        Ok(Self::Tls(builder.build(tls.https_only().enable_http1().build())))
    }

    /// Sends a request. Redirects are not followed.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn request(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, legacy::Error> {
        match self {
            Self::Plain(client) => client.request(request).await,
            Self::Tls(client) => client.request(request).await,
        }
    }
}

/// Whether a host is this machine.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Trusts whom this machine trusts.
fn trusting_native_roots() -> Result<ClientConfig, NoCertificates> {
    let mut roots = RootCertStore::empty();
    let (known, _) = roots.add_parsable_certificates(load_native_certs().certs);
    if known == 0 {
        return Err(NoCertificates);
    }
    Ok(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
}
