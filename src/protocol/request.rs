//! The requests of clients.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use thiserror::Error;

use super::items::ItemsError;
use super::object::Object;
use crate::model::{Dialect, IdError, Item, ProductId, Quantity, RequestId, UserId};

/// A parsed and checked frame of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// A request for prices.
    Quote {
        /// The customer.
        user: UserId,
        /// The products, each with its quantity.
        items: Vec<Item>,
        /// The client's own id, if it gave one.
        request_id: Option<RequestId>,
        /// The dialect in which the answer is written.
        dialect: Dialect,
    },
    /// A request for the answer of an earlier quote.
    Get {
        /// The customer.
        user: UserId,
        /// The id of the quote.
        request_id: RequestId,
    },
    /// A ping.
    Ping {
        /// The dialect in which the answer is written.
        dialect: Dialect,
    },
}

impl Request {
    /// The customer of the request, if it has one.
    #[must_use]
    pub const fn user(&self) -> Option<&UserId> {
        match self {
            Self::Quote { user, .. } | Self::Get { user, .. } => Some(user),
            Self::Ping { .. } => None,
        }
    }
}

/// A parsed and checked quote that did not come through a websocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuoteBody {
    /// The customer.
    pub user: UserId,
    /// The products, each with its quantity.
    pub items: Vec<Item>,
    /// The client's own id, if it gave one.
    pub request_id: Option<RequestId>,
}

/// Why a frame is not a request. The socket stays open.
#[derive(Debug, Error)]
pub enum ProtocolError {
    /// It is not JSON, or not an object with an action.
    #[error("the frame is not a JSON object with an \"action\": {0}")]
    NotJson(#[source] serde_json::Error),
    /// The action does not exist.
    #[error("unknown action `{0}`; known are quote, get and ping")]
    UnknownAction(String),
    /// Fields are missing or have the wrong type.
    #[error("the frame does not fit action `{action}`: {why}")]
    BadFields {
        /// The action.
        action: &'static str,
        /// What is wrong.
        why: serde_json::Error,
    },
    /// The body of an HTTP request does not have the required form.
    #[error("the body is not {wanted}: {why}")]
    BadBody {
        /// The required form.
        wanted: &'static str,
        /// What is wrong.
        why: serde_json::Error,
    },
    /// A customer or request id is not valid.
    #[error(transparent)]
    BadId(#[from] IdError),
    /// The items are not valid.
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
    let read = serde_json::from_str(text).map(|Object(fields)| fields);
    read.map_err(|why| ProtocolError::BadFields { action, why })
}

/// Parses an item. The quantity may be a JSON number or a string.
pub(super) fn read_item(product: Cow<'_, str>, quantity: &RawValue) -> Result<Item, ItemsError> {
    let product = ProductId::new(product)?;
    let text = text_of(quantity.get());
    match text.parse() {
        Ok(quantity) => Ok(Item { product, quantity }),
        Err(why) => Err(ItemsError::Quantity { product, why }),
    }
}

/// Parses the quantity that applies to all products.
pub(super) fn read_quantity(quantity: &RawValue) -> Result<Quantity, ItemsError> {
    text_of(quantity.get()).parse().map_err(ItemsError::EveryQuantity)
}

/// Returns a JSON string without its quotes, and any other JSON as it is.
fn text_of(json: &str) -> Cow<'_, str> {
    match json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(plain) if !plain.contains('\\') => plain.into(),
        Some(_) => serde_json::from_str(json).map_or_else(|_| json.into(), Cow::<str>::Owned),
        None => json.into(),
    }
}
