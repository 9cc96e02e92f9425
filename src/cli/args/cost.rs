//! The arguments of `ocache cost`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::super::paths::path;
use super::policy::of;
use super::simulate::parse_calculation_time;
use super::terms::TermsArgs;
use crate::model::parse_duration;
use crate::stages::Setting;

/// Details of price lists and calculations. They do not fit on the screen of `ocache cost forecast --help`.
pub const FORECAST_DETAILS: [&str; 5] =
    ["lists_per_user", "terms", "tiers", "currencies", "calculation_time"];

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct CostArgs {
    /// Instead of the running stack.
    #[command(subcommand)]
    pub command: Option<CostCommand>,
    /// How far to look back; usage is kept for a week, in steps of five minutes
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "1h")]
    pub over: Duration,
    /// The stack's ttl is used; another value only causes a warning
    #[arg(long, value_name = "TIME", env = "OCACHE_TTL", value_parser = of(Setting::Ttl), hide = true)]
    pub ttl: Option<String>,
    /// The stack's interval is used; another value only causes a warning
    #[arg(long, value_name = "TIME", env = "OCACHE_REFRESH_EVERY", value_parser = of(Setting::RefreshEvery), hide = true)]
    pub refresh_every: Option<String>,
    /// How long a function takes for a batch of ten calculations, at most 30s
    #[arg(long, value_name = "TIME", value_parser = parse_calculation_time, default_value = "100ms")]
    pub calculation_time: Duration,
    /// List prices of AWS to use instead of those built in
    #[arg(long, value_name = "FILE", value_parser = path())]
    pub price_list: Option<PathBuf>,
}

/// What else can be asked.
#[derive(Debug, Subcommand)]
pub enum CostCommand {
    /// Forecast a month from a few numbers; nothing has to run
    Forecast(ForecastArgs),
}

#[derive(Debug, Args)]
pub struct ForecastArgs {
    /// Customers active at the same time, as `ocache status` counts them
    #[arg(long, value_name = "N", value_parser = parse_some)]
    pub active_users: f64,
    /// Quotes a minute, of all customers together
    #[arg(long, value_name = "N", value_parser = parse_some)]
    pub quotes_a_minute: f64,
    /// Number of products
    #[arg(long, value_name = "N", default_value = "1000", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub products: u64,
    /// Number of discounts of each customer
    #[arg(long, value_name = "N", default_value = "20", value_parser = clap::value_parser!(u64).range(..=10_000))]
    pub discounts: u64,
    #[command(flatten)]
    pub terms: TermsArgs,
    /// Number of products in a quote
    #[arg(long, value_name = "N", default_value = "5", value_parser = clap::value_parser!(u32).range(1..=400))]
    pub lines: u32,
    /// Changes a day of the prices of a table; 0.05 is one table in twenty each day
    #[arg(long, value_name = "N", default_value = "1", value_parser = parse_rate)]
    pub changes_a_day: f64,
    /// How long a customer stays active after a visit
    #[arg(long, value_name = "TIME", env = "OCACHE_TTL", value_parser = parse_duration, default_value = "5m")]
    pub ttl: Duration,
    /// Time between two scheduled calculations of an active customer's table
    #[arg(long, value_name = "TIME", env = "OCACHE_REFRESH_EVERY", value_parser = parse_duration, default_value = "1m")]
    pub refresh_every: Duration,
    /// How long a function takes for a batch of ten calculations, at most 30s
    #[arg(long, value_name = "TIME", value_parser = parse_calculation_time, default_value = "100ms")]
    pub calculation_time: Duration,
    /// Functions or processes that calculate; each reads the shared base once an hour
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub workers: u32,
    /// All functions or processes; each records its usage once a minute
    #[arg(long, value_name = "N", default_value = "5", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub processes: u32,
    /// Empty receives a minute; Lambda makes 15 for each of the three queues
    #[arg(long, value_name = "N", default_value = "45", value_parser = parse_rate)]
    pub polls_a_minute: f64,
    /// Open websockets [default: one for each active customer]
    #[arg(long, value_name = "N", value_parser = parse_rate)]
    pub websockets: Option<f64>,
    /// List prices of AWS to use instead of those built in
    #[arg(long, value_name = "FILE", value_parser = path())]
    pub price_list: Option<PathBuf>,
}

/// Parses a number greater than zero.
fn parse_some(text: &str) -> Result<f64, String> {
    let number: Option<f64> = text.parse().ok().filter(|number| (0.001..=1e9).contains(number));
    number.ok_or_else(|| format!("`{text}` is not a number from 0.001 to a thousand million"))
}

fn parse_rate(text: &str) -> Result<f64, String> {
    if text.parse() == Ok(0.0) { Ok(0.0) } else { parse_some(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_within_reason() {
        assert_eq!((parse_some("0.5"), parse_rate("0")), (Ok(0.5), Ok(0.0)));
        for bad in ["0", "-1", "NaN", "inf", "1e10", "many"] {
            assert!(parse_some(bad).is_err(), "{bad}");
        }
        assert!(parse_rate("-1").is_err());
    }
}
