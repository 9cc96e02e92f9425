//! Hints for refusals of AWS that concern the caller, and for an endpoint that is not AWS.

use std::error::Error;

use super::shell::quoted;
use crate::aws::{CallerRefusal, NotAws};

/// The place in hints where the chosen profile is inserted.
const PROFILE: &str = " --profile PROFILE";

/// Returns a hint if a cause of this error is known.
pub(super) fn hint(error: &(dyn Error + 'static)) -> Option<String> {
    let mut causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.find_map(|cause| match cause.downcast_ref() {
        Some(refusal) => Some(of(refusal)),
        None => cause.is::<NotAws>().then(|| {
            "check --endpoint-url, AWS_ENDPOINT_URL and the endpoint of the profile".to_owned()
        }),
    })
}

/// Whether AWS refused the caller itself, so that every call would be refused.
pub(super) fn is_of_caller(error: &(dyn Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| (*error).source())
        .any(|cause| cause.is::<CallerRefusal>())
}

fn of(refusal: &CallerRefusal) -> String {
    match refusal {
        CallerRefusal::NoCredentials => {
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or choose a profile with --profile; \
             `aws configure list-profiles` lists them"
                .to_owned()
        }
        CallerRefusal::CredentialsFailed(_) => {
            format!("`aws sts get-caller-identity{PROFILE}` tries them; if they come from SSO, `aws sso login{PROFILE}`")
        }
        CallerRefusal::Expired { .. } => {
            format!("`aws sso login{PROFILE}` renews credentials of SSO; set others again, including AWS_SESSION_TOKEN")
        }
        CallerRefusal::UnknownKey { .. } => {
            format!("`aws sts get-caller-identity{PROFILE}` tries them; see AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN")
        }
        CallerRefusal::BadSignature { .. } => {
            format!("`aws sts get-caller-identity{PROFILE}` tries them; see AWS_SECRET_ACCESS_KEY")
        }
        CallerRefusal::Skewed { .. } => {
            "set this machine's clock; `ocache doctor` shows the difference".to_owned()
        }
        CallerRefusal::NotSubscribed { .. } => {
            "open the service once in the AWS console of this account, or choose another region with --region"
                .to_owned()
        }
    }
}

/// Puts the chosen profile into a hint.
pub(super) fn for_profile(hint: &str, profile: Option<&str>) -> String {
    let chosen =
        profile.map_or_else(String::new, |profile| format!(" --profile {}", quoted(profile)));
    hint.replace(PROFILE, &chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_can_be_pasted() {
        let expired = of(&CallerRefusal::Expired { code: "ExpiredToken" });
        assert!(for_profile(&expired, None).starts_with("`aws sso login` renews"));
        assert!(for_profile(&expired, Some("dev")).starts_with("`aws sso login --profile dev`"));
        let odd = for_profile(&expired, Some("it's mine"));
        assert!(odd.starts_with("`aws sso login --profile \"it's mine\"`"), "{odd}");
    }
}
