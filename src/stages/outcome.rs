//! What became of a message.

use std::time::Duration;

use super::StageError;
use crate::ports::{FailedEntry, Received};

/// What the runtime shall do with a message that a stage has handled.
#[derive(Debug)]
pub enum Outcome {
    /// Its effect is durable: acknowledge it.
    Done,
    /// It shall come again, after a time when one is given, else after the runtime's backoff.
    Again {
        /// Why.
        error: StageError,
        /// Not before this time has passed.
        after: Option<Duration>,
    },
}

impl Outcome {
    /// Whether the message shall be acknowledged.
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

/// Reads the bodies of a batch.
pub(super) fn read_bodies<T: serde::de::DeserializeOwned>(
    batch: &[Received],
) -> Vec<Result<T, StageError>> {
    batch
        .iter()
        .map(|message| serde_json::from_str(&message.body).map_err(StageError::Message))
        .collect()
}

/// Writes the body of a message.
pub(super) fn write_body(message: &impl serde::Serialize) -> Result<String, StageError> {
    serde_json::to_string(message).map_err(StageError::Write)
}

/// The result of a batch of one.
pub(super) fn only(failed: Vec<FailedEntry>) -> Result<(), StageError> {
    failed.into_iter().next().map_or(Ok(()), |entry| Err(entry.error.into()))
}
