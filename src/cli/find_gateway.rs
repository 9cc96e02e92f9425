//! Finds a running gateway, and makes a token for it if it requires one.

use super::engine::{Engine, EngineKind};
use super::failure::Result;
use super::settings::Settings;
use super::token_keys::KeysFound;
#[cfg(feature = "aws")]
use crate::ports::PortError;
use crate::ports::{Chain, Clock as _, SystemClock, TokenKeys};
use crate::runtime::client::Destination;
use crate::runtime::gateway::{KeysPlace, running};
use crate::runtime::ticket;
use crate::tokens::{Clients, Token};

/// A gateway that is running.
pub(super) struct FoundGateway {
    pub(super) gateway: Destination,
    /// A token for it, if one could be made.
    pub(super) ticket: Option<Token>,
}

/// Finds a running gateway of this engine on this machine or on AWS. If `wished` is given, makes a token
/// for these customers.
pub(super) async fn find_gateway(
    settings: &Settings,
    engine: &Engine,
    wished: Option<Clients>,
) -> Result<Option<FoundGateway>> {
    if let Some(record) = running(&engine.registry, &engine.label).await {
        let ticket = local_ticket(settings, record.keys.clone(), wished).await?;
        let gateway = Destination::Entered(Box::new(record));
        return Ok(Some(FoundGateway { gateway, ticket }));
    }
    match engine.kind() {
        EngineKind::Embedded(_) => Ok(None),
        #[cfg(feature = "aws")]
        EngineKind::Aws(aws) => {
            let Some(url) = deployed(aws).await? else { return Ok(None) };
            // Whether this gateway requires a token is unknown. An unnecessary token does no harm.
            let ticket = match wished {
                Some(clients) => ticket_of(&*aws.token_keys(), clients).await,
                None => None,
            };
            Ok(Some(FoundGateway { gateway: Destination::Url(url), ticket }))
        }
    }
}

/// Makes a token with the keys of a local gateway that requires one. A caller who may not read the keys
/// must be given a token.
async fn local_ticket(
    settings: &Settings,
    place: Option<KeysPlace>,
    wished: Option<Clients>,
) -> Result<Option<Token>> {
    let (Some(place), Some(clients)) = (place, wished) else { return Ok(None) };
    let file = match place {
        KeysPlace::File(file) => Some(file),
        KeysPlace::Stack => None,
    };
    let found = KeysFound::find(settings, file).await?;
    Ok(ticket_of(&*found.keys, clients).await)
}

async fn ticket_of(keys: &dyn TokenKeys, clients: Clients) -> Option<Token> {
    let keys = keys.read().await.unwrap_or_else(|error| {
        tracing::info!(error = %Chain(&error), "no token is made");
        None
    });
    ticket(&keys?, clients, SystemClock.now()).ok()
}

/// Finds the gateway of the stack on AWS. A caller who may not look for it must name it with `--url`. A
/// gateway made for one quote would receive orders meant for the deployed one.
#[cfg(feature = "aws")]
async fn deployed(aws: &crate::aws::Aws) -> Result<Option<String>> {
    match aws.deployed_websocket().await {
        Ok(found) => Ok(found),
        Err(error @ PortError::Denied { .. }) if super::refusals::is_of_caller(&error) => {
            Err(error.into())
        }
        Err(error @ PortError::Denied { .. }) => Err(super::failure::Failure::from(error)
            .hint("name the gateway with --url, or get the permission apigateway:GET so that it can be found")),
        Err(error) => {
            tracing::info!(error = %Chain(&error), "deployed gateways were not looked for");
            Ok(None)
        }
    }
}
