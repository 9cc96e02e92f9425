//! The settings of a function: the same variables as those of the command line, with the same definitions.

use clap::Parser;

use super::FunctionStartError;
use super::granted::Authorization;
use super::source_tables::SourceTables;
use crate::cli::{Global, ProviderArgs};
use crate::runtime::IdentityProvider;
use crate::stages::Setting;

/// The settings of a function.
#[derive(Debug, Parser)]
pub(super) struct FunctionSettings {
    #[command(flatten)]
    pub(super) global: Global,
    /// The interval of the schedule that calls the function, if one does
    #[arg(long, env = "OCACHE_SCHEDULED_EVERY", value_parser = interval)]
    pub(super) scheduled_every: Option<String>,
    /// How the API in front of the function lets clients in. What is not said is the strictest.
    #[arg(long, env = "OCACHE_AUTHORIZATION", default_value = "TOKEN")]
    pub(super) authorization: Authorization,
    /// The tables whose changes the function loads, and what their attributes mean, as JSON
    #[arg(long, env = "OCACHE_SOURCE_TABLES", default_value = "{}")]
    pub(super) source_tables: SourceTables,
    #[command(flatten)]
    provider: ProviderArgs,
}

/// Parses an interval into the form of the stack's record.
fn interval(text: &str) -> Result<String, String> {
    Setting::RefreshEvery.canonical(text)
}

impl FunctionSettings {
    /// Reads the settings from the environment.
    pub(super) fn from_environment() -> Result<Self, FunctionStartError> {
        Self::new([])
    }

    /// Reads the settings from the environment and from flags.
    fn new<const N: usize>(flags: [&str; N]) -> Result<Self, FunctionStartError> {
        let arguments = std::iter::once("bootstrap").chain(flags);
        let settings = Self::try_parse_from(arguments).map_err(FunctionStartError::Environment)?;
        // No function starts with half of a provider, whether it checks tokens or not.
        settings.provider()?;
        Ok(settings)
    }

    /// Returns the identity provider whose tokens are accepted beside ocache's own.
    pub(super) fn provider(&self) -> Result<Option<IdentityProvider>, FunctionStartError> {
        self.provider.provider().map_err(FunctionStartError::Provider)
    }

    /// Returns the one endpoint of the API from which this function gets frames.
    pub(super) fn own_endpoint(&self) -> Result<String, FunctionStartError> {
        match self.global.management_endpoint.as_slice() {
            [endpoint] => Ok(endpoint.clone()),
            _ => Err(FunctionStartError::Endpoint),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    /// The variables that `infra/functions.tf` sets.
    const SET: [&str; 9] = [
        "OCACHE_AUTHORIZATION",
        "OCACHE_STACK",
        "OCACHE_SCHEDULED_EVERY",
        "OCACHE_MANAGEMENT_ENDPOINT",
        "OCACHE_JWKS",
        "OCACHE_ISSUER",
        "OCACHE_AUDIENCE",
        "OCACHE_CLIENT_CLAIM",
        "OCACHE_SOURCE_TABLES",
    ];

    #[test]
    fn every_variable_of_a_function_is_read_and_set() {
        let command = FunctionSettings::command();
        let read: Vec<_> =
            command.get_arguments().filter_map(|argument| argument.get_env()?.to_str()).collect();
        let terraform = include_str!("../../infra/functions.tf");
        for name in SET {
            assert!(read.contains(&name), "{name} is not read");
            assert!(terraform.contains(name), "{name} is not set");
        }
    }

    #[test]
    fn values_are_those_of_the_command_line() {
        let settings = FunctionSettings::new([
            "--stack=shop",
            "--scheduled-every=120s",
            "--management-endpoint=https://a/live",
        ])
        .unwrap();
        assert_eq!(settings.global.stack, "shop");
        assert_eq!(settings.scheduled_every.as_deref(), Some("2m"), "as the record has it");
        assert_eq!(settings.own_endpoint().unwrap(), "https://a/live");
        assert_eq!(settings.authorization, Authorization::Token, "unless it is told otherwise");
        let open = FunctionSettings::new(["--authorization=NONE"]).unwrap();
        assert_eq!(open.authorization, Authorization::None);
        assert!(matches!(
            FunctionSettings::new(["--authorization=SOME"]),
            Err(FunctionStartError::Environment(_))
        ));
        let jwks = "--jwks=https://id.example.com/keys";
        let provider =
            FunctionSettings::new([jwks, "--issuer=id"]).unwrap().provider().unwrap().unwrap();
        assert_eq!((&*provider.issuer.name, provider.issuer.audience), ("id", None));
        assert!(matches!(FunctionSettings::new([jwks]), Err(FunctionStartError::Provider(_))));
        let wrong =
            FunctionSettings::new(["--source-tables={\"a\":{\"columns\":{\"sku\":\"idd\"}}}"]);
        let Err(FunctionStartError::Environment(error)) = wrong else { panic!("{wrong:?}") };
        assert!(error.to_string().contains("`idd` is not a field"), "{error}");
        let soon = FunctionSettings::new(["--scheduled-every=soon"]);
        assert!(matches!(soon, Err(FunctionStartError::Environment(_))));
    }
}
