//! `ocache config show`: every setting, and where it comes from.

use clap::parser::ValueSource;
use serde::Serialize;

use super::args::ConfigCommand;
use super::failure::Failure;
use super::output::{Output, table};
use super::parse::{Parsed, Stop, parsed};
use super::settings_file::key_of;

/// One setting.
#[derive(Serialize)]
struct Setting {
    setting: String,
    /// As it would be typed; none when it is not set and has no default.
    value: Option<String>,
    origin: Origin,
    /// The flag, variable or file.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum Origin {
    Flag,
    Environment,
    File,
    Default,
}

pub(super) fn run(output: &Output, command: &ConfigCommand) -> Result<(), Failure> {
    let ConfigCommand::Show(_) = command;
    // The values as they were typed, which the types no longer know.
    let parsed = match parsed() {
        Ok(parsed) => parsed,
        Err(Stop::Failed(failure, _)) => return Err(failure),
        Err(Stop::Said(error)) => return Err(Failure::internal(*error)),
    };
    let settings = settings(&parsed);
    output.data(&settings, |settings| {
        let mut table = table(["setting", "value", "from"]);
        for setting in settings {
            let from = setting.from.clone().unwrap_or_else(|| "default".to_owned());
            let value = setting.value.clone().unwrap_or_default();
            table.add_row([setting.setting.clone(), value, from]);
        }
        table.to_string()
    })
}

fn settings(parsed: &Parsed) -> Vec<Setting> {
    let show = ["config", "show"];
    let command =
        show.iter().try_fold(&parsed.command, |command, name| command.find_subcommand(name));
    let matches =
        show.iter().try_fold(&parsed.matches, |matches, name| matches.subcommand_matches(name));
    let (Some(command), Some(matches)) = (command, matches) else { return vec![] };
    let mut settings: Vec<Setting> = command
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
            let value = (!values.is_empty()).then(|| values.join(","));
            Some(Setting { setting: key.to_owned(), value, origin, from })
        })
        .collect();
    settings.sort_by(|a, b| a.setting.cmp(&b.setting));
    settings
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::super::args::Cli;
    use super::super::settings_file::keys;

    #[test]
    fn every_setting_is_shown() {
        let mut cli = Cli::command();
        cli.build();
        let shown = cli.find_subcommand("config").unwrap().find_subcommand("show").unwrap();
        assert_eq!(keys(shown), keys(&Cli::command()));
    }
}
