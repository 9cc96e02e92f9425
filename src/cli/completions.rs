//! `ocache completions`: what a shell needs to complete a command line.
//!
//! The script is short and never out of date: it asks ocache itself, which knows its commands and
//! flags, and the users and products of the store.

use std::any::TypeId;
use std::ffi::OsStr;

use clap::{Arg, Command, CommandFactory as _};
use clap_complete::engine::ArgValueCompleter;
use clap_complete::env::{CompleteEnv, Shells};

use super::args::{Cli, CompletionsArgs};
use super::failure::Failure;
use super::known::{complete_product, complete_user};
use super::output::Output;
use crate::model::{Item, ProductId, UserId};

/// The variable by which a shell asks.
const ASKING: &str = "OCACHE_COMPLETE";

pub(super) fn run(output: &Output, args: &CompletionsArgs) -> Result<(), Failure> {
    let mut script = Vec::new();
    let shells = Shells::builtins();
    // Every shell that can be named is one of them.
    if let Some(shell) = shells.completer(&args.shell.to_string()) {
        shell
            .write_registration(ASKING, "ocache", "ocache", "ocache", &mut script)
            .map_err(Failure::internal)?;
    }
    output.raw(&script)
}

/// Answers a shell that asks how a command line could go on. `false` when none asks.
///
/// # Errors
/// When the shell is not known, or does not listen.
pub fn complete() -> Result<bool, clap::Error> {
    // Looked at first, because the rest would make every start slower.
    if std::env::var_os(ASKING).is_none_or(|shell| shell.is_empty() || shell == OsStr::new("0")) {
        return Ok(false);
    }
    let folder = std::env::current_dir().ok();
    let asked = CompleteEnv::with_factory(|| completed(Cli::command())).var(ASKING).bin("ocache");
    asked.completer("ocache").try_complete(std::env::args_os(), folder.as_deref())
}

/// The same command, whose arguments complete the customers and products that the store knows. The type of
/// an argument's value says what it names.
fn completed(command: Command) -> Command {
    command.mut_subcommands(completed).mut_args(|arg| match completer(&arg) {
        Some(completer) => arg.add(completer),
        None => arg,
    })
}

fn completer(arg: &Arg) -> Option<ArgValueCompleter> {
    let value = arg.get_value_parser().type_id();
    let is = |ty: TypeId| value == ty;
    if is(TypeId::of::<UserId>()) {
        Some(ArgValueCompleter::new(complete_user))
    } else if is(TypeId::of::<ProductId>()) || is(TypeId::of::<Item>()) {
        Some(ArgValueCompleter::new(complete_product))
    } else {
        None
    }
}
