//! The times that stages keep to.

use std::time::Duration;

use clap::Args;

use super::super::duration::{parse_duration, parse_retention};

/// The times that stages keep to.
#[derive(Clone, Debug, Args)]
pub struct PolicyArgs {
    /// How long a user stays active after a visit
    #[arg(long, value_name = "TIME", env = "OCACHE_TTL", value_parser = parse_duration, default_value = "5m")]
    pub ttl: Duration,
    /// The time between two scheduled calculations of an active user's table
    #[arg(long, value_name = "TIME", env = "OCACHE_REFRESH_EVERY", value_parser = parse_duration, default_value = "1m")]
    pub refresh_every: Duration,
    /// How long a table answers quotes when nothing refreshes it; at least three intervals
    #[arg(long, value_name = "TIME", env = "OCACHE_USABLE_FOR", value_parser = parse_duration, default_value = "15m")]
    pub usable_for: Duration,
    /// How long a quotation may take before it fails
    #[arg(long, value_name = "TIME", env = "OCACHE_QUOTE_WITHIN", value_parser = parse_duration, default_value = "30s")]
    pub quote_within: Duration,
    /// How long a past quotation can be asked for; at least as long as it may take
    #[arg(long, value_name = "TIME", env = "OCACHE_KEEP_QUOTATIONS", value_parser = parse_retention, default_value = "7d")]
    pub keep_quotations: Duration,
    /// How long a table that nothing calculates again stays stored; at least twice as long as it is usable
    #[arg(long, value_name = "TIME", env = "OCACHE_KEEP_TABLES", value_parser = parse_retention, default_value = "1d")]
    pub keep_tables: Duration,
}
