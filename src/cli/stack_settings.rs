//! The settings of the stack, at the command line.
//!
//! The stack's record is in force, and below it the defaults. A flag, a variable or a line of the
//! settings file sets the record only in commands whose purpose this is. All other commands only mention
//! a value that differs.

use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

use super::args::Backend;
use super::engine::Engine;
use super::failure::{ExitCode, Failure, Result};
use super::output::Output;
use super::parse::{Parsed, parsed};
use super::settings::Settings;
use super::settings_file::SettingsFile;
use crate::ports::{Chain, SettingsRecord, Store};
use crate::stages::{SetError, Setting, SettingChange, SettingsInForce, StackSettings, set};

/// The settings of the stack that were given to a run.
#[derive(Debug, Default)]
pub(super) struct Given {
    values: Vec<GivenValue>,
    /// The flags that name the stack.
    stack: String,
    /// Whether the engine is AWS, where a deployed schedule may decide the interval.
    is_aws: bool,
}

/// One value, and where it comes from.
#[derive(Debug)]
pub(super) struct GivenValue {
    pub(super) setting: Setting,
    /// The value in the form of the record.
    pub(super) value: String,
    /// `--ttl`, `OCACHE_TTL`, or the line of a file.
    from: String,
    pub(super) is_flag: bool,
}

impl Given {
    /// Reads the command line, the environment and the settings file of this process.
    pub(super) fn read(settings: &Settings) -> Result<Self> {
        Ok(Self::of(settings, &parsed()?))
    }

    pub(super) fn of(settings: &Settings, parsed: &Parsed) -> Self {
        let (mut command, mut matches) = (&parsed.command, &parsed.matches);
        while let Some((name, below)) = matches.subcommand() {
            let Some(found) = command.find_subcommand(name) else { break };
            (command, matches) = (found, below);
        }
        let given = |setting| given(setting, command, matches, parsed.file.as_ref());
        Self {
            values: Setting::ALL.into_iter().filter_map(given).collect(),
            stack: settings.as_flags.clone(),
            is_aws: settings.backend == Backend::Aws,
        }
    }

    /// Returns a record with all of these values.
    pub(super) fn record(&self) -> SettingsRecord {
        let set = |given: &GivenValue| (given.setting.name().to_owned(), given.value.clone());
        SettingsRecord::default().with(self.values.iter().map(set))
    }

    /// Takes the value of a flag, if the flag was typed.
    pub(super) fn take_flag(&mut self, setting: Setting) -> Option<String> {
        let is_meant = |given: &GivenValue| given.is_flag && given.setting == setting;
        let index = self.values.iter().position(is_meant)?;
        Some(self.values.remove(index).value)
    }

    /// Warns of each value that is not in force.
    pub(super) fn warn(&self, output: &Output, settings: &StackSettings) {
        for GivenValue { setting, value, from, .. } in &self.values {
            let (in_force, stack) = (settings.as_set(*setting), &self.stack);
            if *value == in_force {
                continue;
            }
            let way = match self.is_aws && *setting == Setting::RefreshEvery {
                true => "the schedule on AWS decides it".to_owned(),
                false => {
                    format!(
                        "`ocache config set{stack} {setting} {value}` sets it for all processes"
                    )
                }
            };
            output.note(&format!(
                "warning: {from} {value} is not in force: the stack's {setting} is {in_force}; {way}"
            ));
        }
    }

    /// Whether the values require tokens from clients.
    pub(super) fn asks_for_tokens(&self) -> bool {
        self.values
            .iter()
            .any(|given| given.setting == Setting::RequireToken && given.value == "true")
    }

    /// Refuses to open a gateway to everybody if the values require tokens.
    pub(super) fn check_door(&self, settings: &StackSettings) -> Result<()> {
        if settings.requires_token || !self.asks_for_tokens() {
            return Ok(());
        }
        let message = "tokens are required of this gateway, but the stack requires none: its gateways \
                       admit every client";
        Err(Failure::new(ExitCode::Usage, message).hint(format!(
            "`ocache config set{} require-token true` makes all of them require tokens",
            self.stack
        )))
    }

    /// Sets all values for the stack, and prints those that changed. Returns how many did.
    pub(super) async fn set(&self, output: &Output, store: &dyn Store) -> Result<usize> {
        let values: Vec<_> =
            self.values.iter().map(|given| (given.setting, given.value.clone())).collect();
        let changes = set(store, &values).await?;
        for SettingChange { setting, before, now } in &changes {
            output.note(&format!("set for the stack: {setting} {now} (was {before})"));
        }
        Ok(changes.len())
    }

    /// Prints what [`Self::set`] would do.
    #[cfg(feature = "aws")]
    pub(super) fn would_be_set(&self, output: &Output) {
        for GivenValue { setting, value, .. } in &self.values {
            output.note(&format!("would be set for the stack: {setting} {value}"));
        }
    }
}

fn given(
    setting: Setting,
    command: &Command,
    matches: &ArgMatches,
    file: Option<&SettingsFile>,
) -> Option<GivenValue> {
    let is_meant = |argument: &&clap::Arg| argument.get_long() == Some(setting.name());
    let argument = command.get_arguments().find(is_meant)?;
    let id = argument.get_id().as_str();
    let variable = argument.get_env().map(|name| name.to_string_lossy().into_owned());
    let (from, is_flag) = match matches.value_source(id)? {
        ValueSource::CommandLine => (format!("--{setting}"), true),
        ValueSource::EnvVariable => (variable.unwrap_or_default(), false),
        _ => {
            let file = file.filter(|file| file.has(setting.name()))?;
            (format!("`{setting}` in settings file `{}`:", file.path.display()), false)
        }
    };
    let text = matches.get_raw(id)?.next()?.to_string_lossy();
    // The value was checked when it was parsed.
    let value = setting.canonical(&text).ok()?;
    Some(GivenValue { setting, value, from, is_flag })
}

/// Returns the settings in force, and follows them from now on. Warns of given values that differ.
pub(super) async fn follow(
    engine: &Engine,
    output: &Output,
    given: &Given,
) -> Result<SettingsInForce> {
    let settings = SettingsInForce::read(&*engine.ports(None).store).await?;
    given.warn(output, &settings.now());
    engine.follow(&settings);
    Ok(settings)
}

/// Warns of values that are not in force, for a command that leaves the work to other processes.
pub(super) async fn mention(engine: &Engine, output: &Output, given: &Given) -> Result<()> {
    if !given.values.is_empty() {
        let record = engine.ports(None).store.settings().await?;
        given.warn(output, &understood(&record)?);
    }
    Ok(())
}

/// Sets the given values, if no other process of the stack is alive. Otherwise [`follow`] warns of those
/// that differ.
pub(super) async fn set_if_alone(engine: &Engine, output: &Output, given: &Given) -> Result<()> {
    if given.values.is_empty() || engine.others_live().await? {
        return Ok(());
    }
    given.set(output, &*engine.ports(None).store).await.map(drop)
}

/// Returns the settings of a record. Fails if this release does not understand one of its values.
pub(super) fn understood(record: &SettingsRecord) -> Result<StackSettings> {
    StackSettings::of(record).map_err(|error| SetError::from(error).into())
}

impl From<SetError> for Failure {
    fn from(error: SetError) -> Self {
        let message = Chain(&error).to_string();
        match error {
            SetError::Port(error) => error.into(),
            SetError::Bad(_) => Self::new(ExitCode::BadData, message)
                .hint("`ocache config set KEY VALUE` sets another value"),
            SetError::Contended => Self::new(ExitCode::Failure, message).hint("try again"),
        }
    }
}
