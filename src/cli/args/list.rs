//! The arguments of `ocache list` and `ocache export`.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::examples;
use super::ids::{stored_product, stored_user};
use crate::model::{CustomerGroup, ProductId, UserId, parse_duration};
use crate::pricing::Category;

/// What can be listed.
#[derive(Debug, Subcommand)]
pub enum ListCommand {
    /// List products
    #[command(after_help = examples::LIST_PRODUCTS)]
    Products(ListProductsArgs),
    /// List customers
    ///
    /// These are the customers whose currency or groups were loaded. `ocache status` shows the active ones.
    #[command(after_help = examples::LIST_CUSTOMERS)]
    Customers(ListCustomersArgs),
    /// List customers' own discounts and prices
    #[command(after_help = examples::LIST_DISCOUNTS)]
    Discounts(ListDiscountsArgs),
    /// List price lists, without their rows
    #[command(after_help = examples::LIST_PRICE_LISTS)]
    PriceLists(ListPriceListsArgs),
    /// List past quotations; with --limit, the latest ones first
    #[command(after_help = examples::LIST_QUOTATIONS)]
    Quotations(ListQuotationsArgs),
}

/// What every list takes.
#[derive(Debug, Args)]
pub struct LimitArgs {
    /// At most this many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
}

#[derive(Debug, Args)]
pub struct ListProductsArgs {
    /// Only products with this text in their id or name, in upper or lower case
    #[arg(long = "match", value_name = "TEXT")]
    pub text: Option<String>,
    /// Only products in this category or below it
    #[arg(long, value_name = "CATEGORY")]
    pub category: Option<Category>,
    #[command(flatten)]
    pub limit: LimitArgs,
}

#[derive(Debug, Args)]
pub struct ListCustomersArgs {
    /// Only customers with this text in their id, in upper or lower case
    #[arg(long = "match", value_name = "TEXT")]
    pub text: Option<String>,
    /// Only customers in this group
    #[arg(long, value_name = "GROUP")]
    pub group: Option<CustomerGroup>,
    #[command(flatten)]
    pub limit: LimitArgs,
}

#[derive(Debug, Args)]
pub struct ListDiscountsArgs {
    /// Only those of this customer
    #[arg(long, visible_alias = "user", value_name = "USER", value_parser = stored_user)]
    pub client: Option<UserId>,
    /// Only those for this product
    #[arg(long, value_name = "ID", value_parser = stored_product)]
    pub product: Option<ProductId>,
    #[command(flatten)]
    pub limit: LimitArgs,
}

#[derive(Debug, Args)]
pub struct ListPriceListsArgs {
    /// Only price lists with this text in their id, in upper or lower case
    #[arg(long = "match", value_name = "TEXT")]
    pub text: Option<String>,
    /// Only price lists that this customer has
    #[arg(long, visible_alias = "user", value_name = "USER", value_parser = stored_user)]
    pub client: Option<UserId>,
    #[command(flatten)]
    pub limit: LimitArgs,
}

#[derive(Debug, Args)]
pub struct ListQuotationsArgs {
    /// Only those of this customer
    #[arg(long, visible_alias = "user", value_name = "USER", value_parser = stored_user)]
    pub client: Option<UserId>,
    /// Only those with this status
    #[arg(long)]
    pub status: Option<StatusName>,
    /// How far to look back [default: as far as quotations are kept]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub over: Option<Duration>,
    #[command(flatten)]
    pub limit: LimitArgs,
}

/// How a quotation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StatusName {
    /// Not answered yet
    Pending,
    /// Answered with prices
    Answered,
    /// Failed, with a reason
    Failed,
}

/// What can be exported.
#[derive(Debug, Subcommand)]
pub enum ExportCommand {
    /// Print past quotations as a trace for `ocache simulate`
    ///
    /// The trace is CSV with the columns time, customer and lines: who asked when, and for how many
    /// products. `ocache simulate` replays it, so that you can see whether the cache pays for your own
    /// customers. --output does not change the format.
    #[command(after_help = examples::EXPORT_QUOTATIONS)]
    Quotations(ExportQuotationsArgs),
}

#[derive(Debug, Args)]
pub struct ExportQuotationsArgs {
    /// How far to look back [default: as far as quotations are kept]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub over: Option<Duration>,
}
