//! From what is typed to what is meant: flags, over the environment, over the settings file, over
//! the defaults.

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ContextValue;
use clap::{ArgMatches, Command, CommandFactory as _, FromArgMatches as _, ValueEnum};

use super::args::{Cli, Color, Format};
use super::failure::{ExitCode, Failure};
use super::settings_file::SettingsFile;
use crate::model::escape;

/// A command line that ends here: it asked for help, or it cannot be done.
#[derive(Debug)]
pub enum Stop {
    /// Help, the version, or what is wrong with the command line, for people.
    Said(Box<clap::Error>),
    /// What is wrong, to be reported in a format.
    Failed(Failure, Format),
}

/// What the arguments say, and by which definitions.
pub(super) struct Parsed {
    /// With the settings file's values as defaults.
    pub(super) command: Command,
    pub(super) matches: ArgMatches,
    pub(super) file: Option<SettingsFile>,
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
    match command.try_get_matches_from_mut(std::env::args_os()) {
        Ok(matches) => Ok(Parsed { command, matches, file }),
        Err(error) => Err(stop(error, wishes)),
    }
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
            config: text(&arguments, "--config", "OCACHE_CONFIG").map(PathBuf::from),
        }
    }
}

fn wish<T: ValueEnum>(arguments: &[OsString], flag: &str, variable: &str) -> Option<T> {
    T::from_str(text(arguments, flag, variable)?.to_str()?, false).ok()
}

fn text(arguments: &[OsString], flag: &str, variable: &str) -> Option<OsString> {
    typed(arguments, flag).or_else(|| std::env::var_os(variable))
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
