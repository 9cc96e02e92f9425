//! The connections to clients' websockets.

use bytes::Bytes;

use super::{PortError, port};
use crate::model::ConnectionRef;

/// The largest text that one push may have, in bytes.
pub const MAX_PUSH_BYTES: usize = 128 * 1024;

/// The result of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The gateway has accepted the frame.
    Delivered,
    /// The connection is closed. This is an outcome and not an error, because nobody waits for the frame.
    Gone,
}

port!(
    /// Open websocket connections, wherever their gateway is.
    pub trait Connections: Send + Sync {
        /// Sends one text frame of at most [`MAX_PUSH_BYTES`].
        async fn push(&self, to: &ConnectionRef, frame: Bytes) -> Result<Delivery, PortError>;
    }
);
