//! Parses ids on the command line.
//!
//! A command that creates something accepts only ids that are valid now, which is the default. A command
//! that only reads or removes also accepts ids that version 0.1.0 may have stored.

use crate::model::{IdError, ProductId, RequestId, UserId};

pub(super) fn stored_user(text: &str) -> Result<UserId, IdError> {
    UserId::stored(text)
}

pub(super) fn stored_product(text: &str) -> Result<ProductId, IdError> {
    ProductId::stored(text)
}

pub(super) fn stored_request(text: &str) -> Result<RequestId, IdError> {
    RequestId::stored(text)
}
