//! Checks that the whole system works with a real quote over the loopback websocket. The quote is for a
//! made-up user, of whom nothing is left afterwards.

use std::time::Duration;

use thiserror::Error;
use tokio::time::{sleep, timeout};

use super::client::{ClientError, Destination, GatewayClient};
use super::token_check::ticket;
use crate::model::{Item, ProductId, Quantity, QuotationKey, RequestId, UserId};
use crate::ports::{PortError, Ports, first_products};
use crate::protocol::Frame;
use crate::stages::StageError;
use crate::stages::subscribe::{subscribe, unsubscribe};
use crate::tokens::{KeyRing, SignError, Token};

/// A worker that was killed may hold the order for the table, and then the next one too. Each time, the order comes
/// again after ten seconds.
const PATIENCE: Duration = Duration::from_secs(45);
/// Long enough for the check, too short to be refreshed for long if the process dies during the check.
const TTL: Duration = Duration::from_secs(60);

/// Why the system is not ready.
#[derive(Debug, Error)]
pub enum ReadyCheckError {
    /// A stage failed.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The gateway failed.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A token for the gateway cannot be made.
    #[error("no token for the gateway can be made")]
    Token(#[from] SignError),
    /// The made-up user's name is not valid. This cannot happen.
    #[error("the check could not be set up")]
    Setup,
    /// No table or no answer came in time.
    #[error("no quote was answered within {} s", PATIENCE.as_secs())]
    TimedOut,
    /// The quote got an error or a failure instead of a price.
    #[error("the quote was not answered with a price: {0}")]
    Refused(String),
}

/// A customer who is made up for one check.
pub struct MadeUp {
    user: UserId,
    name: RequestId,
}

impl MadeUp {
    /// Makes up a customer with a random id.
    ///
    /// # Errors
    /// Returns [`ReadyCheckError::Setup`].
    pub fn new(ports: &Ports) -> Result<Self, ReadyCheckError> {
        let name = RequestId::made(ports.clock.now(), ports.randomness.bits());
        let user = UserId::new(format!("ocache-ready-check-{name}"));
        Ok(Self { user: user.map_err(|_| ReadyCheckError::Setup)?, name })
    }

    /// Returns the customer for whom the check quotes.
    #[must_use]
    pub const fn user(&self) -> &UserId {
        &self.user
    }
}

/// Quotes one product through the whole system: subscription, price calc, gateway, handler, provider.
/// Returns whether there was a product to quote.
///
/// Run it before the schedule starts, so that no scheduled message of the made-up user is left. If the
/// gateway requires tokens, `keys` sign one for the check.
///
/// # Errors
/// Returns the [`ReadyCheckError`] of the step that failed.
pub async fn ready_check(
    ports: &Ports,
    MadeUp { user, name }: &MadeUp,
    gateway: &Destination,
    keys: Option<&KeyRing>,
) -> Result<bool, ReadyCheckError> {
    let first = first_products(&*ports.store, 1).await?;
    let Some(product) = first.rows.into_iter().next() else { return Ok(false) };
    let now = ports.clock.now();
    let token =
        keys.map(|keys| ticket(keys, std::iter::once(user.clone()).collect(), now)).transpose()?;
    let gateway = (gateway, token.as_ref());
    let checked = timeout(PATIENCE, quote_once(ports, gateway, user, product.id, name)).await;
    clean_up(ports, user, name).await?;
    checked.unwrap_or(Err(ReadyCheckError::TimedOut)).map(|()| true)
}

async fn quote_once(
    ports: &Ports,
    (gateway, token): (&Destination, Option<&Token>),
    user: &UserId,
    product: ProductId,
    request_id: &RequestId,
) -> Result<(), ReadyCheckError> {
    // Wait for the table first, so that the check knows that it is stored and can remove it.
    subscribe(&*ports.store, &*ports.queues, user, TTL, ports.clock.now()).await?;
    while ports.store.table_heads(std::slice::from_ref(user)).await?.is_empty() {
        sleep(Duration::from_millis(5)).await;
    }
    let mut client = GatewayClient::connect(gateway, token).await?;
    let item = Item { product, quantity: Quantity::ONE };
    client.quote(user, &[item], Some(request_id)).await?;
    let checked = loop {
        match client.next().await?.frame {
            Frame::Quotation(quotation) if quotation.status == "answered" => break Ok(()),
            Frame::Quotation(quotation) => {
                break Err(ReadyCheckError::Refused(quotation.reason.unwrap_or_default()));
            }
            Frame::Error { message, .. } => break Err(ReadyCheckError::Refused(message)),
            Frame::Accepted { .. } | Frame::Pong => {}
        }
    };
    client.close().await;
    checked
}

async fn clean_up(
    ports: &Ports,
    user: &UserId,
    request_id: &RequestId,
) -> Result<(), ReadyCheckError> {
    unsubscribe(&*ports.store, None, user).await?;
    ports.store.delete_quotation(&QuotationKey::new(user, request_id)).await?;
    ports.store.delete_table(user).await?;
    Ok(())
}
