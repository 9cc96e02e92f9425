//! The profiles in the files of the AWS CLI, and the one that is chosen.

use aws_config::profile::{ProfileSet, load};
use aws_types::os_shim_internal::{Env, Fs};

use super::settings::{AwsSettings, ConnectError};

/// What a profile has whose credentials come from a login.
const LOGIN: [&str; 2] = ["sso_session", "sso_start_url"];

/// The profiles of this machine.
pub(super) struct Profiles {
    /// The one that was chosen by name.
    pub(super) chosen: Option<String>,
    /// Nothing if the files cannot be read, which is named by whoever needs what is in them.
    all: Option<ProfileSet>,
}

impl Profiles {
    /// Reads them, and sees that the chosen one is there.
    pub(super) async fn read(settings: &AwsSettings) -> Result<Self, ConnectError> {
        let chosen = settings.profile.clone().or_else(chosen_in_environment);
        let all = load(&Fs::real(), &Env::real(), &Default::default(), None).await.ok();
        let is_there =
            |profile: &str| all.as_ref().is_none_or(|all| all.get_profile(profile).is_some());
        match chosen {
            Some(profile) if !is_there(&profile) => Err(ConnectError::NoProfile { profile }),
            chosen => Ok(Self { chosen, all }),
        }
    }

    /// Whether the credentials of a profile come from a login.
    pub(super) fn logs_in(&self, profile: &str) -> bool {
        let profile = self.all.as_ref().and_then(|all| all.get_profile(profile));
        profile.is_some_and(|profile| LOGIN.iter().any(|key| profile.get(key).is_some()))
    }
}

/// Credentials in the environment come before the profile there.
fn chosen_in_environment() -> Option<String> {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    set("AWS_PROFILE").filter(|_| set("AWS_ACCESS_KEY_ID").is_none())
}
