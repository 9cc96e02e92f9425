//! How a function follows the settings of the stack.

use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};

use super::EventError;
use crate::ports::{Chain, Ports, Store};
use crate::stages::{self, PolicyInForce, Setting, SettingChange, SettingsInForce, StageError};

/// How old the settings may be when a run begins. Between runs the process is halted, so a run begins with
/// a read if they are older.
const LOOK_EVERY: Duration = Duration::from_secs(4);

/// The settings in force, read before each run.
#[derive(Clone)]
pub(super) struct Following {
    settings: SettingsInForce,
    store: Arc<dyn Store>,
}

impl Following {
    /// Returns the settings of an engine. Nothing is read before the first run.
    pub(super) fn new(ports: &Ports) -> Self {
        Self { settings: SettingsInForce::unread(), store: ports.store.clone() }
    }

    /// Returns the policy of the stages.
    pub(super) fn policy(&self) -> PolicyInForce {
        self.settings.policy()
    }

    /// Reads the settings in force for a run.
    ///
    /// # Errors
    /// [`EventError`] if they were never read and cannot be read now.
    pub(super) async fn look(&self) -> Result<(), EventError> {
        let looked = self.settings.look_if_older(&*self.store, LOOK_EVERY).await;
        looked.map_err(|error| EventError::Stage(error.into()))
    }

    /// Sets the interval of the schedule that calls this function for the whole stack, because that
    /// schedule decides how often tables are refreshed.
    pub(super) async fn schedule_is(&self, every: &str) -> Result<(), EventError> {
        self.look().await?;
        if self.settings.now().as_set(Setting::RefreshEvery) == every {
            return Ok(());
        }
        let interval = (Setting::RefreshEvery, every.to_owned());
        match stages::set(&*self.store, &[interval]).await {
            Ok(changes) => {
                for SettingChange { before, now, .. } in changes {
                    info!(before, now, "the interval is that of the schedule now");
                }
            }
            // The next tick tries again.
            Err(error) => warn!(error = %Chain(&error), "the interval is not that of the schedule"),
        }
        let looked = self.settings.look(&*self.store).await;
        looked.map_err(|error| EventError::Stage(StageError::from(error)))
    }
}
