//! The authorizer of both APIs, which decides who may connect and subscribe.
//!
//! A caller is refused by a policy or by a plain no, never by a failure. API Gateway would turn a failure
//! into a 401, and the alarm on failing functions would let anybody on the web call the operator at night.
//! The function fails only if tokens cannot be checked.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Value, json};
use tracing::info;

use super::EventError;
use super::granted::{CONTEXT_KEY, LOAD_KEY};
use crate::runtime::{NotGranted, TokenCheck};
use crate::tokens::{Grant, Refusal, Token};

/// The request of API Gateway. It must not be logged, because it contains the token.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuthorizationEvent {
    #[serde(default)]
    headers: HashMap<String, String>,
    query_string_parameters: Option<HashMap<String, String>>,
    /// The route of the WebSocket API that the request is about. Requests of the HTTP API do not have this
    /// field.
    method_arn: Option<String>,
}

/// Answers API Gateway: a policy for the WebSocket API, a simple response for the HTTP API.
///
/// # Errors
/// [`EventError`] if tokens cannot be checked. Then nobody gets in.
pub(super) async fn authorize(
    check: &TokenCheck,
    event: AuthorizationEvent,
) -> Result<Value, EventError> {
    let granted = match event.token() {
        Ok(token) => check.grant(&token).await,
        Err(refusal) => Err(refusal.into()),
    };
    let granted = match granted {
        Ok(grant) => {
            info!(subject = %grant.subject, "let in");
            Some(grant)
        }
        Err(NotGranted::Refused(refusal)) => {
            info!(reason = %refusal, "kept out");
            None
        }
        Err(NotGranted::NoKeys(error)) => return Err(EventError::Keys(error)),
    };
    let context = granted.as_ref().map(context).transpose()?.unwrap_or_else(|| json!({}));
    Ok(match event.method_arn {
        Some(arn) => policy(&arn, granted.as_ref(), context),
        None => json!({ "isAuthorized": granted.is_some(), "context": context }),
    })
}

impl AuthorizationEvent {
    /// Returns the token of the header or, for browsers that open a websocket, of the URL, as the local
    /// gateway does.
    fn token(&self) -> Result<Token, Refusal> {
        let mut headers = self.headers.iter();
        let header = headers.find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        if let Some((_, value)) = header {
            return Token::of_header(value);
        }
        let parameters =
            self.query_string_parameters.as_ref().filter(|_| self.method_arn.is_some());
        let token = parameters.and_then(|parameters| parameters.get("token"));
        token.cloned().map(Token::from).ok_or(Refusal::Missing)
    }
}

/// Returns what the functions behind the authorizer get to know. API Gateway passes only texts, so all
/// clients are one text.
fn context(grant: &Grant) -> Result<Value, EventError> {
    let clients = serde_json::to_string(&grant.clients).map_err(EventError::Context)?;
    let mut context = json!({ CONTEXT_KEY: clients, "subject": grant.subject.as_str() });
    if grant.load {
        context[LOAD_KEY] = json!("true");
    }
    Ok(context)
}

fn policy(arn: &str, granted: Option<&Grant>, context: Value) -> Value {
    let effect = if granted.is_some() { "Allow" } else { "Deny" };
    json!({
        "principalId": granted.map_or("nobody", |grant| grant.subject.as_str()),
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{ "Action": "execute-api:Invoke", "Effect": effect, "Resource": arn }],
        },
        "context": context,
    })
}
