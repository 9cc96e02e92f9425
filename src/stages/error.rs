//! What keeps a stage from doing its work.

use std::sync::Arc;

use thiserror::Error;

use super::made_bases::MakeBaseError;
use crate::model::RequestId;
use crate::ports::PortError;
use crate::pricing::PackError;
use crate::supervisor::Panic;

/// Why a stage could not do what it was woken for.
#[derive(Debug, Error)]
pub enum StageError {
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// There is no base to price against.
    #[error(transparent)]
    Base(#[from] MakeBaseError),
    /// There is no base of what only some customers have: a currency, or price lists.
    #[error("preparing the customer's currency and price lists")]
    CustomerBase(#[source] MakeBaseError),
    /// A table could not be packed or read.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// A message is not what its queue carries.
    #[error("the message cannot be read")]
    Message(#[source] serde_json::Error),
    /// A message or frame could not be written.
    #[error("writing a message")]
    Write(#[source] serde_json::Error),
    /// Others kept changing the table while it was calculated.
    #[error("the price table was changed by others {tries} times while it was calculated")]
    Contended {
        /// How often it was tried.
        tries: u32,
    },
    /// An earlier order of the same user must come again first.
    #[error("an earlier order of the customer was not done")]
    Behind,
    /// Its function was cut off, and nobody knows how far it came.
    #[error("the function is out of time")]
    OutOfTime,
    /// The stage panicked over the message.
    #[error("the stage panicked")]
    Panicked(#[from] Panic),
    /// A quotation is not due yet.
    #[error("the deadline is still ahead")]
    NotDue,
    /// One failure of a whole batch.
    #[error(transparent)]
    Shared(Arc<StageError>),
    /// The client used a request id again, for something else.
    #[error("request id `{request_id}` is taken by a quote for other products")]
    RequestIdTaken {
        /// Which id.
        request_id: RequestId,
    },
}

impl StageError {
    /// Whether the downstream as a whole is in trouble, rather than this one message.
    #[must_use]
    pub fn is_downstream(&self) -> bool {
        match self {
            Self::Port(error) => error.is_downstream(),
            // Without a catalogue no table can be priced, whatever keeps it from being read.
            Self::Base(_) => true,
            // Other customers' tables can be.
            Self::CustomerBase(MakeBaseError::Port(error)) => error.is_downstream(),
            Self::Shared(error) => error.is_downstream(),
            _ => false,
        }
    }
}
