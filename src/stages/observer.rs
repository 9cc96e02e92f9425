//! Observers: metrics and displays that are told what the stages have done.

use std::time::Duration;

use crate::model::{Cause, UserId};
use crate::ports::Quotation;

/// What a calculation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// The table was written again, with its rows.
    Calculated,
    /// The prices are unchanged. The head is written again, unless it was written recently.
    Validated,
    /// The table was already as ordered.
    Unneeded,
    /// The customer is no longer active.
    Expired,
    /// The quotation that ordered it is past its deadline.
    TooLate,
}

/// Whether a quotation found a usable table at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Warmth {
    /// There was a usable table.
    Warm,
    /// There was none, so it had to be calculated.
    Cold,
}

/// Is told what the stages do. The stage waits for each call, so a call must not block.
pub trait Observer: Send + Sync {
    /// An order to calculate a table was handled.
    fn calculated(&self, _user: &UserId, _cause: &Cause, _effect: Effect, _took: Duration) {}

    /// A quotation was settled, `after` this time, and pushed if its client is connected.
    fn settled(&self, _quotation: &Quotation, _warmth: Warmth, _after: Duration) {}
}

/// An observer that ignores everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {}
