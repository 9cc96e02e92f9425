//! What an AWS error means to a stage: told by variant, code and status, never by its text.

use std::error::Error as StdError;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

use crate::ports::PortError;

/// What a failure asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Throttled,
    Missing,
    Denied,
    Unavailable,
    Rejected,
}

const THROTTLED: &[&str] = &[
    "BandwidthLimitExceeded",
    "KMS.ThrottlingException",
    "KmsThrottled",
    "LimitExceededException",
    "OverLimit",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "Throttled",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
];

const MISSING: &[&str] = &[
    "AWS.SimpleQueueService.NonExistentQueue",
    "NotFound",
    "NotFoundException",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
    "TableNotFoundException",
];

const DENIED: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "AuthorizationErrorException",
    "ExpiredToken",
    "ExpiredTokenException",
    "ForbiddenException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSecurity",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "OptInRequired",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

const UNAVAILABLE: &[&str] = &[
    "InternalError",
    "InternalErrorException",
    "InternalFailure",
    "InternalServerError",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
];

/// Those whose messages repeat what was signed: the request's headers, a session's token among them.
const SIGNATURE: &[&str] = &[
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
];

/// What a code means by itself.
pub(super) fn kind_of_code(code: &str) -> Option<Kind> {
    [
        (THROTTLED, Kind::Throttled),
        (MISSING, Kind::Missing),
        (DENIED, Kind::Denied),
        (UNAVAILABLE, Kind::Unavailable),
    ]
    .into_iter()
    .find_map(|(codes, kind)| codes.contains(&code).then_some(kind))
}

/// What an error answer means. One without a code does not come from AWS, whatever its status.
fn kind_of_answer(code: Option<&str>, status: u16) -> Kind {
    match (code.and_then(kind_of_code), code, status) {
        (Some(kind), _, _) => kind,
        (None, _, 429) => Kind::Throttled,
        (None, Some(_), 400..=499) => Kind::Rejected,
        _ => Kind::Unavailable,
    }
}

/// An operation and what it is done to, for messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    /// The operation's name in the API.
    pub(super) action: &'static str,
    /// Such as ``table `organic-cache-products` ``.
    pub(super) resource: &'a str,
}

impl Call<'_> {
    /// What a failed call means.
    pub(super) fn failed<E>(self, error: SdkError<E>) -> PortError
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        let kind = match &error {
            SdkError::ConstructionFailure(_) => Kind::Rejected,
            SdkError::ServiceError(context) => {
                kind_of_answer(context.err().code(), context.raw().status().as_u16())
            }
            _ => Kind::Unavailable,
        };
        if has_no_credentials(&error) {
            return self.denied(error);
        }
        match kind {
            Kind::Throttled => PortError::Throttled { what: self.resource.to_owned() },
            Kind::Missing => PortError::Missing { what: self.resource.to_owned() },
            Kind::Denied => match SIGNATURE.iter().find(|code| error.code() == Some(code)) {
                Some(code) => self.denied(BadSignature { code }),
                None => self.denied(error),
            },
            Kind::Unavailable => PortError::unavailable(self.resource, error),
            Kind::Rejected => {
                let why = match (error.code(), error.message()) {
                    (Some(code), Some(message)) => format!("{code}: {message}"),
                    (Some(code), None) => code.to_owned(),
                    _ => DisplayErrorContext(&error).to_string(),
                };
                PortError::rejected(format!("{} on {}", self.action, self.resource), why)
            }
        }
    }

    /// For an answer that lacks what the operation always answers.
    pub(super) fn incomplete(self, field: &'static str) -> PortError {
        let error = IncompleteAnswer { action: self.action, field };
        PortError::unavailable(self.resource, error)
    }

    fn denied(self, source: impl StdError + Send + Sync + 'static) -> PortError {
        PortError::Denied {
            what: format!("{} on {}", self.action, self.resource),
            source: Box::new(source),
        }
    }
}

/// In place of what AWS says about a signature.
#[derive(Debug, thiserror::Error)]
#[error("{code}: the secret key is not that of the access key, or something changed the request")]
struct BadSignature {
    code: &'static str,
}

/// Nothing was sent because no credentials were found: for the user that is a refusal.
fn has_no_credentials(error: &(dyn StdError + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(
            CredentialsError::CredentialsNotLoaded(_) | CredentialsError::InvalidConfiguration(_),
        ) = error.downcast_ref()
        {
            return true;
        }
        cause = error.source();
    }
    false
}

/// An answer that lacks what its operation always answers.
#[derive(Debug, thiserror::Error)]
#[error("the answer to {action} has no {field}, as if it were not from AWS")]
struct IncompleteAnswer {
    action: &'static str,
    field: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_decide_before_the_status() {
        for (code, status, kind) in [
            (Some("ThrottlingException"), 400, Kind::Throttled),
            (Some("AWS.SimpleQueueService.NonExistentQueue"), 400, Kind::Missing),
            (Some("SignatureDoesNotMatch"), 403, Kind::Denied),
            (Some("ValidationException"), 400, Kind::Rejected),
            (Some("SomethingNew"), 500, Kind::Unavailable),
            (Some("SomethingNew"), 409, Kind::Rejected),
            (None, 429, Kind::Throttled),
            (None, 404, Kind::Unavailable),
            (None, 403, Kind::Unavailable),
            (None, 200, Kind::Unavailable),
        ] {
            assert_eq!(kind_of_answer(code, status), kind, "{code:?} {status}");
        }
    }
}
