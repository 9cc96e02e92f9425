//! Who wants to hear what the stages have done: metrics, and whoever watches.

use std::time::Duration;

use crate::model::{Cause, UserId};
use crate::ports::Quotation;

/// What a calculation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// New parts and a new head.
    Calculated,
    /// The same table as before. The head says so anew, unless it was written lately.
    Validated,
    /// The table was already what was asked for.
    Unneeded,
    /// The user is no longer active.
    Expired,
    /// The quotation it was for is past its deadline.
    TooLate,
}

/// What a quotation found when it was first looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Warmth {
    /// A usable table.
    Warm,
    /// None: it had to be calculated.
    Cold,
}

/// Hears of what is done, in passing: the stage waits for it, so it must not.
pub trait Observer: Send + Sync {
    /// An order to calculate a table was dealt with.
    fn calculated(&self, _user: &UserId, _cause: &Cause, _effect: Effect, _took: Duration) {}

    /// A quotation was settled, and pushed if its client is there; `after` being asked.
    fn settled(&self, _quotation: &Quotation, _warmth: Warmth, _after: Duration) {}
}

/// Nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {}
