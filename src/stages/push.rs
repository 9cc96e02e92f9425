//! Pushes a settled quotation to its client.

use bytes::Bytes;
use tracing::info;

use super::StageError;
use crate::model::Timestamp;
use crate::ports::{Connections, Delivery, Quotation, QuotationStatus};
use crate::protocol::render_quotation;
use crate::trace;

/// Pushes a stored quotation. If the client is gone, that is no error: it asks for its answer later. A client
/// without a connection always asks.
pub(super) async fn push(
    connections: &dyn Connections,
    quotation: &Quotation,
    now: Timestamp,
) -> Result<(), StageError> {
    let Some(connection) = &quotation.connection else {
        info!("settled; the client asks for it");
        return Ok(());
    };
    let frame = render_quotation(quotation, now).map_err(StageError::Write)?;
    let pushed = connections.push(connection, Bytes::from(frame));
    let delivery = trace::within(trace::push(&quotation.request_id), pushed).await?;
    match (&quotation.status, delivery) {
        (_, Delivery::Gone) => info!("settled; the client is gone"),
        (QuotationStatus::Failed(reason), Delivery::Delivered) => info!(%reason, "failed"),
        (_, Delivery::Delivered) => {
            let after_ms = now.since(quotation.accepted_at).as_millis();
            info!(after_ms, "answered");
        }
    }
    Ok(())
}
