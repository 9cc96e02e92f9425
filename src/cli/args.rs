//! What can be typed. Nothing is decided here: see [`super::settings`].

mod access;
mod global;
mod simulate;
mod verify;
mod websocket;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::duration::parse_duration;
use crate::model::{Item, ProductId, RequestId, UserId};
use crate::pricing::Currency;
use crate::protocol::parse_item;

pub use access::AccessArgs;
pub use global::{Backend, Format, Global};
pub use simulate::{OnChange, SimulateArgs, SyntheticRhythm};
pub use verify::VerifyArgs;

/// An organic price cache: price tables are kept warm only for the customers who use them.
#[derive(Debug, Parser)]
#[command(name = "ocache", version, arg_required_else_help = true, after_help = AFTER_HELP)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

const AFTER_HELP: &str = "\
Start here:
  ocache up                                  the whole system in one process
  ocache quote --client AAA P1:2 P3:1        a quote, from another terminal

Exit codes: 0 ok, 1 failure, 2 usage, 3 bad data, 4 not found, 5 timed out, 6 unreachable,
7 denied, 130 interrupted before a result.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the whole system in one process
    ///
    /// Creates the store, loads the fixtures when there are no products, and runs the schedule,
    /// all workers and the gateway until Ctrl-C.
    Up(UpArgs),
    /// Load products and discounts from files
    ///
    /// Products are upserted, a user's list of discounts is replaced. Files are checked whole
    /// before anything is written. JSON arrays, NDJSON, CSV and DynamoDB batch-write JSON are
    /// told apart by their content.
    Load(LoadArgs),
    /// Make large data files from a seed
    Generate(GenerateArgs),
    /// Make users active, so that their price tables are kept warm
    Subscribe(SubscribeArgs),
    /// Let users expire now
    Unsubscribe(UnsubscribeArgs),
    /// Run one role in the foreground
    Worker(WorkerArgs),
    /// Run the gateway: websockets, PUT /subscribe, /health
    Serve(ServeArgs),
    /// Ask for a quotation, or for many in a session
    ///
    /// Uses the gateway of this store that is running, or starts one inside this process. Without
    /// products it is a session: each line, such as P1:2 P3:1, is a quote.
    Quote(QuoteArgs),
    /// Show a past quotation
    Quotation(QuotationArgs),
    /// Show a user's stored price table
    Prices(PricesArgs),
    /// Show active users, tables, queues and dead letters
    Status,
    /// See to the messages that were given up
    DeadLetters(DeadLettersArgs),
    /// Replay arrivals against policies: hits, waits, waste, and what AWS would bill
    ///
    /// Nothing is stored and nobody is called: the stages run in virtual time on an engine in
    /// memory. Several times for --ttl and --refresh-every are tried in all combinations.
    Simulate(SimulateArgs),
    /// Recalculate stored tables and answers independently, and report what differs
    ///
    /// Reads and never writes. Ends with exit code 3 when something is wrong, with --strict also
    /// when a table is stale, outdated, or of other pricing rules.
    Verify(VerifyArgs),
    /// Copy the embedded store to a file while it is in use
    Backup(BackupArgs),
    /// Check that everything ocache needs is there and as it should be
    Doctor,
    /// Make the tables, queues and topic of a stack on AWS
    ///
    /// A second run changes nothing. What exists with other settings is reported, and changed only
    /// with --fix.
    #[cfg(feature = "aws")]
    Provision(ProvisionArgs),
    /// Delete the tables, queues and topic of a stack on AWS, and all that is in them
    #[cfg(feature = "aws")]
    Destroy(DestroyArgs),
    /// Print a shell's completion script
    Completions(CompletionsArgs),
}

impl Command {
    /// Whether the command is there to be watched: then its logs are shown without being asked
    /// for.
    #[must_use]
    pub const fn logs_by_default(&self) -> bool {
        matches!(self, Self::Worker(_) | Self::Serve(_))
    }
}

/// The times that stages keep to.
#[derive(Clone, Debug, Args)]
pub struct PolicyArgs {
    /// How long a user stays active after a visit
    #[arg(long, value_name = "TIME", env = "OCACHE_TTL", value_parser = parse_duration, default_value = "5m")]
    pub ttl: Duration,
    /// The time between two scheduled calculations of an active user's table
    #[arg(long, value_name = "TIME", env = "OCACHE_REFRESH_EVERY", value_parser = parse_duration, default_value = "1m")]
    pub refresh_every: Duration,
    /// How long a table answers quotes when nothing refreshes it; at least three intervals
    #[arg(long, value_name = "TIME", env = "OCACHE_USABLE_FOR", value_parser = parse_duration, default_value = "15m")]
    pub usable_for: Duration,
    /// How long a quotation may take before it fails
    #[arg(long, value_name = "TIME", env = "OCACHE_QUOTE_WITHIN", value_parser = parse_duration, default_value = "30s")]
    pub quote_within: Duration,
}

/// How many messages one worker has in hand.
#[derive(Clone, Copy, Debug, Args)]
pub struct SlotArgs {
    /// Scheduled calculations in hand at most
    #[arg(long, value_name = "N", default_value = "20", value_parser = clap::value_parser!(u16).range(1..))]
    pub refresh_slots: u16,
    /// Urgent calculations in hand at most; scheduled ones never take these slots
    #[arg(long, value_name = "N", default_value = "20", value_parser = clap::value_parser!(u16).range(1..))]
    pub urgent_slots: u16,
    /// Quotations in hand at most
    #[arg(long, value_name = "N", default_value = "100", value_parser = clap::value_parser!(u16).range(1..))]
    pub provider_slots: u16,
}

/// Of `ocache up`.
#[derive(Debug, Args)]
pub struct UpArgs {
    /// Port of the gateway on loopback; 0 is any free one
    #[arg(long, value_name = "PORT", env = "OCACHE_PORT", default_value = "7070")]
    pub port: u16,
    /// Begin with an empty store: everything that is in it is deleted
    #[arg(long)]
    pub fresh: bool,
    /// On AWS, make what is missing of the stack first
    #[cfg(feature = "aws")]
    #[arg(long)]
    pub provision: bool,
    /// The times that stages keep to.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// How much is in hand at once.
    #[command(flatten)]
    pub slots: SlotArgs,
    /// Who may use the gateway, and how much of it.
    #[command(flatten)]
    pub access: AccessArgs,
}

/// Of `ocache load`.
#[derive(Debug, Args)]
pub struct LoadArgs {
    /// Files, or folders of files
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Remove stored products that the files do not name; the same for users' discounts
    #[arg(long)]
    pub prune: bool,
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
    /// How many products
    #[arg(long, value_name = "N", default_value = "10000")]
    pub products: u64,
    /// How many users with discounts
    #[arg(long, value_name = "N", default_value = "100")]
    pub users: u64,
    /// How many discounts each of them has
    #[arg(long, value_name = "N", default_value = "100")]
    pub discounts: u64,
    /// Currency of the prices
    #[arg(long, value_name = "CODE", default_value = "USD")]
    pub currency: Currency,
    /// Form of the files
    #[arg(long, value_name = "FORMAT", default_value = "ndjson")]
    pub format: DataFormat,
    /// Overwrite files that are there
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

/// Of `ocache subscribe`.
#[derive(Debug, Args)]
pub struct SubscribeArgs {
    /// The users
    #[arg(required = true, value_name = "USER")]
    pub users: Vec<UserId>,
    /// How long they stay active
    #[arg(long, value_name = "TIME", env = "OCACHE_TTL", value_parser = parse_duration, default_value = "5m")]
    pub ttl: Duration,
}

/// Of `ocache unsubscribe`.
#[derive(Debug, Args)]
pub struct UnsubscribeArgs {
    /// The users
    #[arg(required = true, value_name = "USER")]
    pub users: Vec<UserId>,
}

/// Of `ocache worker`.
#[derive(Debug, Args)]
pub struct WorkerArgs {
    /// What this process does
    pub role: WorkerRole,
    /// The times that stages keep to.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// How much is in hand at once.
    #[command(flatten)]
    pub slots: SlotArgs,
}

/// What a worker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WorkerRole {
    /// Order a calculation for every active user at every tick
    Refresh,
    /// Calculate price tables, urgent ones first
    PriceCalc,
    /// Answer quotations
    QuotationProvider,
    /// All of these
    All,
}

/// Of `ocache serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Port of the gateway on loopback; 0 is any free one
    #[arg(long, value_name = "PORT", env = "OCACHE_PORT", default_value = "7070")]
    pub port: u16,
    /// Answer quotations as well, without a worker for it
    #[arg(long)]
    pub with_provider: bool,
    /// The times that stages keep to.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// Who may use the gateway, and how much of it.
    #[command(flatten)]
    pub access: AccessArgs,
}

/// Of `ocache quote`.
#[derive(Debug, Args)]
pub struct QuoteArgs {
    /// Whose prices
    #[arg(long, visible_alias = "user", value_name = "USER")]
    pub client: UserId,
    /// Products and quantities, such as P1:2; without any it is a session
    #[arg(value_name = "PRODUCT[:QUANTITY]", value_parser = parse_item)]
    pub items: Vec<Item>,
    /// Websocket to use instead of this store's gateway
    #[arg(long, value_name = "URL", value_parser = websocket::parse_websocket)]
    pub url: Option<String>,
    /// Name of the quote, to repeat it safely [default: made by ocache]
    #[arg(long, value_name = "ID")]
    pub request_id: Option<RequestId>,
    /// How long to wait for the answer
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "35s")]
    pub timeout: Duration,
    /// The times that stages keep to.
    #[command(flatten)]
    pub policy: PolicyArgs,
}

/// Of `ocache quotation`.
#[derive(Debug, Args)]
pub struct QuotationArgs {
    /// Its request id
    #[arg(value_name = "ID")]
    pub request_id: RequestId,
    /// Whose quotation; needed for ids that the client chose
    #[arg(long, visible_alias = "user", value_name = "USER")]
    pub client: Option<UserId>,
}

/// Of `ocache prices`.
#[derive(Debug, Args)]
pub struct PricesArgs {
    /// Whose table
    #[arg(value_name = "USER")]
    pub user: UserId,
    /// Only this product; may be given more than once
    #[arg(long, value_name = "ID")]
    pub product: Vec<ProductId>,
}

/// Of `ocache dead-letters`.
#[derive(Debug, Args)]
pub struct DeadLettersArgs {
    /// What to do with them.
    #[command(subcommand)]
    pub command: DeadLettersCommand,
}

/// What can be done with dead letters.
#[derive(Debug, Subcommand)]
pub enum DeadLettersCommand {
    /// List them
    List {
        /// Only those of this queue
        #[arg(long)]
        queue: Option<QueueName>,
        /// So many of each queue at most
        #[arg(long, value_name = "N", default_value = "100")]
        limit: usize,
    },
    /// Show one whole
    Show {
        /// Its id
        id: String,
    },
    /// Send them to their queue again
    Redrive(SelectionArgs),
    /// Delete them
    Drop(SelectionArgs),
}

/// Which dead letters.
#[derive(Debug, Args)]
pub struct SelectionArgs {
    /// Their ids
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    pub ids: Vec<String>,
    /// Every one
    #[arg(long)]
    pub all: bool,
    /// Only those of this queue
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

/// Of `ocache backup`.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The file to write; it must not exist
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// Of `ocache provision`.
#[cfg(feature = "aws")]
#[derive(Debug, Args)]
pub struct ProvisionArgs {
    /// Also set what differs
    #[arg(long)]
    pub fix: bool,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}

/// Of `ocache destroy`.
#[cfg(feature = "aws")]
#[derive(Debug, Args)]
pub struct DestroyArgs {
    /// Only say what would be deleted
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}

/// Of `ocache completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: Shell,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_tree_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn everything_has_help() {
        fn check(command: &clap::Command) {
            for argument in command.get_arguments() {
                let name = (command.get_name(), argument.get_id());
                assert!(argument.get_help().is_some(), "{name:?} has no help");
            }
            for command in command.get_subcommands() {
                assert!(command.get_about().is_some(), "{} has no help", command.get_name());
                check(command);
            }
        }
        check(&Cli::command());
    }
}
