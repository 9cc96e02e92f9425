//! The way back to a client's websocket.

use bytes::Bytes;

use super::{PortError, port};
use crate::model::ConnectionRef;

/// The most bytes of text that one push takes.
pub const MAX_PUSH_BYTES: usize = 128 * 1024;

/// What became of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The gateway took it.
    Delivered,
    /// The connection is closed. An outcome, not an error: nobody is waiting.
    Gone,
}

port!(
    /// Open websocket connections, wherever their gateway is.
    pub trait Connections: Send + Sync {
        /// Sends one text message of at most [`MAX_PUSH_BYTES`].
        async fn push(&self, to: &ConnectionRef, frame: Bytes) -> Result<Delivery, PortError>;
    }
);
