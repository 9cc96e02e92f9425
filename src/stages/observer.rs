//! Observers: metrics and displays that are told what the stages have done.

use std::time::Duration;

use crate::model::{Cause, UserId, named};
use crate::ports::Quotation;

named! {
    /// What a calculation did, by its name in metrics.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Effect {
        /// The table was written again, with its rows.
        Calculated => "written",
        /// The prices are unchanged. The head is written again, unless it was written recently.
        Validated => "unchanged",
        /// The table was already as ordered.
        Unneeded => "unneeded",
        /// The customer is no longer active.
        Expired => "expired",
        /// The quotation that ordered it is past its deadline.
        TooLate => "too_late",
    }
}

named! {
    /// Whether a quotation found a usable table at first, by its name in metrics.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Warmth {
        /// There was a usable table.
        Warm => "warm",
        /// There was none, so it had to be calculated.
        Cold => "cold",
    }
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
