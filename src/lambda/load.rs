//! `POST /load` of the HTTP API.

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use hyper::header::ORIGIN;

use super::granted::may_load;
use super::http::{body, response};
use crate::ports::Ports;
use crate::runtime::gateway::{LoadDoor, NO_CLAIM, NO_PAGES, Reply, may_not_load};

/// Loads as the local gateway does. Here every page of a browser counts as foreign.
pub(super) async fn on_request(
    ports: &Ports,
    door: &LoadDoor,
    request: ApiGatewayV2httpRequest,
) -> ApiGatewayV2httpResponse {
    response(answer(ports, door, request).await).await
}

async fn answer(ports: &Ports, door: &LoadDoor, request: ApiGatewayV2httpRequest) -> Reply {
    if request.headers.contains_key(ORIGIN) {
        return may_not_load(NO_PAGES);
    }
    let context = request.request_context.authorizer.as_ref();
    if !may_load(context.map(|authorizer| &authorizer.fields)) {
        return may_not_load(NO_CLAIM);
    }
    let query = request.raw_query_string.as_deref().unwrap_or_default();
    match door.admit(query, &request.headers) {
        Ok(admitted) => {
            let body = body(request.body, request.is_base64_encoded);
            door.load(ports, admitted, body.into()).await
        }
        Err(reply) => reply,
    }
}
