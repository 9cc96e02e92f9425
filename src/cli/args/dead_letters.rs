//! The arguments of `ocache dead-letters`.

use clap::{Args, Subcommand, ValueEnum};

/// What can be done with dead letters.
#[derive(Debug, Subcommand)]
pub enum DeadLettersCommand {
    /// List failed messages
    List {
        /// Only messages of this queue
        #[arg(long)]
        queue: Option<QueueName>,
        /// At most this many of each queue
        #[arg(long, value_name = "N", default_value = "100")]
        limit: usize,
    },
    /// Show one failed message in full
    Show {
        /// Its id
        id: String,
    },
    /// Send failed messages to their queue again
    Redrive(SelectionArgs),
    /// Discard failed messages
    Drop(SelectionArgs),
}

/// Which dead letters.
#[derive(Debug, Args)]
pub struct SelectionArgs {
    /// Their ids
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    pub ids: Vec<String>,
    /// All of them
    #[arg(long)]
    pub all: bool,
    /// Only messages of this queue
    #[arg(long)]
    pub queue: Option<QueueName>,
}

/// A queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum QueueName {
    /// Scheduled calculations
    Refresh,
    /// Urgent calculations
    Quotation,
    /// Quotations to answer
    Provider,
}
