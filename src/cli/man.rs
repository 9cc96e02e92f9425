//! `ocache man`: prints the help of each command as a manual page.

use std::fs;
use std::io;
use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use serde_json::json;

use super::args::{Cli, ManArgs};
use super::failure::{ExitCode, Failure, Result};
use super::output::Output;
use crate::model::nearest;

pub(super) fn run(output: &Output, args: &ManArgs) -> Result<()> {
    let mut cli = Cli::command();
    cli.build();
    if let Some(dir) = &args.dir {
        return write_all(output, &cli, dir);
    }
    let command = match &args.command {
        None => &cli,
        Some(name) => cli.find_subcommand(name).ok_or_else(|| {
            let failure = Failure::new(ExitCode::NotFound, format!("there is no command `{name}`"));
            let near = nearest(name, cli.get_subcommands().map(Command::get_name));
            failure.suggest(near, "`ocache help` lists them")
        })?,
    };
    output.raw(&page(command).map_err(Failure::internal)?)
}

fn write_all(output: &Output, cli: &Command, dir: &Path) -> Result<()> {
    let failed = |error: io::Error| {
        let message = format!("pages cannot be written to `{}`: {error}", dir.display());
        Failure::new(ExitCode::Failure, message)
    };
    fs::create_dir_all(dir).map_err(failed)?;
    let commands = std::iter::once(cli).chain(cli.get_subcommands());
    let mut files = Vec::new();
    for command in commands {
        let file = dir.join(file_name(command));
        fs::write(&file, page(command).map_err(failed)?).map_err(failed)?;
        files.push(file.display().to_string());
    }
    output.data(&json!({ "files": files }), |_| files.join("\n"))
}

/// Returns the file name of a page, such as `ocache-dead-letters.1`.
fn file_name(command: &Command) -> String {
    format!("{}.1", title(command))
}

fn title(command: &Command) -> String {
    command.get_display_name().unwrap_or_else(|| command.get_name()).replace(' ', "-")
}

fn page(command: &Command) -> io::Result<Vec<u8>> {
    let title = title(command);
    let mut page = Vec::new();
    Man::new(command.clone().display_name(title.clone())).title(title).render(&mut page)?;
    Ok(page)
}
