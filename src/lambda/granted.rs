//! The findings of the authorizer, as the functions behind it get them.

use std::collections::HashMap;

use clap::ValueEnum;
use serde_json::Value;
use tracing::error;

use crate::tokens::Clients;

/// The key under which the authorizer's answer has the clients for whom a caller may quote.
pub(super) const CONTEXT_KEY: &str = "clients";

/// The key under which it says that a caller may load.
pub(super) const LOAD_KEY: &str = "load";

/// Whether the authorizer said that the caller may load. The route has the authorizer, however other
/// clients are let in.
pub(super) fn may_load(context: Option<&HashMap<String, Value>>) -> bool {
    context.and_then(|context| context.get(LOAD_KEY)?.as_str()) == Some("true")
}

/// How the API in front lets clients in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Authorization {
    /// By a token, which says whom the client may quote for
    #[value(name = "TOKEN")]
    Token,
    /// By a signature of AWS: who has one may quote for everybody
    #[value(name = "AWS_IAM")]
    AwsIam,
    /// Everybody
    #[value(name = "NONE")]
    None,
}

impl Authorization {
    /// Returns for whom the client of a request may quote, by what the authorizer said. If the authorizer
    /// should have said something and did not, the client may quote for no customer: an API that lost its
    /// authorizer must not be open.
    pub(super) fn clients(self, context: Option<&HashMap<String, Value>>) -> Clients {
        if self != Self::Token {
            return Clients::Every;
        }
        let said = context.and_then(|context| context.get(CONTEXT_KEY)?.as_str());
        let clients = said.and_then(|clients| serde_json::from_str(clients).ok());
        clients.unwrap_or_else(|| {
            error!("the authorizer did not say whom this client may quote for");
            Clients::nobody()
        })
    }
}
