//! The command line: parses it, runs the command, and prints the result.

mod args;
mod backup;
mod bench;
mod completions;
mod config;
mod confirm;
mod cost;
mod dead_letters;
#[cfg(feature = "aws")]
mod destroy;
mod doctor;
mod engine;
mod export;
mod failure;
mod find_gateway;
mod generate;
mod help;
mod interrupt;
mod interrupted_load;
mod keys;
mod known;
mod list;
mod load;
mod load_section;
mod logging;
mod man;
mod meter;
mod metrics_port;
mod named_file;
mod output;
mod output_format;
mod own_gateway;
mod parse;
mod pasted;
mod paths;
mod pieces;
mod price_list;
mod price_rows;
mod prices;
mod progress;
#[cfg(feature = "aws")]
mod provision;
mod quotation;
mod quote;
mod reader;
#[cfg(feature = "aws")]
mod refusals;
mod restore;
mod serve;
mod settings;
mod settings_file;
mod shell;
mod signals;
mod simulate;
mod stack_settings;
mod status;
mod stderr;
mod store_file;
mod stream;
mod subscribe;
mod table;
mod terminal;
mod token;
mod token_keys;
mod up;
mod verify;
mod version;
mod view;
mod worker;
mod workers;

pub use args::{Cli, Global, PolicyArgs, ProviderArgs, ProviderError};
pub use completions::complete;
pub use failure::{ExitCode, Failure};
pub use output::print_said;
pub use output_format::OutputFormat;
pub use parse::{Stop, parse};
pub use stderr::{finish_saying, say_last};

use args::Command;
use failure::Result;
use interrupt::Interrupts;
use output::Output;
use settings::Settings;

use crate::meter::{Reason, Scope, Stage};
use crate::supervisor::{Died, catch};

/// Runs the command.
///
/// # Errors
/// Returns a [`Failure`], which has an exit code and may have a hint.
pub async fn run(cli: Cli) -> Result<()> {
    let output = Output::new(&cli.global);
    let settings = Settings::new(&cli.global)?;
    let traces = logging::start(&cli.global, cli.command.logs_by_default(), &settings)?;
    if let Some(url) = traces.url() {
        output.note(&format!("traces: {url}"));
    }
    interrupt::outlive_the_file_limit();
    signals::supervise(&settings.supervisor);
    let interrupts = Interrupts::new(settings.supervisor.clone(), output);
    let scope = Scope::new(Stage::Command, Reason::Command);
    let done = tokio::select! {
        done = catch(scope.of(dispatch(cli.command, &settings, &output, &interrupts))) => {
            traces.flush().await;
            let done = done.unwrap_or_else(|panic| Err(Died { part: "the command", panic }.into()));
            let done = done.map_err(|failure| failure.for_stack(&settings.as_flags));
            #[cfg(feature = "aws")]
            let done = done.map_err(|failure| failure.for_profile(settings.aws.profile.as_deref()));
            done
        }
        failure = interrupts.stopped_at_once() => Err(failure),
    };
    // If a part died, it is the reason of the failure, whatever the result was.
    settings.supervisor.check()?;
    done
}

async fn dispatch(
    command: Command,
    settings: &Settings,
    output: &Output,
    interrupts: &Interrupts,
) -> Result<()> {
    match command {
        Command::Up(args) => up::run(settings, output, interrupts, args).await,
        Command::Load(args) => load::run(settings, output, args).await,
        Command::Generate(args) => generate::run(output, &args).await,
        Command::Subscribe(args) => subscribe::subscribe(settings, output, args).await,
        Command::Unsubscribe(args) => subscribe::unsubscribe(settings, output, args).await,
        Command::Worker(args) => worker::run(settings, output, interrupts, args).await,
        Command::Serve(args) => serve::run(settings, output, interrupts, args).await,
        Command::Quote(args) => quote::run(settings, output, args).await,
        Command::Quotation(args) => quotation::run(settings, output, args).await,
        Command::Prices(args) => prices::run(settings, output, args).await,
        Command::List(command) => list::run(settings, output, command).await,
        Command::Export(command) => export::run(settings, output, command).await,
        Command::Status(args) => status::run(settings, output, &args).await,
        Command::Meter(args) => meter::run(settings, output, &args).await,
        Command::Cost(args) => cost::run(settings, output, args).await,
        Command::DeadLetters(command) => dead_letters::run(settings, output, command).await,
        Command::Bench(args) => bench::run(settings, output, args).await,
        Command::Token(args) => token::run(settings, output, args).await,
        Command::Keys(command) => keys::run(settings, output, command).await,
        Command::Simulate(args) => simulate::run(output, args).await,
        Command::Verify(args) => verify::run(settings, output, args).await,
        Command::Backup(args) => backup::run(settings, output, args).await,
        Command::Restore(args) => restore::run(settings, output, args).await,
        Command::Doctor => doctor::run(settings, output).await,
        #[cfg(feature = "aws")]
        Command::Provision(args) => provision::run(settings, output, args).await,
        #[cfg(feature = "aws")]
        Command::Destroy(args) => destroy::run(settings, output, args).await,
        Command::Completions(args) => completions::run(output, &args),
        Command::Man(args) => man::run(output, &args),
        Command::Help(args) => help::run(output, &args),
        Command::Config(command) => config::run(settings, output, &command).await,
    }
}
