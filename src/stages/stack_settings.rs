//! The settings of a stack: their names, the meaning of their values, and which values are in force.

use thiserror::Error;

use super::policy::{Answering, Policy};
use crate::model::{named, parse_duration, parse_retention, write_duration};
use crate::ports::SettingsRecord;

/// The settings that all processes of a stack follow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StackSettings {
    /// The settings that stages follow.
    pub policy: Policy,
    /// The limits on active and new customers.
    pub users: UserLimits,
    /// Whether gateways accept only clients with a token.
    pub requires_token: bool,
}

/// The limits within which gateways make customers active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserLimits {
    /// The most active customers of one gateway.
    pub active: u32,
    /// The most new customers in a minute from one address.
    pub new_per_min_per_address: u32,
    /// Whether a customer becomes active only with the second visit. The first one is only answered.
    pub active_from_second_visit: bool,
}

impl UserLimits {
    /// The limits if none are set.
    pub const DEFAULT: Self =
        Self { active: 1_000_000, new_per_min_per_address: 6_000, active_from_second_visit: false };
}

impl Default for UserLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

named! {
    /// One setting of a stack, by the name of its flag.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Setting {
        /// [`Policy::ttl`].
        Ttl => "ttl",
        /// [`Policy::refresh_every`].
        RefreshEvery => "refresh-every",
        /// [`Policy::fresh_for`].
        FreshFor => "fresh-for",
        /// [`Policy::usable_for`].
        UsableFor => "usable-for",
        /// [`Policy::quote_within`].
        QuoteWithin => "quote-within",
        /// [`Policy::keep_quotations`].
        KeepQuotations => "keep-quotations",
        /// [`Policy::keep_tables`].
        KeepTables => "keep-tables",
        /// [`Policy::answering`].
        Answer => "answer",
        /// [`StackSettings::requires_token`].
        RequireToken => "require-token",
        /// [`UserLimits::active`].
        MaxActiveUsers => "max-active-users",
        /// [`UserLimits::new_per_min_per_address`].
        MaxNewUsersPerAddress => "max-new-users-per-address",
        /// [`UserLimits::active_from_second_visit`].
        ActiveFromSecondVisit => "active-from-second-visit",
    }
}

/// A recorded value that is not valid for its setting.
#[derive(Debug, Error)]
#[error("{setting}: {reason}")]
pub struct BadSetting {
    setting: Setting,
    reason: String,
}

impl Setting {
    /// Returns the setting with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|setting| setting.name() == name)
    }

    /// Returns a value in canonical form, in which it is recorded. Equal values are equal texts in this form.
    ///
    /// # Errors
    /// A text that says why the value is not valid.
    pub fn canonical(self, text: &str) -> Result<String, String> {
        let mut settings = StackSettings::default();
        settings.set(self, text)?;
        Ok(settings.as_set(self))
    }
}

impl StackSettings {
    /// Applies a record to the defaults. Settings of later releases are ignored.
    ///
    /// # Errors
    /// [`BadSetting`] if a value is not valid.
    pub fn of(record: &SettingsRecord) -> Result<Self, BadSetting> {
        let mut settings = Self::default();
        for (name, text) in &record.values {
            if let Some(setting) = Setting::named(name) {
                settings.set(setting, text).map_err(|reason| BadSetting { setting, reason })?;
            }
        }
        Ok(settings)
    }

    /// Sets one setting to a value as users type it.
    ///
    /// # Errors
    /// A text that says why the value is not valid.
    pub fn set(&mut self, setting: Setting, text: &str) -> Result<(), String> {
        let Self { policy, users, requires_token } = self;
        match setting {
            Setting::Ttl => policy.ttl = parse_duration(text)?,
            Setting::RefreshEvery => policy.refresh_every = parse_duration(text)?,
            Setting::FreshFor => policy.fresh_for = parse_duration(text)?,
            Setting::UsableFor => policy.usable_for = parse_duration(text)?,
            Setting::QuoteWithin => policy.quote_within = parse_duration(text)?,
            Setting::KeepQuotations => policy.keep_quotations = parse_retention(text)?,
            Setting::KeepTables => policy.keep_tables = parse_retention(text)?,
            Setting::Answer => policy.answering = parse_answering(text)?,
            Setting::RequireToken => *requires_token = parse_flag(text)?,
            Setting::MaxActiveUsers => users.active = parse_count(text)?,
            Setting::MaxNewUsersPerAddress => users.new_per_min_per_address = parse_count(text)?,
            Setting::ActiveFromSecondVisit => users.active_from_second_visit = parse_flag(text)?,
        }
        Ok(())
    }

    /// Returns the value that was set, or the default.
    #[must_use]
    pub fn as_set(&self, setting: Setting) -> String {
        let Self { policy, users, requires_token } = self;
        match setting {
            Setting::Ttl => write_duration(policy.ttl),
            Setting::RefreshEvery => write_duration(policy.refresh_every),
            Setting::FreshFor => write_duration(policy.fresh_for),
            Setting::UsableFor => write_duration(policy.usable_for),
            Setting::QuoteWithin => write_duration(policy.quote_within),
            Setting::KeepQuotations => write_duration(policy.keep_quotations),
            Setting::KeepTables => write_duration(policy.keep_tables),
            Setting::Answer => policy.answering.name().to_owned(),
            Setting::RequireToken => requires_token.to_string(),
            Setting::MaxActiveUsers => users.active.to_string(),
            Setting::MaxNewUsersPerAddress => users.new_per_min_per_address.to_string(),
            Setting::ActiveFromSecondVisit => users.active_from_second_visit.to_string(),
        }
    }

    /// Returns the value in force: the value that was set, or a longer time if another setting requires it.
    #[must_use]
    pub fn in_force(&self, setting: Setting) -> String {
        match setting {
            Setting::FreshFor => write_duration(self.policy.fresh_for()),
            Setting::UsableFor => write_duration(self.policy.usable_for()),
            Setting::KeepQuotations => write_duration(self.policy.keep_quotations()),
            Setting::KeepTables => write_duration(self.policy.keep_tables()),
            _ => self.as_set(setting),
        }
    }
}

fn parse_answering(text: &str) -> Result<Answering, String> {
    let found = Answering::ALL.into_iter().find(|answer| answer.name() == text);
    found.ok_or_else(|| format!("`{text}` is neither `direct` nor `topic`"))
}

fn parse_flag(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err(format!("`{text}` is neither `true` nor `false`")),
    }
}

fn parse_count(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| format!("`{text}` is not a number from 1 to {}", u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_found_by_its_name_and_keeps_its_value() {
        for (setting, text, canonical) in [
            (Setting::Ttl, "90s", "1m30s"),
            (Setting::RefreshEvery, "500ms", "500ms"),
            (Setting::FreshFor, "1h", "1h"),
            (Setting::UsableFor, "3600s", "1h"),
            (Setting::QuoteWithin, "29s", "29s"),
            (Setting::KeepQuotations, "30d", "30d"),
            (Setting::KeepTables, "36h", "1d12h"),
            (Setting::Answer, "topic", "topic"),
            (Setting::RequireToken, "YES", "true"),
            (Setting::MaxActiveUsers, "7", "7"),
            (Setting::MaxNewUsersPerAddress, "8", "8"),
            (Setting::ActiveFromSecondVisit, "1", "true"),
        ] {
            assert_eq!(Setting::named(setting.name()), Some(setting));
            assert_eq!(setting.canonical(text).as_deref(), Ok(canonical), "{setting}");
            let value = (setting.name().to_owned(), text.to_owned());
            let settings = StackSettings::of(&SettingsRecord::default().with([value])).unwrap();
            assert_ne!(settings, StackSettings::default(), "{setting} sets nothing");
            assert_eq!(settings.as_set(setting), canonical);
        }
    }

    #[test]
    fn what_is_no_value_is_named() {
        for (setting, text) in [
            (Setting::Ttl, "soon"),
            (Setting::KeepTables, "1s"),
            (Setting::Answer, "Direct"),
            (Setting::RequireToken, "perhaps"),
            (Setting::MaxActiveUsers, "0"),
            (Setting::MaxNewUsersPerAddress, "-1"),
        ] {
            let value = (setting.name().to_owned(), text.to_owned());
            let error = StackSettings::of(&SettingsRecord::default().with([value])).unwrap_err();
            let error = error.to_string();
            assert!(error.starts_with(setting.name()) && error.contains(text), "{error}");
        }
    }

    #[test]
    fn what_follows_from_another_setting_is_in_force() {
        let mut settings = StackSettings::default();
        settings.set(Setting::RefreshEvery, "20m").unwrap();
        let in_force = |setting| settings.in_force(setting);
        assert_eq!(in_force(Setting::FreshFor), "40m");
        assert_eq!(in_force(Setting::UsableFor), "1h");
        assert_eq!(in_force(Setting::KeepTables), "1d");
        assert_eq!(settings.as_set(Setting::UsableFor), "15m");
        settings.set(Setting::QuoteWithin, "8d").unwrap();
        assert_eq!(settings.in_force(Setting::KeepQuotations), "8d");
    }
}
