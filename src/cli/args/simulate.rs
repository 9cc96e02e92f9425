//! The arguments of `ocache simulate`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::super::paths::path;
use super::terms::TermsArgs;
use crate::model::parse_duration;

/// Details of calculations, generated arrivals and price lists. They do not fit on the screen of
/// `ocache simulate --help`.
pub const SIMULATE_DETAILS: [&str; 10] = [
    "calculation_time",
    "users",
    "quotes_a_day",
    "days",
    "lists",
    "lists_per_user",
    "lists_every",
    "terms",
    "tiers",
    "currencies",
];

#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// Arrivals: CSV with columns time, customer and lines; may be gzipped
    #[arg(value_name = "TRACE", required_unless_present = "synthetic", value_parser = path())]
    pub trace: Option<PathBuf>,
    /// How long a customer stays active; all values given are tried
    #[arg(long, value_name = "TIME", value_parser = parse_duration, value_delimiter = ',', default_value = "5m")]
    pub ttl: Vec<Duration>,
    /// Interval of the schedule; all values given are tried
    #[arg(long, value_name = "TIME", value_parser = parse_duration, value_delimiter = ',', default_value = "1m")]
    pub refresh_every: Vec<Duration>,
    /// Whether a load orders calculations; of the tables of active customers, at once
    #[arg(long, value_name = "WHETHER", default_value = "yes")]
    pub on_change: OnChange,
    /// Also try an adaptive interval up to this; it doubles while a customer's table is unchanged
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub adaptive: Option<Duration>,
    /// Maximum calculations an hour with --adaptive; only scheduled ones count
    #[arg(long, value_name = "N", requires = "adaptive")]
    pub budget: Option<u64>,
    /// How long a table answers without a refresh; at least three intervals
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "15m")]
    pub usable_for: Duration,
    /// Also bill the straightforward design; it reads all products for every message, and writes every
    /// table whole, changed or not
    #[arg(long)]
    pub designs: bool,
    #[command(flatten)]
    pub goods: GoodsArgs,
    #[command(flatten)]
    pub terms: TermsArgs,
    #[command(flatten)]
    pub synthetic: SyntheticArgs,
    /// The same seed gives the same result
    #[arg(long, value_name = "N", default_value = "1")]
    pub seed: u64,
    /// List prices of AWS; used instead of those built in
    #[arg(long, value_name = "FILE", value_parser = path())]
    pub price_list: Option<PathBuf>,
    /// Write the table as CSV too
    #[arg(long, value_name = "FILE", value_parser = path())]
    pub csv: Option<PathBuf>,
    /// Draw cost against hit ratio as SVG
    #[arg(long, value_name = "FILE", value_parser = path())]
    pub plot: Option<PathBuf>,
}

/// What is sold, and what it costs to calculate.
#[derive(Debug, Args)]
pub struct GoodsArgs {
    /// Number of products
    #[arg(long, value_name = "N", default_value = "1000", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub products: u64,
    /// Discounts of each customer
    #[arg(long, value_name = "N", default_value = "20", value_parser = clap::value_parser!(u64).range(..=10_000))]
    pub discounts: u64,
    /// How often prices change; those of one product in a hundred, a time or `never`
    #[arg(long, value_name = "TIME", value_parser = parse_every, default_value = "1d")]
    pub prices_every: Every,
    /// How often discounts change; those of one customer in thirty, a time or `never`
    #[arg(long, value_name = "TIME", value_parser = parse_every, default_value = "1d")]
    pub discounts_every: Every,
    /// How often a price list changes, of one product in a hundred of it; a time or `never`
    #[arg(long, value_name = "TIME", value_parser = parse_every, default_value = "1d")]
    pub lists_every: Every,
    /// How long a batch of ten calculations takes, at most 30s
    #[arg(long, value_name = "TIME", value_parser = parse_calculation_time, default_value = "100ms")]
    pub calculation_time: Duration,
}

/// Who comes when there is no trace.
#[derive(Debug, Args)]
pub struct SyntheticArgs {
    /// Generate arrivals; from the seed, instead of reading a trace
    #[arg(long, value_name = "RHYTHM", conflicts_with = "trace")]
    pub synthetic: Option<SyntheticRhythm>,
    /// Number of customers in generated arrivals
    #[arg(long, value_name = "N", default_value = "1000", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub users: u32,
    /// Average number of quotes a day of each of them
    #[arg(long, value_name = "N", default_value = "4", value_parser = parse_rate)]
    pub quotes_a_day: f64,
    /// Number of days
    #[arg(long, value_name = "N", default_value = "30", value_parser = clap::value_parser!(u32).range(1..=3660))]
    pub days: u32,
}

/// How drawn users come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SyntheticRhythm {
    /// At any time, single quotes
    Poisson,
    /// At any time, several quotes at once
    Sessions,
    /// In sessions that begin during working hours
    Daily,
}

/// Whether loads order calculations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnChange {
    /// A load orders calculations
    Yes,
    /// Only the schedule orders calculations
    No,
    /// Try both
    Both,
}

/// An interval, if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Every(pub Option<Duration>);

fn parse_every(text: &str) -> Result<Every, String> {
    if text == "never" {
        return Ok(Every(None));
    }
    let every = parse_duration(text).map_err(|error| format!("{error}, or `never`"))?;
    if every < Duration::from_secs(1) {
        return Err(format!("`{text}` is less than 1s"));
    }
    Ok(Every(Some(every)))
}

pub(super) fn parse_calculation_time(text: &str) -> Result<Duration, String> {
    let time = parse_duration(text)?;
    if time > Duration::from_secs(30) {
        return Err(format!("`{text}` is more than 30s"));
    }
    Ok(time)
}

fn parse_rate(text: &str) -> Result<f64, String> {
    let rate: Option<f64> = text.parse().ok().filter(|rate| (0.001..=10_000.0).contains(rate));
    rate.ok_or_else(|| format!("`{text}` is not a number from 0.001 to 10000"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_rates_and_never_are_read() {
        assert_eq!(parse_every("never"), Ok(Every(None)));
        assert_eq!(parse_every("1d"), Ok(Every(Some(Duration::from_secs(86_400)))));
        assert!(parse_every("1ms").is_err() && parse_every("often").is_err());
        assert!(parse_calculation_time("31s").is_err() && parse_calculation_time("30s").is_ok());
        assert_eq!(parse_rate("0.5"), Ok(0.5));
        for bad in ["0", "-1", "NaN", "inf", "1e9", "many"] {
            assert!(parse_rate(bad).is_err(), "{bad}");
        }
    }
}
