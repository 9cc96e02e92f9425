//! The arguments of `ocache config`.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};

use super::{AccessArgs, StageArgs, examples};
use crate::stages::Setting;

/// What can be done with settings.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Show every setting, its value and its origin
    #[command(after_help = examples::CONFIG_SHOW)]
    Show(Box<ConfigShowArgs>),
    /// Set a setting of the stack, for all its processes
    ///
    /// Running processes follow within seconds. All other settings belong to a process: set them with a
    /// flag, a variable or a line of ocache.toml.
    #[command(after_help = examples::CONFIG_SET)]
    Set(ConfigSetArgs),
}

#[derive(Debug, Args)]
pub struct ConfigSetArgs {
    /// The name of its flag, without the dashes
    #[arg(value_name = "KEY", value_parser = key_parser())]
    pub key: SetKey,
    /// The value as for the flag; `true` or `false` for a flag without a value
    #[arg(value_name = "VALUE")]
    pub value: String,
}

/// What can be set for a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetKey {
    /// What its processes keep to.
    Stack(Setting),
    /// How many decimals unit prices have beyond those of their currency.
    UnitDecimals,
    /// Where halves go.
    Rounding,
}

/// The name of a setting that is stored with the prices, because prices depend on it.
pub const UNIT_DECIMALS: &str = "unit-decimals";
/// The name of the other such setting, as [`UNIT_DECIMALS`].
pub const ROUNDING: &str = "rounding";

impl SetKey {
    fn named(name: &str) -> Option<Self> {
        match name {
            UNIT_DECIMALS => Some(Self::UnitDecimals),
            ROUNDING => Some(Self::Rounding),
            name => Setting::named(name).map(Self::Stack),
        }
    }
}

fn key_parser() -> impl TypedValueParser<Value = SetKey> {
    let names = Setting::ALL.map(Setting::name).into_iter().chain([UNIT_DECIMALS, ROUNDING]);
    PossibleValuesParser::new(names)
        .try_map(|name| SetKey::named(&name).ok_or("no setting of a stack has this name"))
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
    #[command(flatten)]
    pub stages: StageArgs,
    #[command(flatten)]
    pub access: AccessArgs,
}
