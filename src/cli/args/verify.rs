//! Of `ocache verify`.

use clap::Args;

use super::ids::{stored_request, stored_user};
use crate::model::{RequestId, UserId};

/// Of `ocache verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// So many tables and so many of the last answers at most
    #[arg(long, value_name = "N", default_value = "1000", conflicts_with = "all")]
    pub sample: usize,
    /// Every table and every answer
    #[arg(long)]
    pub all: bool,
    /// Fail also for what is stale, outdated or of other pricing rules
    #[arg(long)]
    pub strict: bool,
    /// Explain this one answer, line by line, from what was stored with it
    #[arg(long, value_name = "ID", value_parser = stored_request, conflicts_with_all = ["sample", "all", "strict"])]
    pub quotation: Option<RequestId>,
    /// Whose quotation; needed for ids that the client chose
    #[arg(long, visible_alias = "user", value_name = "USER", value_parser = stored_user, requires = "quotation")]
    pub client: Option<UserId>,
}
