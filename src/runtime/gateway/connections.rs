//! Accepts connections and distinguishes websockets from HTTP.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use hyper::body::Incoming;
use hyper::header::{
    CONNECTION, HeaderMap, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::{Parts, Upgraded};
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::addresses::{ClientAddress, SocketPlace, Way};
use super::cors::Cors;
use super::entry;
use super::guarded::Guarded;
use super::http_reply::{Reply, problem, too_many};
use super::limiter::{Allowance, ConnectionPlace};
use super::limits::Traffic;
use super::listener::Listener;
use super::origin::Sender;
use super::routes::{is_push, route};
use super::server::Gateway;
use super::session::{SessionContext, run_session};
use crate::model::ConnectionId;
use crate::protocol::{MAX_FRAME_BYTES, MAX_MESSAGE_BYTES};
use crate::runtime::Shutdown;
use crate::supervisor::{Panic, catch};
use crate::tokens::Clients;

/// The most time for a client to send its request head. Then it is cut off.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(5);
/// The most bytes that may wait in a socket's write buffer.
const MAX_WRITE_BUFFER: usize = 512 * 1024;
/// Frames are buffered up to this many bytes, so that an acknowledgement and its answer are one write.
const WRITE_BUFFER: usize = 16 * 1024;
/// Small, because the buffer is allocated for each socket and most sockets are idle, and because each attempt to
/// read zeroes it.
const READ_BUFFER: usize = 2048;
/// The longest request head: enough for a browser with its cookies.
const MAX_HEAD: usize = 32 * 1024;
/// The reply to a connection for which there is no place.
const NO_PLACE: &str = "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\n\
    content-type: application/json\r\ncontent-length: 66\r\nconnection: close\r\n\r\n\
    {\"code\":\"unavailable\",\"message\":\"too many connections; try again\"}";

/// A connection: its allowance, and its place in the limit of all connections.
struct Peer {
    traffic: Arc<Mutex<Traffic>>,
    place: Arc<ConnectionPlace>,
    /// Whether the other side has proven that it may read this gateway's entry.
    is_known: Arc<AtomicBool>,
}

/// A websocket's client: how much it may send, and for which customers.
struct AdmittedClient {
    allowance: Allowance,
    clients: Clients,
    /// Whether it was admitted by a token.
    by_token: bool,
}

/// The places of a websocket in the limits. They are given back when it is closed.
struct Places {
    _connection: Arc<ConnectionPlace>,
    _socket: Option<SocketPlace>,
}

impl Gateway {
    /// Accepts connections until the shutdown begins. Their tasks then close every socket with 1001.
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
                        // The client may be gone before it reads this. The connection is closed in any
                        // case.
                        let _ = stream.try_write(NO_PLACE.as_bytes());
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
                    // The process is probably out of file descriptors. Wait for sockets to close.
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
        // Borrow what all connections share. If each request cloned it, all threads would contend for one
        // reference count.
        let (gateway, peer, tasks, shutdown) = (&self, &peer, &tasks, &shutdown);
        let service = service_fn(move |mut request: Request<Incoming>| {
            gateway.prefix.strip(&mut request);
            let cors = Cors::of(&gateway.origins, &request);
            let methods = gateway.methods_of(request.uri().path());
            // Not an async block: that would have room for this large future twice, and hyper moves it several
            // times.
            catch(gateway.respond(request, peer, tasks, shutdown)).map(move |reply| {
                let mut reply = reply.unwrap_or_else(panicked);
                cors.add(reply.headers_mut(), methods);
                Ok::<_, Infallible>(reply)
            })
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
            () = shutdown.begun() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = served {
            debug!(%error, "a connection ended early");
        }
    }

    async fn respond(
        self: &Arc<Self>,
        request: Request<Incoming>,
        peer: &Peer,
        tasks: &TaskTracker,
        shutdown: &Shutdown,
    ) -> Reply {
        let headers = request.headers();
        if !self.origins.allow_host(headers) {
            let message = "the host name is not allowed; see --allow-host";
            return problem(StatusCode::FORBIDDEN, message);
        }
        match self.origins.sender(headers) {
            Sender::Foreign => {
                self.refused_origins.refused(headers);
                let message = "this page's origin is not allowed; see --allow-origin";
                return problem(StatusCode::FORBIDDEN, message);
            }
            // Other paths cost work or make a customer active.
            Sender::Unnamed if !self.is_page(&request) => {
                let message = "a page of another origin may open only this gateway's own page; an allowed page fetches with CORS";
                return problem(StatusCode::FORBIDDEN, message);
            }
            _ => {}
        }
        let client = self.client(peer, headers);
        let allowance = Allowance::new(peer.traffic.clone(), self.limiter.addresses.find(client));
        // The other processes of this machine push answers without a rate limit.
        let is_push = client == ClientAddress::Known && is_push(&request);
        if !is_push && !allowance.take_frame(Instant::now()) {
            return too_many("too many requests");
        }
        if !wants_websocket(headers) {
            if let Some(redirected) = self.prefix.page_of(&request) {
                return redirected;
            }
            return route(self, request, &allowance, client).await;
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
        let places = Places { _connection: peer.place.clone(), _socket: socket };
        let client = AdmittedClient { allowance, clients, by_token };
        self.clone().upgrade(request, client, places, tasks, shutdown.clone())
    }

    /// Whether a request is for one of the page's files.
    fn is_page(&self, request: &Request<Incoming>) -> bool {
        self.page.has_file(request.uri().path()) || self.prefix.page_of(request).is_some()
    }

    /// Returns where a request comes from. A client that proves in one request that it may read the entry
    /// counts as known for the rest of the connection.
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
        client: AdmittedClient,
        places: Places,
        tasks: &TaskTracker,
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
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
        reply
    }

    async fn session(&self, upgraded: Upgraded, client: AdmittedClient, shutdown: &Shutdown) {
        let AdmittedClient { allowance, clients, by_token } = client;
        // Take the plain socket back. Bytes that the client sent right after its request are read first.
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

/// Replies to a request on which the gateway panicked. Only this request fails; the log has the panic.
fn panicked(_: Panic) -> Reply {
    problem(StatusCode::INTERNAL_SERVER_ERROR, "the gateway failed on this request")
}

fn wants_websocket(headers: &HeaderMap) -> bool {
    let upgrade = headers.get(UPGRADE).and_then(|value| value.to_str().ok());
    upgrade.is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_without_a_place_gets_a_whole_reply() {
        let (head, body) = NO_PLACE.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["code"], "unavailable");
    }
}
