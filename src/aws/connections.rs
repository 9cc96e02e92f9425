//! Connections held by an API Gateway, or by a gateway with the same protocol.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_apigatewaymanagement::Client;
use aws_sdk_apigatewaymanagement::config::Builder;
use aws_sdk_apigatewaymanagement::error::SdkError;
use aws_sdk_apigatewaymanagement::operation::post_to_connection::PostToConnectionError;
use aws_sdk_apigatewaymanagement::primitives::Blob;
use bytes::Bytes;

use super::client::AwsClients;
use super::errors::Call;
use crate::model::ConnectionRef;
use crate::ports::{Connections, Delivery, MAX_PUSH_BYTES, PortError};

/// The allowed management APIs, with a client for each.
pub(super) struct ManagementApis(HashMap<String, Client>);

/// Returns the normal form of an endpoint, which can be written with or without slashes at its end.
fn normal(endpoint: &str) -> &str {
    endpoint.trim_end_matches('/')
}

impl ManagementApis {
    pub(super) fn new(clients: &AwsClients, allowed: &[String]) -> Self {
        let client = |endpoint: &String| {
            let config = Builder::from(&clients.config).endpoint_url(normal(endpoint));
            let config = config.interceptor(clients.observer()).build();
            (normal(endpoint).to_owned(), Client::from_conf(config))
        };
        Self(allowed.iter().map(client).collect())
    }
}

#[async_trait]
impl Connections for ManagementApis {
    async fn push(&self, to: &ConnectionRef, frame: Bytes) -> Result<Delivery, PortError> {
        let what = format!("connection `{}` of {}", to.id, to.endpoint);
        let Some(client) = self.0.get(normal(&to.endpoint)) else {
            return Err(PortError::rejected(what, "its endpoint is not on the allow-list"));
        };
        if frame.len() > MAX_PUSH_BYTES {
            let why =
                format!("the frame takes {} bytes, {MAX_PUSH_BYTES} are allowed", frame.len());
            return Err(PortError::rejected(what, why));
        }
        let call = client.post_to_connection().connection_id(to.id.as_str());
        match call.data(Blob::new(frame.to_vec())).send().await {
            Ok(_) => Ok(Delivery::Delivered),
            Err(error) if is_gone(&error) => Ok(Delivery::Gone),
            Err(error) => Err(Call::of("PostToConnection", what).failed(error)),
        }
    }
}

/// Whether the connection is gone. The status alone is enough, because a gateway that is not AWS's may send
/// no error type.
fn is_gone(error: &SdkError<PostToConnectionError>) -> bool {
    error.as_service_error().is_some_and(PostToConnectionError::is_gone_exception)
        || error.raw_response().is_some_and(|response| response.status().as_u16() == 410)
}
