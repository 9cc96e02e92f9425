//! What a function is told: the variables of the command line, read by the same definitions.

use clap::Parser;

use super::StartError;
use super::granted::Authorization;
use crate::cli::{Global, PolicyArgs};
use crate::stages::Policy;

/// The variables of a function.
#[derive(Debug, Parser)]
struct Variables {
    #[command(flatten)]
    global: Global,
    #[command(flatten)]
    policy: PolicyArgs,
    /// How the API in front of the function lets clients in. What is not said is the strictest.
    #[arg(long, env = "OCACHE_AUTHORIZATION", default_value = "TOKEN")]
    authorization: Authorization,
}

/// What a function works with.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// What all names begin with.
    pub(super) stack: String,
    /// The times that stages keep to.
    pub(super) policy: Policy,
    /// Where answers may be pushed.
    pub(super) endpoints: Vec<String>,
    /// How clients are let in.
    pub(super) authorization: Authorization,
}

impl Settings {
    /// Those of the environment.
    pub(super) fn from_environment() -> Result<Self, StartError> {
        Self::new([])
    }

    /// Those of the environment, and of flags.
    fn new<const N: usize>(flags: [&str; N]) -> Result<Self, StartError> {
        let arguments = std::iter::once("bootstrap").chain(flags);
        let Variables { global, policy, authorization } =
            Variables::try_parse_from(arguments).map_err(StartError::Environment)?;
        Ok(Self {
            stack: global.stack,
            policy: (&policy).into(),
            endpoints: global.management_endpoint,
            authorization,
        })
    }

    /// The one endpoint of the API whose frames this function gets.
    pub(super) fn own_endpoint(&self) -> Result<String, StartError> {
        match self.endpoints.as_slice() {
            [endpoint] => Ok(endpoint.clone()),
            _ => Err(StartError::Endpoint),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::CommandFactory;

    use super::*;

    /// What `infra/functions.tf` sets.
    const SET: [&str; 9] = [
        "OCACHE_AUTHORIZATION",
        "OCACHE_STACK",
        "OCACHE_TTL",
        "OCACHE_REFRESH_EVERY",
        "OCACHE_USABLE_FOR",
        "OCACHE_QUOTE_WITHIN",
        "OCACHE_KEEP_QUOTATIONS",
        "OCACHE_KEEP_TABLES",
        "OCACHE_MANAGEMENT_ENDPOINT",
    ];

    #[test]
    fn every_variable_of_a_function_is_read_and_set() {
        let command = Variables::command();
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
        let settings = Settings::new([
            "--stack=shop",
            "--ttl=90s",
            "--refresh-every=2m",
            "--management-endpoint=https://a/live",
        ])
        .unwrap();
        assert_eq!(settings.stack, "shop");
        assert_eq!(settings.policy.ttl, Duration::from_secs(90));
        assert_eq!(settings.policy.refresh_every, Duration::from_secs(120));
        assert_eq!(settings.own_endpoint().unwrap(), "https://a/live");
        assert_eq!(settings.authorization, Authorization::Token, "unless it is told otherwise");
        let open = Settings::new(["--authorization=NONE"]).unwrap();
        assert_eq!(open.authorization, Authorization::None);
        assert!(matches!(Settings::new(["--authorization=SOME"]), Err(StartError::Environment(_))));
        assert!(matches!(Settings::new(["--ttl=soon"]), Err(StartError::Environment(_))));
    }
}
