//! The settings that a process follows. They may change while it runs.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{info, warn};

use super::policy::Policy;
use super::stack_settings::{Setting, StackSettings};
use crate::meter::{Reason, Scope, Stage};
use crate::ports::{Chain, PortError, Store};

/// How long settings count as current after they were read.
const CURRENT_FOR: Duration = Duration::from_secs(10);

/// The settings in force, as this process knows them. Clones share the same settings.
#[derive(Clone)]
pub struct SettingsInForce(Arc<watch::Sender<KnownSettings>>);

#[derive(Clone)]
struct KnownSettings {
    settings: Arc<StackSettings>,
    read: Read,
    /// Whether the last attempt to read them failed.
    is_failing: bool,
}

#[derive(Clone, Copy)]
enum Read {
    /// The settings are not from a store, and never change.
    Fixed,
    Never,
    At(Instant),
}

impl SettingsInForce {
    /// Returns settings that are not read yet. Until they are, they are the defaults, which nobody should
    /// use.
    #[must_use]
    pub fn unread() -> Self {
        Self::new(Arc::default(), Read::Never)
    }

    /// Reads the settings in force from a store.
    ///
    /// # Errors
    /// [`PortError`] if they cannot be read, or this release cannot read a value.
    pub async fn read(store: &dyn Store) -> Result<Self, PortError> {
        let settings = Self::unread();
        settings.look(store).await?;
        Ok(settings)
    }

    fn new(settings: Arc<StackSettings>, read: Read) -> Self {
        Self(Arc::new(watch::Sender::new(KnownSettings { settings, read, is_failing: false })))
    }

    /// Returns the settings in force. Reads nothing from the store.
    #[must_use]
    pub fn now(&self) -> Arc<StackSettings> {
        self.0.borrow().settings.clone()
    }

    /// Passes the settings in force to `look`. On the path of every request this is cheaper than a handle,
    /// because all threads update the same reference count.
    pub fn read_as<T>(&self, look: impl FnOnce(&StackSettings) -> T) -> T {
        look(&self.0.borrow().settings)
    }

    /// Like [`Self::read_as`], but returns `None` if the settings were not read recently. For settings that
    /// must not be out of date.
    pub fn current_as<T>(&self, look: impl FnOnce(&StackSettings) -> T) -> Option<T> {
        let known = self.0.borrow();
        let is_current = match known.read {
            Read::Fixed => true,
            Read::Never => false,
            Read::At(at) => at.elapsed() < CURRENT_FOR,
        };
        is_current.then(|| look(&known.settings))
    }

    /// Returns the settings that stages follow.
    #[must_use]
    pub fn policy(&self) -> PolicyInForce {
        PolicyInForce { settings: self.clone(), longest_ttl: Duration::MAX }
    }

    /// Reads the settings in force, and logs changes.
    ///
    /// # Errors
    /// [`PortError`] if they cannot be read, or this release cannot read a value. The known settings then
    /// stay.
    pub async fn look(&self, store: &dyn Store) -> Result<(), PortError> {
        let scope = Scope::new(Stage::Settings, Reason::Scheduled);
        let record = scope.of(store.settings()).await?;
        let settings = StackSettings::of(&record)
            .map_err(|error| PortError::corrupt("the settings of the stack", error))?;
        let before = self.0.borrow().clone();
        let is_first = matches!(before.read, Read::Never);
        for setting in Setting::ALL.into_iter().filter(|_| !is_first) {
            let (old, new) = (before.settings.in_force(setting), settings.in_force(setting));
            if old != new {
                info!(setting = setting.name(), old, new, "a setting of the stack has changed");
            }
        }
        self.0.send_if_modified(|known| {
            known.read = Read::At(Instant::now());
            known.is_failing = false;
            let has_changed = *known.settings != settings;
            if has_changed {
                known.settings = Arc::new(settings);
            }
            has_changed
        });
        Ok(())
    }

    /// Reads the settings in force, unless they were read within `age`.
    ///
    /// # Errors
    /// [`PortError`] if they were never read and cannot be read now. If they were read once, a failure is
    /// only logged, and they stay.
    pub async fn look_if_older(&self, store: &dyn Store, age: Duration) -> Result<(), PortError> {
        let read = self.0.borrow().read;
        match read {
            Read::Fixed => Ok(()),
            Read::At(at) if at.elapsed() < age => Ok(()),
            Read::Never => self.look(store).await,
            Read::At(_) => {
                if let Err(error) = self.look(store).await {
                    self.mention(&error);
                }
                Ok(())
            }
        }
    }

    /// Logs that the known settings stay; only once, not for every attempt.
    fn mention(&self, error: &PortError) {
        self.0.send_if_modified(|known| {
            if !known.is_failing {
                known.is_failing = true;
                warn!(error = %Chain(error), "the settings of the stack cannot be read again; the last known ones stay in force");
            }
            false
        });
    }

    /// Waits until a condition is true of the settings.
    pub async fn until(&self, mut is_so: impl FnMut(&StackSettings) -> bool) {
        let mut receiver = self.0.subscribe();
        // This cannot fail, because this handle keeps the sender alive.
        let _ = receiver.wait_for(|known| is_so(&known.settings)).await;
    }
}

/// Settings that never change, with this policy and no tokens.
impl From<Policy> for SettingsInForce {
    fn from(policy: Policy) -> Self {
        Self::from(StackSettings { policy, ..StackSettings::default() })
    }
}

/// Settings that never change.
impl From<StackSettings> for SettingsInForce {
    fn from(settings: StackSettings) -> Self {
        Self::new(Arc::new(settings), Read::Fixed)
    }
}

impl fmt::Debug for SettingsInForce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SettingsInForce").field(&self.now()).finish()
    }
}

/// The policy of a stage, which may change while the process runs.
#[derive(Clone, Debug)]
pub struct PolicyInForce {
    settings: SettingsInForce,
    longest_ttl: Duration,
}

impl PolicyInForce {
    /// Returns the policy in force. Reads nothing from the store.
    #[must_use]
    pub fn now(&self) -> Policy {
        let mut policy = self.settings.read_as(|settings| settings.policy.clone());
        policy.ttl = policy.ttl.min(self.longest_ttl);
        policy
    }

    /// Waits until the refresh interval differs from this one.
    pub async fn other_interval_than(&self, refresh_every: Duration) {
        self.settings.until(|settings| settings.policy.refresh_every != refresh_every).await;
    }

    /// Limits the TTL to `longest_ttl`.
    #[must_use]
    pub fn with_ttl_at_most(self, longest_ttl: Duration) -> Self {
        Self { longest_ttl, ..self }
    }
}

/// A policy that never changes.
impl From<Policy> for PolicyInForce {
    fn from(policy: Policy) -> Self {
        SettingsInForce::from(policy).policy()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{Memory, TokioClock};
    use crate::model::Timestamp;
    use crate::ports::{Ports, SettingsRecord, SystemRandomness};

    fn ports() -> Ports {
        let clock = Arc::new(TokioClock::new(Timestamp::from_secs(1_800_000_000)));
        Memory::new(clock, Arc::new(SystemRandomness)).ports()
    }

    async fn set(ports: &Ports, setting: Setting, value: &str) {
        let value = (setting.name().to_owned(), value.to_owned());
        let next = ports.store.settings().await.unwrap().with([value]);
        assert!(ports.store.put_settings(&next).await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_is_followed_by_every_handle() {
        let ports = ports();
        let settings = SettingsInForce::read(&*ports.store).await.unwrap();
        let policy = settings.policy();
        assert_eq!(policy.now(), Policy::default());
        set(&ports, Setting::Ttl, "4s").await;
        let age = Duration::from_secs(1);
        settings.look_if_older(&*ports.store, age).await.unwrap();
        assert_eq!(policy.now().ttl, Policy::default().ttl, "it was read a moment ago");
        tokio::time::advance(age).await;
        settings.look_if_older(&*ports.store, age).await.unwrap();
        assert_eq!(policy.now().ttl, Duration::from_secs(4));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_read_again_is_kept_to_but_not_current() {
        let ports = ports();
        let settings = SettingsInForce::read(&*ports.store).await.unwrap();
        set(&ports, Setting::RequireToken, "true").await;
        settings.look(&*ports.store).await.unwrap();
        // No release has ever written this value.
        set(&ports, Setting::RequireToken, "perhaps").await;
        assert!(settings.look(&*ports.store).await.is_err());
        assert!(SettingsInForce::read(&*ports.store).await.is_err());
        tokio::time::advance(CURRENT_FOR - Duration::from_millis(1)).await;
        assert_eq!(settings.current_as(|it| it.requires_token), Some(true));
        tokio::time::advance(Duration::from_millis(1)).await;
        settings.look_if_older(&*ports.store, Duration::ZERO).await.unwrap();
        assert_eq!(settings.current_as(|it| it.requires_token), None);
        assert!(settings.now().requires_token);
        set(&ports, Setting::RequireToken, "false").await;
        settings.look(&*ports.store).await.unwrap();
        assert_eq!(settings.current_as(|it| it.requires_token), Some(false));
    }

    #[tokio::test]
    async fn a_setting_of_a_later_release_is_passed_over() {
        let ports = ports();
        let later = ("walls".to_owned(), "green".to_owned());
        assert!(ports.store.put_settings(&SettingsRecord::default().with([later])).await.unwrap());
        let settings = SettingsInForce::read(&*ports.store).await.unwrap();
        assert_eq!(*settings.now(), StackSettings::default());
        set(&ports, Setting::Ttl, "4s").await;
        let record = ports.store.settings().await.unwrap();
        assert_eq!(record.values.get("walls").map(String::as_str), Some("green"));
    }

    #[test]
    fn a_policy_in_force_may_be_held_to_a_shorter_ttl() {
        let policy = PolicyInForce::from(Policy::default());
        assert_eq!(policy.now(), Policy::default());
        let passing = policy.with_ttl_at_most(Duration::from_secs(1)).now();
        assert_eq!(passing, Policy { ttl: Duration::from_secs(1), ..Policy::default() });
    }
}
