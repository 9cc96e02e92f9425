//! The arguments of `ocache load` and `ocache generate`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::super::paths::path;
use crate::data::{Delimiter, NamedColumn, TextEncoding};
use crate::pricing::Currency;

#[derive(Debug, Args)]
pub struct LoadArgs {
    /// Files, or folders of files; - is standard input
    #[arg(required_unless_present = "template", value_name = "PATH", value_parser = path())]
    pub paths: Vec<PathBuf>,
    /// Remove stored rows that the files do not name; of the kinds that the files contain
    #[arg(long)]
    pub prune: bool,
    /// Show what would change, and for whom; write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Write each price that would change to FILE; a .csv or an .ndjson
    #[arg(long, value_name = "FILE", requires = "dry_run", value_parser = path())]
    pub changes: Option<PathBuf>,
    /// Currency [default: the stored one, else USD]; of prices that name none
    #[arg(long, value_name = "CODE")]
    pub currency: Option<Currency>,
    /// Keep own rows that the files do not name; otherwise a customer's whole list is replaced
    #[arg(long, conflicts_with = "prune")]
    pub merge: bool,
    /// Load again whenever a file changes; runs until Ctrl-C
    #[arg(long, conflicts_with = "dry_run")]
    pub watch: bool,
    /// Write empty files with every column to DIR; load nothing
    #[arg(
        long,
        value_names = ["FORMAT", "DIR"],
        num_args = 2,
        conflicts_with_all = ["paths", "prune", "merge", "dry_run", "watch", "currency", "layout"]
    )]
    pub template: Option<Vec<String>>,
    #[command(flatten)]
    pub layout: LayoutArgs,
}

/// The layout of the files, as far as their content does not show it.
#[derive(Debug, Args)]
#[group(id = "layout", multiple = true)]
#[command(next_help_heading = "Layout of the files (also [load] in ocache.toml)")]
pub struct LayoutArgs {
    /// Separator of fields in CSV: comma, semicolon, tab or pipe [default: comma]
    #[arg(long, value_name = "NAME")]
    pub delimiter: Option<Delimiter>,
    /// Numbers in CSV have a decimal comma; such as 12,50 or 1.234,50
    #[arg(long)]
    pub decimal_comma: bool,
    /// Quoted fields of CSV may have line breaks
    #[arg(long)]
    pub line_breaks: bool,
    /// Encoding, such as windows-1252 [default: utf-8]; of files without a byte order mark
    #[arg(long, value_name = "NAME")]
    pub encoding: Option<TextEncoding>,
    /// Read COLUMN as a FIELD of ocache, such as sku=id; also for fields of JSON
    #[arg(long, value_name = "COLUMN=FIELD")]
    pub map: Vec<NamedColumn>,
    /// Leave out a column or JSON field
    #[arg(long, value_name = "COLUMN")]
    pub ignore: Vec<String>,
    /// Leave out all unknown columns and JSON fields; lists them
    #[arg(long)]
    pub ignore_unknown: bool,
}

#[derive(Debug, Args)]
pub struct GenerateArgs {
    /// Folder to write to
    #[arg(value_name = "DIR", value_parser = path())]
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
    /// Number of tiers in the ladders of those lists
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
    /// Overwrite files of the same names
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
