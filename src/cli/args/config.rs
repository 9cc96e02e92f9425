//! Settings.

use clap::{Args, Subcommand};

use super::{AccessArgs, PolicyArgs, SlotArgs, examples};

/// Of `ocache config`.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// What to do with the settings.
    #[command(subcommand)]
    pub command: ConfigCommand,
}

/// What can be done with settings.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Show every setting, its value, and where that comes from
    #[command(after_help = examples::CONFIG_SHOW)]
    Show(Box<ConfigShowArgs>),
}

/// Of `ocache config show`: every setting of every command, so that its flags can be tried.
#[derive(Debug, Args)]
pub struct ConfigShowArgs {
    /// Port of the gateway on loopback; 0 is any free one
    #[arg(long, value_name = "PORT", env = "OCACHE_PORT", default_value = "7070")]
    pub port: u16,
    /// Port of a worker's metrics on loopback; 0 is any free one
    #[arg(long, value_name = "PORT", env = "OCACHE_METRICS_PORT")]
    pub metrics_port: Option<u16>,
    /// The times that stages keep to.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// How much is in hand at once.
    #[command(flatten)]
    pub slots: SlotArgs,
    /// Who may use the gateway, and how much of it.
    #[command(flatten)]
    pub access: AccessArgs,
}
