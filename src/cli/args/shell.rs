//! The arguments of commands for shells and readers of manuals.

use std::path::PathBuf;

use clap::Args;
use clap_complete::engine::ArgValueCandidates;
use clap_complete::{CompletionCandidate, Shell};

use super::super::paths::path;
use super::groups::GROUPS;

/// The topics of `ocache help` that are not commands.
pub const TOPICS: [&str; 3] = ["globals", "settings", "exit-codes"];

#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: Shell,
}

#[derive(Debug, Args)]
pub struct ManArgs {
    /// Page of this command [default: the page of ocache]
    #[arg(value_name = "COMMAND", conflicts_with = "dir")]
    pub command: Option<String>,
    /// Write every page into this folder instead
    #[arg(long, value_name = "DIR", value_parser = path())]
    pub dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct HelpArgs {
    /// A command, with its subcommand if it has some, or a topic [default: the list of commands]
    #[arg(value_name = "COMMAND", add = ArgValueCandidates::new(topics))]
    pub topic: Vec<String>,
}

/// Returns the words that `ocache help` accepts, for completion.
fn topics() -> Vec<CompletionCandidate> {
    let commands = GROUPS.iter().flat_map(|(_, names)| names.iter().copied());
    commands.chain(TOPICS).map(Into::into).collect()
}
