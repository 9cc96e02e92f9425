//! `ocache keys`: lists and rotates the keys that sign tokens.

use serde_json::json;

use super::args::{KeysCommand, RotateArgs};
use super::engine::require_store;
use super::failure::Result;
use super::output::{Output, table};
use super::settings::Settings;
use super::token_keys::{KeysFound, new_key};
use crate::tokens::KeyRing;

pub(super) async fn run(settings: &Settings, output: &Output, command: KeysCommand) -> Result<()> {
    match command {
        KeysCommand::List(args) => {
            if args.keys.is_none() {
                require_store(settings)?;
            }
            let found = KeysFound::find(settings, args.keys).await?;
            let keys = found.keys.read().await?.ok_or_else(|| found.missing())?;
            print(output, &keys)
        }
        KeysCommand::Rotate(args) => rotate(settings, output, args).await,
    }
}

async fn rotate(settings: &Settings, output: &Output, args: RotateArgs) -> Result<()> {
    let found = KeysFound::find(settings, args.keys.keys).await?;
    let key = new_key()?;
    let keys = match found.keys.read().await? {
        // If another process makes the first key at the same time, its key becomes the old one.
        None if found.keys.create(&KeyRing::new(key.clone())).await? => KeyRing::new(key),
        _ => {
            let old = found.keys.read().await?.ok_or_else(|| found.missing())?;
            let new = if args.revoke { KeyRing::new(key) } else { old.rotated(key) };
            found.keys.replace(&new).await?;
            new
        }
    };
    output.note(&format!("a new key signs, in {}", found.keys.place()));
    print(output, &keys)
}

fn print(output: &Output, keys: &KeyRing) -> Result<()> {
    let uses = |number: usize| if number == 0 { "signs" } else { "accepted" };
    let rows: Vec<_> =
        keys.keys().enumerate().map(|(number, key)| (key.kid(), uses(number))).collect();
    let data: Vec<_> =
        rows.iter().map(|(kid, state)| json!({ "kid": kid, "state": state })).collect();
    output.data(&data, |_| {
        let cells = rows.iter().map(|(kid, state)| [*kid, state]);
        table(["key", "state"]).with(cells).to_string()
    })
}
