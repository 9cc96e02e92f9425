//! Takes connections and tells websockets from HTTP.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{
    CONNECTION, HeaderMap, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::{Parts, Upgraded};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::origin::AllowedOrigins;
use super::routes::{Reply, problem, route};
use super::session::{SessionContext, run_session};
use super::sockets::Sockets;
use crate::model::ConnectionId;
use crate::ports::Ports;
use crate::protocol::{MAX_FRAME_BYTES, MAX_MESSAGE_BYTES};
use crate::runtime::Shutdown;
use crate::stages::Policy;
use crate::stages::quotation_handler::QuotationHandler;

/// A client that has not finished its request head by then is cut off.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(5);
/// How many bytes may wait in a socket's write buffer.
const MAX_WRITE_BUFFER: usize = 512 * 1024;
/// Small, because most sockets are idle and the buffer is allocated for each.
const READ_BUFFER: usize = 4096;

/// Opens the gateway's port on loopback; 0 is any free one.
///
/// # Errors
/// When the port is taken or may not be opened.
pub async fn bind(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await
}

/// The gateway of one process.
pub struct Gateway {
    handler: QuotationHandler,
    ports: Ports,
    policy: Policy,
    sockets: Arc<Sockets>,
    origins: AllowedOrigins,
    endpoint: String,
    instance: String,
}

impl Gateway {
    /// A gateway that will listen at a management endpoint such as `http://127.0.0.1:7070`.
    #[must_use]
    pub fn new(
        ports: Ports,
        policy: Policy,
        sockets: Arc<Sockets>,
        origins: AllowedOrigins,
        endpoint: String,
    ) -> Self {
        let handler = QuotationHandler::new(&ports, policy.clone());
        let instance = ConnectionId::from_random(ports.randomness.bits()).to_string();
        Self { handler, ports, policy, sockets, origins, endpoint, instance }
    }

    /// The random name by which its health tells it from others.
    #[must_use]
    pub fn instance(&self) -> &str {
        &self.instance
    }

    pub(super) fn ports(&self) -> &Ports {
        &self.ports
    }

    pub(super) fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(super) fn sockets(&self) -> &Sockets {
        &self.sockets
    }

    pub(super) fn health(&self) -> serde_json::Value {
        json!({ "status": "ok", "instance": self.instance, "sockets": self.sockets.count() })
    }

    /// Serves until the shutdown begins; then closes every socket with 1001 and returns when the
    /// last one is closed.
    pub async fn serve(self, listener: TcpListener, shutdown: Shutdown) {
        let gateway = Arc::new(self);
        let tasks = TaskTracker::new();
        while let Some(accepted) = shutdown.unless_begun(listener.accept()).await {
            match accepted {
                Ok((stream, peer)) => {
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
        drop(listener);
        tasks.close();
        tasks.wait().await;
    }

    async fn connection(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        tasks: TaskTracker,
        shutdown: Shutdown,
    ) {
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%peer, %error, "no TCP_NODELAY");
        }
        let stopping = shutdown.clone();
        let service = service_fn(move |request| {
            let reply = self.clone().respond(request, tasks.clone(), shutdown.clone());
            async move { Ok::<_, Infallible>(reply.await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HANDSHAKE_LIMIT)
            .serve_connection(TokioIo::new(stream), service)
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
            debug!(%peer, %error, "a connection ended early");
        }
    }

    async fn respond(
        self: Arc<Self>,
        mut request: Request<Incoming>,
        tasks: TaskTracker,
        shutdown: Shutdown,
    ) -> Reply {
        if !self.origins.allow(request.headers()) {
            let message = "this page's origin is not allowed; see --allow-origin";
            return problem(StatusCode::FORBIDDEN, message);
        }
        if !wants_websocket(request.headers()) {
            return route(&self, request).await;
        }
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
                Ok(upgraded) => self.session(upgraded, &shutdown).await,
                Err(error) => debug!(%error, "a websocket was not opened"),
            }
        });
        let mut reply = Response::new(Full::new(Bytes::new()));
        *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = reply.headers_mut();
        headers.insert(CONNECTION, hyper::header::HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, hyper::header::HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
        reply
    }

    async fn session(&self, upgraded: Upgraded, shutdown: &Shutdown) {
        // Back to the plain socket: what the client sent right after its request comes first.
        let Ok(Parts { io, read_buf, .. }) = upgraded.downcast::<TokioIo<TcpStream>>() else {
            warn!("a websocket came over something that is not TCP");
            return;
        };
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_write_buffer_size(MAX_WRITE_BUFFER)
            .max_frame_size(Some(MAX_FRAME_BYTES))
            .max_message_size(Some(MAX_MESSAGE_BYTES));
        let socket = WebSocketStream::from_partially_read(
            io.into_inner(),
            read_buf.to_vec(),
            Role::Server,
            Some(config),
        )
        .await;
        let id = ConnectionId::from_random(self.ports.randomness.bits());
        let context = SessionContext {
            handler: &self.handler,
            clock: &*self.ports.clock,
            endpoint: &self.endpoint,
        };
        run_session(socket, self.sockets.open(id), context, shutdown).await;
    }
}

fn wants_websocket(headers: &HeaderMap) -> bool {
    let upgrade = headers.get(UPGRADE).and_then(|value| value.to_str().ok());
    upgrade.is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
}
