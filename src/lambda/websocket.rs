//! The routes of the WebSocket API.

use std::sync::Arc;

use aws_lambda_events::apigw::{
    ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest,
    ApiGatewayWebsocketProxyRequestContext,
};
use aws_lambda_events::encodings::Body;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tracing::{info, warn};

use super::EventError;
use super::granted::Authorization;
use crate::model::{ConnectionId, ConnectionRef};
use crate::ports::{Chain, Ports};
use crate::runtime::gateway::{ReplyContext, reply_to};
use crate::stages::quotation_handler::QuotationHandler;
use crate::stages::{Lookup, PolicyInForce};

/// The function behind every frame.
pub(super) struct Frames {
    ports: Ports,
    handler: QuotationHandler,
    endpoint: String,
    authorization: Authorization,
}

impl Frames {
    /// Returns the function for an engine, with the lookup of this process. `endpoint` is the management
    /// API of the one stage from which frames come. `authorization` is how clients are let in there.
    pub(super) fn new(
        ports: Ports,
        lookup: Arc<Lookup>,
        policy: impl Into<PolicyInForce>,
        endpoint: String,
        authorization: Authorization,
    ) -> Self {
        let handler = QuotationHandler::new(&ports, lookup, policy);
        Self { ports, handler, endpoint, authorization }
    }

    /// Replies to a frame. The first reply is the route's response, the rest is pushed. API Gateway may
    /// deliver them in any order. A quote that is answered at once has one reply, because the stage has
    /// already pushed its answer.
    ///
    /// # Errors
    /// [`EventError`] if the event is not that of a frame, or came through another API.
    pub(super) async fn handle(
        &self,
        event: ApiGatewayWebsocketProxyRequest,
    ) -> Result<ApiGatewayProxyResponse, EventError> {
        let connection = self.connection(&event.request_context)?;
        let text = match event.is_base64_encoded {
            true => None,
            false => Some(event.body.as_deref().unwrap_or_default()),
        };
        let clients = self.authorization.clients(Some(&event.request_context.authorizer.fields));
        let context =
            ReplyContext { handler: &self.handler, clock: &*self.ports.clock, clients: &clients };
        let replied = reply_to(&context, text, connection.clone()).await;
        let mut replies = replied.frames.into_iter();
        let first = replies.next();
        for frame in replies {
            if let Err(error) = self.ports.connections.push(&connection, frame.into()).await {
                // The client asks for its answer again, or quotes again.
                warn!(connection = %connection.id, error = %Chain(&error), "a reply was not pushed");
            }
        }
        Ok(response(first))
    }

    /// Returns where answers to a frame go. A frame of any other API than the configured one is refused
    /// here, because a push to it would be refused later, when it is too late to tell the client.
    fn connection(
        &self,
        context: &ApiGatewayWebsocketProxyRequestContext,
    ) -> Result<ConnectionRef, EventError> {
        let (Some(api), Some(stage)) = (&context.apiid, &context.stage) else {
            return Err(EventError::Incomplete { field: "API" });
        };
        let id = context.connection_id.clone().and_then(|id| ConnectionId::new(id).ok());
        let id = id.ok_or(EventError::Incomplete { field: "connection" })?;
        let domain = context.domain_name.as_deref();
        if !is_of(&self.endpoint, api, domain, stage) {
            let (api, stage) = (api.clone(), stage.clone());
            return Err(EventError::Api { api, stage, endpoint: self.endpoint.clone() });
        }
        Ok(ConnectionRef { endpoint: self.endpoint.clone(), id })
    }
}

/// Whether an endpoint is the management API of a stage. It ends with the stage. Before that it has the
/// domain to which the frame came or, if that is a custom domain, the id of the API.
fn is_of(endpoint: &str, api: &str, domain: Option<&str>, stage: &str) -> bool {
    let endpoint = endpoint.trim_end_matches('/');
    let Some((_, place)) = endpoint.split_once("://") else { return false };
    let Some((place, last)) = place.rsplit_once('/') else { return false };
    let names_api = place.split(['/', '.']).any(|part| part == api);
    last == stage && (Some(place) == domain || names_api)
}

/// Logs that a connection is opened or has been closed.
pub(super) fn on_connection(event: &ApiGatewayWebsocketProxyRequest) -> ApiGatewayProxyResponse {
    let context = &event.request_context;
    let connection = context.connection_id.as_deref();
    let reason = context.disconnect_reason.as_deref();
    let code = context.disconnect_status_code;
    info!(connection, reason, code, "{}", context.event_type.as_deref().unwrap_or("unknown"));
    response(None)
}

fn response(frame: Option<Utf8Bytes>) -> ApiGatewayProxyResponse {
    let mut response = ApiGatewayProxyResponse::default();
    response.status_code = 200;
    response.body = frame.map(|frame| Body::Text(frame.as_str().to_owned()));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_of_one_stage_of_one_api() {
        let aws = "https://abc123.execute-api.eu-west-1.amazonaws.com/live";
        let domain = Some("abc123.execute-api.eu-west-1.amazonaws.com");
        assert!(is_of(aws, "abc123", domain, "live"));
        assert!(is_of(&format!("{aws}/"), "abc123", domain, "live"));
        assert!(is_of(aws, "abc123", Some("quotes.example.com"), "live"), "a custom domain");
        let local = "http://127.0.0.1:4566/_aws/execute-api/abc123/live";
        assert!(is_of(local, "abc123", Some("abc123.execute-api.127.0.0.1"), "live"));
        assert!(is_of("https://quotes.example.com/live", "x", Some("quotes.example.com"), "live"));

        assert!(!is_of(aws, "abc123", domain, "test"));
        assert!(!is_of(aws, "abc", Some("abc.execute-api.eu-west-1.amazonaws.com"), "live"));
        assert!(!is_of("abc123/live", "abc123", domain, "live"));
        assert!(!is_of("https://live", "live", None, "live"));
    }
}
