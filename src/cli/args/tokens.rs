//! Tokens, and the keys that they are signed with.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::super::paths::path;
use super::parse_duration;
use crate::model::{Subject, UserId};

/// Where the keys are.
#[derive(Clone, Debug, Args)]
pub struct KeysArgs {
    /// File with the keys of tokens [default: that of the data folder; on AWS, the stack's secret]
    #[arg(long, value_name = "FILE", env = "OCACHE_KEYS", value_parser = path())]
    pub keys: Option<PathBuf>,
}

/// Of `ocache token`.
#[derive(Debug, Args)]
pub struct TokenArgs {
    /// Customer for whom it may quote and subscribe; may be given more than once
    #[arg(
        long,
        visible_alias = "user",
        value_name = "USER",
        required_unless_present_any = ["every_client", "load"],
        conflicts_with = "every_client"
    )]
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
    /// Where the keys are.
    #[command(flatten)]
    pub keys: KeysArgs,
}

/// Of `ocache keys`.
#[derive(Debug, Args)]
pub struct KeysCommandArgs {
    /// What to do with them.
    #[command(subcommand)]
    pub command: KeysCommand,
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

/// Of `ocache keys rotate`.
#[derive(Debug, Args)]
pub struct RotateArgs {
    /// Accept only the new key, because another one has leaked; all earlier tokens become invalid
    #[arg(long)]
    pub revoke: bool,
    /// Where the keys are.
    #[command(flatten)]
    pub keys: KeysArgs,
}
