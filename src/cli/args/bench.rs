//! The arguments of `ocache bench`.

use std::time::Duration;

use clap::Args;

use super::websocket::parse_websocket;
use crate::model::parse_duration;
use crate::tokens::Token;

#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Number of invented customers
    #[arg(long, value_name = "N", default_value = "100", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub users: u32,
    /// Number of quotes of customers with warm tables
    #[arg(long, value_name = "N", default_value = "2000", value_parser = clap::value_parser!(u32).range(1..))]
    pub quotes: u32,
    /// Number of quotes of new customers, one each
    #[arg(long, value_name = "N", default_value = "20")]
    pub cold: u32,
    /// Quotes a second, sent without waiting for answers [default: each socket waits for its last answer]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: Option<u32>,
    /// Number of websockets
    #[arg(long, value_name = "N", default_value = "50", value_parser = clap::value_parser!(u16).range(1..))]
    pub sockets: u16,
    /// Products in each quote
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u16).range(1..=400))]
    pub lines: u16,
    /// Websocket to use instead of this store's gateway
    #[arg(long, value_name = "URL", value_parser = parse_websocket)]
    pub url: Option<String>,
    /// Token for the gateway [default: made if the keys can be read]
    #[arg(long, value_name = "TOKEN", env = "OCACHE_TOKEN", hide_env_values = true)]
    pub token: Option<Token>,
    /// How long to wait for the last tables and answers
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "1m")]
    pub timeout: Duration,
}
