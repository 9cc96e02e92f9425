//! The routes of the HTTP API.

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use aws_lambda_events::encodings::Body;
use aws_smithy_types::base64;
use http_body_util::BodyExt as _;
use tracing::{Instrument as _, warn};

use super::EventError;
use super::granted::Authorization;
use crate::ports::Chain;
use crate::runtime::gateway::{ApiRequest, Behind, HttpApi, Reply, Resource, forbidden};
use crate::trace;

/// Answers a request for a quote or for prices as the local gateway does.
///
/// # Errors
/// [`EventError`] if the route of the event does not belong to this function.
pub(super) async fn on_request(
    api: &HttpApi,
    behind: Behind<'_>,
    authorization: Authorization,
    request: ApiGatewayV2httpRequest,
) -> Result<ApiGatewayV2httpResponse, EventError> {
    let route = request.route_key.as_deref().and_then(|key| key.split_once(' '));
    let (_, path) = route.ok_or(EventError::Incomplete { field: "route" })?;
    // API Gateway has decoded the parameters.
    let parameter = |name: &str| request.path_parameters.get(name).cloned();
    let resource = Resource::of_route(path, parameter)
        .ok_or_else(|| EventError::Route { route: path.to_owned() })?;
    let context = request.request_context.authorizer.as_ref();
    let clients = authorization.clients(context.map(|authorizer| &authorizer.fields));
    let body = body(request.body, request.is_base64_encoded);
    let asked = ApiRequest {
        method: &request.request_context.http.method,
        query: request.raw_query_string.as_deref().unwrap_or_default(),
        headers: &request.headers,
        body: &body,
    };
    let traceparent = request.headers.get("traceparent").and_then(|it| it.to_str().ok());
    let span = trace::http_request(traceparent, asked.method.as_str(), resource.route());
    Ok(response(match api.read(resource, asked) {
        Ok(call) if !clients.cover(call.user()) => forbidden(call.user()),
        Ok(call) => api.answer(behind, call).instrument(span).await,
        Err(reply) => reply,
    })
    .await)
}

/// Returns the body of a request. Invalid base64 gives an empty body, which is refused like any other bad
/// body.
pub(super) fn body(body: Option<String>, is_base64: bool) -> Vec<u8> {
    let body = body.unwrap_or_default();
    match is_base64 {
        true => base64::decode(body).unwrap_or_default(),
        false => body.into_bytes(),
    }
}

/// Converts a reply to the response of the function.
pub(super) async fn response(reply: Reply) -> ApiGatewayV2httpResponse {
    let (head, body) = reply.into_parts();
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = head.status.as_u16().into();
    response.headers = head.headers;
    match body.collect().await {
        Ok(body) => {
            let text = String::from_utf8_lossy(&body.to_bytes()).into_owned();
            response.body = Some(Body::Text(text));
        }
        // The bodies of a function's replies are complete before they are sent, so this does not happen.
        Err(error) => {
            warn!(error = %Chain(&error), "the reply was not written");
            response.status_code = 500;
        }
    }
    response
}
