//! `/metrics` on a port of its own: for a process without a gateway, or with a gateway that others can
//! reach.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tracing::{debug, warn};

use super::scrape::{self, Scrape};
use crate::runtime::Shutdown;
use crate::runtime::gateway::AllowedOrigins;
use crate::supervisor::catch;

/// The most time for a client to send its request head. Then it is cut off.
const HEAD_LIMIT: Duration = Duration::from_secs(5);
/// The most open connections. A scraper needs one.
const CONNECTIONS: usize = 16;

/// A port on loopback on which only `/metrics` is served.
pub struct MetricsServer {
    listener: TcpListener,
    address: SocketAddr,
}

impl MetricsServer {
    /// Opens the port; 0 means any free one.
    ///
    /// # Errors
    /// Fails when the port is taken or may not be opened.
    pub async fn bind(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Returns the URL of the metrics.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/metrics", self.address)
    }

    /// Serves until the shutdown begins.
    pub async fn serve(self, scrape: Arc<Scrape>, shutdown: Shutdown) {
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        while let Some(accepted) = shutdown.unless_begun(self.listener.accept()).await {
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    warn!(%error, "a connection was not taken");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            // If there is no place, the connection is closed at once.
            let Ok(place) = places.clone().try_acquire_owned() else { continue };
            let scrape = scrape.clone();
            let service = service_fn(move |request| {
                let scrape = scrape.clone();
                async move { Ok::<_, Infallible>(answer(&scrape, &request).await) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_LIMIT)
                .serve_connection(TokioIo::new(stream), service);
            let shutdown = shutdown.clone();
            tokio::spawn(async move {
                if let Some(Err(error)) = shutdown.unless_begun(connection).await {
                    debug!(%error, "a connection ended early");
                }
                drop(place);
            });
        }
    }
}

/// Answers a request. A panic fails only this request; the log has the panic.
async fn answer(scrape: &Scrape, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let failed = |_| status(StatusCode::INTERNAL_SERVER_ERROR, "this request failed\n");
    catch(respond(scrape, request)).await.unwrap_or_else(failed)
}

async fn respond(scrape: &Scrape, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    // A page whose owner points its name at 127.0.0.1 sends that name. Refuse it.
    if !AllowedOrigins::default().allow_host(request.headers()) {
        return status(StatusCode::FORBIDDEN, "this server goes by localhost only\n");
    }
    if request.uri().path() != "/metrics" {
        return status(StatusCode::NOT_FOUND, "there is only /metrics here\n");
    }
    match scrape.render().await {
        Ok(text) => {
            let mut reply = Response::new(Full::new(Bytes::from(text)));
            let content = HeaderValue::from_static(scrape::CONTENT_TYPE);
            reply.headers_mut().insert(CONTENT_TYPE, content);
            reply
        }
        Err(_) => status(StatusCode::INTERNAL_SERVER_ERROR, "the metrics cannot be written\n"),
    }
}

fn status(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut reply = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *reply.status_mut() = status;
    reply
}
