//! The arguments of `ocache backup` and `ocache restore`.

use std::path::PathBuf;

use clap::Args;

use super::super::paths::path;

#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The file to write; it must not exist
    #[arg(value_name = "FILE", value_parser = path())]
    pub file: PathBuf,
    /// Be the process that copies for another one
    #[arg(long, hide = true)]
    pub copier: bool,
}

#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The file that `ocache backup` has written
    #[arg(value_name = "FILE", value_parser = path())]
    pub file: PathBuf,
    /// Replace an existing store without asking
    #[arg(long, short)]
    pub yes: bool,
}
