//! `PUT /subscribe` of the HTTP API.

use std::time::Duration;

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use aws_lambda_events::encodings::Body;
use aws_smithy_types::base64;
use http_body_util::BodyExt as _;
use tracing::Instrument as _;

use super::granted::Authorization;
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
    let body = request.body.unwrap_or_default();
    let body = match request.is_base64_encoded {
        // What is no base64 is no subscription either.
        true => base64::decode(body).unwrap_or_default(),
        false => body.into_bytes(),
    };
    let traceparent = request.headers.get("traceparent").and_then(|it| it.to_str().ok());
    let reply = subscribe_reply(ports, ttl, &clients, &body);
    let reply = reply.instrument(trace::subscribe(traceparent)).await;
    let (head, body) = reply.into_parts();
    let Ok(body) = body.collect().await;
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = head.status.as_u16().into();
    response.headers = head.headers;
    response.body = Some(Body::Text(String::from_utf8_lossy(&body.to_bytes()).into_owned()));
    response
}
