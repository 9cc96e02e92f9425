//! `ocache.toml`: settings of a folder or of a user, by the names of the flags.
//!
//! A line of the file sets the default of its flag in every command that has the flag. So it passes the
//! checks of the flag, and a typed flag or a set variable takes precedence.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{Arg, Command};
use toml::Value;

use super::failure::{ExitCode, Failure, Result};
use super::load_section::LoadSection;
use super::named_file;
use super::paths::{base_folder, in_folder, is_path};
use crate::model::nearest;

/// The name of the file in a folder.
const NAME: &str = "ocache.toml";
/// Flags that are settings although their variables belong to AWS.
const WITHOUT_VARIABLE: [&str; 3] = ["profile", "region", "endpoint-url"];

/// A settings file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SettingsFile {
    pub(super) path: PathBuf,
    /// The values by the flag's name without its dashes.
    values: BTreeMap<String, Vec<String>>,
    /// The layout of data files.
    load: LoadSection,
}

/// Returns the name that a flag has as a setting; `None` if it is not one. Only flags with an environment
/// variable are settings. Secrets are not, because files are shared.
pub(super) fn key_of(argument: &Arg) -> Option<&str> {
    let long = argument.get_long()?;
    let variable = argument.get_env().is_some() && !argument.is_hide_env_values_set();
    (long != "config" && (variable || WITHOUT_VARIABLE.contains(&long))).then_some(long)
}

impl SettingsFile {
    /// Finds the named file, else that of the current folder or the nearest above it, else the user's
    /// own.
    pub(super) fn find(named: Option<&Path>) -> Result<Option<Self>> {
        if let Some(path) = named {
            named_file::check(path)?;
            return Self::read(path.to_owned()).map(Some);
        }
        let folder = std::env::current_dir().unwrap_or_default();
        let above = folder.ancestors().map(|folder| folder.join(NAME));
        let mut candidates = above.chain(users_own());
        candidates.find(|path| path.is_file()).map(Self::read).transpose()
    }

    fn read(path: PathBuf) -> Result<Self> {
        let text = std::fs::read_to_string(&path).map_err(|error| {
            let message = format!("settings file `{}` cannot be read: {error}", path.display());
            Failure::new(ExitCode::Usage, message)
        })?;
        Self::parse(path, &text)
    }

    fn parse(path: PathBuf, text: &str) -> Result<Self> {
        let mut table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let reason = error.to_string();
            let message =
                format!("settings file `{}` is not TOML: {}", path.display(), reason.trim_end());
            Failure::new(ExitCode::Usage, message).hint("write a line such as: ttl = \"10m\"")
        })?;
        let load = match table.remove(LoadSection::NAME) {
            Some(section) => LoadSection::read(section, &path)?,
            None => LoadSection::default(),
        };
        let values = table
            .into_iter()
            .map(|(key, value)| match texts(&value) {
                Some(texts) => Ok((key, texts)),
                None => {
                    let message =
                        format!("`{key}` in settings file `{}` has no valid value", path.display());
                    Err(Failure::new(ExitCode::Usage, message)
                        .hint("use a string, a number, true, false, or a list of strings"))
                }
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { path, values, load })
    }

    /// Returns the layout of data files from the file.
    pub(super) fn load_section(&self) -> &LoadSection {
        &self.load
    }

    /// Whether the file has a line for a setting.
    pub(super) fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// Returns the definitions of the command line with this file's values as defaults.
    pub(super) fn over(&self, definitions: Command) -> Result<Command> {
        for (key, values) in &self.values {
            self.check(&definitions, key, values)?;
        }
        let file = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
        let folder = file.parent().unwrap_or(&file);
        Ok(with_defaults(definitions, &self.values, folder))
    }

    fn check(&self, definitions: &Command, key: &str, values: &[String]) -> Result<()> {
        let path = self.path.display();
        let Some(command) = path_to(definitions, key) else {
            let message = format!("settings file `{path}` has `{key}`, which is not a setting");
            let all = keys(definitions);
            let near = nearest(key, all.iter().map(String::as_str));
            let failure = Failure::new(ExitCode::Usage, message);
            return Err(failure.suggest(near, "`ocache config show` shows all of them"));
        };
        let flags = values.iter().map(|value| match command.flag_takes_value {
            true => Some(format!("--{key}={value}")),
            false => (value == "true").then(|| format!("--{key}")),
        });
        let line = std::iter::once(Some("ocache".to_owned()))
            .chain(command.names.into_iter().map(Some))
            .chain(flags)
            .flatten()
            .map(OsString::from);
        match definitions.clone().try_get_matches_from(line) {
            Err(error)
                if matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue) =>
            {
                let text = error.render().to_string();
                let reason = text.lines().next().unwrap_or_default();
                let reason = reason.strip_prefix("error: ").unwrap_or(reason);
                let message = format!("`{key}` in settings file `{path}`: {reason}");
                Err(Failure::new(ExitCode::Usage, message))
            }
            // Other errors, such as missing arguments, do not concern the file.
            _ => Ok(()),
        }
    }
}

/// Returns the path of the user's own file.
fn users_own() -> Option<PathBuf> {
    Some(base_folder("XDG_CONFIG_HOME", ".config")?.join("ocache").join(NAME))
}

fn texts(value: &Value) -> Option<Vec<String>> {
    Some(match value {
        Value::Array(values) => values.iter().map(text).collect::<Option<_>>()?,
        value => vec![text(value)?],
    })
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Boolean(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn with_defaults(
    command: Command,
    values: &BTreeMap<String, Vec<String>>,
    folder: &Path,
) -> Command {
    command
        .mut_args(|argument| match key_of(&argument).and_then(|key| values.get(key)) {
            Some(paths) if is_path(&argument) => {
                argument.default_values(paths.iter().map(|path| in_folder(folder, path)))
            }
            Some(values) => argument.default_values(values.clone()),
            None => argument,
        })
        .mut_subcommands(|command| with_defaults(command, values, folder))
}

/// A command that has a setting's flag.
struct HasFlag {
    /// The subcommands that lead to it.
    names: Vec<String>,
    flag_takes_value: bool,
}

fn path_to(command: &Command, key: &str) -> Option<HasFlag> {
    if let Some(flag) = command.get_arguments().find(|argument| key_of(argument) == Some(key)) {
        let flag_takes_value = flag.get_action().takes_values();
        return Some(HasFlag { names: vec![], flag_takes_value });
    }
    command.get_subcommands().find_map(|command| {
        let mut found = path_to(command, key)?;
        found.names.insert(0, command.get_name().to_owned());
        Some(found)
    })
}

/// Returns the names of all settings of a command and its subcommands, sorted.
pub(super) fn keys(command: &Command) -> Vec<String> {
    let own = command.get_arguments().filter_map(key_of).map(str::to_owned);
    let mut all: Vec<String> = own.chain(command.get_subcommands().flat_map(keys)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::super::args::Cli;
    use super::*;

    fn over(text: &str) -> Result<Command> {
        SettingsFile::parse(PathBuf::from("ocache.toml"), text)?.over(Cli::command())
    }

    #[test]
    fn a_line_is_a_default() {
        let command = over("ttl = \"9m\"\nmax-frames = 7\nlimit-loopback = true\n").unwrap();
        let matches = command.try_get_matches_from(["ocache", "serve", "--max-frames=8"]).unwrap();
        let (_, serve) = matches.subcommand().unwrap();
        assert_eq!(serve.get_one::<String>("ttl").unwrap(), "9m");
        assert_eq!(serve.get_one::<u32>("max_frames"), Some(&8));
        assert!(serve.get_flag("limit_loopback"));
    }

    #[test]
    fn what_is_no_setting_or_no_value_is_named() {
        for (text, named) in [
            ("tll = \"9m\"", "`tll`, which is not a setting\n\nhint: did you mean `ttl`?"),
            ("config = \"x\"", "`config`, which is not a setting"),
            ("ttl = \"soon\"", "`ttl` in settings file `ocache.toml`"),
            ("output = \"yaml\"", "`output` in settings file `ocache.toml`"),
            ("ttl = 1.5", "has no valid value"),
            ("[ttl]\nx = 1", "has no valid value"),
            ("ttl", "is not TOML"),
        ] {
            let failure = over(text).map(drop).unwrap_err().to_text();
            assert!(failure.contains(named), "{text}: {failure}");
        }
    }

    #[test]
    fn a_setting_has_one_name() {
        fn check(command: &Command) {
            for argument in command.get_arguments() {
                let (Some(long), Some(variable)) = (argument.get_long(), argument.get_env()) else {
                    continue;
                };
                let expected = format!("OCACHE_{}", long.replace('-', "_").to_uppercase());
                assert_eq!(variable.to_str(), Some(expected.as_str()));
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }
}
