//! The arguments that decide who may use a gateway, and how much of it.

use clap::Args;
use clap::builder::BoolishValueParser;

use super::policy::STACK_SETTINGS;
use super::{KeysArgs, ProviderArgs};
use crate::runtime::gateway::{Access, AllowedOrigins, Limits, OriginError, PathPrefix};
use crate::stages::UserLimits;

/// The limits of a gateway. They do not fit on the screens of `ocache up --help` and `ocache serve --help`.
pub const LIMIT_DETAILS: [&str; 5] = [
    "max_sockets",
    "max_sockets_per_address",
    "max_frames",
    "max_frames_per_address",
    "limit_loopback",
];

/// Who may use the gateway, and how much of it.
///
/// An address is that of a client behind a reverse proxy, by the last entry of `X-Forwarded-For`.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Access to the gateway")]
pub struct AccessArgs {
    /// Origin of web pages that may use the gateway; `null` for pages opened as a file; may be given
    /// more than once
    #[arg(long, value_name = "ORIGIN", env = "OCACHE_ALLOW_ORIGIN", value_delimiter = ',', value_parser = parse_origin)]
    pub allow_origin: Vec<String>,
    /// Host name that clients may use beside localhost; may be given more than once
    #[arg(long, value_name = "HOST", env = "OCACHE_ALLOW_HOST", value_delimiter = ',', value_parser = parse_host)]
    pub allow_host: Vec<String>,
    /// Path of the gateway behind a reverse proxy; the proxy forwards the full path
    #[arg(long, value_name = "PATH", env = "OCACHE_PATH_PREFIX")]
    pub path_prefix: Option<PathPrefix>,
    #[command(flatten)]
    pub keys: KeysArgs,
    #[command(flatten)]
    pub provider: ProviderArgs,
    /// Maximum number of open connections
    #[arg(long, value_name = "N", env = "OCACHE_MAX_SOCKETS", default_value_t = DEFAULT.sockets, value_parser = some())]
    pub max_sockets: u32,
    /// Maximum open websockets of one address
    #[arg(long, value_name = "N", env = "OCACHE_MAX_SOCKETS_PER_ADDRESS", default_value_t = DEFAULT.sockets_per_address, value_parser = some())]
    pub max_sockets_per_address: u32,
    /// Maximum frames a second of one websocket
    #[arg(long, value_name = "N", env = "OCACHE_MAX_FRAMES", default_value_t = DEFAULT.frames_per_sec, value_parser = some())]
    pub max_frames: u32,
    /// Maximum frames a second of one address
    #[arg(long, value_name = "N", env = "OCACHE_MAX_FRAMES_PER_ADDRESS", default_value_t = DEFAULT.frames_per_sec_per_address, value_parser = some())]
    pub max_frames_per_address: u32,
    /// Limit clients of this machine by address too
    #[arg(long, env = "OCACHE_LIMIT_LOOPBACK", value_parser = BoolishValueParser::new())]
    pub limit_loopback: bool,
    // Last: flattened options set a heading, and options after them would appear under it.
    #[command(flatten)]
    pub stack: UserArgs,
}

/// The settings of the stack that gateways keep to.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = STACK_SETTINGS)]
pub struct UserArgs {
    /// Admit only clients with a token, for the customers it names; see `ocache token`
    #[arg(long, env = "OCACHE_REQUIRE_TOKEN", value_parser = BoolishValueParser::new())]
    pub require_token: bool,
    /// Maximum customers a minute that one address may make active
    #[arg(long, value_name = "N", env = "OCACHE_MAX_NEW_USERS_PER_ADDRESS", default_value_t = USERS.new_per_min_per_address, value_parser = some())]
    pub max_new_users_per_address: u32,
    /// Maximum customers active through one gateway
    #[arg(long, value_name = "N", env = "OCACHE_MAX_ACTIVE_USERS", default_value_t = USERS.active, value_parser = some())]
    pub max_active_users: u32,
    /// Prepare a customer's table only from the second visit on
    #[arg(long, env = "OCACHE_ACTIVE_FROM_SECOND_VISIT", value_parser = BoolishValueParser::new())]
    pub active_from_second_visit: bool,
}

const USERS: UserLimits = UserLimits::DEFAULT;

const DEFAULT: Limits = Limits::DEFAULT;

fn some() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..)
}

/// Checks an origin while the command line is parsed, so that an error names the variable or the file that it
/// is from.
fn parse_origin(text: &str) -> Result<String, OriginError> {
    let text = text.to_owned();
    AllowedOrigins::new(std::slice::from_ref(&text), &[])?;
    Ok(text)
}

/// Checks the name of a host, for the same reason.
fn parse_host(text: &str) -> Result<String, OriginError> {
    let text = text.to_owned();
    AllowedOrigins::new(&[], std::slice::from_ref(&text))?;
    Ok(text)
}

impl TryFrom<&AccessArgs> for Access {
    type Error = OriginError;

    fn try_from(args: &AccessArgs) -> Result<Self, OriginError> {
        let limits = Limits {
            sockets: args.max_sockets,
            sockets_per_address: args.max_sockets_per_address,
            frames_per_sec: args.max_frames,
            frames_per_sec_per_address: args.max_frames_per_address,
            count_loopback: args.limit_loopback,
        };
        let origins = AllowedOrigins::new(&args.allow_origin, &args.allow_host)?;
        // `tokens` is set later, because the keys must be read first.
        let prefix = args.path_prefix.clone().unwrap_or_default();
        Ok(Self { origins, prefix, limits, tokens: None })
    }
}
