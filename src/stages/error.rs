//! The errors of stages.

use std::sync::Arc;

use thiserror::Error;

use super::made_bases::MakeBaseError;
use crate::model::RequestId;
use crate::ports::PortError;
use crate::pricing::PackError;
use crate::supervisor::Panic;

/// Why a stage could not handle a message.
#[derive(Debug, Error)]
pub enum StageError {
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// There is no base to price against, so no table can be priced.
    #[error(transparent)]
    Base(#[from] MakeBaseError),
    /// There is no base for the customer's currency or price lists; other customers' tables are not affected.
    #[error("preparing the customer's currency and price lists")]
    CustomerBase(#[source] MakeBaseError),
    /// A table could not be packed or unpacked.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// A received message is not of the kind that its queue carries.
    #[error("the message cannot be read")]
    Message(#[source] serde_json::Error),
    /// A message or frame could not be written.
    #[error("writing a message")]
    Write(#[source] serde_json::Error),
    /// Other writers kept replacing the table while it was calculated.
    #[error("the price table was changed by others {tries} times while it was calculated")]
    Contended {
        /// How many times it was tried.
        tries: u32,
    },
    /// An earlier order of the same customer failed and must come again first.
    #[error("an earlier order for this customer failed and must come first")]
    Behind,
    /// The function was cut off at its time limit, so it is unknown how far it came.
    #[error("the function is out of time")]
    OutOfTime,
    /// The stage panicked over the message.
    #[error("the stage panicked")]
    Panicked(#[from] Panic),
    /// A deadline message came before the deadline.
    #[error("the deadline has not passed yet")]
    NotDue,
    /// One failure that all messages of a batch share.
    #[error(transparent)]
    Shared(Arc<StageError>),
    /// The client used a request id again for another quote.
    #[error("request id `{request_id}` is taken by a quote for other products")]
    RequestIdTaken {
        /// The request id.
        request_id: RequestId,
    },
}

impl StageError {
    /// Whether the failure concerns a service that all messages need, not this message alone. The breaker
    /// counts it.
    #[must_use]
    pub fn is_downstream(&self) -> bool {
        match self {
            Self::Port(error) => error.is_downstream(),
            // Without a catalogue no table can be priced, whatever the cause is.
            Self::Base(_) => true,
            // Other customers' tables can still be priced.
            Self::CustomerBase(MakeBaseError::Port(error)) => error.is_downstream(),
            Self::Shared(error) => error.is_downstream(),
            _ => false,
        }
    }
}
