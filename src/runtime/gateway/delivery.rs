//! Delivers frames to a socket in this process, in another process of this machine, or behind the
//! engine's own gateway.

use std::error::Error as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::timeout;

use super::known_gateways::KnownGateways;
use super::probe::ProbeError;
use super::registry::GatewayRegistry;
use super::sockets::Sockets;
use crate::model::ConnectionRef;
use crate::ports::{Chain, Connections, Delivery, PortError};

/// A local gateway that does not take a frame within this time counts as failed.
const PUSH_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection on which nothing was pushed for this long is closed, so that the gateway has its place
/// back.
const IDLE_LIMIT: Duration = Duration::from_secs(30);

/// Delivers directly to sockets of this process, else through the management API of the socket's gateway.
///
/// Endpoints come from stored data. So a frame goes only to this process's own endpoint, to a gateway in
/// the machine's registry that proves itself, or to an endpoint that the engine allows.
pub struct GatewayConnections {
    own: Option<(String, Arc<Sockets>)>,
    elsewhere: Option<Arc<dyn Connections>>,
    /// Keeps connections open, so that a gateway proves itself once for many frames.
    client: Client<KnownGateways, Full<Bytes>>,
}

impl GatewayConnections {
    /// Creates the delivery for a process. `own` is the endpoint and the sockets of the gateway in this
    /// process, if it has one. `elsewhere` is the engine's way to gateways on other machines. It fails
    /// for endpoints that it does not know, because their clients may still be waiting.
    #[must_use]
    pub fn new(
        own: Option<(String, Arc<Sockets>)>,
        registry: GatewayRegistry,
        elsewhere: Option<Arc<dyn Connections>>,
    ) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_LIMIT)
            .build(KnownGateways::new(registry));
        Self { own, elsewhere, client }
    }

    async fn post(&self, to: &ConnectionRef, frame: Bytes) -> Result<Delivery, PortError> {
        let what = || format!("gateway {}", to.endpoint);
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}/@connections/{}", to.endpoint, to.id))
            .body(Full::new(frame))
            .map_err(|error| PortError::rejected(what(), error.to_string()))?;
        // A failure of one gateway is not a failure of the downstream, because the other gateways still
        // answer.
        let response = timeout(PUSH_TIMEOUT, self.client.request(request))
            .await
            .map_err(|_| PortError::rejected(what(), "it takes no frame"))?;
        match response {
            Ok(response) => match response.status() {
                StatusCode::OK => Ok(Delivery::Delivered),
                StatusCode::GONE | StatusCode::NOT_FOUND => Ok(Delivery::Gone),
                status => Err(PortError::rejected(what(), format!("it answered {status}"))),
            },
            // The gateway has ended, so its sockets are closed too.
            Err(error) if is_dead(&error) => Ok(Delivery::Gone),
            Err(error) => Err(PortError::rejected(what(), Chain(&error).to_string())),
        }
    }
}

/// Whether a request was not sent because its gateway has ended.
fn is_dead(error: &ClientError) -> bool {
    let source = error.source().and_then(|source| source.downcast_ref::<ProbeError>());
    source.is_some_and(ProbeError::is_dead)
}

/// Whether an endpoint belongs to a local gateway: it is on loopback and has no path. Endpoints of a
/// local AWS have one.
fn is_local_gateway(endpoint: &str) -> bool {
    let uri = endpoint.parse::<Uri>().ok();
    let uri = uri.filter(|uri| uri.scheme().is_some() && uri.path().trim_matches('/').is_empty());
    let host = uri.as_ref().and_then(Uri::host).map(|host| host.trim_matches(['[', ']']));
    host.and_then(|host| host.parse::<IpAddr>().ok()).is_some_and(|address| address.is_loopback())
}

#[async_trait]
impl Connections for GatewayConnections {
    async fn push(&self, to: &ConnectionRef, frame: Bytes) -> Result<Delivery, PortError> {
        if let Some((endpoint, sockets)) = &self.own
            && *endpoint == to.endpoint
        {
            return Ok(sockets.push(&to.id, frame));
        }
        if is_local_gateway(&to.endpoint) {
            return self.post(to, frame).await;
        }
        match &self.elsewhere {
            Some(connections) => connections.push(to, frame).await,
            // The engine has only gateways of this machine, and this endpoint is not one of them.
            None => Ok(Delivery::Gone),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::registry::GatewayRecord;
    use super::*;
    use crate::model::ConnectionId;

    /// The engine's way to gateways elsewhere. It knows none.
    struct Unknown;

    #[async_trait]
    impl Connections for Unknown {
        async fn push(&self, to: &ConnectionRef, _: Bytes) -> Result<Delivery, PortError> {
            Err(PortError::rejected(to.endpoint.clone(), "not on the list"))
        }
    }

    #[tokio::test]
    async fn only_a_gateway_of_this_machine_can_have_left() {
        let folder = tempfile::tempdir().unwrap();
        let registry = GatewayRegistry::new(folder.path());
        let connections = GatewayConnections::new(None, registry, Some(Arc::new(Unknown)));
        let push = async |endpoint: &str| {
            let id = ConnectionId::from_random([1; 16]);
            let to = ConnectionRef { endpoint: endpoint.to_owned(), id };
            connections.push(&to, Bytes::new()).await
        };
        for endpoint in ["http://127.0.0.1:7070", "http://[::1]:7070"] {
            assert_eq!(push(endpoint).await.unwrap(), Delivery::Gone, "{endpoint}");
        }
        let of_aws = "https://abc.execute-api.eu-west-1.amazonaws.com/live";
        let of_local_aws = "http://127.0.0.1:4566/_aws/execute-api/abc/live";
        for endpoint in [of_aws, of_local_aws, "127.0.0.1", ""] {
            let error = push(endpoint).await.unwrap_err();
            assert!(matches!(error, PortError::Rejected { .. }), "{endpoint}: {error}");
        }
    }

    #[tokio::test]
    async fn a_gateway_that_breaks_off_is_no_trouble_of_the_others() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { while listener.accept().await.is_ok() {} });
        let folder = tempfile::tempdir().unwrap();
        let registry = GatewayRegistry::new(folder.path());
        let _registration = registry.register(&GatewayRecord::of_test("one", &endpoint));
        let connections = GatewayConnections::new(None, registry, None);
        let to = ConnectionRef { endpoint, id: ConnectionId::from_random([1; 16]) };
        let error = connections.push(&to, Bytes::new()).await.unwrap_err();
        assert!(!error.is_downstream(), "{error}");
    }
}
