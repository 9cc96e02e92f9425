//! The arguments of `ocache provision` and `ocache destroy`.

use clap::Args;

use super::{PolicyArgs, UserArgs};

#[derive(Debug, Args)]
pub struct ProvisionArgs {
    /// Also change settings that differ
    #[arg(long)]
    pub fix: bool,
    /// Only show what would be done
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    #[command(flatten)]
    pub policy: PolicyArgs,
    #[command(flatten)]
    pub users: UserArgs,
}

#[derive(Debug, Args)]
pub struct DestroyArgs {
    /// Only show what would be deleted
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}
