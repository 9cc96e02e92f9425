//! Maps AWS errors to port errors, by variant, code and status, never by their text.

use std::error::Error as StdError;
use std::fmt;

use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

use super::refusal::{CallerRefusal, seconds_ahead};
use crate::ports::{Clock as _, PortError, SystemClock};

/// What a failure means for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FailureKind {
    Throttled,
    Missing,
    Denied,
    Unavailable,
    Rejected,
    /// Refused for a reason that is neither the caller's rights nor the content of the call.
    Refused,
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
    "InvalidToken",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "OptInRequired",
    "RequestExpired",
    "RequestInTheFuture",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "SubscriptionRequiredException",
    "TokenRefreshRequired",
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

/// Codes about the content of a call: the same call fails again, another one may succeed.
const REJECTED: &[&str] = &[
    "BadRequestException",
    "BatchEntryIdsNotDistinct",
    "BatchRequestTooLong",
    "ConditionalCheckFailedException",
    "EmptyBatchRequest",
    "InvalidAttributeName",
    "InvalidAttributeValue",
    "InvalidBatchEntryId",
    "InvalidMessageContents",
    "InvalidParameter",
    "InvalidParameterException",
    "InvalidParameterValue",
    "InvalidParameterValueException",
    "InvalidRequestException",
    "ItemCollectionSizeLimitExceededException",
    "MessageNotInflight",
    "PayloadTooLargeException",
    "ReceiptHandleIsInvalid",
    "SerializationException",
    "TooManyEntriesInBatchRequest",
    "TransactionCanceledException",
    "ValidationError",
    "ValidationException",
];

/// Returns what a code means by itself.
pub(super) fn kind_of_code(code: &str) -> Option<FailureKind> {
    [
        (THROTTLED, FailureKind::Throttled),
        (MISSING, FailureKind::Missing),
        (DENIED, FailureKind::Denied),
        (UNAVAILABLE, FailureKind::Unavailable),
    ]
    .into_iter()
    .find_map(|(codes, kind)| codes.contains(&code).then_some(kind))
}

/// Returns what an error answer means. An answer without a code does not come from AWS, whatever its
/// status.
fn kind_of_answer(code: Option<&str>, status: u16) -> FailureKind {
    match (code.and_then(kind_of_code), code, status) {
        (Some(kind), _, _) => kind,
        (None, _, 429) => FailureKind::Throttled,
        (None, Some(code), 400..=499) => {
            // SQS puts a prefix before some codes.
            let name = code.rsplit('.').next().unwrap_or(code);
            if REJECTED.contains(&name) { FailureKind::Rejected } else { FailureKind::Refused }
        }
        _ => FailureKind::Unavailable,
    }
}

/// An operation and its resource, for messages.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// The operation's name in the API.
    pub(super) action: &'static str,
    /// The resource, such as ``table `organic-cache-products` ``.
    pub(super) resource: String,
}

impl Call {
    pub(super) fn of(action: &'static str, resource: impl fmt::Display) -> Self {
        Self { action, resource: resource.to_string() }
    }

    /// Returns the port error of a failed call.
    pub(super) fn failed<E>(&self, error: SdkError<E>) -> PortError
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        let kind = match &error {
            SdkError::ConstructionFailure(_) => FailureKind::Rejected,
            SdkError::ServiceError(context) => {
                kind_of_answer(context.err().code(), context.raw().status().as_u16())
            }
            _ => FailureKind::Unavailable,
        };
        if let Some(refusal) = CallerRefusal::of_credentials(&error) {
            return self.denied(refusal);
        }
        match kind {
            FailureKind::Throttled => PortError::Throttled { what: self.resource.clone() },
            FailureKind::Missing => PortError::Missing { what: self.resource.clone() },
            FailureKind::Denied => {
                let date = error.raw_response().and_then(|raw| raw.headers().get("date"));
                let ahead = date.and_then(|date| seconds_ahead(SystemClock.now(), date));
                match error.code().and_then(|code| CallerRefusal::of_code(code, ahead)) {
                    Some(refusal) => self.denied(refusal),
                    None => self.denied(error),
                }
            }
            FailureKind::Unavailable => match foreign_status(&error) {
                Some(status) => PortError::unavailable(&self.resource, NotAws { status }),
                None => PortError::unavailable(&self.resource, error),
            },
            FailureKind::Refused => PortError::Refused {
                what: format!("{} on {}", self.action, self.resource),
                source: Box::new(error),
            },
            FailureKind::Rejected => {
                let why = match (error.code(), error.message()) {
                    (Some(code), Some(message)) => format!("{code}: {message}"),
                    (Some(code), None) => code.to_owned(),
                    _ => DisplayErrorContext(&error).to_string(),
                };
                PortError::rejected(format!("{} on {}", self.action, self.resource), why)
            }
        }
    }

    /// Returns the error for an answer without a field that the operation always returns.
    pub(super) fn incomplete(&self, field: &'static str) -> PortError {
        let error = IncompleteAnswer { action: self.action, field };
        PortError::unavailable(&self.resource, error)
    }

    fn denied(&self, source: impl StdError + Send + Sync + 'static) -> PortError {
        PortError::Denied {
            what: format!("{} on {}", self.action, self.resource),
            source: Box::new(source),
        }
    }
}

/// Returns the status of an answer that no AWS service gives: an error without a code, or a success that
/// cannot be parsed. A load balancer whose service is down sends no code either.
fn foreign_status<E>(error: &SdkError<E>) -> Option<u16>
where
    E: ProvideErrorMetadata,
{
    let status = error.raw_response()?.status().as_u16();
    let is_readable = match error {
        SdkError::ServiceError(context) => context.err().code().is_some(),
        SdkError::ResponseError(_) => false,
        _ => return None,
    };
    (!is_readable && status < 500).then_some(status)
}

/// Replaces what the SDK says about an answer that it cannot parse.
#[derive(Debug, thiserror::Error)]
#[error(
    "the endpoint does not speak the protocol of AWS: its reply has status {status} and is not in AWS's format"
)]
pub struct NotAws {
    /// The HTTP status of the answer.
    pub status: u16,
}

/// An answer without a field that its operation always returns.
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
            (Some("ThrottlingException"), 400, FailureKind::Throttled),
            (Some("AWS.SimpleQueueService.NonExistentQueue"), 400, FailureKind::Missing),
            (Some("SignatureDoesNotMatch"), 403, FailureKind::Denied),
            (Some("ValidationException"), 400, FailureKind::Rejected),
            (Some("SomethingNew"), 500, FailureKind::Unavailable),
            (Some("AWS.SimpleQueueService.EmptyBatchRequest"), 400, FailureKind::Rejected),
            (Some("SubscriptionRequiredException"), 400, FailureKind::Denied),
            (Some("RequestTimeTooSkewed"), 403, FailureKind::Denied),
            (Some("UnknownOperationException"), 400, FailureKind::Refused),
            (Some("SomethingNew"), 409, FailureKind::Refused),
            (None, 429, FailureKind::Throttled),
            (None, 404, FailureKind::Unavailable),
            (None, 403, FailureKind::Unavailable),
            (None, 200, FailureKind::Unavailable),
        ] {
            assert_eq!(kind_of_answer(code, status), kind, "{code:?} {status}");
        }
    }
}
