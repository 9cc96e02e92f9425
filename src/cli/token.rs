//! `ocache token`: makes a token.

use serde_json::json;

use super::args::TokenArgs;
use super::engine::require_store;
use super::failure::Result;
use super::output::Output;
use super::settings::Settings;
use super::token_keys::KeysFound;
use crate::ports::{Clock as _, SystemClock};
use crate::tokens::{Clients, Grant};

pub(super) async fn run(settings: &Settings, output: &Output, args: TokenArgs) -> Result<()> {
    if args.keys.keys.is_none() {
        // Without a store, keys that are made here would be useless.
        require_store(settings)?;
    }
    let keys = KeysFound::find(settings, args.keys.keys).await?.read(output).await?;
    let now = SystemClock.now();
    let clients = match args.every_client {
        true => Clients::Every,
        false => args.client.into_iter().collect(),
    };
    let (subject, load) = (args.subject, args.load);
    let grant = Grant { subject, clients, load, expires_at: now.plus(args.expires_in) };
    let token = keys.sign(&grant, now)?;
    let data = json!({ "token": token.as_str(), "expires_at": grant.expires_at.to_string() });
    output.data(&data, |_| token.as_str().to_owned())
}
