//! Conditional writes. A failed condition is an outcome and not an error.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;

use super::errors::Call;
use super::item::Item;
use crate::ports::PortError;

/// The outcome of a conditional write.
pub(super) enum Conditional<T> {
    /// The write was done.
    Done(T),
    /// The condition failed on this item, or on none.
    Refused(Option<Item>),
}

/// The error of an operation that takes a condition.
pub(super) trait Refusable: ProvideErrorMetadata + std::error::Error + Send + Sync {
    /// Returns the failed condition, if the error is one.
    fn refusal(self) -> Option<ConditionalCheckFailedException>;

    /// Whether the error is a failed condition.
    fn is_refusal(&self) -> bool;
}

macro_rules! refusable {
    ($($error:ty),+) => {
        $(impl Refusable for $error {
            fn refusal(self) -> Option<ConditionalCheckFailedException> {
                match self {
                    Self::ConditionalCheckFailedException(refusal) => Some(refusal),
                    _ => None,
                }
            }

            fn is_refusal(&self) -> bool {
                self.is_conditional_check_failed_exception()
            }
        })+
    };
}

refusable!(PutItemError, UpdateItemError);

/// Turns a failed condition from an error into an outcome.
pub(super) fn conditional<T, E: Refusable + 'static>(
    call: &Call,
    sent: Result<T, SdkError<E>>,
) -> Result<Conditional<T>, PortError> {
    match sent {
        Ok(done) => Ok(Conditional::Done(done)),
        Err(SdkError::ServiceError(context)) if context.err().is_refusal() => {
            let refusal = context.into_err().refusal();
            Ok(Conditional::Refused(refusal.and_then(|refusal| refusal.item)))
        }
        Err(error) => Err(call.failed(error)),
    }
}
