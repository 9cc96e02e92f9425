//! `PUT /subscribe` of the HTTP API.

use std::time::Duration;

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use tracing::Instrument as _;

use super::granted::Authorization;
use super::http::{body, response};
use crate::ports::Ports;
use crate::runtime::gateway::subscribe_reply;
use crate::trace;

/// Answers as the local gateway does.
pub(super) async fn on_request(
    ports: &Ports,
    ttl: Duration,
    authorization: Authorization,
    request: ApiGatewayV2httpRequest,
) -> ApiGatewayV2httpResponse {
    let context = request.request_context.authorizer.as_ref();
    let clients = authorization.clients(context.map(|authorizer| &authorizer.fields));
    let body = body(request.body, request.is_base64_encoded);
    let traceparent = request.headers.get("traceparent").and_then(|it| it.to_str().ok());
    let reply = subscribe_reply(ports, ttl, &clients, &body);
    response(reply.instrument(trace::subscribe(traceparent)).await).await
}
