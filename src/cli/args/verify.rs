//! The arguments of `ocache verify`.

use clap::Args;

use super::ids::{stored_request, stored_user};
use crate::model::{RequestId, UserId};

#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// At most this many tables and this many of the latest answers
    #[arg(long, value_name = "N", default_value = "1000", conflicts_with = "all")]
    pub sample: usize,
    /// Every table and every answer
    #[arg(long)]
    pub all: bool,
    /// Also fail for tables that are stale, outdated or made by another version of the rules
    #[arg(long)]
    pub strict: bool,
    /// Explain this answer line by line, from what was stored with it
    #[arg(long, value_name = "ID", value_parser = stored_request, conflicts_with_all = ["sample", "all", "strict"])]
    pub quotation: Option<RequestId>,
    /// The customer; required for ids that a client chose
    #[arg(long, visible_alias = "user", value_name = "USER", value_parser = stored_user, requires = "quotation")]
    pub client: Option<UserId>,
}
