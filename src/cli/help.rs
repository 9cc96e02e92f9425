//! Help: a screen for each command, and the whole text on request.
//!
//! `ocache quote --help` fits a screen: what the command does, its own options, examples.
//! `ocache help quote` adds the rest: the global options, the environment variables, and what each value
//! means. The manual page has the same text.

use std::fmt::Write as _;

use clap::builder::{StyledStr, Styles};
use clap::{Arg, ArgAction, Command, CommandFactory as _};

use super::args::{
    Cli, EXIT_CODES, FORECAST_DETAILS, GROUPS, HelpArgs, LIMIT_DETAILS, SIMULATE_DETAILS,
    STACK_SETTINGS, START, TOPICS,
};
use super::failure::{ExitCode, Failure, Result};
use super::output::Output;
use crate::model::nearest;

/// Names of commands are padded to this width.
const NAME_WIDTH: usize = 14;

/// Prints the whole help of a command or a topic.
pub(super) fn run(output: &Output, args: &HelpArgs) -> Result<()> {
    let mut cli = Cli::command();
    cli.build();
    let text = match args.topic.first().map(String::as_str) {
        None => screens(cli).render_help(),
        Some("globals") => options(&cli, Arg::is_global_set),
        Some("settings") => match cli.find_subcommand("up") {
            // `ocache up` has all settings of the stack.
            Some(up) => options(up, is_of_the_stack),
            None => StyledStr::new(),
        },
        Some("exit-codes") => StyledStr::from(EXIT_CODES),
        Some(_) => find(&mut cli, &args.topic)?.render_long_help(),
    };
    output.styled(&format!("{}\n", text.ansi().to_string().trim_end()))
}

/// Finds a command by its name and, if there are more words, its subcommand.
fn find<'a>(cli: &'a mut Command, words: &[String]) -> Result<&'a mut Command> {
    let mut found = cli;
    for word in words {
        if found.find_subcommand(word).is_none() {
            return Err(unknown(found, word));
        }
        // The command exists, as just checked. The borrow checker requires a second lookup.
        found = found.find_subcommand_mut(word).ok_or_else(|| unknown_word(word))?;
    }
    Ok(found)
}

fn unknown(above: &Command, word: &str) -> Failure {
    #[cfg(not(feature = "aws"))]
    if super::args::AWS_COMMANDS.contains(&word) {
        return Failure::without_aws(&format!("`{word}` needs AWS"));
    }
    let names = above.get_subcommands().map(Command::get_name).chain(TOPICS);
    unknown_word(word).suggest(nearest(word, names), "`ocache help` lists commands and topics")
}

fn unknown_word(word: &str) -> Failure {
    Failure::new(ExitCode::NotFound, format!("there is no command or topic `{word}`"))
}

/// Renders the selected options of a command with their whole help.
fn options(command: &Command, are_wanted: impl Fn(&Arg) -> bool) -> StyledStr {
    let options = command.get_arguments().filter(|argument| are_wanted(argument));
    Command::new("ocache")
        .disable_help_flag(true)
        .args(options.cloned())
        .help_template("{all-args}")
        .render_long_help()
}

fn is_of_the_stack(argument: &Arg) -> bool {
    argument.get_help_heading() == Some(STACK_SETTINGS)
}

/// Returns the definitions with help that fits a screen. They must be built already.
pub(super) fn screens(cli: Command) -> Command {
    let list = commands(&cli);
    let mut cli =
        cli.mut_args(fitted).help_template("{about}\n\n{usage-heading} {usage}{after-help}");
    for name in subcommands(&cli) {
        cli = cli.mut_subcommand(&name, |command| screen(command, &name));
    }
    cli.after_help(list)
}

fn subcommands(command: &Command) -> Vec<String> {
    command.get_subcommands().map(|command| command.get_name().to_owned()).collect()
}

/// Returns the options of a command that do not fit on its screen, and what they are about.
fn details(name: &str) -> (&'static [&'static str], &'static str) {
    match name {
        "simulate" => (&SIMULATE_DETAILS, "Arrivals and price lists, such as --users and --lists"),
        "cost forecast" => (&FORECAST_DETAILS, "Price lists, such as --tiers"),
        "up" | "serve" | "config show" => {
            (&LIMIT_DETAILS, "Limits of sockets and frames, such as --max-frames")
        }
        _ => (&[], ""),
    }
}

/// Gives a command a screen of help. `name` is its path after `ocache`.
fn screen(command: Command, name: &str) -> Command {
    let takes_settings = command.get_arguments().any(is_of_the_stack);
    let (details, about_details) = details(name);
    let mut command = command.mut_args(|argument| {
        let is_detail = details.contains(&argument.get_id().as_str());
        let is_hidden = is_detail || argument.is_hide_set();
        fitted(argument.hide(is_hidden))
    });
    for below in subcommands(&command) {
        let name = format!("{name} {below}");
        command = command.mut_subcommand(&below, |command| screen(command, &name));
    }
    let about = command.get_long_about().or_else(|| command.get_about()).cloned();
    let mut more = String::new();
    if let Some(examples) = command.get_after_help() {
        let _ = write!(more, "{}\n\n", examples.ansi());
    }
    if takes_settings {
        more.push_str("Settings of the stack, such as --ttl: ocache help settings\n");
    }
    if !details.is_empty() {
        let _ = writeln!(more, "{about_details}: ocache help {name}");
    }
    let _ = write!(
        more,
        "Global options: ocache help globals. Variables and details: ocache help {name}"
    );
    command.about(about.unwrap_or_default()).after_help(more)
}

/// Shortens the help of an option. Options that are hidden from the screen still work.
fn fitted(argument: Arg) -> Arg {
    if argument.get_id() == "help" {
        return argument.action(ArgAction::HelpShort).help("Print this");
    }
    let is_left_out =
        argument.is_hide_set() || argument.is_global_set() || is_of_the_stack(&argument);
    let help = argument.get_help().map(first_part).unwrap_or_default();
    argument.help(help).hide(is_left_out).hide_env(true)
}

/// Returns the text before the first semicolon, because details follow it.
fn first_part(help: &StyledStr) -> String {
    let help = help.to_string();
    match help.split_once("; ") {
        Some((part, _)) => part.to_owned(),
        None => help,
    }
}

/// Returns the list of commands by group, with what each does.
fn commands(cli: &Command) -> StyledStr {
    let styles = Styles::styled();
    let (header, literal) = (styles.get_header(), styles.get_literal());
    let mut text = String::new();
    for (group, names) in GROUPS {
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(text, "{header}{group}:{header:#}");
        for command in names.iter().filter_map(|name| cli.find_subcommand(name)) {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            let name = command.get_name();
            let _ = writeln!(text, "  {literal}{name:NAME_WIDTH$}{literal:#}{about}");
        }
        text.push('\n');
    }
    let more = "ocache COMMAND --help, ocache help globals|settings|exit-codes";
    let _ = write!(text, "{START}\nMore: {more}");
    StyledStr::from(text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// The number of lines that fit a screen.
    const LINES: usize = 45;
    /// The width of the text. Wider terminals get the same width.
    const COLUMNS: usize = 100;
    /// The width of a usual terminal.
    const NARROW_COLUMNS: usize = 80;

    fn all_screens(columns: usize) -> BTreeMap<String, String> {
        fn collect(
            command: &Command,
            before: &str,
            columns: usize,
            into: &mut BTreeMap<String, String>,
        ) {
            let mut shown = command.clone().term_width(columns);
            into.insert(before.to_owned(), shown.render_help().to_string());
            for below in command.get_subcommands() {
                let name = format!("{before} {}", below.get_name());
                collect(below, name.trim(), columns, into);
            }
        }
        let mut all = BTreeMap::new();
        let mut cli = Cli::command();
        cli.build();
        collect(&screens(cli), "", columns, &mut all);
        all
    }

    #[test]
    fn the_help_of_a_command_fits_a_screen() {
        for columns in [NARROW_COLUMNS, COLUMNS] {
            for (name, text) in all_screens(columns) {
                let lines = text.lines().count();
                let said = format!("ocache {name} --help has {lines} lines of {columns} columns");
                assert!(lines <= LINES, "{said}:\n{text}");
            }
        }
    }

    #[test]
    fn a_screen_says_where_the_rest_is_and_leaves_out_nothing_of_its_own() {
        let cli = Cli::command();
        for (name, text) in all_screens(COLUMNS).into_iter().filter(|(name, _)| !name.is_empty()) {
            let lists_globals =
                text.lines().any(|line| line.trim_start().starts_with("--data-dir"));
            assert!(text.contains("ocache help globals") && !lists_globals, "{text}");
            assert!(
                text.contains(&format!("ocache help {name}")) && !text.contains("OCACHE_"),
                "{text}"
            );
            let mut words = name.split(' ');
            let command = words.try_fold(&cli, |above, word| above.find_subcommand(word)).unwrap();
            for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
                let Some(long) = argument.get_long() else { continue };
                let is_shown = text.contains(&format!("--{long}"));
                let is_elsewhere =
                    is_of_the_stack(argument) && text.contains("ocache help settings");
                let (details, about_details) = details(&name);
                let is_detail = details.contains(&argument.get_id().as_str())
                    && text.contains(&format!("{about_details}: ocache help {name}"));
                assert!(is_shown || is_elsewhere || is_detail, "--{long} is not in\n{text}");
            }
        }
    }

    #[test]
    fn the_lines_after_the_options_are_not_wrapped() {
        fn check(command: &mut Command, name: &str) {
            for text in [command.get_after_help(), command.get_after_long_help()] {
                for line in text.map(ToString::to_string).unwrap_or_default().lines() {
                    let length = line.chars().count();
                    assert!(length <= COLUMNS, "ocache help {name}: {length} columns: {line}");
                }
            }
            for below in subcommands(command) {
                let name = format!("{name} {below}");
                check(command.find_subcommand_mut(&below).unwrap(), name.trim());
            }
        }
        check(&mut Cli::command(), "");
        // Long lines for people must not wrap on a narrow terminal either.
        let cli = Cli::command();
        let load = cli.find_subcommand("load").unwrap().get_after_long_help().unwrap().to_string();
        for line in load.lines().filter(|line| !line.starts_with("  ocache ")) {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }

    #[test]
    fn every_command_is_in_one_group() {
        let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| *names).copied().collect();
        grouped.sort_unstable();
        let cli = Cli::command();
        let mut commands: Vec<&str> = cli.get_subcommands().map(Command::get_name).collect();
        commands.sort_unstable();
        assert_eq!(grouped, commands);
    }
}
