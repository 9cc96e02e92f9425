//! The profiles in the files of the AWS CLI, and the chosen one.

use aws_config::profile::{ProfileSet, load};
use aws_types::os_shim_internal::{Env, Fs};

use super::settings::{AwsSettings, ConnectError};

/// The keys of a profile whose credentials come from a login.
const LOGIN: [&str; 2] = ["sso_session", "sso_start_url"];

/// The profiles of this machine.
pub(super) struct Profiles {
    /// The profile that was chosen by name.
    pub(super) chosen: Option<String>,
    /// All profiles. `None` if the files cannot be read; the code that needs their content reports the
    /// error.
    all: Option<ProfileSet>,
}

impl Profiles {
    /// Reads the profiles, and checks that the chosen one exists.
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

/// Returns the profile of the environment. Credentials in the environment take precedence over it.
fn chosen_in_environment() -> Option<String> {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    set("AWS_PROFILE").filter(|_| set("AWS_ACCESS_KEY_ID").is_none())
}
