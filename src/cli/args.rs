//! The definitions of the command line. They only describe what can be typed; [`super::settings`] decides
//! what it means.

mod access;
#[cfg(feature = "aws")]
mod account;
mod backup;
mod bench;
mod config;
mod cost;
mod data;
mod dead_letters;
mod examples;
mod global;
mod groups;
mod ids;
mod list;
mod policy;
mod process;
mod shell;
mod simulate;
mod terms;
mod tokens;
mod verify;
mod websocket;

use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::model::{Item, ProductId, Quantity, RequestId, UserId, parse_duration};
use crate::protocol::parse_item;
use crate::stages::Setting;
use crate::tokens::Token;
use ids::{stored_product, stored_request, stored_user};

#[cfg(feature = "aws")]
pub use access::UserArgs;
pub use access::{AccessArgs, LIMIT_DETAILS};
#[cfg(feature = "aws")]
pub use account::{DestroyArgs, ProvisionArgs};
pub use backup::{BackupArgs, RestoreArgs};
pub use bench::BenchArgs;
pub use config::{ConfigCommand, ConfigSetArgs, ROUNDING, SetKey, UNIT_DECIMALS};
pub use cost::{CostArgs, CostCommand, FORECAST_DETAILS, ForecastArgs};
pub use data::{DataFormat, GenerateArgs, LayoutArgs, LoadArgs};
pub use dead_letters::{DeadLettersCommand, QueueName, SelectionArgs};
pub use global::{Backend, Color, DEFAULT_STACK, Global, LogFormat};
#[cfg(not(feature = "aws"))]
pub use groups::AWS_COMMANDS;
pub use groups::{EXIT_CODES, GROUPS, START};
pub use list::{
    ExportCommand, ExportQuotationsArgs, ListCommand, ListCustomersArgs, ListDiscountsArgs,
    ListPriceListsArgs, ListProductsArgs, ListQuotationsArgs, StatusName,
};
pub use policy::{PolicyArgs, STACK_SETTINGS};
pub use process::{MemoryArgs, MetricsArgs, SlotArgs, StageArgs};
pub use shell::{CompletionsArgs, HelpArgs, ManArgs, TOPICS};
pub use simulate::{OnChange, SIMULATE_DETAILS, SimulateArgs, SyntheticRhythm};
pub use tokens::{KeysArgs, KeysCommand, ProviderArgs, ProviderError, RotateArgs, TokenArgs};
pub use verify::VerifyArgs;

/// Answer price requests at once, from price tables prepared for active customers.
#[derive(Debug, Parser)]
#[command(
    name = "ocache",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = format!("{START}\n\n{EXIT_CODES}")
)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the whole system in one process
    ///
    /// The quickest way to see ocache work, and all that one machine needs. Creates the store, loads the
    /// fixtures when there are no products, and runs everything until Ctrl-C.
    #[command(after_help = examples::UP)]
    Up(UpArgs),
    /// Load products, customers, price lists and discounts from files
    ///
    /// Rows of products, customers and price lists are added or changed; a customer's own list is
    /// replaced. All files are checked before anything is written. JSON, NDJSON, CSV and DynamoDB's formats
    /// are recognised, also in gzip. Decimal commas, delimiters and encodings are never guessed: use flags.
    #[command(after_help = examples::LOAD)]
    #[command(after_long_help = format!("{}\n\n{}", examples::LOAD, examples::LOAD_FILES))]
    Load(LoadArgs),
    /// Make large data files from a seed
    ///
    /// Use them to try ocache at your size before you have your own data. The same seed makes the same
    /// files.
    #[command(after_help = examples::GENERATE)]
    Generate(GenerateArgs),
    /// Make customers active, so that their price tables are prepared
    ///
    /// A quote does the same. Subscribe a customer ahead, for example at login, and the first quote is
    /// warm.
    #[command(after_help = examples::SUBSCRIBE)]
    Subscribe(SubscribeArgs),
    /// Let customers expire now
    ///
    /// A customer who stops coming expires anyway; this saves the calculations until then.
    #[command(after_help = examples::UNSUBSCRIBE)]
    Unsubscribe(UnsubscribeArgs),
    /// Run one role in the foreground
    ///
    /// Separate processes can be watched, stopped and scaled one by one; `ocache up` runs all roles in
    /// one process.
    #[command(after_help = examples::WORKER)]
    Worker(WorkerArgs),
    /// Run the gateway: page, websockets, prices and quotes over HTTP
    ///
    /// Clients connect to it: websockets to /, HTTP to /quotes, /prices, /load, /subscribe, /health and
    /// /metrics. It listens on loopback only; put a reverse proxy before it to serve other
    /// machines. Workers answer the quotations, or this process does with --with-provider.
    #[command(after_help = examples::SERVE)]
    Serve(ServeArgs),
    /// Request a quotation, or many in a session
    ///
    /// Does from the terminal what a client does over the websocket. Uses the running gateway of this
    /// store, or starts one inside this process. Without products it opens a session: each line, such
    /// as P1:2 P3:1, is a quote. Quote an id that contains a space: "a b":2. If the lines come from a
    /// file or a pipe, the session ends with the largest exit code of its lines. A quote without a
    /// price for any product ends with exit code 4.
    #[command(after_help = examples::QUOTE)]
    Quote(QuoteArgs),
    /// Show a past quotation
    ///
    /// An answer is stored as it was given, for --keep-quotations (seven days), as proof of the quoted
    /// price.
    #[command(after_help = examples::QUOTATION)]
    Quotation(QuotationArgs),
    /// Show a customer's stored price table
    ///
    /// Quotes are answered from this table. It shows every product that has a price for this customer
    /// at the quantity, as `GET /prices/USER` does. A product that is named with --product is shown if
    /// it has a price at any quantity.
    #[command(after_help = examples::PRICES)]
    Prices(PricesArgs),
    /// List products, customers, discounts, price lists, quotations
    ///
    /// Rows are printed while they are read, so a list may be larger than memory. With --output json or
    /// ndjson, products, customers, discounts and price lists have the fields that `ocache load` reads. On
    /// AWS a list reads its table, which is billed.
    #[command(subcommand)]
    List(ListCommand),
    /// Export past quotations as a trace for `ocache simulate`
    #[command(subcommand)]
    Export(ExportCommand),
    /// Show active customers, tables, queues and dead letters
    ///
    /// Shows whether the cache works: which customers are active and for how long, how old their tables
    /// are, and what waits.
    #[command(after_help = examples::STATUS)]
    Status(StatusArgs),
    /// Show what was used: calls and billed units by stage and reason
    ///
    /// Every process of the stack records what it uses. On AWS these are the units that the services
    /// report, or that follow from their documented rules; on the embedded store, the units that AWS
    /// would have billed for the same work.
    #[command(after_help = examples::METER)]
    Meter(MeterArgs),
    /// Show or forecast the cost on AWS, and whether preparing pays
    ///
    /// Scales what the meter recorded to a month; `forecast` needs only a few numbers and no stack. Shows
    /// where the money goes, what another interval or TTL would save, and whether to prepare tables
    /// for all customers, for some, or for none.
    #[command(after_help = examples::COST)]
    Cost(CostArgs),
    /// Measure how fast this stack subscribes, refreshes and quotes
    ///
    /// Plan with figures of your own stack on your own machine. Uses the running gateway of this store,
    /// or starts everything inside this process. Afterwards it removes its invented customers with
    /// their tables and quotations; products and discounts are only read.
    #[command(after_help = examples::BENCH)]
    Bench(BenchArgs),
    /// Inspect, retry or discard failed messages
    ///
    /// A message that fails ten times is set aside, so that it does not block others. Fix the cause, then
    /// send it to its queue again with `redrive`. Discard obsolete messages, such as last week's
    /// quotations, with `drop`.
    #[command(after_help = examples::DEAD_LETTERS)]
    #[command(subcommand)]
    DeadLetters(DeadLettersCommand),
    /// Make a token that admits a client where tokens are required
    ///
    /// A token names the customers for whom its bearer may quote. Give one to each client, or one for
    /// all customers to a trusted back end.
    #[command(after_help = examples::TOKEN)]
    Token(TokenArgs),
    /// List or rotate the keys that sign tokens
    ///
    /// A key can sign a token for every customer, so rotate keys from time to time.
    #[command(after_help = examples::KEYS)]
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Replay arrivals against policies: hits, waits, waste, AWS bill
    ///
    /// Use it to choose a TTL and an interval from your own traffic before you pay for them. The stages
    /// run in virtual time on the memory engine; nothing is stored and no service is called. Give
    /// several values to --ttl and --refresh-every to try all combinations.
    #[command(after_help = examples::SIMULATE)]
    Simulate(SimulateArgs),
    /// Recalculate stored tables and answers, and report what differs
    ///
    /// Checks the prices that customers see with code that shares nothing with the pricing. It only
    /// reads. Ends with exit code 3 if something is wrong, with --strict also if a table is stale,
    /// outdated, or made by another version of the pricing rules.
    #[command(after_help = examples::VERIFY)]
    Verify(VerifyArgs),
    /// Copy the embedded store to a file while it is in use
    ///
    /// A plain copy of the file may be inconsistent; this one is of a single moment. `ocache restore`
    /// replaces a store with it.
    #[command(after_help = examples::BACKUP)]
    Backup(BackupArgs),
    /// Replace the embedded store with a backup
    ///
    /// Copies the backup beside the store, checks the copy, and replaces the store by one rename. What the
    /// store held is lost. Nothing changes if a process has the store open, or if the backup is damaged.
    #[command(after_help = examples::RESTORE)]
    Restore(RestoreArgs),
    /// Check that everything ocache needs is there and as it should be
    ///
    /// Run this first if something does not work. It names each problem with the command that fixes it.
    #[command(after_help = examples::DOCTOR)]
    Doctor,
    /// Make the tables, queues and topic of a stack on AWS
    ///
    /// Makes what foreground workers need in an account; `infra/` deploys the functions too. A second run
    /// changes nothing. Resources with other settings are reported, and changed only with --fix.
    #[cfg(feature = "aws")]
    #[command(after_help = examples::PROVISION)]
    Provision(ProvisionArgs),
    /// Delete a stack's tables, queues and topic on AWS, with all data
    ///
    /// Deletes what `ocache provision` made. Use `terraform destroy` for what Terraform made.
    #[cfg(feature = "aws")]
    #[command(after_help = examples::DESTROY)]
    Destroy(DestroyArgs),
    /// Print a shell's completion script
    ///
    /// It completes commands, flags, customers and products. completions/ has the same scripts.
    #[command(after_help = examples::COMPLETIONS)]
    Completions(CompletionsArgs),
    /// Print a manual page, or write all of them
    ///
    /// The text of --help for `man`. completions/man/ has the same pages.
    #[command(after_help = examples::MAN)]
    Man(ManArgs),
    /// Show the settings and their origins, or set one of the stack
    ///
    /// A process takes each of its settings from a flag, an environment variable, ocache.toml or the
    /// default, in this order. A setting of the stack is the same for all its processes: the value set
    /// for the stack, or the default. `show` names the origin of each value; `set` sets one of the stack.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Show the whole help of a command or a topic
    ///
    /// `--help` fits a screen; this adds the global options, the environment variables, and what each
    /// value means. Topics: globals, settings, exit-codes.
    #[command(after_help = examples::HELP)]
    Help(HelpArgs),
}

impl Command {
    /// Whether the command runs to be watched. Its logs are then shown by default.
    #[must_use]
    pub const fn logs_by_default(&self) -> bool {
        matches!(self, Self::Worker(_) | Self::Serve(_))
    }
}

#[derive(Debug, Args)]
pub struct UpArgs {
    /// Port of the gateway on loopback; 0 is any free one
    #[arg(long, value_name = "PORT", env = "OCACHE_PORT", default_value = "7070")]
    pub port: u16,
    /// Start with an empty store: delete everything in it
    #[arg(long)]
    pub fresh: bool,
    /// Let --fresh delete the store without asking
    #[arg(long, short, requires = "fresh")]
    pub yes: bool,
    /// On AWS, create missing resources of the stack first
    #[cfg(feature = "aws")]
    #[arg(long)]
    pub provision: bool,
    #[command(flatten)]
    pub metrics: MetricsArgs,
    #[command(flatten)]
    pub stages: StageArgs,
    #[command(flatten)]
    pub access: AccessArgs,
}

#[derive(Debug, Args)]
pub struct SubscribeArgs {
    /// The customers
    #[arg(required = true, value_name = "USER")]
    pub users: Vec<UserId>,
    /// How long they stay active after this visit [default: the stack's ttl]
    #[arg(long, value_name = "TIME", env = "OCACHE_TTL", value_parser = policy::of(Setting::Ttl))]
    pub ttl: Option<String>,
}

#[derive(Debug, Args)]
pub struct UnsubscribeArgs {
    /// The customers
    #[arg(required = true, value_name = "USER", value_parser = stored_user)]
    pub users: Vec<UserId>,
}

#[derive(Debug, Args)]
pub struct WorkerArgs {
    /// What this process does
    pub role: WorkerRole,
    #[command(flatten)]
    pub metrics: MetricsArgs,
    #[command(flatten)]
    pub stages: StageArgs,
}

/// What a worker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WorkerRole {
    /// Order a calculation for every active customer at every tick
    Refresh,
    /// Calculate price tables, urgent ones first
    PriceCalc,
    /// Answer quotations
    QuotationProvider,
    /// All of these
    All,
}

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Port of the gateway on loopback; 0 is any free one
    #[arg(long, value_name = "PORT", env = "OCACHE_PORT", default_value = "7070")]
    pub port: u16,
    /// Answer quotations too, without a separate worker
    #[arg(long)]
    pub with_provider: bool,
    #[command(flatten)]
    pub metrics: MetricsArgs,
    #[command(flatten)]
    pub policy: PolicyArgs,
    #[command(flatten)]
    pub memory: MemoryArgs,
    #[command(flatten)]
    pub access: AccessArgs,
}

#[derive(Debug, Args)]
pub struct QuoteArgs {
    /// The customer whose prices are quoted
    #[arg(long, visible_alias = "user", value_name = "USER")]
    pub client: UserId,
    /// Products and quantities, such as P1:2; without any, a session starts
    #[arg(value_name = "PRODUCT[:QUANTITY]", value_parser = parse_item)]
    pub items: Vec<Item>,
    /// Websocket to use instead of this store's gateway
    #[arg(long, value_name = "URL", value_parser = websocket::parse_websocket)]
    pub url: Option<String>,
    /// Token for the gateway [default: made if the keys can be read]
    #[arg(long, value_name = "TOKEN", env = "OCACHE_TOKEN", hide_env_values = true)]
    pub token: Option<Token>,
    /// Id of the quote, for safe retries [default: made by ocache]
    #[arg(long, value_name = "ID")]
    pub request_id: Option<RequestId>,
    /// How long to wait for the answer
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "35s")]
    pub timeout: Duration,
    #[command(flatten)]
    pub policy: PolicyArgs,
}

#[derive(Debug, Args)]
pub struct QuotationArgs {
    /// Its request id
    #[arg(value_name = "ID", value_parser = stored_request)]
    pub request_id: RequestId,
    /// The customer; required for ids that a client chose
    #[arg(long, visible_alias = "user", value_name = "USER", value_parser = stored_user)]
    pub client: Option<UserId>,
}

#[derive(Debug, Args)]
pub struct PricesArgs {
    /// The customer
    #[arg(value_name = "USER", value_parser = stored_user)]
    pub user: UserId,
    /// Only this product; may be given more than once
    #[arg(long, value_name = "ID", value_parser = stored_product)]
    pub product: Vec<ProductId>,
    /// Show unit prices at this quantity [default: one, or the smallest quantity sold]
    #[arg(long, value_name = "QUANTITY")]
    pub quantity: Option<Quantity>,
    /// Show every row that was examined, and why it counts or not
    #[arg(long, requires = "product")]
    pub explain: bool,
}

#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Refresh at this interval until Ctrl-C
    #[arg(long, value_name = "TIME", value_parser = parse_duration, num_args = 0..=1, default_missing_value = "1s")]
    pub watch: Option<Duration>,
}

#[derive(Debug, Args)]
pub struct MeterArgs {
    /// How far to look back; usage is kept for a week, in steps of five minutes
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "1h")]
    pub over: Duration,
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
