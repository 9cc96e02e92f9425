//! What is loaded and generated.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::pricing::Currency;

/// Of `ocache load`.
#[derive(Debug, Args)]
pub struct LoadArgs {
    /// Files, or folders of files
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Remove stored records that the files do not name, of the kinds that the files contain
    #[arg(long)]
    pub prune: bool,
    /// Show what would change, also for active customers, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Write each price that would change to FILE, a .csv or an .ndjson
    #[arg(long, value_name = "FILE", requires = "dry_run")]
    pub changes: Option<PathBuf>,
    /// Currency of the prices [default: that of the stored prices, else USD]
    #[arg(long, value_name = "CODE")]
    pub currency: Option<Currency>,
}

/// Of `ocache generate`.
#[derive(Debug, Args)]
pub struct GenerateArgs {
    /// Folder to write to
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// The same seed makes the same files
    #[arg(long, value_name = "N", default_value = "1")]
    pub seed: u64,
    /// Number of products
    #[arg(long, value_name = "N", default_value = "10000")]
    pub products: u64,
    /// Number of customers with discounts
    #[arg(long, value_name = "N", default_value = "100")]
    pub users: u64,
    /// Number of discounts of each of them
    #[arg(long, value_name = "N", default_value = "100")]
    pub discounts: u64,
    /// Number of price lists, each for a group of customers and one product in ten
    #[arg(long, value_name = "N", default_value = "0")]
    pub lists: u64,
    /// Number of rungs in the ladders of those lists
    #[arg(long, value_name = "N", default_value = "1")]
    pub tiers: u64,
    /// Currencies of prices and customers, separated by commas
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    pub currencies: Vec<Currency>,
    /// Currency of the catalogue [default: the first of --currencies, else USD]
    #[arg(long, value_name = "CODE")]
    pub currency: Option<Currency>,
    /// Format of the files
    #[arg(long, value_name = "FORMAT", default_value = "ndjson")]
    pub format: DataFormat,
    /// Overwrite existing files
    #[arg(long)]
    pub force: bool,
}

/// Form of data files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DataFormat {
    /// One JSON object a line
    Ndjson,
    /// One JSON array
    Json,
    /// Comma-separated values with a header
    Csv,
}
