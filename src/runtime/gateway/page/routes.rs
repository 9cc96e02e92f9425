//! The HTTP requests of the page.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, StatusCode, Uri};
use serde::Serialize;
use tokio::time::interval;
use tracing::warn;

use super::active::Active;
use super::clients::ClientDirectory;
use super::explain::{ExplainRequest, Explainer};
use super::files::Files;
use super::live::Live;
use super::products::Products;
use super::query::{MAX_LIMIT, Search, values};
use super::worth::{Worth, WorthRequest};
use crate::ports::{Chain, Clock, Housekeeping, PortError, Ports};
use crate::runtime::Shutdown;
use crate::runtime::gateway::addresses::ClientAddress;
use crate::runtime::gateway::entry::{self, Door};
use crate::runtime::gateway::http_reply::{bad_query, later, problem};
use crate::runtime::gateway::{Reply, Sockets};
use crate::runtime::metrics::{self, Metrics, SLOT, Scrape};
use crate::stages::SettingsInForce;
use crate::tokens;

const JSON: &str = "application/json";

/// What the page needs to know of its process.
#[derive(Clone)]
pub(in crate::runtime::gateway) struct PageSettings {
    /// The counters of the process.
    pub(in crate::runtime::gateway) metrics: Metrics,
    /// How often the cache may be read for viewers.
    pub(in crate::runtime::gateway) look_every: Duration,
    /// The housekeeping of the store, if ocache does it.
    pub(in crate::runtime::gateway) housekeeping: Option<Arc<dyn Housekeeping>>,
}

/// The page's side of a gateway.
pub(in crate::runtime::gateway) struct WebPage {
    files: Files,
    products: Products,
    clients: ClientDirectory,
    active: Arc<Active>,
    explainer: Explainer,
    live: Live,
    worth: Worth,
    scrape: Arc<Scrape>,
    clock: Arc<dyn Clock>,
}

impl WebPage {
    pub(in crate::runtime::gateway) fn new(
        ports: &Ports,
        settings: &SettingsInForce,
        sockets: Arc<Sockets>,
        how: PageSettings,
    ) -> Self {
        let PageSettings { metrics, look_every, housekeeping } = how;
        let active = Active::new(ports.clone(), settings.clone(), look_every);
        let (of_live, all) = (sockets.clone(), active.clone());
        Self {
            files: Files::new(),
            products: Products::new(ports.store.clone()),
            clients: ClientDirectory::new(ports.store.clone(), ports.clock.clone()),
            active,
            explainer: Explainer::new(ports.store.clone(), ports.clock.clone()),
            live: Live::new(ports.clone(), settings.clone(), of_live, all, look_every),
            worth: Worth::new(ports.clone(), settings.clone()),
            scrape: Arc::new(Scrape::new(metrics, ports, housekeeping, Some(sockets))),
            clock: ports.clock.clone(),
        }
    }

    /// Whether a path is one of the page's files.
    pub(in crate::runtime::gateway) fn has_file(&self, path: &str) -> bool {
        self.files.has(path)
    }

    /// Returns the counters of this process.
    pub(in crate::runtime::gateway) fn metrics(&self) -> &Metrics {
        self.scrape.metrics()
    }

    /// Returns the source of `/metrics`.
    pub(in crate::runtime::gateway) const fn scrape(&self) -> &Arc<Scrape> {
        &self.scrape
    }

    /// Samples the counters at intervals, so that their course can be shown to later viewers.
    pub(in crate::runtime::gateway) async fn keep_course(&self, shutdown: &Shutdown) {
        let mut ticks = interval(SLOT / 2);
        while shutdown.unless_begun(ticks.tick()).await.is_some() {
            self.metrics().sample(self.clock.now());
        }
    }

    /// Answers a request if it is one of the page's. If tokens are required, the page's files stay open
    /// to everybody, and the data of the store does not.
    pub(in crate::runtime::gateway) async fn route(
        &self,
        request: &Request<Incoming>,
        door: &Door,
        client: ClientAddress,
    ) -> Option<Reply> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return None;
        }
        let (uri, path) = (request.uri(), request.uri().path());
        match path {
            "/metrics" => {}
            "/products" | "/clients" | "/clients/active" | "/explain" | "/live" | "/worth" => {
                if let Err(refused) = may_see(path, door, request).await {
                    return Some(refused);
                }
            }
            _ => return self.files.get(uri, request.headers()),
        }
        // The customers and the course of business are not for everybody whom a proxy lets through.
        if path != "/products" && !client.is_here() {
            return Some(problem(StatusCode::FORBIDDEN, ONLY_HERE));
        }
        Some(self.data(path, uri).await.unwrap_or_else(|refused| refused))
    }

    /// Answers a request for data, or for `/metrics`.
    async fn data(&self, path: &str, uri: &Uri) -> Result<Reply, Reply> {
        let search = || Search::of(uri).map_err(|message| bad_query(&message));
        match path {
            "/products" => self.products(uri, search()?).await,
            "/clients" => found(self.clients.search(&search()?).await),
            "/clients/active" => shown(self.active.page(search()?).await),
            "/explain" => {
                let asked = ExplainRequest::of(uri).map_err(|message| bad_query(&message))?;
                found(self.explainer.explain(&asked).await)
            }
            "/worth" => {
                let asked = WorthRequest::of(uri).map_err(|message| bad_query(&message))?;
                found(self.worth.look(asked, self.metrics()).await)
            }
            "/live" => shown(self.live.snapshot(&self.scrape).await),
            _ => Ok(self.metrics_reply().await),
        }
    }

    /// Returns the products that match a search or, with `product`, the products with these ids.
    async fn products(&self, uri: &Uri, search: Search) -> Result<Reply, Reply> {
        let ids: Vec<String> = values(uri, "product").collect();
        match ids.len() {
            0 => found(self.products.search(search).await),
            1..=MAX_LIMIT => found(self.products.named(ids).await),
            _ => Err(bad_query(&format!("at most {MAX_LIMIT} products are named at once"))),
        }
    }

    async fn metrics_reply(&self) -> Reply {
        match self.scrape.render().await {
            Ok(text) => reply(metrics::CONTENT_TYPE, Bytes::from(text)),
            Err(_) => problem(StatusCode::INTERNAL_SERVER_ERROR, "the metrics cannot be written"),
        }
    }
}

/// The reply to clients that are on another machine or, behind a proxy, may be.
const ONLY_HERE: &str = "only local requests may see this; with --allow-host no request counts as \
    local";

/// Checks that a client may see data that is not limited to the customers of its token.
async fn may_see(path: &str, door: &Door, request: &Request<Incoming>) -> Result<(), Reply> {
    let clients = door.clients_of(entry::of_headers(request.headers())).await?;
    match clients {
        tokens::Clients::Named(_) if path != "/products" => Err(problem(
            StatusCode::FORBIDDEN,
            "the token is not for every customer; `ocache token --every-client` makes one that is",
        )),
        _ => Ok(()),
    }
}

fn found(found: Result<impl Serialize, PortError>) -> Result<Reply, Reply> {
    shown(found.and_then(|found| {
        let json = serde_json::to_vec(&found);
        json.map(Bytes::from).map_err(|error| PortError::corrupt("what was found", error))
    }))
}

fn shown(json: Result<Bytes, PortError>) -> Result<Reply, Reply> {
    match json {
        Ok(json) => Ok(reply(JSON, json)),
        Err(error) => Err(unavailable(&error)),
    }
}

fn unavailable(error: &PortError) -> Reply {
    warn!(error = %Chain(error), "the page was not answered");
    later(StatusCode::SERVICE_UNAVAILABLE, "try again")
}

/// Returns a reply that must not be cached.
fn reply(content: &'static str, body: Bytes) -> Reply {
    let mut reply = Reply::new(body.into());
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}
