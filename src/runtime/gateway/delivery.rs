//! The way back to a socket, wherever it is: in this process, in another one of this machine, or
//! behind the engine's own gateway.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;

use super::registry::GatewayRegistry;
use super::sockets::Sockets;
use crate::model::ConnectionRef;
use crate::ports::{Connections, Delivery, PortError};

/// A gateway on loopback that does not take a frame within this time is in trouble.
const PUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// Delivers directly where it can, else through the management API of the socket's gateway.
///
/// Endpoints come with stored data, so none is called that is not this process's own, entered in
/// the machine's registry, or allowed by the engine.
pub struct GatewayConnections {
    own: Option<(String, Arc<Sockets>)>,
    registry: GatewayRegistry,
    elsewhere: Option<Arc<dyn Connections>>,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl GatewayConnections {
    /// Delivery for a process. `own` is the endpoint and the sockets of the gateway in it, if it
    /// has one; `elsewhere` is the engine's own way to gateways that are not of this machine.
    #[must_use]
    pub fn new(
        own: Option<(String, Arc<Sockets>)>,
        registry: GatewayRegistry,
        elsewhere: Option<Arc<dyn Connections>>,
    ) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { own, registry, elsewhere, client }
    }

    fn is_registered(&self, endpoint: &str) -> bool {
        self.registry.records().iter().any(|record| record.endpoint == endpoint)
    }

    async fn post(&self, to: &ConnectionRef, frame: Bytes) -> Result<Delivery, PortError> {
        let what = || format!("gateway {}", to.endpoint);
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}/@connections/{}", to.endpoint, to.id))
            .body(Full::new(frame))
            .map_err(|error| PortError::rejected(what(), error.to_string()))?;
        let response = timeout(PUSH_TIMEOUT, self.client.request(request))
            .await
            .map_err(|error| PortError::unavailable(what(), error))?;
        match response {
            Ok(response) => match response.status() {
                StatusCode::OK => Ok(Delivery::Delivered),
                StatusCode::GONE | StatusCode::NOT_FOUND => Ok(Delivery::Gone),
                status => Err(PortError::rejected(what(), format!("it answered {status}"))),
            },
            // Nobody listens there any more, so the socket is closed too.
            Err(error) if error.is_connect() => Ok(Delivery::Gone),
            Err(error) => Err(PortError::unavailable(what(), error)),
        }
    }
}

#[async_trait]
impl Connections for GatewayConnections {
    async fn push(&self, to: &ConnectionRef, frame: Bytes) -> Result<Delivery, PortError> {
        if let Some((endpoint, sockets)) = &self.own
            && *endpoint == to.endpoint
        {
            return Ok(sockets.push(&to.id, frame));
        }
        if self.is_registered(&to.endpoint) {
            return self.post(to, frame).await;
        }
        match &self.elsewhere {
            Some(connections) => connections.push(to, frame).await,
            // A gateway of this machine that has left: its sockets are closed.
            None => Ok(Delivery::Gone),
        }
    }
}
