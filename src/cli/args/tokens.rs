//! The arguments for tokens and the keys that sign them.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, Subcommand};
use thiserror::Error;

use super::super::paths::{key_set_place, path};
use super::parse_duration;
use crate::model::{Subject, UserId};
use crate::runtime::{IdentityProvider, KeySetPlace};
use crate::tokens::{CLIENTS, Issuer};

/// Where the keys are.
#[derive(Clone, Debug, Args)]
pub struct KeysArgs {
    /// File with the keys of tokens; by default that of the data folder, on AWS the stack's secret
    #[arg(long, value_name = "FILE", env = "OCACHE_KEYS", value_parser = path())]
    pub keys: Option<PathBuf>,
}

/// The identity provider whose tokens are accepted beside ocache's own.
#[derive(Clone, Debug, Args)]
pub struct ProviderArgs {
    /// Also accept tokens of an identity provider; they are checked with its public keys, a JWKS
    #[arg(long, value_name = "URL|FILE", env = "OCACHE_JWKS", value_parser = key_set_place())]
    pub jwks: Option<KeySetPlace>,
    /// The `iss` of the provider's tokens; --jwks needs it
    #[arg(long, value_name = "NAME", env = "OCACHE_ISSUER")]
    pub issuer: Option<String>,
    /// The `aud` of the provider's tokens; by default they must have none
    #[arg(long, value_name = "NAME", env = "OCACHE_AUDIENCE")]
    pub audience: Option<String>,
    /// Claim that names the customers
    #[arg(long, value_name = "CLAIM", env = "OCACHE_CLIENT_CLAIM", default_value = CLIENTS)]
    pub client_claim: String,
}

/// What is missing to know an identity provider.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ProviderError {
    /// Keys may be those of several issuers, so one has to be named.
    #[error("--jwks needs --issuer: the provider's keys may sign tokens of others too")]
    NoIssuer,
    /// Tokens of nobody can be checked.
    #[error("--issuer and --audience have no effect without --jwks")]
    NoKeys,
}

impl ProviderArgs {
    /// Returns the provider, if one is given.
    ///
    /// # Errors
    /// Returns [`ProviderError`] if it is given only in part.
    pub fn provider(&self) -> Result<Option<IdentityProvider>, ProviderError> {
        let Self { jwks, issuer, audience, client_claim } = self.clone();
        match (jwks, issuer) {
            (Some(keys), Some(name)) => {
                Ok(Some(IdentityProvider { issuer: Issuer { name, audience, client_claim }, keys }))
            }
            (Some(_), None) => Err(ProviderError::NoIssuer),
            (None, None) if audience.is_none() => Ok(None),
            (None, _) => Err(ProviderError::NoKeys),
        }
    }
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("permitted").args(["client", "every_client", "load"]).required(true).multiple(true))]
pub struct TokenArgs {
    /// Customer for whom it may quote and subscribe; may be given more than once
    #[arg(long, visible_alias = "user", value_name = "USER", conflicts_with = "every_client")]
    pub client: Vec<UserId>,
    /// Permit every customer; only for back ends that are trusted with all prices
    #[arg(long)]
    pub every_client: bool,
    /// Permit loading with `POST /load`
    #[arg(long)]
    pub load: bool,
    /// The name of its bearer in logs
    #[arg(long, value_name = "NAME", default_value = "ocache")]
    pub subject: Subject,
    /// How long it can open connections; open ones stay open
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "1h")]
    pub expires_in: Duration,
    #[command(flatten)]
    pub keys: KeysArgs,
}

/// What can be done with keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// List the names of the keys, without secrets
    List(KeysArgs),
    /// Make a new key, which signs from now on
    ///
    /// The previous key is accepted until the next rotation. Gateways notice within five minutes. The
    /// first run makes the first key.
    Rotate(RotateArgs),
}

#[derive(Debug, Args)]
pub struct RotateArgs {
    /// Accept only the new key, because another one has leaked; all earlier tokens become invalid
    #[arg(long)]
    pub revoke: bool,
    #[command(flatten)]
    pub keys: KeysArgs,
}
