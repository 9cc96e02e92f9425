//! What can be typed. Nothing is decided here: see [`super::settings`].

mod access;
mod bench;
mod config;
mod cost;
mod data;
mod dead_letters;
mod examples;
mod global;
mod ids;
mod policy;
mod process;
mod shell;
mod simulate;
mod tokens;
mod verify;
mod websocket;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::engine::ArgValueCompleter;

use super::known::{complete_product, complete_user};
use crate::model::{Item, ProductId, Quantity, RequestId, UserId, parse_duration};
use crate::protocol::parse_item;
use crate::stages::Setting;
use crate::tokens::Token;
use ids::{stored_product, stored_request, stored_user};

pub use access::AccessArgs;
#[cfg(feature = "aws")]
pub use access::UserArgs;
pub use bench::BenchArgs;
pub use config::{ConfigArgs, ConfigCommand, ConfigSetArgs, ROUNDING, SetKey, UNIT_DECIMALS};
pub use cost::{CostArgs, CostCommand, ForecastArgs};
pub use data::{DataFormat, GenerateArgs, LoadArgs};
pub use dead_letters::{DeadLettersArgs, DeadLettersCommand, QueueName, SelectionArgs};
pub use global::{Backend, Color, DEFAULT_STACK, Format, Global, LogFormat};
pub use policy::PolicyArgs;
pub use process::{MemoryArgs, MetricsArgs, SlotArgs};
pub use shell::{CompletionsArgs, ManArgs};
pub use simulate::{OnChange, SimulateArgs, SyntheticRhythm};
pub use tokens::{KeysArgs, KeysCommand, KeysCommandArgs, RotateArgs, TokenArgs};
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
    /// The quickest way to see ocache work, and all that one machine needs. Creates the store, loads
    /// the fixtures when there are no products, and runs the schedule, all workers and the gateway
    /// until Ctrl-C.
    #[command(after_help = examples::UP)]
    Up(UpArgs),
    /// Load products, customers, price lists and discounts from files
    ///
    /// Prices are calculated from what was loaded, so this is how a change of prices begins. Products,
    /// customers and price lists are upserted, rows of price lists are merged, a user's own list is
    /// replaced. Files are checked whole before anything is written. JSON, NDJSON, CSV and DynamoDB
    /// batch-write JSON are told apart by their content.
    #[command(after_help = examples::LOAD)]
    Load(LoadArgs),
    /// Make large data files from a seed
    ///
    /// To try ocache at your own size before your own data is at hand. The same seed makes the same
    /// files.
    #[command(after_help = examples::GENERATE)]
    Generate(GenerateArgs),
    /// Make users active, so that their price tables are kept warm
    ///
    /// A quote does the same. Subscribing ahead, for instance when somebody logs in, makes the first
    /// quote a warm one.
    #[command(after_help = examples::SUBSCRIBE)]
    Subscribe(SubscribeArgs),
    /// Let users expire now
    ///
    /// A user who stops coming expires anyway; this spares the calculations until then.
    #[command(after_help = examples::UNSUBSCRIBE)]
    Unsubscribe(UnsubscribeArgs),
    /// Run one role in the foreground
    ///
    /// Roles in processes of their own can be watched, stopped and multiplied one by one; `ocache up`
    /// runs all of them in one.
    #[command(after_help = examples::WORKER)]
    Worker(WorkerArgs),
    /// Run the gateway: the page, websockets, PUT /subscribe, /health, /metrics
    ///
    /// Where clients connect, on this machine's loopback; put a reverse proxy before it for others.
    /// Answers come from workers, or from here with --with-provider.
    #[command(after_help = examples::SERVE)]
    Serve(ServeArgs),
    /// Ask for a quotation, or for many in a session
    ///
    /// What a client does over the websocket, from the terminal. Uses the gateway of this store that is
    /// running, or starts one inside this process. Without products it is a session: each line, such
    /// as P1:2 P3:1, is a quote. A product with a blank in its id stands in quotation marks there, as
    /// in "a b":2. If the lines come from a file or a pipe, the session ends with the largest exit code
    /// of its lines. A quote that gives no price for any product ends with exit code 4.
    #[command(after_help = examples::QUOTE)]
    Quote(QuoteArgs),
    /// Show a past quotation
    ///
    /// An answer is stored as it was given, for as long as --keep-quotations says (seven days), so that a
    /// price can be shown to have been quoted.
    #[command(after_help = examples::QUOTATION)]
    Quotation(QuotationArgs),
    /// Show a user's stored price table
    ///
    /// The table that quotes are answered from: every product at this user's price.
    #[command(after_help = examples::PRICES)]
    Prices(PricesArgs),
    /// Show active users, tables, queues and dead letters
    ///
    /// Whether the cache does its work: who is kept warm and for how long, how old the tables are, and
    /// what waits.
    #[command(after_help = examples::STATUS)]
    Status(StatusArgs),
    /// Show what was used: calls and the units AWS bills, by stage and reason
    ///
    /// Every process that works on the stack writes down what it uses. On AWS that is what the
    /// services report or, where they report nothing, what their rules say; on the embedded store it
    /// is what the same work would have been billed on AWS.
    #[command(after_help = examples::METER)]
    Meter(MeterArgs),
    /// Show what this stack costs on AWS, or forecast it, and whether precomputing pays
    ///
    /// Of the running stack from what the meter saw, scaled to a month; `forecast` from a few numbers
    /// without any stack. Says where the money goes, what another interval or TTL would save, and
    /// whether tables should be precomputed for all users, for some, or for nobody.
    #[command(after_help = examples::COST)]
    Cost(CostArgs),
    /// Measure how fast this stack subscribes, refreshes and quotes
    ///
    /// Figures of your own stack on your own machine are the ones to plan with. Uses the gateway of
    /// this store that is running, or starts everything inside this process. The users it makes up,
    /// their tables and their quotations are removed afterwards; products and discounts are only read.
    #[command(after_help = examples::BENCH)]
    Bench(BenchArgs),
    /// See to the messages that were given up
    ///
    /// A message that fails ten times is put aside, so that it holds nobody else up. Mend the cause,
    /// and send it to its queue again.
    #[command(after_help = examples::DEAD_LETTERS)]
    DeadLetters(DeadLettersArgs),
    /// Make a token that lets a client in where tokens are required
    ///
    /// A token says for which users its bearer may quote. Give one to each client, or a back end one
    /// for all of them.
    #[command(after_help = examples::TOKEN)]
    Token(TokenArgs),
    /// See to the keys that tokens are signed with
    ///
    /// Whoever has a key can make tokens for everybody, so keys are changed from time to time.
    #[command(after_help = examples::KEYS)]
    Keys(KeysCommandArgs),
    /// Replay arrivals against policies: hits, waits, waste, and what AWS would bill
    ///
    /// To choose a TTL and an interval by your own traffic before you pay for them. Nothing is stored
    /// and nobody is called: the stages run in virtual time on an engine in memory. Several times for
    /// --ttl and --refresh-every are tried in all combinations.
    #[command(after_help = examples::SIMULATE)]
    Simulate(SimulateArgs),
    /// Recalculate stored tables and answers independently, and report what differs
    ///
    /// Whether the prices that customers see are right, by another way than the one that made them.
    /// Reads and never writes. Ends with exit code 3 when something is wrong, with --strict also when a
    /// table is stale, outdated, or of other pricing rules.
    #[command(after_help = examples::VERIFY)]
    Verify(VerifyArgs),
    /// Copy the embedded store to a file while it is in use
    ///
    /// Copying the file yourself could tear it. `ocache restore` puts the copy in the place of a store.
    #[command(after_help = examples::BACKUP)]
    Backup(BackupArgs),
    /// Replace the embedded store with a backup
    ///
    /// The backup is copied beside the store and checked; then one rename replaces the store, which is lost. Nothing is
    /// changed while a process has the store open, or when the backup is damaged.
    #[command(after_help = examples::RESTORE)]
    Restore(RestoreArgs),
    /// Check that everything ocache needs is there and as it should be
    ///
    /// The first thing to run when something does not work. Each thing that is wrong is named with the
    /// command that mends it.
    #[command(after_help = examples::DOCTOR)]
    Doctor,
    /// Make the tables, queues and topic of a stack on AWS
    ///
    /// All that workers in the foreground need of an account; `infra/` deploys the functions as well.
    /// A second run changes nothing. What exists with other settings is reported, and changed only with
    /// --fix.
    #[cfg(feature = "aws")]
    #[command(after_help = examples::PROVISION)]
    Provision(ProvisionArgs),
    /// Delete the tables, queues and topic of a stack on AWS, and all that is in them
    ///
    /// The end of what `ocache provision` made. What Terraform made, `terraform destroy` deletes.
    #[cfg(feature = "aws")]
    #[command(after_help = examples::DESTROY)]
    Destroy(DestroyArgs),
    /// Print a shell's completion script
    ///
    /// With it, commands, flags, users and products complete. Those in completions/ are the same.
    #[command(after_help = examples::COMPLETIONS)]
    Completions(CompletionsArgs),
    /// Print a manual page, or write all of them
    ///
    /// The text of --help as `man` shows it. Those in completions/man/ are the same.
    #[command(after_help = examples::MAN)]
    Man(ManArgs),
    /// Show the settings and where each comes from, or set one of the stack
    ///
    /// A setting of a process is a flag, else an environment variable, else a line of ocache.toml, else
    /// the default. A setting of the stack is the same for all its processes: what was set for it, else
    /// the default. `show` says which it was, `set` sets one of the stack.
    Config(ConfigArgs),
}

impl Command {
    /// Whether the command is there to be watched: then its logs are shown without being asked
    /// for.
    #[must_use]
    pub const fn logs_by_default(&self) -> bool {
        matches!(self, Self::Worker(_) | Self::Serve(_))
    }
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
    /// Where metrics are served as well.
    #[command(flatten)]
    pub metrics: MetricsArgs,
    /// The times that stages keep to.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// How much is in hand at once.
    #[command(flatten)]
    pub slots: SlotArgs,
    /// How much is kept in memory.
    #[command(flatten)]
    pub memory: MemoryArgs,
    /// Who may use the gateway, and how much of it.
    #[command(flatten)]
    pub access: AccessArgs,
}

/// Of `ocache subscribe`.
#[derive(Debug, Args)]
pub struct SubscribeArgs {
    /// The users
    #[arg(required = true, value_name = "USER", add = ArgValueCompleter::new(complete_user))]
    pub users: Vec<UserId>,
    /// How long they stay active after this visit [default: the stack's ttl]
    #[arg(long, value_name = "TIME", env = "OCACHE_TTL", value_parser = policy::of(Setting::Ttl))]
    pub ttl: Option<String>,
}

/// Of `ocache unsubscribe`.
#[derive(Debug, Args)]
pub struct UnsubscribeArgs {
    /// The users
    #[arg(required = true, value_name = "USER", value_parser = stored_user, add = ArgValueCompleter::new(complete_user))]
    pub users: Vec<UserId>,
}

/// Of `ocache worker`.
#[derive(Debug, Args)]
pub struct WorkerArgs {
    /// What this process does
    pub role: WorkerRole,
    /// Where metrics are served.
    #[command(flatten)]
    pub metrics: MetricsArgs,
    /// The times that stages keep to.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// How much is in hand at once.
    #[command(flatten)]
    pub slots: SlotArgs,
    /// How much is kept in memory.
    #[command(flatten)]
    pub memory: MemoryArgs,
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
    /// Where metrics are served as well.
    #[command(flatten)]
    pub metrics: MetricsArgs,
    /// The times that stages keep to.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// How much is kept in memory.
    #[command(flatten)]
    pub memory: MemoryArgs,
    /// Who may use the gateway, and how much of it.
    #[command(flatten)]
    pub access: AccessArgs,
}

/// Of `ocache quote`.
#[derive(Debug, Args)]
pub struct QuoteArgs {
    /// Whose prices
    #[arg(long, visible_alias = "user", value_name = "USER", add = ArgValueCompleter::new(complete_user))]
    pub client: UserId,
    /// Products and quantities, such as P1:2; without any it is a session
    #[arg(value_name = "PRODUCT[:QUANTITY]", value_parser = parse_item, add = ArgValueCompleter::new(complete_product))]
    pub items: Vec<Item>,
    /// Websocket to use instead of this store's gateway
    #[arg(long, value_name = "URL", value_parser = websocket::parse_websocket)]
    pub url: Option<String>,
    /// Token to show to the gateway [default: one is made where the keys can be read]
    #[arg(long, value_name = "TOKEN", env = "OCACHE_TOKEN", hide_env_values = true)]
    pub token: Option<Token>,
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
    #[arg(value_name = "ID", value_parser = stored_request)]
    pub request_id: RequestId,
    /// Whose quotation; needed for ids that the client chose
    #[arg(long, visible_alias = "user", value_name = "USER", value_parser = stored_user, add = ArgValueCompleter::new(complete_user))]
    pub client: Option<UserId>,
}

/// Of `ocache prices`.
#[derive(Debug, Args)]
pub struct PricesArgs {
    /// Whose table
    #[arg(value_name = "USER", value_parser = stored_user, add = ArgValueCompleter::new(complete_user))]
    pub user: UserId,
    /// Only this product; may be given more than once
    #[arg(long, value_name = "ID", value_parser = stored_product, add = ArgValueCompleter::new(complete_product))]
    pub product: Vec<ProductId>,
    /// What one costs of this many; one, or the least that is sold, if not given
    #[arg(long, value_name = "QUANTITY")]
    pub quantity: Option<Quantity>,
    /// Every row that the price of a product was looked for in, and why it counts or not
    #[arg(long, requires = "product")]
    pub explain: bool,
}

/// Of `ocache status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Show it again and again, at this interval, until Ctrl-C
    #[arg(long, value_name = "TIME", value_parser = parse_duration, num_args = 0..=1, default_missing_value = "1s")]
    pub watch: Option<Duration>,
}

/// Of `ocache meter`.
#[derive(Debug, Args)]
pub struct MeterArgs {
    /// How far to look back; usage is kept for a week, in steps of five minutes
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "1h")]
    pub over: Duration,
}

/// Of `ocache backup`.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The file to write; it must not exist
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Be the process that copies for another one
    #[arg(long, hide = true)]
    pub copier: bool,
}

/// Of `ocache restore`.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The file that `ocache backup` has written
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Replace a store that exists without asking
    #[arg(long, short)]
    pub yes: bool,
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
    /// What the stack's record is set to.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// The same of gateways.
    #[command(flatten)]
    pub users: UserArgs,
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
