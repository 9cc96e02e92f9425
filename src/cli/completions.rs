//! `ocache completions`: what a shell needs to complete a command line.

use clap::CommandFactory as _;

use super::args::{Cli, CompletionsArgs};
use super::failure::Failure;
use super::output::Output;

pub(super) fn run(output: &Output, args: &CompletionsArgs) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "ocache", &mut script);
    output.raw(&script)
}
