//! `ocache config`: shows every setting with its origin, and sets those of the stack.

use clap::parser::ValueSource;
use serde::Serialize;
use serde_json::json;

use super::args::{Backend, ConfigCommand, ConfigSetArgs, SetKey};
use super::engine::{Engine, makes_store, require_store};
use super::failure::{ExitCode, Failure, Result};
use super::output::{Output, table};
use super::parse::{Parsed, parsed};
use super::settings::Settings;
use super::settings_file::key_of;
use super::stack_settings::{Given, understood};
use super::token_keys::KeysFound;
use crate::ports::SettingsRecord;
use crate::pricing::UnitRounding;
use crate::stages::{self, Setting, StackSettings};

mod unit_rounding;

/// One setting as it is shown.
#[derive(Serialize)]
struct ShownSetting {
    setting: String,
    /// The value as it would be typed; `None` if it is not set and has no default.
    value: Option<String>,
    origin: Origin,
    /// The flag, variable or file; for a setting of the stack that was raised, the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum Origin {
    Flag,
    Environment,
    File,
    /// The setting was set for all processes of the stack.
    Stack,
    Default,
}

pub(super) async fn run(
    settings: &Settings,
    output: &Output,
    command: &ConfigCommand,
) -> Result<()> {
    match command {
        ConfigCommand::Show(_) => show(settings, output).await,
        ConfigCommand::Set(args) => set(settings, output, args).await,
    }
}

async fn set(settings: &Settings, output: &Output, args: &ConfigSetArgs) -> Result<()> {
    let setting = match args.key {
        SetKey::Stack(setting) => setting,
        key => return unit_rounding::set(settings, output, key, &args.value).await,
    };
    let value = setting.canonical(&args.value).map_err(|reason| {
        Failure::new(ExitCode::Usage, format!("{setting} cannot be set: {reason}"))
    })?;
    if settings.backend == Backend::Aws && setting == Setting::RefreshEvery {
        let message = "the schedule on AWS decides how often tables are refreshed";
        return Err(Failure::new(ExitCode::Usage, message).hint(
            "set refresh_every_mins in infra/ and apply it or, without functions, stop the workers \
             and run `ocache provision --refresh-every TIME`",
        ));
    }
    if setting == Setting::RequireToken && value == "true" {
        // Without keys, no client could be admitted.
        KeysFound::find(settings, None).await?.read(output).await?;
    }
    let engine = Engine::open(settings, output).await?;
    let store = engine.ports(None).store;
    let changed = stages::set(&*store, &[(setting, value.clone())]).await;
    let record = store.settings().await;
    engine.close().await;
    let (changed, stack) = (changed?, understood(&record?)?);
    let before = changed.first().map_or_else(|| value.clone(), |change| change.before.clone());
    let in_force = stack.in_force(setting);
    if in_force != value {
        output.note(&format!("note: {setting} {in_force} is in force, {}", raised_by(setting)));
    }
    if settings.backend == Backend::Aws
        && let Some(note) = ignored_by_functions(setting)
    {
        output.note(&note);
    }
    let data = json!({
        "setting": setting.name(), "value": value, "before": before, "in_force": in_force,
    });
    output.data(&data, |_| format!("{setting}  {before} → {value}"))
}

/// Returns why the value in force may be larger than the value that was set.
const fn raised_by(setting: Setting) -> &'static str {
    match setting {
        Setting::FreshFor => "because it is at least two times refresh-every",
        Setting::UsableFor => "because it is at least fresh-for and one refresh-every",
        Setting::KeepTables => "because it is at least two times usable-for",
        Setting::KeepQuotations => "because it is at least quote-within",
        _ => "",
    }
}

/// Returns a note about a setting that functions ignore: API Gateway and its authorizer admit their clients, and
/// limits are counted in the memory of a gateway process.
fn ignored_by_functions(setting: Setting) -> Option<String> {
    let instead = match setting {
        Setting::RequireToken => " and follow `authorization` of infra/",
        Setting::MaxActiveUsers
        | Setting::MaxNewUsersPerAddress
        | Setting::ActiveFromSecondVisit => "",
        _ => return None,
    };
    let holds = "it holds for gateways that are processes";
    Some(format!("note: functions ignore {setting}{instead}; {holds}"))
}

async fn show(settings: &Settings, output: &Output) -> Result<()> {
    // The values as they were typed. The parsed types no longer contain them.
    let parsed = parsed()?;
    let given = Given::of(settings, &parsed);
    let stored = stored(settings, output).await?;
    let is_stored = stored.is_some();
    let (record, rounding) = stored.unwrap_or_else(|| (given.record(), UnitRounding::PLAIN));
    let stack = understood(&record)?;
    if is_stored {
        given.warn(output, &stack);
    }
    let mut shown = all(&parsed, is_stored.then_some(&record), &stack);
    shown.extend(unit_rounding::shown(rounding));
    shown.sort_by(|a, b| a.setting.cmp(&b.setting));
    output.data(&shown, |settings| {
        let rows = settings.iter().map(|shown| {
            [shown.setting.clone(), shown.value.clone().unwrap_or_default(), shown.words()]
        });
        table(["setting", "value", "from"]).with(rows).to_string()
    })?;
    // The settings are shown first, because they say where the name of the folder comes from.
    match is_stored {
        true => Ok(()),
        false => require_store(settings).map_err(|failure| {
            failure.hint(
                "`ocache up` makes one with these settings; choose another folder with --data-dir",
            )
        }),
    }
}

impl ShownSetting {
    /// Shows a setting of the stack. Its value in force may be larger than the value that was set.
    fn of_stack(
        setting: Setting,
        (origin, from): (Origin, Option<String>),
        stack: &StackSettings,
    ) -> Self {
        let value = stack.in_force(setting);
        let is_raised = value != stack.as_set(setting);
        let from = if is_raised { Some(raised_by(setting).to_owned()) } else { from };
        Self { setting: setting.name().to_owned(), value: Some(value), origin, from }
    }

    /// Returns the origin in words.
    fn words(&self) -> String {
        match (self.origin, &self.from) {
            (Origin::Stack, None) => "stack".to_owned(),
            (Origin::Stack, Some(why)) => format!("stack, {why}"),
            (Origin::Default, None) => "default".to_owned(),
            (Origin::Default, Some(why)) => format!("default, {why}"),
            (_, from) => from.clone().unwrap_or_default(),
        }
    }
}

/// Returns the settings of the stack and its rounding; `None` if there is no store yet.
async fn stored(
    settings: &Settings,
    output: &Output,
) -> Result<Option<(SettingsRecord, UnitRounding)>> {
    if makes_store(settings) {
        return Ok(None);
    }
    let engine = Engine::open(settings, output).await?;
    let store = engine.ports(None).store;
    let record = store.settings().await;
    let head = store.catalogue_head().await;
    engine.close().await;
    Ok(Some((record?, head?.map_or(UnitRounding::PLAIN, |head| head.rounding))))
}

/// Returns all settings. Settings of the stack come from its record. If there is no record yet, they come
/// from the same places as settings of the process.
fn all(
    parsed: &Parsed,
    record: Option<&SettingsRecord>,
    stack: &StackSettings,
) -> Vec<ShownSetting> {
    let show = ["config", "show"];
    let command =
        show.iter().try_fold(&parsed.command, |command, name| command.find_subcommand(name));
    let matches =
        show.iter().try_fold(&parsed.matches, |matches, name| matches.subcommand_matches(name));
    let (Some(command), Some(matches)) = (command, matches) else { return vec![] };
    command
        .get_arguments()
        .filter_map(|argument| {
            let key = key_of(argument)?;
            let id = argument.get_id().as_str();
            let values = matches.get_raw(id).into_iter().flatten();
            let values: Vec<_> = values.map(|value| value.to_string_lossy()).collect();
            let variable = || argument.get_env().map(|name| name.to_string_lossy().into_owned());
            let file = parsed.file.as_ref().filter(|file| file.has(key));
            let (origin, from) = match (matches.value_source(id), file) {
                (Some(ValueSource::CommandLine), _) => (Origin::Flag, Some(format!("--{key}"))),
                (Some(ValueSource::EnvVariable), _) => (Origin::Environment, variable()),
                (_, Some(file)) => (Origin::File, Some(file.path.display().to_string())),
                _ => (Origin::Default, None),
            };
            if let Some(setting) = Setting::named(key) {
                let origin = match record.map(|record| record.values.contains_key(key)) {
                    Some(true) => (Origin::Stack, None),
                    Some(false) => (Origin::Default, None),
                    None => (origin, from),
                };
                return Some(ShownSetting::of_stack(setting, origin, stack));
            }
            let value = (!values.is_empty()).then(|| values.join(","));
            Some(ShownSetting { setting: key.to_owned(), value, origin, from })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::super::args::Cli;
    use super::super::settings_file::keys;
    use super::*;

    #[test]
    fn what_functions_ignore_is_named() {
        let ignored = Setting::ALL.into_iter().filter_map(ignored_by_functions);
        let expected = [
            "note: functions ignore require-token and follow `authorization` of infra/; \
             it holds for gateways that are processes",
            "note: functions ignore max-active-users; it holds for gateways that are processes",
            "note: functions ignore max-new-users-per-address; \
             it holds for gateways that are processes",
            "note: functions ignore active-from-second-visit; \
             it holds for gateways that are processes",
        ];
        assert_eq!(ignored.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn every_setting_is_shown() {
        let mut cli = Cli::command();
        cli.build();
        let shown = cli.find_subcommand("config").unwrap().find_subcommand("show").unwrap();
        assert_eq!(keys(shown), keys(&Cli::command()));
    }
}
