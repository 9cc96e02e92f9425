//! From what is typed to what is meant: flags, over the environment, over the settings file, over
//! the defaults.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, CommandFactory as _, FromArgMatches as _, ValueEnum};

use super::args::{Cli, Color, Format};
use super::failure::{ExitCode, Failure};
use super::help::screens;
use super::paths::expanded;
use super::settings_file::SettingsFile;
use super::version;
use crate::model::{escape, nearest};

/// A command line that ends here: it asked for help, or it cannot be done.
#[derive(Debug)]
pub enum Stop {
    /// Help, the version, or what is wrong with the command line, for people.
    Said(Box<clap::Error>),
    /// What is wrong, to be reported in a format.
    Failed(Failure, Format),
}

/// Of a command line that was understood once before.
impl From<Stop> for Failure {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Failed(failure, _) => failure,
            Stop::Said(error) => Self::internal(*error),
        }
    }
}

/// What the arguments say, and by which definitions.
pub(super) struct Parsed {
    /// With the settings file's values as defaults.
    pub(super) command: Command,
    pub(super) matches: ArgMatches,
    pub(super) file: Option<SettingsFile>,
}

impl Parsed {
    /// Whether a flag of every command was typed.
    pub(super) fn has_flag(&self, id: &str) -> bool {
        let mut matches = &self.matches;
        while let Some((_, below)) = matches.subcommand() {
            matches = below;
        }
        matches.value_source(id) == Some(ValueSource::CommandLine)
    }
}

/// Reads the command line of this process.
///
/// # Errors
/// [`Stop`], which says what to print and how the process ends.
pub fn parse() -> Result<Cli, Stop> {
    let Parsed { matches, .. } = parsed()?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| stop(error, Wishes::read()))?;
    use_color(cli.global.color);
    Ok(cli)
}

/// The same, before it is given its types.
pub(super) fn parsed() -> Result<Parsed, Stop> {
    let wishes = Wishes::read();
    use_color(wishes.color);
    let (definitions, format) = (Cli::command(), wishes.format);
    let file = SettingsFile::find(wishes.config.as_deref())
        .map_err(|failure| Stop::Failed(failure, format))?;
    let mut command = match &file {
        None => definitions,
        Some(file) => file.over(definitions).map_err(|failure| Stop::Failed(failure, format))?,
    };
    command.build();
    // An empty variable is one that is not set.
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

/// Why a command that exists is unknown here.
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

/// The definitions that print what the command line asks for: help, or the version.
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

/// The same definitions, without the variables that are set to nothing.
pub(super) fn without_empty_variables(command: Command) -> Command {
    let is_empty = |name: &OsStr| std::env::var_os(name).is_some_and(|value| value.is_empty());
    command
        .mut_args(|argument| match argument.get_env().is_some_and(is_empty) {
            true => argument.env(Resettable::Reset),
            false => argument,
        })
        .mut_subcommands(without_empty_variables)
}

/// The error. If a wrong value comes from a variable, it names the variable instead of the flag.
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

/// The error without clap's tip, if what it suggests is no typing error of what was typed. The usage that
/// clap prints then is that of the suggestion.
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

/// The variable with a value, of the flag that an error calls so, unless the flag was typed.
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
        Format::Json | Format::Ndjson if error.use_stderr() => {
            Stop::Failed(usage(&error), wishes.format)
        }
        _ => Stop::Said(Box::new(error)),
    }
}

/// Escapes what clap repeats of the command line.
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

/// What clap says of a mistake, in our form: the first paragraph is what is wrong, a tip is a hint.
fn usage(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let mut paragraphs = text.split("\n\n");
    let message = paragraphs.next().unwrap_or_default().trim();
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let tip = paragraphs.find_map(|paragraph| paragraph.trim().strip_prefix("tip: "));
    Failure::new(ExitCode::Usage, message).hint(tip.unwrap_or("see --help"))
}

/// What has to be known before the command line is understood, or if it never is.
#[derive(Clone, Debug)]
struct Wishes {
    format: Format,
    color: Color,
    config: Option<PathBuf>,
}

impl Wishes {
    fn read() -> Self {
        let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
        Self {
            format: wish(&arguments, "--output", "OCACHE_OUTPUT").unwrap_or(Format::Table),
            color: wish(&arguments, "--color", "OCACHE_COLOR").unwrap_or(Color::Auto),
            config: text(&arguments, "--config", "OCACHE_CONFIG").map(expanded),
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

/// The value of a flag, wherever it stands.
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

/// For everything that is printed from here on.
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
