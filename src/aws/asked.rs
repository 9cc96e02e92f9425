//! What the meter knows of a call before it is sent.

use aws_smithy_types::config_bag::{Storable, StoreReplace};

use crate::meter::Operation;

/// What is known of a call before it is sent.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) operation: Operation,
    /// Items or messages that it names.
    pub(super) items: u64,
    /// Bytes of those, if it carries them.
    pub(super) bytes: u64,
    /// What it costs by the rules, if it does what it asks for.
    pub(super) milliunits: u64,
    /// Whether it reads consistently.
    pub(super) consistent: bool,
}

impl Storable for Asked {
    type Storer = StoreReplace<Self>;
}
