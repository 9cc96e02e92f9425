//! Changes the settings of a stack.

use thiserror::Error;

use super::stack_settings::{BadSetting, Setting, StackSettings};
use crate::ports::{PortError, SettingsRecord, Store};

/// How often a change starts over because another process changed the settings.
const MAX_TRIES: u32 = 10;

/// Why the settings were not changed.
#[derive(Debug, Error)]
pub enum SetError {
    /// The settings record cannot be read or written.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The new record would have a value that this release cannot read.
    #[error("the settings of the stack cannot be read")]
    Bad(#[from] BadSetting),
    /// Other processes kept changing the settings.
    #[error("the settings of the stack keep being changed by others")]
    Contended,
}

/// A setting whose value has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingChange {
    /// The setting.
    pub setting: Setting,
    /// Its value before, or its default.
    pub before: String,
    /// Its value now.
    pub now: String,
}

/// Sets values for the stack, in the form that [`Setting::canonical`] gives them. Other values stay. Returns
/// the settings whose value has changed.
///
/// # Errors
/// [`SetError`]; then nothing is set.
pub async fn set(
    store: &dyn Store,
    values: &[(Setting, String)],
) -> Result<Vec<SettingChange>, SetError> {
    for _ in 0..MAX_TRIES {
        let record = store.settings().await?;
        let is_recorded = |(setting, value): &(Setting, String)| {
            recorded(&record, *setting).as_ref() == Some(value)
        };
        if values.iter().all(is_recorded) {
            return Ok(vec![]);
        }
        let texts = values.iter().map(|(setting, text)| (setting.name().to_owned(), text.clone()));
        let next = record.with(texts);
        StackSettings::of(&next)?;
        if store.put_settings(&next).await? {
            let change = |(setting, now): &(Setting, String)| {
                let (setting, before, now) = (*setting, before(&record, *setting), now.clone());
                SettingChange { setting, before, now }
            };
            let changes = values.iter().map(change);
            return Ok(changes.filter(|change| change.before != change.now).collect());
        }
    }
    Err(SetError::Contended)
}

fn before(record: &SettingsRecord, setting: Setting) -> String {
    recorded(record, setting).unwrap_or_else(|| StackSettings::default().as_set(setting))
}

/// Returns a recorded value in canonical form. A record may have another form: Terraform writes `300s`.
fn recorded(record: &SettingsRecord, setting: Setting) -> Option<String> {
    let text = record.values.get(setting.name())?;
    Some(setting.canonical(text).unwrap_or_else(|_| text.clone()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::future::try_join_all;

    use super::*;
    use crate::memory::{Memory, TokioClock};
    use crate::model::Timestamp;
    use crate::ports::{Ports, SystemRandomness};

    fn ports() -> Ports {
        let clock = Arc::new(TokioClock::new(Timestamp::from_secs(1_800_000_000)));
        Memory::new(clock, Arc::new(SystemRandomness)).ports()
    }

    fn ttl(value: &str) -> (Setting, String) {
        (Setting::Ttl, value.to_owned())
    }

    #[tokio::test]
    async fn what_changes_is_told_and_all_else_stays() {
        let ports = ports();
        let store = &*ports.store;
        let answer = (Setting::Answer, "topic".to_owned());
        let changed = set(store, &[ttl("5m"), answer]).await.unwrap();
        let change = SettingChange {
            setting: Setting::Answer,
            before: "direct".into(),
            now: "topic".into(),
        };
        assert_eq!(changed, [change], "the default is no change");
        assert_eq!(set(store, &[ttl("5m")]).await.unwrap(), []);
        assert_eq!(store.settings().await.unwrap().revision, 1, "nothing to write");
        let changed = set(store, &[ttl("4s")]).await.unwrap();
        assert_eq!((&*changed[0].before, &*changed[0].now), ("5m", "4s"));
        let stored = StackSettings::of(&store.settings().await.unwrap()).unwrap();
        assert_eq!(stored.as_set(Setting::Answer), "topic");
    }

    #[tokio::test]
    async fn the_same_value_in_another_form_is_no_change() {
        let ports = ports();
        let written = SettingsRecord::default().with([("ttl".to_owned(), "300s".to_owned())]);
        assert!(ports.store.put_settings(&written).await.unwrap());
        assert_eq!(set(&*ports.store, &[ttl("5m")]).await.unwrap(), []);
        assert_eq!(ports.store.settings().await.unwrap(), written);
        let changed = set(&*ports.store, &[ttl("4s")]).await.unwrap();
        assert_eq!(changed[0].before, "5m");
    }

    #[tokio::test]
    async fn a_value_that_is_none_is_replaced_by_one_that_is() {
        let ports = ports();
        let broken = SettingsRecord::default().with([("ttl".to_owned(), "soon".to_owned())]);
        assert!(ports.store.put_settings(&broken).await.unwrap());
        let other = (Setting::Answer, "topic".to_owned());
        assert!(matches!(set(&*ports.store, &[other]).await, Err(SetError::Bad(_))));
        set(&*ports.store, &[ttl("4s")]).await.unwrap();
        StackSettings::of(&ports.store.settings().await.unwrap()).unwrap();
    }

    #[tokio::test]
    async fn changes_of_many_at_once_are_all_made() {
        let ports = ports();
        let values: Vec<_> = Setting::ALL
            .iter()
            .map(|setting| (*setting, StackSettings::default().as_set(*setting)))
            .collect();
        let sets = values.iter().map(|value| set(&*ports.store, std::slice::from_ref(value)));
        try_join_all(sets).await.unwrap();
        assert_eq!(ports.store.settings().await.unwrap().values.len(), Setting::ALL.len());
    }
}
