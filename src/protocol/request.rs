//! What a client asks for.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use thiserror::Error;

use super::items::ItemsError;
use crate::model::{Dialect, IdError, Item, ProductId, Quantity, RequestId, UserId};

/// A frame of a client, understood and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Prices for these items, please.
    Quote {
        /// Whose prices.
        user: UserId,
        /// Which products, and how much of each.
        items: Vec<Item>,
        /// The client's own name for it, if it gave one.
        request_id: Option<RequestId>,
        /// How the client wants the answer written.
        dialect: Dialect,
    },
    /// The answer of an earlier quote, again.
    Get {
        /// Whose.
        user: UserId,
        /// Which.
        request_id: RequestId,
    },
    /// Are you there?
    Ping {
        /// How the client wants the answer written.
        dialect: Dialect,
    },
}

impl Request {
    /// Whose prices it is about, if it is about any.
    #[must_use]
    pub const fn user(&self) -> Option<&UserId> {
        match self {
            Self::Quote { user, .. } | Self::Get { user, .. } => Some(user),
            Self::Ping { .. } => None,
        }
    }
}

/// A quote as it is asked for without a websocket, understood and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuoteBody {
    /// Whose prices.
    pub user: UserId,
    /// Which products, and how much of each.
    pub items: Vec<Item>,
    /// The client's own name for it, if it gave one.
    pub request_id: Option<RequestId>,
}

/// Why a frame is not a request. The socket stays open.
#[derive(Debug, Error)]
pub enum ProtocolError {
    /// Not JSON, or not an object with an action.
    #[error("the frame is not a JSON object with an \"action\": {0}")]
    NotJson(#[source] serde_json::Error),
    /// An action that does not exist.
    #[error("unknown action `{0}`; known are quote, get and ping")]
    UnknownAction(String),
    /// Fields are missing or have the wrong type.
    #[error("the frame does not fit action `{action}`: {why}")]
    BadFields {
        /// Which action.
        action: &'static str,
        /// What does not fit.
        why: serde_json::Error,
    },
    /// The body of a request over HTTP is not what it should be.
    #[error("the body is not {wanted}: {why}")]
    BadBody {
        /// What it should be.
        wanted: &'static str,
        /// What does not fit.
        why: serde_json::Error,
    },
    /// A user or request id that cannot be one.
    #[error(transparent)]
    BadId(#[from] IdError),
    /// Items that cannot be quoted.
    #[error(transparent)]
    BadItems(#[from] ItemsError),
}

impl ProtocolError {
    /// The `code` of the error frame.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotJson(_) => "not_json",
            Self::UnknownAction(_) => "unknown_action",
            Self::BadBody { why, .. } if !why.is_data() => "not_json",
            Self::BadFields { .. } | Self::BadBody { .. } => "bad_frame",
            Self::BadId(_) => "bad_id",
            Self::BadItems(_) => "bad_items",
        }
    }
}

pub(super) fn fields<'a, T: Deserialize<'a>>(
    action: &'static str,
    text: &'a str,
) -> Result<T, ProtocolError> {
    serde_json::from_str(text).map_err(|why| ProtocolError::BadFields { action, why })
}

/// Reads a quantity from its text, whether it was a JSON number or a string.
pub(super) fn read_item(product: Cow<'_, str>, quantity: &RawValue) -> Result<Item, ItemsError> {
    let product = ProductId::new(product)?;
    let text = text_of(quantity.get());
    match text.parse() {
        Ok(quantity) => Ok(Item { product, quantity }),
        Err(why) => Err(ItemsError::Quantity { product, why }),
    }
}

/// Reads a quantity that is one for all products.
pub(super) fn read_quantity(quantity: &RawValue) -> Result<Quantity, ItemsError> {
    text_of(quantity.get()).parse().map_err(ItemsError::EveryQuantity)
}

/// A JSON string without its quotes, and anything else as it is written.
fn text_of(json: &str) -> Cow<'_, str> {
    match json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(plain) if !plain.contains('\\') => plain.into(),
        Some(_) => serde_json::from_str(json).map_or_else(|_| json.into(), Cow::<str>::Owned),
        None => json.into(),
    }
}
