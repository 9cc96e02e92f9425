//! Why AWS refuses a caller whatever the request is. The reasons are told apart by what helps.

use std::error::Error as StdError;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_sts::primitives::{DateTime, DateTimeFormat};
use thiserror::Error;

use crate::model::Timestamp;

/// AWS refuses requests that are signed with a clock further off than this.
pub const MAX_SKEW_SECS: u64 = 5 * 60;

/// Why AWS refuses a caller whatever the request is.
///
/// The message of AWS about a signature is not repeated, because it contains what was signed, and so a
/// session's token.
#[derive(Debug, Error)]
pub enum CallerRefusal {
    /// There are no credentials to sign a request with. Nothing was sent.
    #[error("no AWS credentials were found")]
    NoCredentials,
    /// The source of the credentials did not give any. Nothing was sent.
    #[error("the source of the AWS credentials gave none")]
    CredentialsFailed(#[source] Box<dyn StdError + Send + Sync>),
    /// The credentials have expired.
    #[error("{code}: the AWS credentials have expired")]
    Expired {
        /// The code from AWS.
        code: &'static str,
    },
    /// AWS does not know the access key, or the session.
    #[error("{code}: AWS does not know the access key, or its session token")]
    UnknownKey {
        /// The code from AWS.
        code: &'static str,
    },
    /// AWS knows the access key, but the request was not signed with its secret.
    #[error(
        "{code}: the secret key does not belong to the access key, or the request was changed on its way"
    )]
    BadSignature {
        /// The code from AWS.
        code: &'static str,
    },
    /// The request was signed with a wrong clock.
    #[error("{code}: this machine's clock is {}", off(*.ahead_secs))]
    Skewed {
        /// The code from AWS.
        code: &'static str,
        /// By how many seconds the clock is ahead (negative: behind). Not every answer shows this.
        ahead_secs: Option<i64>,
    },
    /// The account is not signed up for the service.
    #[error("{code}: the account is not signed up for this service")]
    NotSubscribed {
        /// The code from AWS.
        code: &'static str,
    },
}

/// What a code is about.
#[derive(Clone, Copy)]
enum About {
    Time,
    Expiry,
    Key,
    Signature,
    Subscription,
}

const ABOUT: &[(&str, About)] = &[
    ("RequestTimeTooSkewed", About::Time),
    ("RequestInTheFuture", About::Time),
    ("RequestExpired", About::Time),
    ("ExpiredToken", About::Expiry),
    ("ExpiredTokenException", About::Expiry),
    ("TokenRefreshRequired", About::Expiry),
    ("InvalidAccessKeyId", About::Key),
    ("InvalidClientTokenId", About::Key),
    ("InvalidSecurity", About::Key),
    ("InvalidToken", About::Key),
    ("UnrecognizedClientException", About::Key),
    ("IncompleteSignature", About::Signature),
    ("IncompleteSignatureException", About::Signature),
    ("InvalidSignatureException", About::Signature),
    ("SignatureDoesNotMatch", About::Signature),
    ("OptInRequired", About::Subscription),
    ("SubscriptionRequiredException", About::Subscription),
];

impl CallerRefusal {
    /// Returns what a code means. `ahead_secs` is how far this machine's clock is ahead of the answer's.
    /// Some services report a wrong clock as a bad signature.
    pub(super) fn of_code(code: &str, ahead_secs: Option<i64>) -> Option<Self> {
        let &(code, about) = ABOUT.iter().find(|(known, _)| *known == code)?;
        let is_off = ahead_secs.is_some_and(|secs| secs.unsigned_abs() >= MAX_SKEW_SECS);
        Some(match about {
            About::Time => Self::Skewed { code, ahead_secs: ahead_secs.filter(|_| is_off) },
            About::Expiry | About::Signature if is_off => Self::Skewed { code, ahead_secs },
            About::Expiry => Self::Expired { code },
            About::Key => Self::UnknownKey { code },
            About::Signature => Self::BadSignature { code },
            About::Subscription => Self::NotSubscribed { code },
        })
    }

    /// Returns the refusal if nothing was sent because there are no credentials.
    pub(super) fn of_credentials<E>(error: &SdkError<E>) -> Option<Self>
    where
        E: StdError + Send + Sync + 'static,
    {
        let error: &(dyn StdError + 'static) = error;
        let mut causes = std::iter::successors(Some(error), |error| (*error).source());
        match causes.find_map(|cause| cause.downcast_ref::<CredentialsError>())? {
            CredentialsError::CredentialsNotLoaded(_) => Some(Self::NoCredentials),
            // The provider of the credentials did not answer, which may be temporary.
            CredentialsError::ProviderTimedOut(_) => None,
            failed => Some(Self::CredentialsFailed(causes_of(failed).into())),
        }
    }
}

/// Returns an error with its causes as text, because the error that contains it is dropped.
fn causes_of(error: &dyn StdError) -> String {
    crate::ports::Chain(error).to_string()
}

/// Returns how many seconds this machine's clock, which shows `here`, is ahead of an answer, by its `Date`
/// header.
pub(super) fn seconds_ahead(here: Timestamp, date: &str) -> Option<i64> {
    let there = DateTime::from_str(date, DateTimeFormat::HttpDate).ok()?;
    Some(here.millis().div_euclid(1000) - there.secs())
}

fn off(ahead_secs: Option<i64>) -> String {
    match ahead_secs {
        None => "too far from AWS's".to_owned(),
        Some(secs) => {
            let side = if secs < 0 { "behind" } else { "ahead of" };
            format!("{} minutes {side} AWS's", secs.unsigned_abs() / 60)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ahead_is_positive() {
        let date = "Thu, 01 Jan 1970 00:01:00 GMT";
        assert_eq!(seconds_ahead(Timestamp::from_secs(90), date), Some(30));
        assert_eq!(seconds_ahead(Timestamp::from_secs(0), date), Some(-60));
        assert_eq!(seconds_ahead(Timestamp::from_secs(0), "yesterday"), None);
    }

    fn said(code: &str, ahead_secs: Option<i64>) -> String {
        CallerRefusal::of_code(code, ahead_secs)
            .map_or_else(String::new, |refusal| refusal.to_string())
    }

    #[test]
    fn each_has_words_of_its_own_and_a_wrong_clock_comes_before_a_bad_signature() {
        assert!(said("ExpiredTokenException", Some(3)).contains("have expired"));
        assert!(said("UnrecognizedClientException", None).contains("does not know the access key"));
        assert!(said("SignatureDoesNotMatch", Some(-30)).contains("secret key"));
        assert!(said("SubscriptionRequiredException", None).contains("not signed up"));
        for code in ["RequestTimeTooSkewed", "InvalidSignatureException", "ExpiredToken"] {
            let error = said(code, Some(-7_260));
            assert_eq!(error, format!("{code}: this machine's clock is 121 minutes behind AWS's"));
        }
        assert!(said("RequestExpired", Some(900)).contains("15 minutes ahead of AWS's"));
        assert!(said("RequestTimeTooSkewed", None).contains("too far from AWS's"));
        assert_eq!(said("AccessDenied", Some(9_999)), "");
    }
}
