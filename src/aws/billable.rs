//! What the meter knows of a billed call before it is sent.

use aws_smithy_types::config_bag::{Storable, StoreReplace};

use crate::meter::Operation;

/// What is known of a billed call before it is sent.
#[derive(Clone, Debug)]
pub(super) struct Billable {
    pub(super) operation: Operation,
    /// The number of items or messages that the call names.
    pub(super) items: u64,
    /// The bytes of these, if the call carries them.
    pub(super) bytes: u64,
    /// The cost of the call by the documented rules, if it succeeds.
    pub(super) milliunits: u64,
    /// Whether the read is consistent.
    pub(super) consistent: bool,
}

impl Storable for Billable {
    type Storer = StoreReplace<Self>;
}
