//! `ocache completions`: the script with which a shell completes a command line.
//!
//! The script is short and never outdated, because it asks ocache itself. ocache knows its commands and
//! flags, and the customers and products of the store.

use std::any::TypeId;
use std::ffi::OsStr;

use clap::{Arg, Command, CommandFactory as _};
use clap_complete::engine::ArgValueCompleter;
use clap_complete::env::{CompleteEnv, Shells};

use super::args::{Cli, CompletionsArgs};
use super::failure::{Failure, Result};
use super::known::{complete_product, complete_user};
use super::output::Output;
use crate::model::{Item, ProductId, UserId};

/// The variable through which a shell asks for completions.
const ASKING: &str = "OCACHE_COMPLETE";

pub(super) fn run(output: &Output, args: &CompletionsArgs) -> Result<()> {
    let mut script = Vec::new();
    let shells = Shells::builtins();
    // The flag accepts only shells that are built in.
    if let Some(shell) = shells.completer(&args.shell.to_string()) {
        shell
            .write_registration(ASKING, "ocache", "ocache", "ocache", &mut script)
            .map_err(Failure::internal)?;
    }
    output.raw(&script)
}

/// Answers a shell that asks for completions. Returns `false` if none asks.
///
/// # Errors
/// Fails when the shell is not known, or does not read the answer.
pub fn complete() -> Result<bool, clap::Error> {
    // Check this first, because everything below would make every start slower.
    if std::env::var_os(ASKING).is_none_or(|shell| shell.is_empty() || shell == OsStr::new("0")) {
        return Ok(false);
    }
    let folder = std::env::current_dir().ok();
    let asked = CompleteEnv::with_factory(|| completed(Cli::command())).var(ASKING).bin("ocache");
    asked.completer("ocache").try_complete(std::env::args_os(), folder.as_deref())
}

/// Returns the command with completers for customers and products of the store. The type of an argument's
/// value decides which completer it gets.
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
