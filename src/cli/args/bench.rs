//! What a benchmark is made of.

use std::time::Duration;

use clap::Args;

use super::websocket::parse_websocket;
use crate::model::parse_duration;
use crate::tokens::Token;

/// Of `ocache bench`.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Users made up for the run
    #[arg(long, value_name = "N", default_value = "100", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub users: u32,
    /// Quotes of users whose tables are warm
    #[arg(long, value_name = "N", default_value = "2000", value_parser = clap::value_parser!(u32).range(1..))]
    pub quotes: u32,
    /// Quotes of users that nobody has seen yet, each of another one
    #[arg(long, value_name = "N", default_value = "20")]
    pub cold: u32,
    /// Quotes a second, sent whether or not the earlier ones are answered [default: each socket sends its next quote when the last is answered]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: Option<u32>,
    /// Websockets to send them over
    #[arg(long, value_name = "N", default_value = "50", value_parser = clap::value_parser!(u16).range(1..))]
    pub sockets: u16,
    /// Products of each quote
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u16).range(1..=400))]
    pub lines: u16,
    /// Websocket to use instead of this store's gateway
    #[arg(long, value_name = "URL", value_parser = parse_websocket)]
    pub url: Option<String>,
    /// Token to show to the gateway [default: one is made where the keys can be read]
    #[arg(long, value_name = "TOKEN", env = "OCACHE_TOKEN", hide_env_values = true)]
    pub token: Option<Token>,
    /// How long to wait for the last tables and answers
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "1m")]
    pub timeout: Duration,
}
