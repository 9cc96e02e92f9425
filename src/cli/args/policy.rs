//! The settings of the stack that the stages follow.

use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::stages::Setting;

/// The heading of the stack's settings in the help of every command that takes them.
pub const STACK_SETTINGS: &str = "Settings of the stack, the same for all its processes";

/// The settings of the stack that stages keep to: what [`crate::stages::Policy`] is made of. Their
/// values are texts here, because what counts is the stack's record, not what this process is told.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = STACK_SETTINGS)]
pub struct PolicyArgs {
    /// How long a customer stays active after a visit
    #[arg(long, value_name = "TIME", env = "OCACHE_TTL", value_parser = of(Setting::Ttl), default_value = "5m")]
    pub ttl: String,
    /// Time between two scheduled calculations of an active customer's table
    #[arg(long, value_name = "TIME", env = "OCACHE_REFRESH_EVERY", value_parser = of(Setting::RefreshEvery), default_value = "1m")]
    pub refresh_every: String,
    /// How long a table is fresh after a check; at least two intervals
    #[arg(long, value_name = "TIME", env = "OCACHE_FRESH_FOR", value_parser = of(Setting::FreshFor), default_value = "10m")]
    pub fresh_for: String,
    /// How long a table answers quotes if nothing refreshes it; at least an interval longer than fresh-for
    #[arg(long, value_name = "TIME", env = "OCACHE_USABLE_FOR", value_parser = of(Setting::UsableFor), default_value = "15m")]
    pub usable_for: String,
    /// How long a quotation may take before it fails
    #[arg(long, value_name = "TIME", env = "OCACHE_QUOTE_WITHIN", value_parser = of(Setting::QuoteWithin), default_value = "30s")]
    pub quote_within: String,
    /// How long past quotations are kept; at least quote-within
    #[arg(long, value_name = "TIME", env = "OCACHE_KEEP_QUOTATIONS", value_parser = of(Setting::KeepQuotations), default_value = "7d")]
    pub keep_quotations: String,
    /// How long a table stays stored if nothing refreshes it; at least twice usable-for
    #[arg(long, value_name = "TIME", env = "OCACHE_KEEP_TABLES", value_parser = of(Setting::KeepTables), default_value = "1d")]
    pub keep_tables: String,
    /// Where warm quotes are answered: where they arrive, or by way of the topic
    #[arg(long, value_name = "WAY", env = "OCACHE_ANSWER", value_parser = PossibleValuesParser::new(["direct", "topic"]), default_value = "direct")]
    pub answer: String,
}

/// Parses a value of a setting into the form of the stack's record.
pub(super) fn of(
    setting: Setting,
) -> impl Fn(&str) -> Result<String, String> + Clone + Send + Sync + 'static {
    move |text: &str| setting.canonical(text)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::super::Cli;
    use crate::stages::{Setting, StackSettings};

    #[test]
    fn every_setting_of_the_stack_has_a_flag_with_its_default() {
        let cli = Cli::command();
        let up = cli.find_subcommand("up").unwrap();
        for setting in Setting::ALL {
            let mut flags = up.get_arguments();
            let flag = flags.find(|flag| flag.get_long() == Some(setting.name())).unwrap();
            let default = flag.get_default_values().first().and_then(|text| text.to_str());
            let default = default.map(|text| setting.canonical(text).unwrap());
            let default = default.unwrap_or_else(|| "false".to_owned());
            assert_eq!(default, StackSettings::default().as_set(setting), "{setting}");
        }
    }
}
