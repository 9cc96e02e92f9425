//! Parses the command line. Flags take precedence over the environment, which takes precedence over the
//! settings file and the defaults.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgMatches, Command, CommandFactory as _, FromArgMatches as _, ValueEnum};

use super::args::{Cli, Color};
use super::failure::{ExitCode, Failure};
use super::help::screens;
use super::output_format::OutputFormat;
use super::paths::expanded;
use super::settings_file::SettingsFile;
use super::version;
use crate::model::{escape, nearest};

/// A command line that ends here: it asked for help, or it is invalid.
#[derive(Debug)]
pub enum Stop {
    /// The text of clap for people: help, the version, or an error in the command line.
    Said(Box<clap::Error>),
    /// An error, and the format in which to report it.
    Failed(Failure, OutputFormat),
}

/// Converts the error of a command line that was already parsed once.
impl From<Stop> for Failure {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Failed(failure, _) => failure,
            Stop::Said(error) => Self::internal(*error),
        }
    }
}

/// The parsed arguments, and the definitions by which they were parsed.
pub(super) struct Parsed {
    /// The definitions, with the values of the settings file as defaults.
    pub(super) command: Command,
    pub(super) matches: ArgMatches,
    pub(super) file: Option<SettingsFile>,
}

/// Parses the command line of this process.
///
/// # Errors
/// Returns [`Stop`], which says what to print and how the process ends.
pub fn parse() -> Result<Cli, Stop> {
    let Parsed { matches, .. } = parsed()?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| stop(error, Wishes::read()))?;
    use_color(cli.global.color);
    Ok(cli)
}

/// Parses the command line into untyped matches.
pub(super) fn parsed() -> Result<Parsed, Stop> {
    let wishes = Wishes::read();
    use_color(wishes.color);
    let (definitions, format) = (Cli::command(), wishes.format);
    let file = SettingsFile::find(wishes.config.as_deref()).map_err(|failure| {
        Stop::Failed(of_variable(failure, "--config", "OCACHE_CONFIG"), format)
    })?;
    let mut command = match &file {
        None => definitions,
        Some(file) => file.over(definitions).map_err(|failure| Stop::Failed(failure, format))?,
    };
    command.build();
    // An empty variable counts as not set.
    let mut effective = without_empty_variables(command.clone());
    match effective.try_get_matches_from_mut(std::env::args_os()) {
        Ok(matches) => Ok(Parsed { command, matches, file }),
        Err(asked) => match answering(&asked, &effective) {
            Some(answering) => {
                let answer = answering.try_get_matches_from(std::env::args_os());
                Err(Stop::Said(Box::new(answer.err().unwrap_or(asked))))
            }
            None => match of_other_builds(&asked) {
                Some(failure) => Err(Stop::Failed(failure, wishes.format)),
                None => Err(stop(named(asked, &effective), wishes)),
            },
        },
    }
}

/// Returns why a command that exists is unknown in this build.
#[cfg(not(feature = "aws"))]
fn of_other_builds(error: &clap::Error) -> Option<Failure> {
    let Some(ContextValue::String(name)) = error.get(ContextKind::InvalidSubcommand) else {
        return None;
    };
    let is_known = super::args::AWS_COMMANDS.contains(&name.as_str());
    is_known.then(|| Failure::without_aws(&format!("`{name}` needs AWS")))
}

#[cfg(feature = "aws")]
const fn of_other_builds(_: &clap::Error) -> Option<Failure> {
    None
}

/// Returns the definitions with which clap prints the requested help or version.
fn answering(asked: &clap::Error, definitions: &Command) -> Option<Command> {
    match asked.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            Some(screens(definitions.clone()))
        }
        ErrorKind::DisplayVersion => {
            let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
            let is_wanted = version::wants_details(&arguments);
            is_wanted.then(|| definitions.clone().version(version::details()))
        }
        _ => None,
    }
}

/// Returns the definitions without environment variables that are empty.
pub(super) fn without_empty_variables(command: Command) -> Command {
    let is_empty = |name: &OsStr| std::env::var_os(name).is_some_and(|value| value.is_empty());
    command
        .mut_args(|argument| match argument.get_env().is_some_and(is_empty) {
            true => argument.env(Resettable::Reset),
            false => argument,
        })
        .mut_subcommands(without_empty_variables)
}

/// Improves an error. If a wrong value comes from a variable, the error names the variable instead of the
/// flag.
fn named(mut error: clap::Error, command: &Command) -> clap::Error {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let invalid = text(ContextKind::InvalidArg).zip(text(ContextKind::InvalidValue));
    let variable = invalid.and_then(|(flag, value)| variable_of(command, &flag, &value));
    if let Some(variable) = variable {
        error.insert(ContextKind::InvalidArg, ContextValue::String(variable));
    }
    without_far_tip(error)
}

/// Removes clap's suggestion if it is not similar to what was typed. Also removes the usage, because clap
/// prints that of the suggestion.
fn without_far_tip(mut error: clap::Error) -> clap::Error {
    let far = match (error.get(ContextKind::InvalidArg), error.get(ContextKind::SuggestedArg)) {
        (Some(ContextValue::String(typed)), Some(ContextValue::String(suggested))) => {
            let [typed, suggested] = [typed, suggested].map(|flag| flag.trim_start_matches('-'));
            nearest(typed, std::iter::once(suggested)).is_none()
        }
        _ => false,
    };
    if far {
        error.remove(ContextKind::SuggestedArg);
        error.remove(ContextKind::Usage);
    }
    error
}

/// Returns the variable that holds this invalid value of a flag, unless the flag was typed.
fn variable_of(command: &Command, flag: &str, value: &str) -> Option<String> {
    let is_meant = |argument: &&Arg| argument.to_string() == flag;
    let Some(argument) = command.get_arguments().find(is_meant) else {
        return command.get_subcommands().find_map(|command| variable_of(command, flag, value));
    };
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let long = format!("--{}", argument.get_long()?);
    let name = argument.get_env().filter(|_| typed(&arguments, &long).is_none())?;
    let set = std::env::var_os(name)?;
    set.to_string_lossy().contains(value).then(|| name.to_string_lossy().into_owned())
}

fn stop(mut error: clap::Error, wishes: Wishes) -> Stop {
    escape_words(&mut error);
    match wishes.format {
        OutputFormat::Json | OutputFormat::Ndjson if error.use_stderr() => {
            Stop::Failed(usage(&error), wishes.format)
        }
        _ => Stop::Said(Box::new(error)),
    }
}

/// Escapes the words of the command line that clap repeats.
fn escape_words(error: &mut clap::Error) {
    let escaped = error.context().filter_map(|(kind, value)| match value {
        ContextValue::String(word) => match escape(word) {
            Cow::Borrowed(_) => None,
            Cow::Owned(word) => Some((kind, ContextValue::String(word))),
        },
        _ => None,
    });
    for (kind, value) in escaped.collect::<Vec<_>>() {
        error.insert(kind, value);
    }
}

/// Converts an error of clap: its first paragraph becomes the message, a tip becomes the hint.
fn usage(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let mut paragraphs = text.split("\n\n");
    let message = paragraphs.next().unwrap_or_default().trim();
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let tip = paragraphs.find_map(|paragraph| paragraph.trim().strip_prefix("tip: "));
    Failure::new(ExitCode::Usage, message).hint(tip.unwrap_or("see --help"))
}

/// The options that are needed before the command line is parsed, or if it cannot be parsed.
#[derive(Clone, Debug)]
struct Wishes {
    format: OutputFormat,
    color: Color,
    config: Option<PathBuf>,
}

impl Wishes {
    fn read() -> Self {
        let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
        Self {
            format: wish(&arguments, "--output", "OCACHE_OUTPUT").unwrap_or(OutputFormat::Table),
            color: wish(&arguments, "--color", "OCACHE_COLOR").unwrap_or(Color::Auto),
            // An empty path is refused when the command line is parsed.
            config: text(&arguments, "--config", "OCACHE_CONFIG")
                .filter(|path| !path.is_empty())
                .map(expanded),
        }
    }
}

fn wish<T: ValueEnum>(arguments: &[OsString], flag: &str, variable: &str) -> Option<T> {
    T::from_str(text(arguments, flag, variable)?.to_str()?, false).ok()
}

fn text(arguments: &[OsString], flag: &str, variable: &str) -> Option<OsString> {
    let set = || std::env::var_os(variable).filter(|value| !value.is_empty());
    typed(arguments, flag).or_else(set)
}

/// Puts the name of a variable before a message about its value, unless the flag was typed: then the variable
/// does not count.
pub(super) fn of_variable(failure: Failure, flag: &str, variable: &str) -> Failure {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let is_set = std::env::var_os(variable).is_some_and(|value| !value.is_empty());
    match is_set && typed(&arguments, flag).is_none() {
        true => failure.of_a(variable),
        false => failure,
    }
}

/// Returns the value of a flag at any position.
pub(super) fn typed(arguments: &[OsString], flag: &str) -> Option<OsString> {
    let flags = arguments.iter().take_while(|argument| *argument != "--");
    let mut values = flags.enumerate().filter_map(|(index, argument)| {
        if argument == flag {
            return arguments.get(index + 1).cloned();
        }
        let rest = argument.to_str()?.strip_prefix(flag)?.strip_prefix('=')?;
        Some(rest.into())
    });
    values.next()
}

/// Sets the use of colour for everything that is printed from now on.
fn use_color(color: Color) {
    match color {
        Color::Auto => anstream::ColorChoice::Auto,
        Color::Always => anstream::ColorChoice::Always,
        Color::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(arguments: &[&str]) -> Option<OsString> {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        typed(&arguments, "--output")
    }

    #[test]
    fn a_flag_is_found_wherever_it_stands() {
        assert_eq!(found(&["status", "--output", "json"]), Some("json".into()));
        assert_eq!(found(&["--output=json", "nonsense"]), Some("json".into()));
        assert_eq!(found(&["quote", "--", "--output", "json"]), None, "an argument");
        assert_eq!(found(&["--output"]), None);
        assert_eq!(found(&["--outputs=json"]), None);
    }
}
