//! Who comes in: the token of a request, and whom it lets its client quote for.

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

/// The tokens that a gateway wants.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// Whether one is good.
    pub check: Arc<TokenCheck>,
    /// Where the keys are that it is checked with, for others of this machine.
    pub keys: KeysPlace,
}

/// What a client is told that has no token, and one whose token is not good.
const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"ocache\"");
const CHALLENGE_AGAIN: HeaderValue =
    HeaderValue::from_static("Bearer realm=\"ocache\", error=\"invalid_token\"");

/// The token of a websocket's request: in its header or, for browsers, in its URL.
///
/// # Errors
/// [`Refusal`] when there is none.
pub(super) fn of_websocket<T>(request: &Request<T>) -> Result<Token, Refusal> {
    match of_headers(request.headers()) {
        Err(Refusal::Missing) => {
            request.uri().query().and_then(Token::of_query).ok_or(Refusal::Missing)
        }
        found => found,
    }
}

/// The token of any other request. A page can send headers with it, so a token has no reason to be
/// in its URL.
///
/// # Errors
/// [`Refusal`] when there is none, or more than one.
pub(super) fn of_headers(headers: &HeaderMap) -> Result<Token, Refusal> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    match (all.next(), all.next()) {
        (None, _) => Err(Refusal::Missing),
        (Some(only), None) => Token::of_header(only.to_str().map_err(|_| Refusal::NotBearer)?),
        _ => Err(Refusal::NotBearer),
    }
}

/// Decides who comes in: everybody or, while the stack requires tokens, whoever has a good one.
pub(super) struct Door {
    settings: SettingsInForce,
    check: Option<Arc<TokenCheck>>,
}

impl Door {
    pub(super) fn new(settings: SettingsInForce, tokens: Option<Tokens>) -> Self {
        Self { settings, check: tokens.map(|tokens| tokens.check) }
    }

    /// Whom a client may quote for; or the reply that keeps it out. While tokens are not required,
    /// anybody may quote for anybody. While nobody knows whether they are, nobody comes in.
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

    /// Who may load: a client with a token that says so, also while tokens are not required.
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

    /// Whether it lets in everybody.
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
