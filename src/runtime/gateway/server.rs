//! Takes connections and tells websockets from HTTP.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{
    CONNECTION, HeaderMap, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::{Parts, Upgraded};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::addresses::{ClientAddress, SocketPlace, Way};
use super::cors::{Cors, RefusedOrigins};
use super::entry::{self, Door, Tokens};
use super::guarded::Guarded;
use super::http_api::{Behind, HttpApi};
use super::http_reply::{Reply, problem, too_many};
use super::limits::{Allowance, ConnectionPlace, Limiter, Limits, Traffic};
use super::listener::Listener;
use super::load_door::LoadDoor;
use super::methods::methods_of;
use super::origin::{AllowedOrigins, Sender};
use super::page::{Page, PageSettings};
use super::prefix::PathPrefix;
use super::routes::{is_push, route};
use super::secret::Secret;
use super::session::{SessionContext, run_session};
use super::sockets::Sockets;
use super::unfinished::UnfinishedMessages;
use super::visitors::Visitors;
use crate::model::ConnectionId;
use crate::ports::Ports;
use crate::protocol::{MAX_FRAME_BYTES, MAX_MESSAGE_BYTES};
use crate::runtime::Shutdown;
use crate::stages::prices::Prices;
use crate::stages::quotation_handler::QuotationHandler;
use crate::stages::{Lookup, SettingsInForce};
use crate::supervisor::{Panic, catch};
use crate::tokens::Clients;

/// A client that has not finished its request head by then is cut off.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(5);
/// How many bytes may wait in a socket's write buffer.
const MAX_WRITE_BUFFER: usize = 512 * 1024;
/// Frames that go out together are written together, up to so many bytes: an acknowledgement and its
/// answer are one write.
const WRITE_BUFFER: usize = 16 * 1024;
/// Small, because most sockets are idle and the buffer is allocated for each.
const READ_BUFFER: usize = 4096;
/// The longest head of a request: what a browser sends with its cookies, and some.
const MAX_HEAD: usize = 32 * 1024;
/// How long a user who came once stays active when that takes a second visit: too short to be
/// refreshed.
const FIRST_VISIT_TTL: Duration = Duration::from_secs(1);
/// What a connection gets for which there is no place.
const NO_PLACE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\n\
    content-length: 0\r\nconnection: close\r\n\r\n";

/// Who may use a gateway, and how much of it.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Which pages.
    pub origins: AllowedOrigins,
    /// Under which path a reverse proxy publishes it.
    pub prefix: PathPrefix,
    /// How much.
    pub limits: Limits,
    /// By which tokens, while the stack requires them. Else anybody may quote for anybody.
    pub tokens: Option<Tokens>,
}

/// The gateway of one process.
pub struct Gateway {
    lookup: Arc<Lookup>,
    handler: QuotationHandler,
    first_visits: QuotationHandler,
    prices: Prices,
    first_prices: Prices,
    http_api: HttpApi,
    load_door: LoadDoor,
    visitors: Visitors,
    limiter: Limiter,
    unfinished: Arc<UnfinishedMessages>,
    ports: Ports,
    settings: SettingsInForce,
    page: Page,
    sockets: Arc<Sockets>,
    origins: AllowedOrigins,
    refused_origins: RefusedOrigins,
    prefix: PathPrefix,
    door: Door,
    endpoint: String,
    instance: String,
    secret: Secret,
}

/// A connection: what its client may use, and its place among all.
#[derive(Clone)]
struct Peer {
    traffic: Arc<Mutex<Traffic>>,
    place: Arc<ConnectionPlace>,
    /// Whether the other side has proven that it may read this gateway's entry.
    is_known: Arc<AtomicBool>,
}

/// What a websocket's client may do: how much, and for whom.
struct Client {
    allowance: Allowance,
    clients: Clients,
    /// Whether it has shown one.
    by_token: bool,
}

/// A websocket's places, given back when it is closed.
struct Places {
    _connection: Arc<ConnectionPlace>,
    _socket: Option<SocketPlace>,
}

impl Gateway {
    /// A gateway that will listen at a management endpoint such as `http://127.0.0.1:7070`.
    #[must_use]
    pub(super) fn new(
        ports: Ports,
        settings: SettingsInForce,
        sockets: Arc<Sockets>,
        access: Access,
        endpoint: String,
        page: PageSettings,
        shutdown: &Shutdown,
    ) -> Self {
        let Access { origins, prefix, limits, tokens } = access;
        let metrics = Arc::new(page.metrics.clone());
        let lookup = Lookup::new(&ports);
        metrics.keeps(lookup.bases());
        let handler = QuotationHandler::new(&ports, lookup.clone(), settings.policy());
        let handler = handler.watched().observed_by(metrics);
        let passing_policy = settings.policy().with_ttl_at_most(FIRST_VISIT_TTL);
        let first_visits = handler.with_policy(passing_policy.clone());
        let visitors = Visitors::new(settings.clone(), ports.store.clone(), ports.clock.clone());
        let prices = Prices::new(&ports, lookup.clone(), &handler, settings.policy());
        let first_prices = prices.with_policy(passing_policy);
        let http_api = HttpApi::new(ports.clock.clone(), shutdown.clone());
        let limiter = Limiter::new(limits);
        let door = Door::new(settings.clone(), tokens);
        let page = Page::new(&ports, &settings, sockets.clone(), page);
        let instance = ConnectionId::from_random(ports.randomness.bits()).to_string();
        let secret = Secret::from_random([ports.randomness.bits(), ports.randomness.bits()]);
        Self {
            lookup,
            handler,
            first_visits,
            prices,
            first_prices,
            http_api,
            load_door: LoadDoor::new(),
            visitors,
            limiter,
            unfinished: Arc::default(),
            ports,
            settings,
            page,
            sockets,
            origins,
            refused_origins: RefusedOrigins::default(),
            prefix,
            door,
            endpoint,
            instance,
            secret,
        }
    }

    /// The random name by which its health tells it from others.
    #[must_use]
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// What its quotes look at tables with.
    pub(super) const fn lookup(&self) -> &Arc<Lookup> {
        &self.lookup
    }

    pub(super) const fn unfinished(&self) -> &Arc<UnfinishedMessages> {
        &self.unfinished
    }

    /// What its entry holds, and no reply.
    pub(super) const fn secret(&self) -> &Secret {
        &self.secret
    }

    pub(super) fn ports(&self) -> &Ports {
        &self.ports
    }

    pub(super) const fn door(&self) -> &Door {
        &self.door
    }

    pub(super) const fn page(&self) -> &Page {
        &self.page
    }

    pub(super) fn visitors(&self) -> &Visitors {
        &self.visitors
    }

    pub(super) const fn load_door(&self) -> &LoadDoor {
        &self.load_door
    }

    /// Whether a request comes from a program or from the gateway's own page.
    pub(super) fn is_own(&self, headers: &HeaderMap) -> bool {
        matches!(self.origins.sender(headers), Sender::NoPage | Sender::OwnPage)
    }

    pub(super) const fn http_api(&self) -> &HttpApi {
        &self.http_api
    }

    /// The stages behind requests over HTTP.
    pub(super) const fn behind(&self, first_visit: bool) -> Behind<'_> {
        match first_visit {
            true => Behind { handler: &self.first_visits, prices: &self.first_prices },
            false => Behind { handler: &self.handler, prices: &self.prices },
        }
    }

    /// How long a user is active after a visit.
    pub(super) fn ttl(&self, first_visit: bool) -> Duration {
        let ttl = self.settings.now().policy.ttl;
        if first_visit { FIRST_VISIT_TTL.min(ttl) } else { ttl }
    }

    pub(super) fn sockets(&self) -> &Sockets {
        &self.sockets
    }

    pub(super) fn health(&self) -> serde_json::Value {
        json!({ "status": "ok", "instance": self.instance, "sockets": self.sockets.count() })
    }

    /// Takes connections until the shutdown begins. The tasks then close every socket with 1001.
    pub(super) async fn serve(
        self: Arc<Self>,
        listener: Listener,
        tasks: TaskTracker,
        shutdown: Shutdown,
    ) {
        let gateway = self;
        while let Some(accepted) = shutdown.unless_begun(listener.accept()).await {
            match accepted {
                Ok((stream, address)) => {
                    let Some(place) = gateway.limiter.enter() else {
                        debug!(peer = %address, "no place for a connection");
                        // It may be gone before it reads this; it is closed in any case.
                        let _ = stream.try_write(NO_PLACE);
                        continue;
                    };
                    let peer = Peer {
                        traffic: gateway.limiter.connection(),
                        place: Arc::new(place),
                        is_known: Arc::default(),
                    };
                    let connection =
                        gateway.clone().connection(stream, peer, tasks.clone(), shutdown.clone());
                    tasks.spawn(connection);
                }
                Err(error) => {
                    // Out of file descriptors, most likely: wait for sockets to close.
                    warn!(%error, "a connection was not taken");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    async fn connection(
        self: Arc<Self>,
        stream: TcpStream,
        peer: Peer,
        tasks: TaskTracker,
        shutdown: Shutdown,
    ) {
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%error, "no TCP_NODELAY");
        }
        let stopping = shutdown.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            let gateway = self.clone();
            gateway.prefix.strip(&mut request);
            let cors = Cors::of(&gateway.origins, &request);
            let methods = gateway.methods_of(request.uri().path());
            let reply = gateway.respond(request, peer.clone(), tasks.clone(), shutdown.clone());
            async move {
                let mut reply = catch(reply).await.unwrap_or_else(panicked);
                cors.add(reply.headers_mut(), methods);
                Ok::<_, Infallible>(reply)
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HANDSHAKE_LIMIT)
            .max_buf_size(MAX_HEAD)
            .serve_connection(TokioIo::new(Guarded::new(stream)), service)
            .with_upgrades();
        tokio::pin!(connection);
        let served = tokio::select! {
            served = connection.as_mut() => served,
            () = stopping.begun() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = served {
            debug!(%error, "a connection ended early");
        }
    }

    async fn respond(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: Peer,
        tasks: TaskTracker,
        shutdown: Shutdown,
    ) -> Reply {
        let headers = request.headers();
        if !self.origins.allow_host(headers) {
            let message = "this gateway does not go by that name; see --allow-host";
            return problem(StatusCode::FORBIDDEN, message);
        }
        if self.origins.sender(headers) == Sender::Foreign {
            self.refused_origins.refused(headers);
            let message = "this page's origin is not allowed; see --allow-origin";
            return problem(StatusCode::FORBIDDEN, message);
        }
        let client = self.client(&peer, headers);
        let allowance = Allowance::new(peer.traffic, self.limiter.address(client));
        // The other processes of this machine push their answers as fast as they come.
        let is_push = client == ClientAddress::Known && is_push(&request);
        if !is_push && !allowance.take_frame() {
            return too_many("too many requests");
        }
        if !wants_websocket(headers) {
            if let Some(redirected) = self.prefix.page_of(&request) {
                return redirected;
            }
            return route(&self, request, &allowance, client).await;
        }
        let token = entry::of_websocket(&request);
        let by_token = !self.door.is_open();
        let clients = match self.door.clients_of(token).await {
            Ok(clients) => clients,
            Err(reply) => return reply,
        };
        let socket = match allowance.address().map(|address| address.open_socket()) {
            Some(None) => return too_many("too many websockets from this address"),
            place => place.flatten(),
        };
        let places = Places { _connection: peer.place, _socket: socket };
        self.upgrade(request, Client { allowance, clients, by_token }, places, tasks, shutdown)
    }

    /// The methods of a path.
    pub(super) fn methods_of(&self, path: &str) -> &'static [Method] {
        methods_of(path, self.page.has_file(path))
    }

    /// Where a request comes from. Whoever proves in one that it may read the entry is known from
    /// then on, for as long as the connection lasts.
    fn client(&self, peer: &Peer, headers: &HeaderMap) -> ClientAddress {
        if self.secret.answer(headers).is_some() {
            peer.is_known.store(true, Ordering::Relaxed);
        }
        let is_known = peer.is_known.load(Ordering::Relaxed);
        ClientAddress::of(headers, Way { is_known, is_proxied: self.origins.is_proxied() })
    }

    fn upgrade(
        self: Arc<Self>,
        mut request: Request<Incoming>,
        client: Client,
        places: Places,
        tasks: TaskTracker,
        shutdown: Shutdown,
    ) -> Reply {
        let key =
            request.headers().get(SEC_WEBSOCKET_KEY).map(|key| derive_accept_key(key.as_bytes()));
        let Some(accept) = key.and_then(|key| key.parse().ok()) else {
            return problem(StatusCode::BAD_REQUEST, "the websocket request has no key");
        };
        if request.headers().get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
            return problem(StatusCode::UPGRADE_REQUIRED, "websocket version 13 is spoken here");
        }
        let upgrade = hyper::upgrade::on(&mut request);
        tasks.spawn(async move {
            match upgrade.await {
                Ok(upgraded) => self.session(upgraded, client, &shutdown).await,
                Err(error) => debug!(%error, "a websocket was not opened"),
            }
            drop(places);
        });
        let mut reply = Reply::default();
        *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = reply.headers_mut();
        headers.insert(CONNECTION, hyper::header::HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, hyper::header::HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
        reply
    }

    async fn session(&self, upgraded: Upgraded, client: Client, shutdown: &Shutdown) {
        let Client { allowance, clients, by_token } = client;
        // Back to the plain socket: what the client sent right after its request comes first.
        let Ok(Parts { io, read_buf, .. }) = upgraded.downcast::<TokioIo<Guarded<TcpStream>>>()
        else {
            warn!("a websocket came over something that is not TCP");
            return;
        };
        let mut io = io.into_inner();
        io.limit(allowance.clone());
        let unfinished = Arc::new(self.unfinished.of_one());
        io.count(unfinished.clone());
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER)
            .max_write_buffer_size(MAX_WRITE_BUFFER)
            .max_frame_size(Some(MAX_FRAME_BYTES))
            .max_message_size(Some(MAX_MESSAGE_BYTES));
        let mut socket =
            WebSocketStream::from_partially_read(io, read_buf.to_vec(), Role::Server, Some(config))
                .await;
        let id = ConnectionId::from_random(self.ports.randomness.bits());
        let context = SessionContext {
            handler: &self.handler,
            first_visits: &self.first_visits,
            visitors: &self.visitors,
            allowance,
            unfinished,
            clients,
            clock: &*self.ports.clock,
            metrics: self.page.metrics(),
            endpoint: &self.endpoint,
        };
        let shut_out = async {
            match by_token {
                true => std::future::pending().await,
                false => self.door.closed().await,
            }
        };
        run_session(&mut socket, self.sockets.open(id), context, shut_out, shutdown).await;
        socket.into_inner().linger().await;
    }
}

/// Only this one request fails; the log says why.
fn panicked(_: Panic) -> Reply {
    problem(StatusCode::INTERNAL_SERVER_ERROR, "the gateway failed on this request")
}

fn wants_websocket(headers: &HeaderMap) -> bool {
    let upgrade = headers.get(UPGRADE).and_then(|value| value.to_str().ok());
    upgrade.is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
}
