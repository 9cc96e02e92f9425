//! The types that travel: ids, times, quantities and the messages between stages.
//!
//! This module uses no price, port or engine. Every other module may use it.

mod decimal;
mod digest;
mod duration;
mod hidden;
mod id_rules;
mod ids;
mod message;
mod named;
mod near;
mod plural;
mod quantity;
mod sealed;
mod stack;
mod timestamp;
pub(crate) mod words;

pub use decimal::{Decimal, DecimalError, ShownDecimal};
pub use digest::{Digest, DigestBuilder};
pub use duration::{parse_duration, parse_retention, show_duration, write_duration};
pub use hidden::{CodePoint, Flaw, escape, escape_but, escape_json};
pub use id_rules::IdError;
pub use ids::{
    ConnectionId, CustomerGroup, Generation, PriceListId, ProductId, QuotationKey, RequestId,
    RequestIds, Subject, UserId,
};
pub use message::{
    Calculation, Cause, ConnectionRef, DeduplicationId, Dialect, GroupId, Item, ProviderMessage,
    QuotationRequest,
};
pub(crate) use named::{listed, named};
pub use near::nearest;
pub use plural::plural;
pub use quantity::{Quantity, QuantityError};
pub use sealed::PackedError;
pub(crate) use sealed::{seal, sealed_bytes, unseal};
pub use stack::{MAX_STACK_BYTES, is_stack};
pub use timestamp::Timestamp;
