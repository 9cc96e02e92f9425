//! What became of a message.

use std::time::Duration;

use serde::Serialize;

use super::StageError;
use crate::ports::{FailedEntry, Received};
use crate::trace;

/// What the runtime must do with a message that a stage has handled.
#[derive(Debug)]
pub enum Outcome {
    /// Its effect is durable, so it is acknowledged.
    Done,
    /// It must come again: after the given time, or else after the runtime's backoff.
    Again {
        /// Why it must come again.
        error: StageError,
        /// The shortest time until it comes again.
        after: Option<Duration>,
    },
}

impl Outcome {
    /// Whether the message must be acknowledged.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }
}

impl From<StageError> for Outcome {
    fn from(error: StageError) -> Self {
        Self::Again { error, after: None }
    }
}

impl From<Result<(), StageError>> for Outcome {
    fn from(result: Result<(), StageError>) -> Self {
        result.map_or_else(Self::from, |()| Self::Done)
    }
}

/// Parses the bodies of a batch.
pub(super) fn read_bodies<T: serde::de::DeserializeOwned>(
    batch: &[Received],
) -> Vec<Result<T, StageError>> {
    batch
        .iter()
        .map(|message| serde_json::from_str(&message.body).map_err(StageError::Message))
        .collect()
}

/// A message with its trace. A reader that does not know traces ignores the extra member.
#[derive(Serialize)]
struct Traced<'a, T> {
    #[serde(flatten)]
    message: &'a T,
    traceparent: &'a str,
}

/// Writes the body of a message. If the running task is part of a trace, the body continues that trace.
pub(super) fn write_body(message: &impl Serialize) -> Result<String, StageError> {
    match trace::current() {
        None => serde_json::to_string(message),
        Some(traceparent) => serde_json::to_string(&Traced { message, traceparent: &traceparent }),
    }
    .map_err(StageError::Write)
}

/// Returns the result of a batch that has one entry.
pub(super) fn only(failed: Vec<FailedEntry>) -> Result<(), StageError> {
    failed.into_iter().next().map_or(Ok(()), |entry| Err(entry.error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Calculation, Cause, ProviderMessage, QuotationKey, RequestId, Timestamp, UserId,
    };

    #[test]
    fn a_trace_is_nothing_to_whoever_does_not_look_for_it() {
        let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let user = UserId::new("José").unwrap();
        let key = QuotationKey::new(&user, &RequestId::made(Timestamp::from_secs(1), [1; 16]));
        let order = Calculation {
            user: user.clone(),
            cause: Cause::Change { version: 1, discounts: None },
        };
        let deadline = ProviderMessage::Deadline { user, key };

        let body = serde_json::to_string(&Traced { message: &order, traceparent }).unwrap();
        assert_eq!(serde_json::from_str::<Calculation>(&body).unwrap(), order);
        assert_eq!(trace::carried_by(&body).as_deref(), Some(traceparent));
        let body = serde_json::to_string(&Traced { message: &deadline, traceparent }).unwrap();
        assert_eq!(serde_json::from_str::<ProviderMessage>(&body).unwrap(), deadline);

        let untraced = write_body(&order).unwrap();
        assert_eq!(serde_json::from_str::<Calculation>(&untraced).unwrap(), order);
        assert_eq!(trace::carried_by(&untraced), None);
    }
}
