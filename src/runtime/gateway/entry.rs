//! Admits clients: reads the token of a request and decides for which customers its client may quote.

use std::sync::Arc;

use hyper::header::{AUTHORIZATION, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use hyper::{Request, StatusCode};
use tracing::{error, info};

use super::http_reply::{Reply, later, problem};
use super::load_door::{NO_CLAIM, may_not_load};
use super::registry::KeysPlace;
use crate::ports::Chain;
use crate::runtime::{NotGranted, TokenCheck};
use crate::stages::SettingsInForce;
use crate::tokens::{Clients, Grant, Refusal, Token};

/// How a gateway checks tokens.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// Checks whether a token is good.
    pub check: Arc<TokenCheck>,
    /// Where the keys are, so that other processes of this machine can sign tokens.
    pub keys: KeysPlace,
}

/// The challenges for a client without a token, and for one whose token is not good.
const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"ocache\"");
const CHALLENGE_AGAIN: HeaderValue =
    HeaderValue::from_static("Bearer realm=\"ocache\", error=\"invalid_token\"");

/// Returns the token of a websocket's request: from its header or, for browsers, from its URL.
///
/// # Errors
/// Returns [`Refusal`] if there is none.
pub(super) fn of_websocket<T>(request: &Request<T>) -> Result<Token, Refusal> {
    match of_headers(request.headers()) {
        Err(Refusal::Missing) => {
            request.uri().query().and_then(Token::of_query).ok_or(Refusal::Missing)
        }
        found => found,
    }
}

/// Returns the token of any other request. A page can set headers on such a request, so the token need
/// not be in the URL.
///
/// # Errors
/// Returns [`Refusal`] if there is none, or more than one.
pub(super) fn of_headers(headers: &HeaderMap) -> Result<Token, Refusal> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    match (all.next(), all.next()) {
        (None, _) => Err(Refusal::Missing),
        (Some(only), None) => Token::of_header(only.to_str().map_err(|_| Refusal::NotBearer)?),
        _ => Err(Refusal::NotBearer),
    }
}

/// Decides who is admitted: everybody or, while the stack requires tokens, clients with a good token.
pub(super) struct Door {
    settings: SettingsInForce,
    check: Option<Arc<TokenCheck>>,
}

impl Door {
    pub(super) fn new(settings: SettingsInForce, tokens: Option<Tokens>) -> Self {
        Self { settings, check: tokens.map(|tokens| tokens.check) }
    }

    /// Returns for whom a client may quote, or the reply that refuses the client. While tokens are not
    /// required, everybody may quote for everybody. While this setting cannot be read, nobody is
    /// admitted.
    pub(super) async fn clients_of(&self, token: Result<Token, Refusal>) -> Result<Clients, Reply> {
        let Some(requires_token) = self.settings.current_as(|settings| settings.requires_token)
        else {
            error!("cannot read whether tokens are required, so no client is admitted");
            return Err(unknown("whether a token is needed cannot be read; try again"));
        };
        match (requires_token, &self.check) {
            (false, _) => Ok(Clients::Every),
            (true, Some(check)) => Ok(granted_by(check, token).await?.clients),
            (true, None) => {
                error!("tokens are required, and this gateway has no keys to check them with");
                Err(unknown("tokens cannot be checked here"))
            }
        }
    }

    /// Checks that a client may load. It needs a token that says so, even while tokens are not required.
    pub(super) async fn may_load(&self, token: Result<Token, Refusal>) -> Result<(), Reply> {
        let Some(check) = &self.check else {
            error!("this gateway has no keys to check tokens with");
            return Err(unknown("tokens cannot be checked here"));
        };
        match granted_by(check, token).await?.load {
            true => Ok(()),
            false => Err(may_not_load(NO_CLAIM)),
        }
    }

    /// Waits until tokens are required.
    pub(super) async fn closed(&self) {
        self.settings.until(|settings| settings.requires_token).await;
    }

    /// Whether everybody is admitted.
    pub(super) fn is_open(&self) -> bool {
        self.settings.current_as(|settings| !settings.requires_token).unwrap_or(false)
    }
}

fn unknown(message: &str) -> Reply {
    later(StatusCode::SERVICE_UNAVAILABLE, message)
}

async fn granted_by(check: &TokenCheck, token: Result<Token, Refusal>) -> Result<Grant, Reply> {
    let granted = match token {
        Ok(token) => check.grant(&token).await,
        Err(refusal) => Err(refusal.into()),
    };
    match granted {
        Ok(grant) => {
            info!(subject = %grant.subject, "let in");
            Ok(grant)
        }
        Err(NotGranted::Refused(refusal)) => Err(unauthorized(&refusal)),
        Err(NotGranted::NoKeys(cause)) => {
            error!(error = %Chain(&cause), "tokens cannot be checked");
            Err(unknown("tokens cannot be checked; try again"))
        }
    }
}

fn unauthorized(refusal: &Refusal) -> Reply {
    info!(reason = %refusal, "kept out");
    let mut reply = problem(StatusCode::UNAUTHORIZED, &refusal.to_string());
    let challenge = match refusal {
        Refusal::Missing => CHALLENGE,
        _ => CHALLENGE_AGAIN,
    };
    reply.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    reply
}
