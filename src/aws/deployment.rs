//! The parts of a stack that run on AWS itself, if they are deployed: its schedule and its gateway.

use aws_sdk_apigatewayv2::types::{Api, ProtocolType};
use aws_sdk_eventbridge::error::ProvideErrorMetadata as _;
use aws_sdk_eventbridge::types::RuleState;

use super::engine::Aws;
use super::errors::Call;
use crate::ports::PortError;

/// The schedule of a stack, as AWS reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeployedSchedule {
    /// When the schedule fires, such as `rate(1 minute)`.
    pub expression: String,
    /// Whether the schedule fires at all.
    pub enabled: bool,
}

impl Aws {
    /// Returns the schedule that refreshes the stack, or `None` if none is deployed.
    ///
    /// # Errors
    /// [`PortError`] if the service cannot be reached, or refuses.
    pub async fn deployed_schedule(&self) -> Result<Option<DeployedSchedule>, PortError> {
        let name = self.clients.names.schedule();
        let answer = self.clients.schedules.describe_rule().name(&name).send().await;
        let resource = format!("schedule `{name}`");
        match answer {
            Ok(schedule) => Ok(Some(DeployedSchedule {
                enabled: schedule.state == Some(RuleState::Enabled),
                expression: schedule.schedule_expression.unwrap_or_default(),
            })),
            Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(None),
            Err(error) => Err(Call::of("DescribeRule", resource).failed(error)),
        }
    }

    /// Returns the URL of the stack's websocket, or `None` if none is deployed.
    ///
    /// # Errors
    /// [`PortError`] if the service cannot be reached, or refuses.
    pub async fn deployed_websocket(&self) -> Result<Option<String>, PortError> {
        let name = self.clients.names.websocket_api();
        let resource = format!("websocket API `{name}`");
        let is_it = |api: &Api| {
            api.name() == Some(&name) && api.protocol_type() == Some(&ProtocolType::Websocket)
        };
        let mut from = None;
        loop {
            let answer = self.clients.gateways.get_apis().set_next_token(from).send().await;
            let page = answer.map_err(|error| Call::of("GetApis", &resource).failed(error))?;
            if let Some(api) = page.items().iter().find(|api| is_it(api)) {
                return self.websocket_of(api, &resource).await;
            }
            from = page.next_token;
            if from.is_none() {
                return Ok(None);
            }
        }
    }

    /// Returns the URL of an API's first stage.
    async fn websocket_of(&self, api: &Api, resource: &str) -> Result<Option<String>, PortError> {
        let (Some(id), Some(endpoint)) = (api.api_id(), api.api_endpoint()) else {
            return Ok(None);
        };
        let answer = self.clients.gateways.get_stages().api_id(id).send().await;
        let stages = answer.map_err(|error| Call::of("GetStages", resource).failed(error))?;
        let stage = stages.items().first().and_then(|stage| stage.stage_name());
        Ok(stage.map(|stage| match self.endpoint() {
            // A local AWS does not have a host name for every API.
            Some(local) => {
                let local = local.trim_end_matches('/').replacen("http", "ws", 1);
                format!("{local}/_aws/execute-api/{id}/{stage}")
            }
            None => format!("{endpoint}/{stage}"),
        }))
    }
}
